"""The cube that says from where the patient is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF, QTransform

Vector = npt.NDArray[np.float64]

FACES = {
    "L": ((1, 0, 0), (0, 0, 1)),
    "R": ((-1, 0, 0), (0, 0, 1)),
    "P": ((0, 1, 0), (0, 0, 1)),
    "A": ((0, -1, 0), (0, 0, 1)),
    "H": ((0, 0, 1), (0, -1, 0)),
    "F": ((0, 0, -1), (0, -1, 0)),
}
"""The way each side faces, and what is up in its letter, in LPS."""

_FACE, _LINE, _INK = (70, 84, 100), QColor("#a9b7c6"), QColor("#ffffff")
_EDGE_ON = 0.02


def seen_faces(right: Vector, down: Vector) -> list[str]:
    """The sides that face the viewer, the one that does so most last. right, down: directions on the screen, LPS."""
    into = np.cross(right, down)
    facing = {name: -float(np.dot(normal, into)) for name, (normal, _) in FACES.items()}
    return sorted((name for name, most in facing.items() if most > _EDGE_ON), key=facing.__getitem__)


def draw_cube(painter: QPainter, area: QRectF, right: Vector, down: Vector, font: QFont) -> None:
    """Draw it into an area, its letters on its sides."""
    half = min(area.width(), area.height()) / (2 * 3**0.5)
    into = np.cross(right, down)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for name in seen_faces(right, down):
        normal, up = (np.array(way, dtype=np.float64) for way in FACES[name])
        across = np.cross(up, normal)
        middle = area.center() + _on_screen(normal, right, down) * half
        # Columns of what carries the unit square of a side onto the screen.
        x, y = _on_screen(across, right, down) * half, _on_screen(-up, right, down) * half
        corners = [middle + i * x + j * y for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        bright = 0.55 + 0.6 * -float(normal @ into)
        painter.setBrush(QColor(*(min(255, round(part * bright)) for part in _FACE)))
        painter.setPen(QPen(_LINE, 1))
        painter.drawPolygon(QPolygonF(corners))
        onto = QTransform(x.x(), x.y(), y.x(), y.y(), middle.x(), middle.y())
        painter.fillPath(onto.map(_letter(name, font)), _INK)
    painter.restore()


def _on_screen(place: Vector, right: Vector, down: Vector) -> QPointF:
    return QPointF(float(place @ right), float(place @ down))


def _letter(name: str, font: QFont) -> QPainterPath:
    """About (0, 0), as high as fits into a square from -1 to 1."""
    bold = QFont(font)
    bold.setBold(True)
    metrics = QFontMetricsF(bold)
    path = QPainterPath()
    path.addText(QPointF(0, 0), bold, name)
    box = path.boundingRect()
    size = 1.2 / metrics.capHeight()
    return QTransform.fromScale(size, size).map(path.translated(-box.center()))
