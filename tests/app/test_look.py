"""What is seen: themes, icons, sizes, help."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from app import theme
from app.actions import DEEDS, MOUSE
from app.preferences import Preferences
from app.views.heading import ElidedLabel
from app.views.help_dialogs import AboutDialog, ShortcutsDialog
from app.views.main_window import MainWindow
from tests.app.conftest import finished
from tests.app.fakes import FakeEngine, scan


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_words_stand_out_from_their_ground(name: str) -> None:
    """At least 4.5 to 1, as WCAG 2.2 (1.4.3) asks of text; outlines 3 to 1 (1.4.11)."""
    c = theme.colours(name)
    for words, ground in (
        (c.text, c.window),
        (c.text, c.base),
        (c.text, c.button),
        (c.text, c.error_ground),
        (c.muted, c.window),
        (c.accent_text, c.accent),
        (c.warning, c.window),
        (c.warning, c.warning_ground),
        (c.error, c.error_ground),
    ):
        assert contrast(words, ground) >= 4.5, (words, ground)
    assert contrast(c.accent, c.window) >= 3
    assert contrast(c.accent, c.base) >= 3


def test_the_theme_is_remembered_and_reaches_every_part(opened: MainWindow, qtbot: QtBot) -> None:
    opened.actions_["theme_light"].trigger()
    assert Preferences().theme == "light"
    light = QColor(theme.colours("light").window)
    qtbot.waitUntil(lambda: opened.parameters.palette().window().color() == light)
    help_ink = opened.parameters.help.palette().windowText().color()
    assert help_ink == QColor(theme.colours("light").muted)
    assert theme.colours("light").muted in opened.scan_card.table.text()
    reset = opened.parameters.rows["nfe"].reset_button.icon().pixmap(QSize(32, 32)).toImage()
    inks = {reset.pixelColor(x, y).name() for x in range(32) for y in range(32) if reset.pixelColor(x, y).alpha() > 250}
    assert theme.colours("light").disabled in inks or theme.colours("light").text in inks
    assert opened.actions_["theme_light"].isChecked()
    opened.actions_["theme_dark"].trigger()
    qtbot.waitUntil(lambda: opened.parameters.palette().window().color() == QColor(theme.colours("dark").window))


def test_both_themes_name_the_same_colours() -> None:
    assert dataclasses.asdict(theme.colours("dark")).keys() == dataclasses.asdict(theme.colours("light")).keys()


def test_every_icon_can_be_drawn(qtbot: QtBot) -> None:
    for deed in DEEDS.values():
        if deed.icon:
            assert not theme.icon(deed.icon).pixmap(QSize(16, 16)).toImage().isNull()


def cut_off(window: MainWindow) -> list[str]:
    """Words on view that do not fit into their widgets."""
    found = []
    kinds = (QLabel, QPushButton, QCheckBox, QToolButton, QComboBox)
    for widget in (w for kind in kinds for w in window.findChildren(kind)):
        if not widget.isVisible() or isinstance(widget, ElidedLabel):
            continue
        if isinstance(widget, QLabel):
            room = widget.heightForWidth(widget.width()) if widget.wordWrap() else widget.sizeHint().height()
            fits = widget.height() >= room and (widget.wordWrap() or widget.width() >= widget.sizeHint().width())
        else:
            needed = widget.minimumSizeHint()
            fits = widget.width() >= needed.width() and widget.height() >= needed.height() - 1
        if isinstance(widget, QComboBox):
            option = QStyleOptionComboBox()
            widget.initStyleOption(option)
            complex_, edit = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
            space = widget.style().subControlRect(complex_, option, edit, widget).width()
            fits = widget.fontMetrics().horizontalAdvance(widget.currentText()) <= space
        if not fits:
            words = widget.currentText() if isinstance(widget, QComboBox) else widget.text()
            found.append(f"{type(widget).__name__} {words!r} {widget.size().toTuple()}")
    return found


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_nothing_is_cut_off(opened: MainWindow, fake: FakeEngine, qtbot: QtBot, size: tuple[int, int]) -> None:
    opened.resize(*size)
    fake.script.free = True
    fake.script.warnings = ("The prior knows heads only.", "It was trained on one head.")
    opened.session.choice.set(seed=123456, t_start=300)
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    qtbot.waitUntil(lambda: opened.size().toTuple() == size)
    QApplication.processEvents()
    assert cut_off(opened) == []


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_nothing_of_ct_is_cut_off(window: MainWindow, fake: FakeEngine, qtbot: QtBot, size: tuple[int, int]) -> None:
    window.resize(*size)
    window.open_path("/scans/chest.h5")
    qtbot.waitUntil(lambda: finished(window, 1))
    kind = window.parameters.ct.kind
    kind.setCurrentIndex(kind.findData("arc"))
    kind.activated.emit(kind.currentIndex())
    for window_name in ("Soft tissue", "Everything"):
        window.viewer.bar.windows.setCurrentText(window_name)
        window.viewer.bar.windows.activated.emit(window.viewer.bar.windows.currentIndex())
        QApplication.processEvents()
        assert cut_off(window) == []
    assert window.size().toTuple() == size


def test_the_empty_window_fits_too(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: window.width() == 1280)
    QApplication.processEvents()
    assert cut_off(window) == []


def test_long_names_are_shortened(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    name = f"{'a very long name of a scan ' * 8}.h5"
    fake.files[name] = scan(name)
    window.resize(1280, 720)
    window.open_path(f"/scans/{name}")
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.width() == 1280
    assert window.scan_card.name.toolTip() == name


def test_the_keys_are_those_of_the_actions(window: MainWindow, qtbot: QtBot) -> None:
    dialog = ShortcutsDialog(window)
    keys = [key for key, _ in dialog.lines]
    assert {deed.key for deed in DEEDS.values() if deed.key} <= set(keys)
    assert len([d.key for d in DEEDS.values() if d.key]) == len({d.key for d in DEEDS.values() if d.key})
    assert set(MOUSE) <= set(dialog.lines)
    dialog.open()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.isVisible())


def test_about_says_what_it_is_for(window: MainWindow, qtbot: QtBot) -> None:
    dialog = AboutDialog(window)
    words = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "Research use only. Not for diagnosis." in words
    dialog.close()


def test_everything_has_a_name_for_a_screen_reader(opened: MainWindow) -> None:
    unnamed = []
    for widget in QApplication.allWidgets():
        if not widget.isVisible() or widget.focusPolicy() == Qt.FocusPolicy.NoFocus or widget.focusProxy():
            continue
        words = getattr(widget, "text", lambda: "")() if not isinstance(widget, QComboBox) else ""
        inside = widget.parentWidget() is not None and widget.objectName().startswith("qt_")
        if not (widget.accessibleName() or words or widget.toolTip() or inside):
            unnamed.append(f"{type(widget).__name__} {widget.objectName()}")
    assert not unnamed
