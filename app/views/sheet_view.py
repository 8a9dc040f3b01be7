"""A picture of what a prior has learned, as large as there is room for."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app import theme
from app.state.shelf import Sheet


class SheetView(QWidget):
    """Draws a sheet, or says why there is none."""

    def __init__(self, about: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.about = about
        self.words = ""
        self.image: QImage | None = None
        self.setAccessibleName(about)
        self.setMinimumSize(QSize(120, 90))

    def show_sheet(self, sheet: Sheet | None, words: str) -> None:
        """words: what stands there where there is no sheet."""
        self.words = words
        self.image = None
        if sheet is not None:
            height, width = sheet.shape
            self.image = QImage(sheet.tobytes(), width, height, width, QImage.Format.Format_Grayscale8).copy()
        self.setAccessibleDescription(self.about if self.image is not None else words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        now = theme.current()
        if self.image is None:
            painter.setPen(QColor(now.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.words)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scale = min(self.width() / self.image.width(), self.height() / self.image.height(), 2.0)
        width, height = self.image.width() * scale, self.image.height() * scale
        painter.drawImage(QRectF((self.width() - width) / 2, 0, width, height), self.image)
