"""Refusing to mislead: what the window says of a prior that does not suit the scan."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.notice import Notice
from app.state.session import Fit
from app.views.main_window import MainWindow
from core.errors import PriorError
from tests.app.conftest import finished
from tests.app.fakes import FakeEngine
from tests.app.test_parameters import choose, combo

LEFT = Qt.MouseButton.LeftButton
ANATOMY = "The prior other-prior was trained on images of the knee, and this scan is of the brain."
CONTRAST = "The prior other-prior was trained on PD images, and this scan is T1."
PIXELS = "The prior other-prior was trained on pixels of 0.5 mm, and this scan has 2 mm."
REFUSAL = PriorError("The prior ct does not fit this scan.", "It was trained on CT images.", "Choose another prior.")


def strip(window: MainWindow) -> str:
    return window.fit_strip.words.text() if window.fit_strip.isVisible() else ""


def test_a_misfit_is_said_before_while_and_after_the_run(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.fits["other-prior"] = Fit((ANATOMY, CONTRAST, PIXELS))
    assert strip(opened) == ""
    opened.session.choice.set(prior="other-prior")
    qtbot.waitUntil(lambda: strip(opened) != "")
    assert strip(opened).split("\n") == [f"•  {words}" for words in (ANATOMY, CONTRAST, PIXELS)]
    fake.script.warnings = (ANATOMY, CONTRAST, PIXELS)
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    fake.script.let(1)
    qtbot.waitUntil(lambda: opened.session.runs.front.step == 1)
    assert all(words in opened.viewer.warnings.words.text() for words in (ANATOMY, CONTRAST, PIXELS))
    assert strip(opened) == "", "said once is enough"
    fake.script.let(3)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.viewer.warnings.isVisible()
    opened.run_panel.runs.setCurrentRow(0)
    assert not opened.viewer.warnings.isVisible()
    assert ANATOMY in strip(opened)
    opened.run_panel.runs.setCurrentRow(1)
    assert ANATOMY in opened.viewer.warnings.words.text()


def test_several_long_warnings_can_all_be_read(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.script.free = True
    fake.script.warnings = tuple(f"Warning {i}. {ANATOMY}" for i in range(8))
    opened.resize(1280, 720)
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: finished(opened, 2))
    QApplication.processEvents()
    shown = opened.viewer.warnings
    assert shown.height() < opened.viewer.height() / 3
    assert shown.words.height() >= shown.words.heightForWidth(shown.words.width())
    assert shown.area.verticalScrollBar().maximum() > 0
    fake.script.warnings = fake.script.warnings[:2]
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: finished(opened, 3))
    qtbot.waitUntil(lambda: shown.area.verticalScrollBar().maximum() == 0)


def test_the_check_follows_prior_method_and_scan(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.fits["mri-small"] = Fit((PIXELS,))
    opened.open_path("/scans/other.h5")
    qtbot.waitUntil(lambda: PIXELS in strip(opened))
    choose(combo(opened, "method"), "TV")
    assert strip(opened) == ""
    choose(combo(opened, "method"), "DDS")
    qtbot.waitUntil(lambda: PIXELS in strip(opened))
    opened.session.choice.set(prior="other-prior")
    qtbot.waitUntil(lambda: strip(opened) == "")


def test_a_refusal_is_known_before_the_run(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.fits["ct"] = Fit(refusal=Notice.of(REFUSAL))
    opened.session.choice.set(prior="ct")
    qtbot.waitUntil(lambda: strip(opened) == f"{REFUSAL.what} {REFUSAL.why} {REFUSAL.try_this}")


def test_a_refused_run_leads_to_the_prior_field(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.fits["ct"] = Fit(refusal=Notice.of(REFUSAL))
    fake.script.failing, fake.script.refusal = 0, REFUSAL
    opened.session.choice.set(prior="ct")
    qtbot.waitUntil(lambda: strip(opened) != "")
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: opened.banner.isVisible())
    assert opened.banner.what.text() == REFUSAL.what
    assert opened.banner.rest.text() == "It was trained on CT images. Choose another prior."
    assert strip(opened) == "", "the banner says it"
    assert combo(opened, "prior").hasFocus()
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert strip(opened) != ""
    fake.script.failing = None
    opened.session.choice.set(prior="mri-small")
    qtbot.waitUntil(lambda: strip(opened) == "")


def test_what_could_not_be_checked_is_noted_without_alarm(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.script.free = True
    fake.script.notes = ("Not checked against the prior mri-small: the contrast.",)
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.run_panel.notes.text() == fake.script.notes[0]
    assert opened.run_panel.notes.isVisible()
    assert not opened.viewer.warnings.isVisible()
    opened.run_panel.runs.setCurrentRow(0)
    assert not opened.run_panel.notes.isVisible()
