"""The size of a CT image as the user wants it, the place of its voxels, and the weights that suit a kind of scan."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter
from pytestqt.qtbot import QtBot

from app.state.planes import resized
from app.state.weights import usual_lam
from app.views import overlay
from app.views.main_window import MainWindow
from app.views.overlay import Overlay, draw_overlay
from core.engine.job import JobSpec
from core.engine.presets import CT_LAM, METHOD_LAM
from core.engine.scan_source import resized as resized_scan
from tests.app.conftest import finished
from tests.app.fakes import FakeEngine, scan
from tests.app.fakes_ct import ct_scan


def enter(window: MainWindow, qtbot: QtBot, text: str) -> None:
    field = window.parameters.ct.image_size
    field.setFocus()
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_the_size_goes_into_the_run_and_its_name(ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    field = ct.parameters.ct.image_size
    assert field.text() == ""
    assert "28 × 24" in field.placeholderText()
    enter(ct, qtbot, "64")
    assert ct.session.choice.size == 64
    fake.script.free = True
    run = ct.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(ct, 2))
    assert run.job.source.size == 64
    assert run.name.endswith("64 × 64 pixels")
    enter(ct, qtbot, "")
    assert ct.session.choice.size == 0


def test_what_is_no_size_gives_way(ct: MainWindow, qtbot: QtBot) -> None:
    enter(ct, qtbot, "32")
    enter(ct, qtbot, "5")
    ct.parameters.reconstruct.setFocus()
    assert ct.session.choice.size in (0, 32)
    assert ct.parameters.ct.image_size.text() == (str(ct.session.choice.size) if ct.session.choice.size else "")
    enter(ct, qtbot, "8192")
    assert ct.session.choice.size == 8192
    enter(ct, qtbot, "99999")
    assert ct.session.choice.size <= 8192


def test_another_scan_has_its_own_size(ct: MainWindow, qtbot: QtBot) -> None:
    ct.session.choice.set_size(64)
    ct.open_path("/scans/chest.h5")
    qtbot.waitUntil(lambda: ct.session.choice.size == 0)
    assert ct.parameters.ct.image_size.text() == ""


def test_voxels_keep_their_place_as_core_has_it() -> None:
    made = ct_scan()
    expected = resized_scan(made, 50)
    affine, spacing = resized(made.affine, made.grid.spacing_mm, made.grid.shape, 50)
    np.testing.assert_allclose(affine, expected.affine)
    np.testing.assert_allclose(spacing, expected.grid.spacing_mm)


def test_pictures_of_another_size_are_drawn_in_their_own_millimetres(
    ct: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    fake.script.free = True
    ct.session.choice.set_size(56)
    ct.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(ct, 2))
    shown = ct.session.shown()
    x, y, z = ct.session.scan.spacing_mm
    assert ct.session.scan.spacing_of(shown) == (x / 2, y * 24 / 56, z)
    stack = ct.session.stack_shown(shown)
    assert stack.spacing_mm == (x / 2, y * 24 / 56, z)


def test_the_usual_weight_is_that_of_the_kind_of_scan(ct: MainWindow) -> None:
    assert usual_lam("tv", ct_scan()) == CT_LAM["tv"]
    assert usual_lam("tv", scan()) == usual_lam("tv") == METHOD_LAM["tv"]
    ct.session.choice.set(method="tv")
    assert ct.session.choice.settings.lam == CT_LAM["tv"]
    assert ct.session.choice.default_of("lam") == CT_LAM["tv"]
    assert isinstance(ct.bridge.reconstruct().job, JobSpec)
    ct.bridge.queue.discard(ct.session.runs.current)


def test_the_letter_on_top_stands_clear_of_every_line(qtbot: QtBot, monkeypatch: object) -> None:
    """In panes of every width: what is drawn at the top middle touches no line at the left."""
    for width in range(150, 700, 25):
        for letter in ("A", "AH"):
            for title in ("Axial", "FBP (classical)", "DDS 20, CG 5, gamma 16, eta 1 — result"):
                assert not overlaps(monkeypatch, width, letter, title), (width, letter, title)


def overlaps(monkeypatch: object, width: int, letter: str, title: str) -> bool:
    boxes: list[QRectF] = []
    drawn: list[tuple[str, QRectF]] = []

    def text(self: overlay._Pen, words: str, at: QPointF, font: QFont, colour: object) -> None:
        metrics = overlay.QFontMetricsF(font)
        box = QRectF(at.x(), at.y() - metrics.ascent() * 0.8, metrics.horizontalAdvance(words), metrics.ascent() * 0.8)
        drawn.append((words, box))

    monkeypatch.setattr(overlay._Pen, "text", text)  # type: ignore[attr-defined]
    image = QImage(width, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    words = Overlay(title, ("value", "slice 12"), ("Simulated scan",), letters=("R", "L", letter, "P"))
    draw_overlay(painter, QRectF(0, 0, width, 300), words, 1.0, QFont())
    painter.end()
    top = [box for said, box in drawn if said == letter and box.top() < 150]
    boxes = [box for said, box in drawn if said not in ("R", "L", letter, "P", "") and box.top() < 150]
    return any(top[0].intersects(box) for box in boxes)
