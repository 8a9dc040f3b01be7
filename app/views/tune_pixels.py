"""Small pictures of slices, in grey, and the words that stand in every picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.state.picture import Levels
from app.words import tr

_BLACK, _WORDS, _SHADE = QColor(0, 0, 0), QColor(225, 228, 232), QColor(0, 0, 0, 150)


def grey_image(plane: npt.NDArray[Any], levels: Levels) -> QImage:
    """A plane (y, x) of numbers as a grey picture; low is black, high is white."""
    width = max(levels.window, 1e-30)
    with np.errstate(over="ignore", invalid="ignore"):
        shares = np.nan_to_num((np.asarray(plane, dtype=np.float32) - levels.low) / width)
    return bytes_image((np.clip(shares, 0, 1) * 255).astype(np.uint8))


def bytes_image(grey: npt.NDArray[np.uint8]) -> QImage:
    """A picture of uint8 (y, x)."""
    grey = np.ascontiguousarray(grey)
    height, width = grey.shape
    return QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def fitted(area: QRectF, image: QImage, spacing: tuple[float, float]) -> QRectF:
    """The largest rectangle in the middle of an area that has the picture's shape in mm."""
    width, height = image.width() * spacing[0], image.height() * spacing[1]
    scale = min(area.width() / width, area.height() / height)
    size = width * scale, height * scale
    return QRectF(area.center().x() - size[0] / 2, area.center().y() - size[1] / 2, *size)


class SlicePicture(QWidget):
    """One slice as large as there is room, in a fixed grey scale, with the words that every picture has."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image: QImage | None = None
        self._spacing = (1.0, 1.0)
        self._words: tuple[str, ...] = ()
        self.setAccessibleName(name)
        self.setMinimumSize(QSize(160, 140))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_plane(
        self, plane: npt.NDArray[Any] | None, levels: Levels, spacing: tuple[float, float], words: tuple[str, ...] = ()
    ) -> None:
        """Draw a plane (y, x); words: what must stand in it besides that it is for research only."""
        self.image = None if plane is None else grey_image(plane, levels)
        self._spacing, self._words = spacing, words
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect())
        painter.fillRect(area, _BLACK)
        if self.image is None:
            painter.setPen(QColor(theme.colours("dark").muted))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tr("No picture"))
            return
        painter.drawImage(fitted(area, self.image, self._spacing), self.image)
        self._write(painter, tr("Research use only"), area.height() - self._line)
        for place, words in enumerate(self._words):
            self._write(painter, words, place * self._line)

    @property
    def _line(self) -> int:
        return self.fontMetrics().height() + 4

    def _write(self, painter: QPainter, words: str, top: float) -> None:
        strip = QRectF(0, top, self.width(), self._line)
        painter.fillRect(strip, _SHADE)
        painter.setPen(_WORDS)
        shown = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, self.width() - 8)
        painter.drawText(strip, Qt.AlignmentFlag.AlignCenter, shown)
