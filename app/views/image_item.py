"""The image itself: one plane of numbers in grey or in colours, with levels that only we set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from app.state.picture import Levels
from core.export.spread import colours


class GreyImage(pg.ImageItem):
    """Row-major, never with automatic levels; drawn smooth or in hard pixels."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.smooth = True
        self.coloured = False
        self._plane: npt.NDArray[np.float32] | None = None

    def show_plane(self, plane: npt.NDArray[np.float32], levels: Levels, spacing: tuple[float, float]) -> None:
        """Draw a plane (y, x) with pixels of spacing (x, y) mm, so that its rectangle is in mm."""
        if plane is self._plane:
            self.show_levels(levels)
            return
        self._plane = plane
        self.setImage(plane, autoLevels=False, levels=(levels.low, levels.high))
        height, width = plane.shape
        self.setRect(QRectF(0, 0, width * spacing[0], height * spacing[1]))

    def show_coloured(self, coloured: bool) -> None:
        """Draw with the colours of a spread, or in grey."""
        if coloured is not self.coloured:
            self.coloured = coloured
            self.setLookupTable(colours() if coloured else None)

    def show_levels(self, levels: Levels) -> None:
        if tuple(self.getLevels()) != (levels.low, levels.high):
            self.setLevels((levels.low, levels.high))

    def paint(self, painter: QPainter, *args: Any) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth)
        super().paint(painter, *args)
