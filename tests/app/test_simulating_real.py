"""Simulating and opening folders with nothing made up in between: real files, the real engine, the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.bridge.engine import Engine
from app.bridge.volumes import open_volume
from app.state.session import Session
from app.views.main_window import MainWindow
from core.errors import ScanError
from core.scan import KSpace
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs
from tests.app.test_opening import drop
from tests.app.test_simulating import left_in

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def real(qtbot: QtBot) -> Iterator[tuple[MainWindow, FakeDialogs]]:
    theme.apply("dark")
    session, dialogs = Session(), FakeDialogs()
    window = MainWindow(session, Bridge(session, Engine()), dialogs=dialogs)  # type: ignore[arg-type]
    window.viewer.planes.volume.trouble = "Not in this test."
    window.show()
    yield window, dialogs
    window.leave()
    window.bridge.wait_for_end()
    window.deleteLater()


@pytest.mark.parametrize("unit", ["HU", "a.u."])
def test_a_real_simulation(real: tuple[MainWindow, FakeDialogs], qtbot: QtBot, tmp_path: Path, unit: str) -> None:
    import nibabel

    window, dialogs = real
    ny, nx = (24, 32) if unit == "HU" else (80, 96)  # fewer lines leave too few in the middle for coil maps
    y, x = np.mgrid[-1 : 1 : ny * 1j, -1 : 1 : nx * 1j]
    slices = np.where(x**2 + y**2 < 0.5, 40.0, -1000.0 if unit == "HU" else 0.0)[None].repeat(3, 0)
    path = tmp_path / "body.nii.gz"
    nibabel.save(nibabel.Nifti1Image(slices.T.astype(np.float32), np.diag([4.0, 4.0, 5.0, 1.0])), path)
    window.open_path(str(path))
    qtbot.waitUntil(lambda: window.banner.simulate.isVisible(), timeout=60_000)
    qtbot.mouseClick(window.banner.simulate, LEFT)
    qtbot.waitUntil(lambda: window.simulating.dialog is not None)
    dialogs.target = str(tmp_path / "made.h5")
    assert window.simulating.dialog is not None
    qtbot.mouseClick(window.simulating.dialog.simulate, LEFT)
    qtbot.waitUntil(lambda: finished(window, 1) or window.session.notice is not None, timeout=120_000)
    assert window.session.notice is None
    found = window.session.scan
    assert found.marks == ("Simulated scan",)
    assert isinstance(found.scan, KSpace) is (unit == "a.u.")
    assert left_in(tmp_path) == ["body.nii.gz", "made.h5"]
    quick = next(iter(reversed(window.session.runs.front.classical.values()))).values
    assert quick.shape == slices.shape
    inside = float(np.abs(quick[1, ny // 2 - 2 : ny // 2 + 2, nx // 2 - 2 : nx // 2 + 2]).mean())
    assert inside > 2 * float(np.abs(quick[1, :3, :3]).mean()) if unit == "a.u." else abs(inside - 40) < 60


def test_a_folder_of_tiff_pictures_is_opened(
    real: tuple[MainWindow, FakeDialogs], qtbot: QtBot, tmp_path: Path
) -> None:
    from PIL import Image

    window, dialogs = real
    folder = tmp_path / "stack"
    folder.mkdir()
    told = 'geometry = "parallel"\nangles = { start = 0, step = 9, count = 20 }\nwhat = "attenuation"\npixel_mm = 1\n'
    (folder / "geometry.toml").write_text(told)
    across = np.abs(np.arange(32) - 15.5) < 8
    for view in range(20):
        Image.fromarray(np.tile(across.astype(np.float32), (2, 1))).save(folder / f"{view:03}.tif")
    dialogs.path = str(folder)
    window.actions_["open_folder"].trigger()
    qtbot.waitUntil(lambda: finished(window, 1), timeout=120_000)
    assert window.session.scan.name == "stack"
    assert window.preferences.recent == [str(folder)]
    drop(window, str(folder))
    qtbot.waitUntil(lambda: window.session.reading == "" and finished(window, 1), timeout=60_000)


def test_a_damaged_volume_for_real(tmp_path: Path) -> None:
    (tmp_path / "cut.nii").write_bytes(b"\x5c\x01\x00\x00" + bytes(344))
    with pytest.raises(ScanError):
        open_volume(str(tmp_path / "cut.nii"))
