"""Where a scan is reconstructed: its card and the settings, the image, the run."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from app.actions import Actions
from app.state.session import Session
from app.views.parameters import Parameters
from app.views.run_panel import RunPanel
from app.views.scan_card import ScanCard
from app.views.viewer import Viewer

SIDE = 300
"""Pixels that the parts beside the image have with the usual text."""
WIDEST = 1.17
"""More than so many times that they do not take, lest a window of 1280 pixels have no room for the image."""


class Workplace(QSplitter):
    """Scan card over settings | image | run panel."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.scan_card = ScanCard(session)
        self.parameters = Parameters(session, actions)
        self.viewer = Viewer(session, actions)
        self.run_panel = RunPanel(session, actions)
        left = QSplitter(Qt.Orientation.Vertical)
        left.addWidget(self.scan_card)
        left.addWidget(self.parameters)
        left.setSizes([190, 460])
        for part in (left, self.viewer, self.run_panel):
            self.addWidget(part)
            self.setCollapsible(self.count() - 1, False)
        self._sides = (left, self.run_panel)
        self.setStretchFactor(1, 1)

    def fit_sides(self, text_size: int) -> None:
        """As wide as text of so many per cent asks for."""
        wide = round(SIDE * min(max(text_size / 100, 1.0), WIDEST))
        for side in self._sides:
            side.setMinimumWidth(wide - 20)
        self.setSizes([wide, 10**4, wide])
