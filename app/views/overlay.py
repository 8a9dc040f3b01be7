"""The words over the image: what it is, where it lies, how it is shown, and what it is not for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter

from core.export.spread import colours

RESEARCH = "Research use only"
UNKNOWN_ORIENTATION = "orientation unknown"

_INK = QColor("#e8edf2")
_SHADE = QColor(0, 0, 0, 200)
_MARK = QColor("#ffc65c")
_MARGIN = 10.0
_WIDEST_BAR = 160.0


@dataclass(frozen=True)
class Overlay:
    """What stands where. letters: at the left, right, top and bottom edge, or None where the patient's position is not
    known. marks: what must not be overlooked (simulated, undersampled on purpose). millimetres: draw a scale bar.
    colours: the values of the darkest and the brightest colour, or None for a grey image; palette: those colours
    (QRgb), a spread's if empty. of_patient: it is an image of a patient, who may lie unknown ways round; a sinogram is
    none. who: was scanned, at the right on top."""

    title: str = ""
    place: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    levels: str = ""
    cursor: tuple[str, ...] = ()
    letters: tuple[str, str, str, str] | None = None
    millimetres: bool = False
    colours: tuple[str, str] | None = None
    palette: tuple[int, ...] = ()
    who: tuple[str, ...] = ()
    of_patient: bool = True

    @property
    def orientation(self) -> str:
        return "" if self.letters or not self.title or not self.of_patient else UNKNOWN_ORIENTATION


def scale_bar(pixels_per_mm: float) -> float:
    """The longest of 1, 2, 5, 10 ... mm that is drawn no longer than 160 pixels."""
    longest = _WIDEST_BAR / pixels_per_mm
    power = 10.0 ** math.floor(math.log10(longest))
    return power * max(step for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9))


def draw_overlay(painter: QPainter, area: QRectF, overlay: Overlay, pixels_per_mm: float, font: QFont) -> None:
    """Draw the words at the edges of an area, each with a dark rim so that they can be read over white."""
    inner = area.adjusted(_MARGIN, _MARGIN - 2, -_MARGIN, -_MARGIN + 2)
    letters = QFont(font)
    letters.setPointSizeF(font.pointSizeF() * 1.5)
    letters.setBold(True)
    bold = QFont(font)
    bold.setBold(True)
    pen = _Pen(painter, inner)
    metrics = QFontMetricsF(bold)
    title = _title_lines(overlay.title, metrics, inner.width())
    top_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    pen.block(title, top_left, bold)
    below = (*overlay.place, *((overlay.orientation,) if overlay.orientation else ()))
    pen.block((*("",) * len(title), *below), top_left, font)
    marks = [line for mark in overlay.marks for line in wrapped(mark, metrics, inner.width())]
    pen.block((*("",) * (len(title) + len(below)), *marks), top_left, bold, _MARK)
    top = overlay.letters[2] if overlay.letters else ""
    room = (inner.width() - QFontMetricsF(letters).horizontalAdvance(top)) / 2 - _MARGIN
    reaching = [i for i, line in enumerate((*title, *below, *marks), 1) if metrics.horizontalAdvance(line) > room]
    head = max([len(title), *reaching])
    below_title = _Pen(painter, inner.adjusted(0, head * (metrics.height() + 1) + 3, 0, 0))
    pen.block((*overlay.cursor, overlay.levels), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, font)
    pen.block(overlay.who, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, font)
    pen.block((RESEARCH,), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, font)
    centre_v, centre_h = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignHCenter
    if overlay.letters:
        left, right, top, bottom = overlay.letters
        pen.block((left,), Qt.AlignmentFlag.AlignLeft | centre_v, letters)
        pen.block((right,), Qt.AlignmentFlag.AlignRight | centre_v, letters)
        below_title.block((top,), Qt.AlignmentFlag.AlignTop | centre_h, letters)
        pen.block((bottom,), Qt.AlignmentFlag.AlignBottom | centre_h, letters)
    if overlay.millimetres and overlay.title:
        _draw_bar(painter, inner, pixels_per_mm, font, pen)
    if overlay.colours:
        _draw_colours(painter, inner, overlay, font, pen)


def _title_lines(title: str, metrics: QFontMetricsF, width: float) -> tuple[str, ...]:
    """The title in one line, or name and state in a line each where that is too long."""
    return (title,) if metrics.horizontalAdvance(title) <= width else tuple(title.split(" — "))


def _draw_bar(painter: QPainter, inner: QRectF, pixels_per_mm: float, font: QFont, pen: _Pen) -> None:
    """A scale bar over the research line, at the right."""
    length = scale_bar(pixels_per_mm)
    height = QFontMetricsF(font).height()
    y = inner.bottom() - height - 10
    x = inner.right() - length * pixels_per_mm
    for colour, grow in ((_SHADE, 1.0), (_INK, 0.0)):
        for bar in (
            QRectF(x, y - 1, length * pixels_per_mm, 2),
            QRectF(x, y - 5, 2, 5),
            QRectF(inner.right() - 2, y - 5, 2, 5),
        ):
            painter.fillRect(bar.adjusted(-grow, -grow, grow, grow), colour)
    words = f"{length:g} mm"
    pen.text(words, QPointF(inner.right() - QFontMetricsF(font).horizontalAdvance(words), y - 9), font, _INK)


def _draw_colours(painter: QPainter, inner: QRectF, overlay: Overlay, font: QFont, pen: _Pen) -> None:
    """The colours from the darkest to the brightest with the values of both, at the right below the middle."""
    metrics = QFontMetricsF(font)
    top = inner.center().y() + 2.5 * metrics.height()
    bar = QRectF(inner.right() - 12, top, 12, min(inner.bottom() - 4 * metrics.height() - top, 140))
    if bar.height() < 2 * metrics.height():
        return
    blend = QLinearGradient(bar.bottomLeft(), bar.topLeft())
    table = [QColor(c) for c in overlay.palette] or [QColor(*(int(part) for part in rgb)) for rgb in colours()]
    for place in range(0, len(table), 15):
        blend.setColorAt(place / (len(table) - 1), table[place])
    painter.fillRect(bar, blend)
    painter.setPen(_INK)
    painter.drawRect(bar)
    assert overlay.colours is not None
    low, high = overlay.colours
    for words, y in ((high, bar.top() + metrics.ascent() - 3), (low, bar.bottom())):
        pen.text(words, QPointF(bar.left() - 6 - metrics.horizontalAdvance(words), y), font, _INK)


def wrapped(words: str, metrics: QFontMetricsF, width: float) -> list[str]:
    """A sentence in lines that are no wider than `width`, broken between words."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and metrics.horizontalAdvance(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class _Pen:
    """Writes lines into a corner or at an edge of an area."""

    def __init__(self, painter: QPainter, area: QRectF) -> None:
        self.painter = painter
        self.area = area

    def block(self, lines: tuple[str, ...], where: Qt.AlignmentFlag, font: QFont, colour: QColor = _INK) -> None:
        """Lines one below the other; those that are too long end in an ellipsis."""
        metrics = QFontMetricsF(font)
        height = metrics.height() + 1
        if where & Qt.AlignmentFlag.AlignTop:
            top = self.area.top()
        elif where & Qt.AlignmentFlag.AlignBottom:
            top = self.area.bottom() - height * len(lines)
        else:
            top = self.area.center().y() - height * len(lines) / 2
        for i, line in enumerate(lines):
            shown = metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, self.area.width())
            width = metrics.horizontalAdvance(shown)
            if where & Qt.AlignmentFlag.AlignRight:
                x = self.area.right() - width
            elif where & Qt.AlignmentFlag.AlignHCenter:
                x = self.area.center().x() - width / 2
            else:
                x = self.area.left()
            self.text(shown, QPointF(x, top + i * height + metrics.ascent()), font, colour)

    def text(self, words: str, at: QPointF, font: QFont, colour: QColor) -> None:
        self.painter.setFont(font)
        self.painter.setPen(_SHADE)
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1)):
            self.painter.drawText(at + QPointF(dx, dy), words)
        self.painter.setPen(colour)
        self.painter.drawText(at, words)
