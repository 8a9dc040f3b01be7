"""The commands about priors: adding, looking, removing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from core.diffusion.unet import AdmConfig, AdmUNet
from core.priors import adding, catalogue

BUILD = {"in_channels": 2, "num_channels": 32, "num_res_blocks": 1, "channel_mult": "1,1", "attention_factors": [],
         "learn_sigma": True, "num_heads": 1}  # fmt: skip
FAST = ("--nfe", "2", "--cg-steps", "1", "--device", "cpu")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's priors."""
    for module in (catalogue, adding):
        monkeypatch.setattr(module, "user_folder", lambda: tmp_path / "priors")
    return tmp_path / "priors"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(AdmUNet(AdmConfig.from_published(BUILD)).state_dict(), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_a_checkpoint_is_added_used_looked_at_and_removed(dds_viewer, checkpoint, scan_file, folder, tmp_path) -> None:
    words = ("--as", "mine", "--heads", "1", "--anatomy", "head", "--image-size", "64")
    added = dds_viewer("prior", "add", checkpoint, *words)
    assert added.code == 0, added.err
    assert "mine (added)" in added.out
    assert "Warnings" in added.out
    assert str(folder / "mine.safetensors") in added.out
    listed = dds_viewer("prior", "list").out
    assert str(folder / "mine.safetensors") in listed
    assert "bundled" in listed
    assert " MB" in listed
    card = json.loads(dds_viewer("prior", "info", "mine", "--json").out)
    assert (card["anatomy"], card["image_size"], card["family"]) == ("head", 64, "adm")
    run = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", "mine", *FAST)
    assert run.code == 0, run.err
    assert dds_viewer("prior", "remove", "mine", "--yes").code == 0
    assert list(folder.iterdir()) == []
    assert dds_viewer("prior", "info", "mine").code == 2


def test_info_needs_no_network(dds_viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.priors import registry

    monkeypatch.setattr(registry, "read_state_dict", lambda path: pytest.fail("the weights were read"))
    shown = dds_viewer("prior", "info", "mri-small")
    assert shown.code == 0, shown.err
    for words in ("mri-small (bundled)", "3.19 million parameters", "dB  ####", "mri-small.samples.png", "Apache-2.0"):
        assert words in shown.out


def test_verify_tells_damage(dds_viewer, prior_file: Path) -> None:
    beside = prior_file.with_suffix(".json")
    card = json.loads(beside.read_text())
    from core.priors.checkpoint import sha256_of

    beside.write_text(json.dumps(card | {"sha256": sha256_of(prior_file)}))
    assert "weights verified" in dds_viewer("prior", "info", prior_file, "--verify").out
    prior_file.write_bytes(prior_file.read_bytes()[:-1] + b"x")
    assert dds_viewer("prior", "info", prior_file).code == 0
    damaged = dds_viewer("prior", "info", prior_file, "--verify")
    assert damaged.code == 2
    assert "not the ones on its card" in damaged.err


def test_a_file_that_was_not_added_is_shown_as_what_it_would_be(dds_viewer, checkpoint: Path, folder: Path) -> None:
    shown = dds_viewer("prior", "info", checkpoint)
    assert shown.code == 0, shown.err
    assert "a file, not added" in shown.out
    assert "attention heads" in shown.out
    assert not folder.exists()


def test_removing_asks_first(dds_viewer, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import click

    dds_viewer("prior", "add", checkpoint)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    assert "Kept" in dds_viewer("prior", "remove", "net").out
    assert (folder / "net.safetensors").is_file()
    refused = dds_viewer("prior", "remove", "mri-small", "--yes")
    assert refused.code == 2
    assert "came with the program" in refused.err


def test_what_cannot_be_used_is_listed(dds_viewer, folder: Path) -> None:
    folder.mkdir()
    (folder / "bare.safetensors").write_bytes(b"")
    (line,) = [line for line in dds_viewer("prior", "list").out.splitlines() if line.startswith("bare")]
    assert "unreadable" in line
    assert "no card" in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"down_blocks.0.resnets.0.conv1.weight": torch.zeros(2, 2)}, "diffusers UNet2DModel"),
        ({"encoder.down.0.x": torch.zeros(2), "quant_conv.weight": torch.zeros(2)}, "autoencoder"),
        ({"anything": torch.zeros(2)}, "one entry"),
        ({"step": 3}, "No tensors"),
    ],
)
def test_what_is_no_prior_is_refused_in_a_sentence(dds_viewer, tmp_path: Path, folder: Path, content, words) -> None:
    torch.save(content, tmp_path / "x.pt")
    refused = dds_viewer("prior", "add", tmp_path / "x.pt")
    assert refused.code == 2
    assert words in refused.err
    assert len(refused.err.splitlines()) == 1
    assert not folder.exists()


def test_bad_words_are_refused(dds_viewer, checkpoint: Path, tmp_path: Path) -> None:
    assert dds_viewer("prior", "add", checkpoint, "--as", "../x").code == 2
    assert dds_viewer("prior", "add", checkpoint, "--as", "mri-small").code == 2
    assert dds_viewer("prior", "add", checkpoint, "--heads", "7").code == 2
    assert dds_viewer("prior", "add", tmp_path / "nothing.pt").code == 2
    assert dds_viewer("prior", "add", tmp_path).code == 2
    (tmp_path / "c.json").write_text(json.dumps({"model": {"in_channels": 2, "num_channels": 64}}))
    assert dds_viewer("prior", "add", checkpoint, "--config", tmp_path / "c.json").code == 2
