"""Turns a scene into pictures: coarse ones at once while it is moved, and then a fine one, strip by strip."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter

if TYPE_CHECKING:
    from app.views.volume3d import VolumeRenderer

MOST_PIXELS = 900
"""A side of the picture; a larger pane shows it enlarged."""
COARSE_S, STRIP_S = 0.03, 0.12
"""How long a coarse picture and a strip of a fine one should hold the window up. An empty strip costs something too."""
REST_MS = 150
"""Without a move before the fine picture is begun."""
_FIRST_SHARE, _LEAST_SHARE = 0.3, 0.12
"""Of the pane's pixels along a side: of coarse pictures."""
_MOST_STRIPS = 16
_FINER = 2.5
"""Times a coarse picture of as many pixels that a fine one takes, about."""


class Frames(QObject):
    """image: what there is of the latest picture. settled: it is the fine one, and whole.

    failed: the driver has said something, after which there are no more pictures.
    """

    drawn = Signal()
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.renderer: VolumeRenderer | None = None
        self.image = QImage()
        self.settled = False
        self.coarse_ms = self.strip_ms = 0.0
        self._size = QSize()
        self._share = self._drawn_share = _FIRST_SHARE
        self._rows, self._top = 1, 0
        self._now, self._rest, self._next = (QTimer(self) for _ in range(3))
        for timer, due in (
            (self._now, self._draw_coarse),
            (self._rest, self._begin_fine),
            (self._next, self._draw_strip),
        ):
            timer.setSingleShot(True)
            timer.timeout.connect(due)

    def resize(self, size: QSize) -> None:
        """So many pixels in the fine picture."""
        if size != self._size:
            self._size = size
            self.moved()

    def render(self, size: QSize) -> None:
        """Only the fine picture, in so many pixels."""
        self._size = size
        self.image = QImage(size, QImage.Format.Format_RGB888)
        self.image.fill(0)
        self._top, self._rows = 0, self._least_rows
        self._next.start(0)

    @property
    def percent(self) -> int:
        """Of the fine picture that is there."""
        return round(100 * min(self._top / max(self._size.height(), 1), 1))

    def moved(self) -> None:
        """Anything has changed. Moves that come before the next picture share it."""
        self.settled = False
        self._next.stop()
        self._rest.stop()
        if self.renderer is not None and not self._size.isEmpty() and not self._now.isActive():
            self._now.start(0)

    def stop(self) -> None:
        for timer in (self._now, self._rest, self._next):
            timer.stop()

    def _draw_coarse(self) -> None:
        began = time.perf_counter()
        width, height = (max(round(n * self._share), 2) for n in (self._size.width(), self._size.height()))
        if self.renderer is None or not self._draw_into(width, height):
            return
        took = time.perf_counter() - began
        self.coarse_ms, self._drawn_share = took * 1000, self._share
        better = (COARSE_S / took) ** 0.5
        self._share = float(np.clip(self._share * np.clip(better, 0.7, 1.15), _LEAST_SHARE, 1.0))
        self._rest.start(REST_MS)
        self.drawn.emit()

    def _draw_into(self, width: int, height: int) -> bool:
        assert self.renderer is not None
        try:
            self.image = image_of(self.renderer.picture(width, height, coarse=True))
        except Exception as error:  # whatever the driver says costs this pane, not the program
            self._fail(error)
            return False
        return True

    def _begin_fine(self) -> None:
        self.image = self.image.scaled(
            self._size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        whole_s = self.coarse_ms / 1000 / self._drawn_share**2 * _FINER
        self._top, self._rows = 0, self._rows_in(STRIP_S / whole_s * self._size.height())
        self._next.start(0)

    @property
    def _least_rows(self) -> int:
        return -(-self._size.height() // _MOST_STRIPS)

    def _rows_in(self, wanted: float) -> int:
        """So many rows, as far as there are no more strips than _MOST_STRIPS; all of a surface, drawn without rays."""
        height = self._size.height()
        whole = self.renderer is not None and not self.renderer.casts
        return height if whole else int(np.clip(wanted, self._least_rows, height))

    def _draw_strip(self) -> None:
        """The next rows."""
        if self.renderer is None:
            return
        width, height = self._size.width(), self._size.height()
        began = time.perf_counter()
        top, rows = self._top, min(self._rows, height - self._top)
        try:
            strip = self.renderer.strip(width, height, top, rows)
        except Exception as error:  # as above
            self._fail(error)
            return
        painter = QPainter(self.image)
        painter.drawImage(0, top, image_of(strip))
        painter.end()
        took = time.perf_counter() - began
        self.strip_ms = took * 1000
        self._top = top + rows
        self._rows = self._rows_in(rows * np.clip(STRIP_S / took, 0.5, 1.5))
        self.settled = self._top >= height
        if not self.settled:
            self._next.start(0)
        self.drawn.emit()

    def _fail(self, error: Exception) -> None:
        self.stop()
        self.renderer = None
        self.failed.emit(str(error))


def image_of(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Of red, green and blue (height, width, 3); a copy."""
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
