"""Adding a checkpoint: whole, or not at all; never over another prior unasked."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.diffusion.small_unet import SmallUNet
from core.diffusion.unet import AdmConfig, AdmUNet
from core.errors import PriorError
from core.priors import adding, catalogue, load_prior
from core.priors.adding import add_prior, remove_prior
from core.priors.card import ModelCard, read_card
from core.priors.catalogue import Entry, Unreadable, list_priors, survey_priors
from core.priors.checkpoint import sha256_of
from core.priors.page import count_parameters, page
from core.priors.recognition import Hints
from core.priors.weights_file import stored_bytes, write_safetensors

BUILD = {"in_channels": 2, "num_channels": 32, "num_res_blocks": 1, "channel_mult": "1,2", "attention_factors": [2],
         "learn_sigma": True, "num_heads": 1}  # fmt: skip


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """User and bundled priors in folders of their own; returns the user's."""
    user, bundled = tmp_path / "user" / "priors", tmp_path / "bundled"
    bundled.mkdir()
    for module in (catalogue, adding):
        monkeypatch.setattr(module, "user_folder", lambda: user)
        monkeypatch.setattr(module, "bundled_folder", lambda: bundled)
    return user


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save({"state_dict": AdmUNet(AdmConfig.from_published(BUILD)).state_dict()}, tmp_path / "My net (v2).pt")
    return tmp_path / "My net (v2).pt"


def trained(folder: Path, name: str = "own") -> Path:
    """A small prior as training writes it, with its card, a recipe and a picture."""
    config = {"channels": 2, "widths": [16, 16], "blocks": 1, "time_width": 16}
    path = folder / f"{name}.safetensors"
    save_file(SmallUNet(**config).state_dict(), path)
    card = ModelCard(name, "small", config, 2, "v", modality="MR", sha256=sha256_of(path), recipe=f"{name}.recipe.json")
    path.with_suffix(".json").write_text(card.to_json())
    path.with_suffix(".recipe.json").write_text("{}")
    path.with_suffix(".samples.png").write_bytes(b"picture")
    return path


def test_a_checkpoint_becomes_a_prior(checkpoint: Path, folders: Path) -> None:
    entry = add_prior(checkpoint, hints=Hints(heads=1, anatomy="head"))
    assert entry.path == folders / "My-net-v2.safetensors"
    assert [e.path.stem for e in list_priors()] == ["My-net-v2"]
    card = read_card(entry.path.with_suffix(".json"))
    assert card == entry.card
    assert (card.name, card.anatomy, card.family) == ("My-net-v2", "head", "adm")
    assert card.sha256 == sha256_of(entry.path)
    assert card.source_sha256 == sha256_of(checkpoint)
    assert card.parameters == count_parameters(entry.path)
    prior, source = load_prior("My-net-v2"), load_prior(checkpoint)
    assert all(torch.equal(a, b) for a, b in zip(prior.network.parameters(), source.network.parameters(), strict=True))
    assert sorted(path.name for path in folders.iterdir()) == ["My-net-v2.json", "My-net-v2.safetensors"]


def test_a_trained_prior_brings_its_card_and_pictures(tmp_path: Path, folders: Path) -> None:
    entry = add_prior(trained(tmp_path), "mine")
    assert entry.card.parametrization == "v"
    assert entry.card.recipe == "mine.recipe.json"
    names = {".json", ".recipe.json", ".safetensors", ".samples.png"}
    assert {path.name for path in folders.iterdir()} == {f"mine{suffix}" for suffix in names}
    assert load_prior("mine").card.name == "mine"
    with pytest.raises(PriorError, match="how its network is built"):
        add_prior(tmp_path / "own.safetensors", "other", hints=Hints(heads=2))


def test_weights_that_are_not_the_ones_on_their_card_are_refused(tmp_path: Path, folders: Path) -> None:
    path = trained(tmp_path)
    save_file({key: value + 1 for key, value in load_file(path).items()}, path)
    with pytest.raises(PriorError, match="not the ones"):
        add_prior(path)
    assert not folders.exists()


