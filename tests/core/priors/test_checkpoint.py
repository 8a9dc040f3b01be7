"""Weights load without running code, in the wrappings they are found in, or are refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.diffusion.unet import AdmConfig, AdmUNet
from core.errors import PriorError
from core.priors import load_prior
from core.priors.card import ModelCard, read_card
from core.priors.checkpoint import read_state_dict, sha256_of
from core.priors.prior import Prior, pad_to_multiple

CONFIG = {
    "image_size": 64, "in_channels": 2, "learn_sigma": True, "num_channels": 32, "num_res_blocks": 1,
    "channel_mult": "1,1", "attention_resolutions": "", "num_heads": 1,
}  # fmt: skip


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return AdmUNet(AdmConfig.from_published(CONFIG)).state_dict()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        lambda w: {"state_dict": w},
        lambda w: {"ema": w, "model": {k: v * 0 for k, v in w.items()}, "step": 7},
        lambda w: {f"module.{k}": v for k, v in w.items()},
        lambda w: {f"ema.{k}": v for k, v in w.items()} | {f"model.{k}": v * 0 for k, v in w.items()},
        lambda w: {"model": {f"module.{k}": v for k, v in w.items()}},
    ],
)
def test_wrappings_come_off(tmp_path: Path, weights, wrap) -> None:
    torch.save(wrap(weights), tmp_path / "net.pt")
    found = read_state_dict(tmp_path / "net.pt")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[k], weights[k]) for k in weights)


def test_a_checkpoint_and_its_configuration_make_a_prior(tmp_path: Path, weights) -> None:
    save_file(weights, tmp_path / "net.safetensors")
    prior = load_prior(tmp_path / "net.safetensors", CONFIG)
    assert prior.channels == 2
    assert prior.card.sha256 == sha256_of(tmp_path / "net.safetensors")
    (tmp_path / "net.json").write_text(json.dumps(CONFIG))
    assert load_prior(str(tmp_path / "net.safetensors")).card == prior.card


def test_a_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "was_run",))

    torch.save({"weight": torch.zeros(1), "evil": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(PriorError, match="refused"):
        load_prior(tmp_path / "evil.pt", CONFIG)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    "name", ["cut.pt", "cut.safetensors", "text.pt", "text.safetensors", "empty.pt", "empty.safetensors"]
)
def test_damaged_files_are_refused(tmp_path: Path, weights, name: str) -> None:
    path = tmp_path / name
    torch.save(weights, path) if path.suffix == ".pt" else save_file(weights, path)
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "text": b"not a network", "empty": b""}[path.stem])
    with pytest.raises(PriorError):
        load_prior(path, CONFIG)


def test_what_does_not_fit_is_named(tmp_path: Path, weights) -> None:
    save_file(weights, tmp_path / "net.safetensors")
    with pytest.raises(PriorError, match="do not fit"):
        load_prior(tmp_path / "net.safetensors", CONFIG | {"num_res_blocks": 2})
    with pytest.raises(PriorError, match="not complete"):
        load_prior(tmp_path / "net.safetensors", {"in_channels": 2})
    with pytest.raises(PriorError, match="class label"):
        load_prior(tmp_path / "net.safetensors", CONFIG | {"class_cond": True})
    with pytest.raises(PriorError, match="no prior called"):
        load_prior("nobody")
    with pytest.raises(PriorError, match="no file"):
        load_prior("nobody.pt")


def test_replaced_weights_are_noticed(tmp_path: Path, weights) -> None:
    path = tmp_path / "net.safetensors"
    save_file(weights, path)
    card = ModelCard("net", "adm", CONFIG, 2, sha256=sha256_of(path))
    path.with_suffix(".json").write_text(card.to_json())
    assert read_card(path.with_suffix(".json")) == card
    load_prior(path)
    save_file({k: v + 1 for k, v in weights.items()}, path)
    with pytest.raises(PriorError, match="not the ones on its card"):
        load_prior(path)


def test_a_damaged_card_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": 3')
    with pytest.raises(PriorError, match="cannot be read"):
        read_card(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"nobody": 3}')
    with pytest.raises(PriorError, match="cannot be read"):
        read_card(tmp_path / "a.json")


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (3, 5)])
def test_any_size_goes_through(weights, size: tuple[int, int]) -> None:
    network = AdmUNet(AdmConfig.from_published(CONFIG))
    network.load_state_dict(weights)
    prior = Prior(network, ModelCard("net", "adm", CONFIG, 2))
    x = torch.randn(2, *size, dtype=torch.complex64)
    denoised, noise = prior.predict(x, 500)
    assert denoised.shape == noise.shape == x.shape
    a, s = prior.schedule.levels(500)
    assert torch.allclose(a * denoised + s * noise, x, atol=1e-4)
    with pytest.raises(PriorError, match="2 channels"):
        prior.predict(torch.randn(1, 1, 8, 8), 5)


def test_padding_mirrors_where_it_can() -> None:
    x = torch.arange(5.0).reshape(1, 1, 1, 5)
    assert pad_to_multiple(x, 8)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 4, 4, 4]
    assert pad_to_multiple(x.expand(1, 1, 8, 5), 8)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]
