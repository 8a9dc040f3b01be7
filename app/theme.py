"""Dark, light and high contrast: palettes from resources/themes, and icons drawn in the palette's colours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

NAMES = ("dark", "light", "contrast")
THEMES = ("system", *NAMES)
_ICON_SIZES = (16, 32, 64)
_OUTLINED = ("QLineEdit", "QAbstractSpinBox", "QComboBox", "QCheckBox", "QPushButton", "QSlider", "QProgressBar")
"""Fusion draws the outline of these in a darker shade of their Window colour, which must stand out from the ground."""

_applied = ["dark"]
_usual_size: list[float] = []
"""Points of the desktop's text, once it has been asked for."""


@dataclass(frozen=True)
class Colours:
    """The colours of a theme; names as in resources/themes."""

    window: str
    panel: str
    base: str
    text: str
    muted: str
    disabled: str
    button: str
    border: str
    outline: str
    accent: str
    accent_text: str
    focus: str
    link: str
    warning: str
    warning_ground: str
    error: str
    error_ground: str
    good: str


@cache
def colours(theme: str) -> Colours:
    """The colours of one of NAMES."""
    return Colours(**json.loads((files("resources") / "themes" / f"{theme}.json").read_text("utf-8")))


def resolve(theme: str) -> str:
    """One of NAMES; "system" asks the desktop for high contrast first, and is dark where it does not say."""
    if theme in NAMES:
        return theme
    hints = QGuiApplication.styleHints()
    asked = hints.accessibility().contrastPreference() if hasattr(hints, "accessibility") else None
    if asked is not None and asked is Qt.ContrastPreference.HighContrast:
        return "contrast"
    return "light" if hints.colorScheme() is Qt.ColorScheme.Light else "dark"


def apply(theme: str) -> None:
    """Give the application the palette of a theme."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    _applied[:] = [resolve(theme)]
    if app.style().name() != "fusion":
        app.setStyle("Fusion")
    now = current()
    made = palette(now)
    app.setPalette(made)
    made.setColor(QPalette.ColorRole.Window, QColor(now.outline))
    for name in _OUTLINED:
        app.setPalette(made, name)  # type: ignore[arg-type]  # the stub says bytes


def palette(c: Colours) -> QPalette:
    """The Qt palette of a theme."""
    role = QPalette.ColorRole
    made = QPalette(QColor(c.button), QColor(c.window))
    plain = {
        role.Window: c.window,
        role.WindowText: c.text,
        role.Base: c.base,
        role.AlternateBase: c.panel,
        role.Text: c.text,
        role.PlaceholderText: c.muted,
        role.Button: c.button,
        role.ButtonText: c.text,
        role.BrightText: c.error,
        role.ToolTipBase: c.panel,
        role.ToolTipText: c.text,
        role.Highlight: c.accent,
        role.HighlightedText: c.accent_text,
        role.Accent: c.accent,
        role.Link: c.link,
        role.Mid: c.border,
        role.Midlight: c.border,
        role.Dark: c.border,
    }
    for which, colour in plain.items():
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(c.disabled))
    made.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(c.border))
    return made


def scale_text(percent: int) -> None:
    """Make all text so many per cent of what the desktop has, at once."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    if not _usual_size:
        _usual_size.append(app.font().pointSizeF() if app.font().pointSizeF() > 0 else 9.0)
    wanted = _usual_size[0] * percent / 100
    if abs(app.font().pointSizeF() - wanted) > 0.01:
        made = app.font()
        made.setPointSizeF(wanted)
        app.setFont(made)


def current() -> Colours:
    """The colours of the theme that was applied last."""
    return colours(_applied[0])


def tint(widget: QWidget, ground: str, text: str) -> None:
    """Give one widget another ground and text colour through its palette."""
    made = widget.palette()
    made.setColor(QPalette.ColorRole.Window, QColor(ground))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text):
        made.setColor(role, QColor(text))
    widget.setPalette(made)
    widget.setAutoFillBackground(True)


def mute(widget: QWidget) -> None:
    """Secondary text."""
    made = widget.palette()
    made.setColor(QPalette.ColorRole.WindowText, QColor(current().muted))
    widget.setPalette(made)


def icon(name: str) -> QIcon:
    """An icon of resources/icons; its currentColor becomes the text colour, or the disabled one."""
    drawing = (files("resources") / "icons" / f"{name}.svg").read_text("utf-8")
    now = current()
    made = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, now.text), (QIcon.Mode.Disabled, now.disabled)):
        renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
        for size in _ICON_SIZES:
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter, QRectF(0, 0, size, size))
            painter.end()
            made.addPixmap(pixmap, mode)
    return made
