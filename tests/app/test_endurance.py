"""A short run of the endurance tests; tests.soak has the long ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.soak.cycles import cycle, held_now, write_scan
from tests.soak.monkey import Monkey, NoFileDialogs, played


def test_what_was_opened_and_closed_leaves_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    scan = tmp_path / "small.h5"
    write_scan(scan)
    for _ in range(2):
        cycle(scan, tmp_path / "result.nii")
    before = held_now()
    for _ in range(3):
        cycle(scan, tmp_path / "result.nii")
    after = held_now()
    assert (after.windows, after.threads) == (before.windows, before.threads)
    assert after.files <= before.files
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["result.card.json", "result.nii", "small.h5"]


@pytest.mark.parametrize("seed", [1, 2])
def test_random_events_raise_nothing(
    qtbot: QtBot, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkey = Monkey(tmp_path, seed)
    monkeypatch.setattr(sys, "excepthook", monkey.take)
    with NoFileDialogs(tmp_path, monkey.random):
        played(monkey, 150)
    monkey.close()
    assert not monkey.found, monkey.found[0][2]
    assert monkey.number == 150
