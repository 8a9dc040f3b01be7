"""The window over the real engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.bridge.engine import Engine
from app.state.runs import Phase
from app.state.session import Session
from app.views.files import demo_path
from app.views.main_window import MainWindow
from core.engine.settings import ReconSettings
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs

MINUTE = 60_000


@pytest.fixture
def real(qtbot: QtBot) -> MainWindow:
    theme.apply("dark")
    session = Session()
    session.choice.settings = ReconSettings(nfe=3, cg_steps=2, device="cpu")
    window = MainWindow(session, Bridge(session, Engine()), dialogs=FakeDialogs())  # type: ignore[arg-type]
    window.show()
    yield window  # type: ignore[misc]
    window.leave()
    window.bridge.wait_for_end()
    window.deleteLater()


def test_a_bart_scan_becomes_an_image(real: MainWindow, real_data: Path, qtbot: QtBot, tmp_path: Path) -> None:
    real.bridge.warm_up()
    real.open_path(str(real_data / "kspace" / "ksp8.cfl"))
    qtbot.waitUntil(lambda: finished(real, 1), timeout=2 * MINUTE)
    assert ("Coils", "8") in real.session.scan.facts
    real.session.choice.set_undersample("gaussian1d:4:0.08:0")
    real.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(real, 2), timeout=2 * MINUTE)
    run = real.session.runs.front
    assert run.phase is Phase.FINISHED
    assert run.metrics["psnr"] > 15
    assert len(real.run_panel.curve.residuals) == 3
    real.bridge.save(run, str(tmp_path / "out.npy"))
    qtbot.waitUntil(lambda: run.saved)
    assert np.load(tmp_path / "out.npy").shape == (1, 256, 256)


def test_the_bundled_ct_scan(real: MainWindow, qtbot: QtBot) -> None:
    """Filtered back-projection of the whole stack, then DDS of the slice on view with fewer views."""
    real.viewer.planes.volume.trouble = "Not in this test."
    real.open_path(demo_path("ct"), remember=False)
    qtbot.waitUntil(lambda: finished(real, 1), timeout=2 * MINUTE)
    assert real.session.notice is None
    stack = real.session.runs.front.classical["fbp"].values
    assert stack.shape == real.session.scan.scan.grid.shape
    middle = stack[:, 118:138, 118:138]
    assert -100 < np.median(middle) < 200, "soft tissue in HU"
    assert real.session.display.frame == len(stack) // 2
    real.parameters.only_this_slice.click()
    real.session.choice.set(nfe=2, cg_steps=1, device="cpu")
    real.session.choice.set_undersample("every:2")
    run = real.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(real, 2), timeout=2 * MINUTE)
    assert run.views == ("result", "fbp")
    assert run.volume.unit == "HU"
    assert run.metrics["psnr"] > 15


def test_a_scan_that_is_refused_says_why(real: MainWindow, real_data: Path, qtbot: QtBot) -> None:
    real.open_path(str(real_data / "kspace" / "epi.dat"))
    qtbot.waitUntil(lambda: real.session.notice is not None, timeout=MINUTE)
    assert "EPI" in real.banner.what.text()
    assert real.session.scan is None


def test_a_kept_run(real: MainWindow, real_data: Path, qtbot: QtBot) -> None:
    real.session.choice.set(nfe=1000)
    real.open_path(str(real_data / "kspace" / "gre.dat"))
    qtbot.waitUntil(lambda: finished(real, 1), timeout=2 * MINUTE)
    assert real.viewer.slice_view.overlay.letters is not None
    run = real.bridge.reconstruct()
    qtbot.waitUntil(lambda: run.step >= 1, timeout=2 * MINUTE)
    real.actions_["keep"].trigger()
    qtbot.waitUntil(lambda: run.volume is not None, timeout=MINUTE)
    assert run.phase is Phase.KEPT
    assert 1 <= run.kept_at < 1000
    assert real.run_panel.status.text() == f"Kept after step {run.kept_at} of 1000"