def test_no_name_is_taken_twice_unless_forced(checkpoint: Path, tmp_path: Path, folders: Path) -> None:
    add_prior(trained(tmp_path), "net")
    with pytest.raises(PriorError, match="already a prior called net"):
        add_prior(checkpoint, "net")
    assert load_prior("net").card.family == "small"
    assert add_prior(checkpoint, "net", force=True).card.family == "adm"
    assert load_prior("net").card.family == "adm"
    assert {path.suffix for path in folders.iterdir()} == {".json", ".safetensors"}, "old pictures are of another prior"


def test_a_bundled_prior_is_not_hidden_unless_forced(checkpoint: Path, tmp_path: Path) -> None:
    trained(tmp_path / "bundled", "comes-with-it")
    with pytest.raises(PriorError, match="comes with a prior called comes-with-it"):
        add_prior(checkpoint, "comes-with-it")
    assert [entry.bundled for entry in list_priors()] == [True]
    add_prior(checkpoint, "comes-with-it", force=True)
    assert [(entry.bundled, entry.card.family) for entry in list_priors()] == [(False, "adm")]
    remove_prior("comes-with-it")
    assert [(entry.bundled, entry.card.family) for entry in list_priors()] == [(True, "small")]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a.b", "-a", "ä", "nul", "COM1", "a b", "x" * 65, "a\n"])
def test_names_that_are_no_plain_file_names_are_refused(checkpoint: Path, name: str, folders: Path) -> None:
    with pytest.raises(PriorError, match="cannot be called"):
        add_prior(checkpoint, name)
    assert not folders.exists()


FIRST = [(Path, "write_text", 0), (adding, "write_safetensors", 0), (Path, "replace", 0), (Path, "replace", 1)]
FAULTS = [*((False, *fault) for fault in FIRST), *((True, *fault) for fault in FIRST),
          *((True, Path, "replace", call) for call in (2, 3))]  # fmt: skip


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=("full", "interrupt"))
@pytest.mark.parametrize(("existing", "module", "function", "call"), FAULTS)
def test_a_fault_in_the_middle_leaves_what_was(
    checkpoint, tmp_path, folders, monkeypatch, error, existing, module, function, call
) -> None:
    """Each file in turn cannot be written or named."""
    if existing:
        add_prior(trained(tmp_path), "net")
    before = {path.name: path.read_bytes() for path in folders.iterdir()} if existing else {}
    with monkeypatch.context() as patched:
        calls = fail_once(patched, module, function, call, error)
        with pytest.raises((PriorError, KeyboardInterrupt)):
            add_prior(checkpoint, "net", force=True)
    assert len(calls) > call
    assert {path.name: path.read_bytes() for path in folders.iterdir()} == before


def fail_once(patched: pytest.MonkeyPatch, module: Any, function: str, call: int, error: BaseException) -> list[int]:
    """Let the call of this number fail; returns a list that grows with every call."""
    whole, calls = getattr(module, function), []

    def fail(*arguments: Any) -> Any:
        calls.append(len(calls))
        if calls[-1] == call:
            raise error
        return whole(*arguments)

    patched.setattr(module, function, fail)
    return calls


def test_what_a_killed_process_left_is_cleared(checkpoint: Path, folders: Path) -> None:
    folders.mkdir(parents=True)
    (folders / f".big.safetensors.{2**22 + 1}.part").write_bytes(b"half")
    (folders / f".other.safetensors.{os.getppid()}.part").write_bytes(b"being written")
    add_prior(checkpoint, "net")
    assert [path.name for path in folders.glob(".*")] == [f".other.safetensors.{os.getppid()}.part"]


