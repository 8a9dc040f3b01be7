"""Makes the pictures of README and manual from the bundled demos: `python packaging/make_pictures.py` with a display.

Give names of scenes (mri, ct, stand, help) to make only theirs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QEvent, QEventLoop, QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import theme  # noqa: E402
from app.bridge.bridge import Bridge  # noqa: E402
from app.state.kiosk import Show, Stage  # noqa: E402
from app.state.room.item import Kind  # noqa: E402
from app.state.room.pane import Comparison  # noqa: E402
from app.state.session import Session  # noqa: E402
from app.state.trust.study import Part, Study  # noqa: E402
from app.views.kiosk import Kiosk  # noqa: E402
from app.views.main_window import MainWindow  # noqa: E402
from app.window import build  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
LONGEST_RUN_S = 300


def wait(milliseconds: int) -> None:
    """Let the window and its threads work."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def reconstruct(window: MainWindow, demo: str) -> None:
    """Open a demo scan and wait for its DDS run."""
    before = window.session.scan
    window.opening.open_demo(demo)
    until(lambda: window.session.scan is not before)
    until(lambda: ended(window) == 1)
    window.bridge.reconstruct()
    until(lambda: ended(window) == 2)


def ended(window: MainWindow) -> int:
    """How many runs have ended with an image."""
    return sum(run.volume is not None for run in window.session.runs)


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_RUN_S
    while not done() and time.monotonic() < end:
        wait(100)


def save(window: QWidget, name: str) -> None:
    """The window in 256 colours, which is a third of its size."""
    wait(1500)
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    window.grab().save(str(path))
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def drag(window: MainWindow, pane: int, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the left button, between shares of a pane's width and height."""
    canvas = window.reviewing.page.panes[pane].canvas
    places = [QPointF(x * canvas.width(), y * canvas.height()) for x, y in (start, end)]
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind, at in zip(
        (QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease),
        (places[0], places[1], places[1]),
        strict=True,
    ):
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else left
        QApplication.sendEvent(canvas, QMouseEvent(kind, at, QPointF(canvas.mapToGlobal(at)), button, left, none))


def of_nothing(window: MainWindow) -> None:
    window.appearance.set_theme("light")
    save(window, "empty")
    window.appearance.set_theme("dark")


def of_trust(window: MainWindow) -> None:
    """The panel with its verdict, and what the measurement cannot see beside the image."""
    trusting, room = window.reviewing.trusting, window.session.room
    window.actions_["layout_side"].trigger()
    window.reviewing.page.panels.setCurrentWidget(trusting.panel)
    result = next(item for item in room if item.kind is Kind.RESULT)
    room.show(0, result.key)
    room.activate(0)
    until(lambda: trusting.run is not None and not window.bridge.busy)
    run = trusting.run
    assert run is not None
    until(lambda: (known := trusting.book.record(run)) is not None and known.verdict is not None)
    trusting.desk.ask(run, Study.SUPPORT)
    until(lambda: Part.UNSEEN in trusting.desk.items_of(run))
    room.show(1, trusting.desk.items_of(run)[Part.UNSEEN].key)
    save(window, "trust")


def of_runs(window: MainWindow) -> None:
    """Tune with three runs."""
    for nfe in (6, 10):
        window.session.choice.set(nfe=nfe)
        before = ended(window)
        window.bridge.reconstruct()
        until(lambda before=before: ended(window) == before + 1)
    window.actions_["history"].trigger()
    save(window, "tune")


def of_mri(window: MainWindow) -> None:
    of_nothing(window)
    reconstruct(window, "mri")
    window.actions_["layout_side"].trigger()
    wait(200)
    for tool, start, end in (
        ("ellipse", (0.33, 0.38), (0.47, 0.52)),
        ("profile", (0.25, 0.62), (0.75, 0.62)),
        ("distance", (0.3, 0.28), (0.64, 0.31)),
    ):
        window.actions_[f"tool_{tool}"].trigger()
        wait(100)
        drag(window, 0, start, end)
    window.actions_["tool_window"].trigger()
    save(window, "review_measure")
    window.actions_["workspace_reconstruct"].trigger()
    save(window, "reconstruct")
    of_trust(window)
    of_runs(window)


def of_stand() -> None:
    """The kiosk, while it compares and with what the measurement cannot see."""
    theme.apply("dark")
    session = Session()
    stand = Kiosk(session, Bridge(session), Show())
    stand.show()
    stand.bridge.warm_up()
    stand.play.touch()
    stand.play.go_on()
    until(lambda: stand.play.ready)
    stand.play.go_on()
    until(lambda: stand.play.stage is Stage.COMPARE)
    stand.play.touch()
    save(stand, "stand")
    stand.play.go_on()
    until(lambda: stand.play.stage is Stage.UNSEEN and stand.play.ready)
    save(stand, "stand_unseen")
    stand.leave()
    stand.bridge.wait_for_end()


def of_ct(window: MainWindow) -> None:
    reconstruct(window, "ct")
    window.actions_["layout_mpr"].trigger()
    window.reviewing.page.panels.setCurrentIndex(1)
    wait(4000)
    save(window, "review_planes")
    room = window.session.room
    window.actions_["layout_one"].trigger()
    window.appearance.set_theme("light")
    result = next(item for item in room if item.kind is Kind.RESULT and not item.name.endswith("steps"))
    classical = [item for item in room if item.kind is Kind.CLASSICAL][-1]
    room.show(0, result.key)
    room.set_pane(0, over=classical.key, comparison=Comparison.SWIPE)
    save(window, "review_swipe")


def of_help(window: MainWindow) -> None:
    """The manual in its window."""
    window.manual.open("algorithm.html")
    view = window.manual.window
    assert view is not None
    view.resize(1280, 720)
    save(view, "manual")


def main() -> None:
    wanted = sys.argv[1:] or ["mri", "ct", "stand", "help"]
    scenes = {"mri": of_mri, "ct": of_ct, "help": of_help}
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        app, window = build(theme="dark")
        window.resize(1280, 720)
        window.show()
        app.processEvents()
        window.bridge.warm_up()
        for name, make in scenes.items():
            if name in wanted:
                make(window)
                for run in window.session.runs:
                    run.saved = True
        window.leave()
        window.bridge.wait_for_end()
        if "stand" in wanted:
            of_stand()


if __name__ == "__main__":
    main()
