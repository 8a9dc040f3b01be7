"""What mouse and keys mean over every image: how far they scroll, how much a drag changes the window."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

DRAG_FULL = 400
"""Pixels of a drag that change window or level by one offered window."""
FINE = 0.1
ZOOM_STEP = 1.0015
NOTCH = 120

_KEYS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
    Qt.Key.Key_Home: -(10**9),
    Qt.Key.Key_End: 10**9,
}


class Wheel:
    """Fine wheels turn by less than a notch; what is left over counts for the next time."""

    def __init__(self) -> None:
        self._turned = 0

    def steps(self, event: QWheelEvent) -> int:
        """So many slices forth, or back."""
        self._turned += event.angleDelta().y()
        notches = int(self._turned / NOTCH)
        self._turned -= notches * NOTCH
        return -notches


def zoom_of(event: QWheelEvent) -> float | None:
    """The factor by which a turn of the wheel with Ctrl zooms; None without it."""
    ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
    return float(ZOOM_STEP ** event.angleDelta().y()) if ctrl else None


def steps_of_key(event: QKeyEvent) -> int | None:
    """So many slices forth, or back; None for a key that does not scroll."""
    ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
    return None if ctrl else _KEYS.get(Qt.Key(event.key()))


def levels_of_drag(moved: QPoint | QPointF, event: QMouseEvent) -> tuple[float, float]:
    """By how much of the offered window a drag changes window and level; Shift is finer."""
    fine = FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
    return fine * moved.x() / DRAG_FULL, fine * moved.y() / DRAG_FULL