def test_a_full_disk_is_seen_before_anything_is_written(
    checkpoint: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(adding.shutil, "disk_usage", lambda path: usage(9, 9, 1000))
    monkeypatch.setattr(adding, "write_safetensors", lambda *_: pytest.fail("written"))
    with pytest.raises(PriorError, match="disk is full"):
        add_prior(checkpoint, "net")
    assert list(folders.iterdir()) == []


def test_only_added_priors_are_removed(checkpoint: Path, tmp_path: Path, folders: Path) -> None:
    bundled = trained(tmp_path / "bundled", "small")
    add_prior(trained(tmp_path), "a")
    add_prior(checkpoint, "ab")
    remove_prior("a")
    assert sorted(path.name for path in folders.iterdir()) == ["ab.json", "ab.safetensors"]
    with pytest.raises(PriorError, match="came with the program"):
        remove_prior("small")
    with pytest.raises(PriorError, match="is the file"):
        remove_prior(str(checkpoint))
    with pytest.raises(PriorError, match="no prior called"):
        remove_prior("nobody")
    assert bundled.is_file()
    assert checkpoint.is_file()


def test_what_cannot_be_used_is_listed_with_the_reason(checkpoint: Path, tmp_path: Path, folders: Path) -> None:
    add_prior(checkpoint, "good")
    (folders / "bare.safetensors").write_bytes(b"")
    (folders / "lost.json").write_text("{}")
    trained(folders, "spoiled").with_suffix(".json").write_text("{")
    found = {each.path.stem: each for each in survey_priors()}
    assert isinstance(found["good"], Entry)
    reasons = {name: str(each.trouble) for name, each in found.items() if isinstance(each, Unreadable)}
    assert "no card" in reasons["bare"]
    assert "without weights" in reasons["lost"]
    assert "cannot be read" in reasons["spoiled"]
    assert [entry.path.stem for entry in list_priors()] == ["good"]
    remove_prior("lost")
    remove_prior("spoiled")
    assert {each.path.stem for each in survey_priors()} == {"good", "bare"}


def test_weights_are_written_as_they_are(tmp_path: Path) -> None:
    tensors = {
        "a": torch.randn(3, 5),
        "b": torch.randn(7).half(),
        "c": torch.randn(2, 2).bfloat16(),
        "d": torch.randn(4).double(),
        "scalar": torch.tensor(2.5),
        "turned": torch.randn(4, 6).T,
    }
    digest = write_safetensors(tmp_path / "x.safetensors", tensors)
    assert digest == sha256_of(tmp_path / "x.safetensors")
    read = load_file(tmp_path / "x.safetensors")
    assert {key: value.dtype for key, value in read.items()} == {
        key: torch.float32 if key == "d" else value.dtype for key, value in tensors.items()
    }
    assert all(torch.equal(read[key], value.to(read[key].dtype)) for key, value in tensors.items())
    assert (tmp_path / "x.safetensors").stat().st_size > stored_bytes(tensors)
    assert count_parameters(tmp_path / "x.safetensors") == sum(tensor.numel() for tensor in tensors.values())
    with pytest.raises(FileExistsError):
        write_safetensors(tmp_path / "x.safetensors", tensors)


def test_the_page_says_everything_of_the_card(tmp_path: Path) -> None:
    path = trained(tmp_path)
    card = read_card(path.with_suffix(".json")).with_changes(
        noise_schedule="ve", pixel_mm=(0.5, 2.0), validation={"100": 20.0, "25": 40.0}, warnings=("Beware.",),
        presets={"default": {"nfe": 20, "eta": 0.85}}, source_sha256="f" * 64,
    )  # fmt: skip
    text = page(card, path, "added")
    for words in ("own (added)", "0.5 to 2 mm", "sigma 0.01 to 378", card.sha256, "f" * 64, "nfe 20, eta 0.85",
                  "- Beware.", str(path), "own.recipe.json", "own.samples.png", "million parameters"):  # fmt: skip
        assert words in text
    low, high = (next(line for line in text.splitlines() if f"t = {t}" in line) for t in ("  25", " 100"))
    assert text.index(low) < text.index(high)
    assert "40.0 dB" in low
    assert low.count("#") == 2 * high.count("#") > 0


def test_old_cards_are_still_read(tmp_path: Path) -> None:
    old = {"name": "a", "family": "small", "config": {}, "channels": 2, "value_range": [-1, 1], "warnings": ["w"]}
    (tmp_path / "a.json").write_text(json.dumps(old))
    card = read_card(tmp_path / "a.json")
    assert (card.sigma_range, card.pixel_mm, card.source_sha256) == ((0.01, 378.0), None, "")
    new = card.with_changes(pixel_mm=(0.6, 1.4), sigma_range=(0.02, 50.0), source_sha256="ab")
    (tmp_path / "a.json").write_text(new.to_json())
    assert read_card(tmp_path / "a.json") == new
