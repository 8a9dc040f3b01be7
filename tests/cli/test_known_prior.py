"""A prior is used with a card and a hash; of an unknown checkpoint the user is asked; tampered weights are refused."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import PriorError
from core.priors import load_prior
from core.priors.adding import add_prior
from core.priors.catalogue import list_priors, survey_priors
from core.priors.known import doubt_of

FAST = ("--nfe", "2", "--cg-steps", "1", "--device", "cpu")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.priors.catalogue.user_folder", lambda: tmp_path / "priors")
    monkeypatch.setattr("core.priors.adding.user_folder", lambda: tmp_path / "priors")


@pytest.fixture
def unknown(prior_file: Path) -> Path:
    """A card that tells no hash."""
    card = json.loads(prior_file.with_suffix(".json").read_text())
    prior_file.with_suffix(".json").write_text(json.dumps(card | {"sha256": ""}))
    return prior_file


class Terminal:
    """Somebody sits there and answers."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        return self.answer


def answering(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answer)


def test_a_known_prior_asks_nothing(dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path) -> None:
    assert doubt_of(prior_file) == ""
    assert dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", prior_file, *FAST).code == 0


@pytest.mark.parametrize("card", ["no hash", "no card"])
def test_with_nobody_to_ask_an_unknown_one_is_refused(
    dds_viewer, scan_file: Path, unknown: Path, tmp_path: Path, card: str
) -> None:
    if card == "no card":
        unknown.with_suffix(".json").unlink()
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", unknown, *FAST)
    assert outcome.code == 2
    assert "not used without asking" in outcome.err
    assert "prior add" in outcome.err
    assert not (tmp_path / "x.npy").exists()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_the_user_decides(
    dds_viewer, scan_file: Path, unknown: Path, tmp_path: Path, monkeypatch, answer: str, code: int
) -> None:
    answering(monkeypatch, answer)
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", unknown, *FAST)
    assert outcome.code == code, outcome.err
    assert (tmp_path / "x.npy").exists() == (code == 0)


def test_a_settings_file_cannot_bring_an_unknown_one(
    dds_viewer, scan_file: Path, unknown: Path, tmp_path: Path
) -> None:
    (tmp_path / "s.yaml").write_text(f"prior: {unknown}\nnfe: 2\nvary:\n  seed: [0, 1]\n")
    outcome = dds_viewer("sweep", scan_file, "--settings", tmp_path / "s.yaml", "--out", tmp_path / "s", *FAST)
    assert outcome.code == 2
    assert "not used without asking" in outcome.err


def test_once_added_it_is_known(dds_viewer, scan_file: Path, unknown: Path, tmp_path: Path) -> None:
    add_prior(unknown, "mine")
    assert doubt_of("mine") == ""
    assert dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", "mine", *FAST).code == 0


@pytest.mark.parametrize("place", [0.3, 0.7, 0.999])
def test_one_changed_bit_is_refused_wherever_it_is(
    dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path, place: float
) -> None:
    data = bytearray(prior_file.read_bytes())
    data[int(len(data) * place)] ^= 1
    prior_file.write_bytes(bytes(data))
    with pytest.raises(PriorError):
        load_prior(prior_file)
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", prior_file, *FAST)
    assert outcome.code == 2
    assert not (tmp_path / "x.npy").exists()


def test_what_lies_in_the_folder_without_a_hash_is_not_offered(unknown: Path, tmp_path: Path) -> None:
    (tmp_path / "priors").mkdir()
    for suffix in (".safetensors", ".json"):
        shutil.copy(unknown.with_suffix(suffix), tmp_path / "priors" / f"sneaky{suffix}")
    assert "sneaky" not in [entry.path.stem for entry in list_priors()]
    (found,) = [entry for entry in survey_priors() if entry.path.stem == "sneaky"]
    assert "tells no hash" in str(found.trouble)


def test_a_run_card_tells_the_hash(dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path) -> None:
    assert dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", prior_file, *FAST).code == 0
    card = json.loads((tmp_path / "x.card.json").read_text())
    told = json.loads(prior_file.with_suffix(".json").read_text())["sha256"]
    assert told in json.dumps(card["inputs"])
    assert np.isfinite(np.load(tmp_path / "x.npy")).all()
