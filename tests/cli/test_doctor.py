"""`dds-viewer doctor` tells what of this machine works, survives a driver that does not, and says what to do."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from app.bridge import machine, machine_probe
from app.bridge.machine import Level, examine

TOLD = {"platform": "xcb", "screen": "9 x 9", "fonts": "3", "font": "Sans", "renderer": "R", "version": "4.5"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A screen that answers at once, and folders of its own."""
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("DDS_VIEWER_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(machine_probe, "ask", lambda *_: TOLD | {"largest": "2048"})
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def found(name: str) -> machine.Finding:
    return next(finding for finding in examine() if finding.name == name)


def test_json_tells_all_of_it(dds_viewer) -> None:
    outcome = dds_viewer("doctor", "--json")
    told = json.loads(outcome.out)
    assert (outcome.code, told["healthy"]) == (0, True)
    names = [finding["name"] for finding in told["findings"]]
    for name in ("Python", "window", "fonts", "OpenGL", "torch", "memory", "priors", "plug-ins", "state folder"):
        assert name in names
    assert "2048" in next(f["found"] for f in told["findings"] if f["name"] == "OpenGL")


def test_a_fault_that_hinders_ends_with_1(dds_viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machine.CHECKS, "torch", lambda _: iter([1 / 0]))
    outcome = dds_viewer("doctor")
    assert outcome.code == 1
    assert "FAIL torch" in outcome.out
    assert "Install the program again." in outcome.out


@pytest.mark.parametrize(
    ("told", "name", "level"),
    [
        ({"trouble": "the driver ended the process (-11)"}, "window", Level.FAULT),
        ({**TOLD, "fonts": "0", "largest": "2048"}, "fonts", Level.FAULT),
        ({**TOLD, "largest": "256"}, "OpenGL", Level.NOTE),
        ({k: TOLD[k] for k in ("platform", "screen", "fonts", "font")} | {"trouble": "no GL"}, "OpenGL", Level.NOTE),
    ],
)
def test_what_the_screen_lacks_is_told(monkeypatch: pytest.MonkeyPatch, told: dict, name: str, level: Level) -> None:
    monkeypatch.setattr(machine_probe, "ask", lambda *_: told)
    finding = found(name)
    assert finding.level is level
    assert finding.advice


def test_without_a_screen_the_commands_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert found("window").level is Level.NOTE


PROGRAMS = {
    "dies": 'import os; print(\'probed {"platform": "xcb"}\', flush=True); os.abort()',
    "hangs": 'import time; print(\'probed {"platform": "xcb"}\', flush=True); time.sleep(600)',
    "raves": "print('probed nonsense'); print('probed [1]'); print('\\xff'); print('probed {\"platform\": \"x\"}')",
}


@pytest.mark.parametrize(
    ("kind", "trouble"), [("dies", "the driver ended the process"), ("hangs", "no answer"), ("raves", "")]
)
def test_a_driver_that_dies_or_hangs_takes_nobody_along(
    monkeypatch: pytest.MonkeyPatch, kind: str, trouble: str
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(machine_probe, "_command", lambda: [sys.executable, "-c", PROGRAMS[kind]])
    if kind == "hangs":
        monkeypatch.setattr(machine_probe, "PATIENCE_S", 0.5)
    told = machine_probe.ask()
    assert told.get("trouble", "").startswith(trouble)
    assert bool(told.get("trouble")) == bool(trouble)


def test_the_probe_answers_on_a_real_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    if not os.environ.get("DISPLAY"):
        pytest.skip("no display here")
    told = machine_probe.ask()
    assert int(told["fonts"]) > 0
    assert int(told["largest"]) > 0
    assert told["renderer"]


def test_a_prior_that_was_changed_is_told(prior_file: Path, tmp_path: Path) -> None:
    from core.priors.adding import add_prior

    entry = add_prior(prior_file, "mine")
    assert found("priors").level is Level.OK
    data = bytearray(entry.path.read_bytes())
    data[-1] ^= 1
    entry.path.write_bytes(bytes(data))
    finding = found("priors")
    assert finding.level is Level.NOTE
    assert "not the ones on its card" in finding.advice


def test_a_bundled_prior_that_was_changed_hinders(
    prior_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = json.loads(prior_file.with_suffix(".json").read_text()) | {"sha256": "0" * 64}
    prior_file.with_suffix(".json").write_text(json.dumps(card))
    monkeypatch.setattr("core.priors.catalogue.bundled_folder", lambda: prior_file.parent)
    assert found("priors").level is Level.FAULT


def test_a_folder_that_cannot_be_written_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    finding = found("state folder")
    assert finding.level is Level.FAULT
    assert "Allow writing" in finding.advice


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1e6})())
    assert found("data folder").level is Level.FAULT


def test_it_ends_early_when_nobody_waits() -> None:
    assert list(examine(lambda: True)) == []
