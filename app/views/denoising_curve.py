"""How well a prior cleans noisy images, by the strength of the noise."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from app import theme
from app.views.plots import colour_axes, still_plot
from app.words import tr


class DenoisingCurve(QWidget):
    """Denoising PSNR in dB against the timestep, as it was measured on images kept from training."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points: list[tuple[int, float]] = []
        self.plot = still_plot()
        self._curve = self.plot.plot([], [], symbol="o", symbolSize=7)
        self.nothing = QLabel(tr("No validation was measured for this prior."))
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setWordWrap(True)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self.plot)
        self._layers.addWidget(self.nothing)
        self.setMinimumSize(QSize(240, 150))
        self.setAccessibleName(tr("Denoising PSNR by timestep"))
        self._colour()

    def show_validation(self, validation: dict[str, float]) -> None:
        """validation: PSNR in dB by timestep, as a card has it."""
        self.points = sorted((int(timestep), float(psnr)) for timestep, psnr in validation.items())
        self._layers.setCurrentWidget(self.plot if self.points else self.nothing)
        self._curve.setData([t for t, _ in self.points], [psnr for _, psnr in self.points])
        self.setAccessibleDescription(", ".join(f"{psnr:.1f} dB at {t}" for t, psnr in self.points))

    def _colour(self) -> None:
        now = theme.current()
        self._curve.setPen(pg.mkPen(now.accent, width=2))
        self._curve.setSymbolBrush(now.accent)
        self._curve.setSymbolPen(now.accent)
        colour_axes(self.plot, {"left": tr("PSNR, dB"), "bottom": tr("Timestep (more is more noise)")})
        theme.mute(self.nothing)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "nothing"):
            self._colour()
        super().changeEvent(event)
