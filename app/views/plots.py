"""How every small plot of the window looks."""

from __future__ import annotations

from collections.abc import Mapping

import pyqtgraph as pg
from PySide6.QtCore import Qt

from app import theme


def plot_widget() -> pg.PlotWidget:
    """A plot without pyqtgraph's own menu, which would else outlive it."""
    plot = pg.PlotWidget()
    plot.setMenuEnabled(False)
    menu = plot.getPlotItem().ctrlMenu
    menu.setParent(plot, menu.windowFlags())
    return plot


def still_plot() -> pg.PlotWidget:
    """A plot with a grid that neither the mouse nor the keyboard moves."""
    plot = plot_widget()
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.showGrid(x=True, y=True, alpha=0.2)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return plot


def colour_axes(plot: pg.PlotWidget, labels: Mapping[str, str | None]) -> None:
    """Ground and axes as the theme has them. labels: by side, the words of an axis; None leaves them."""
    now = theme.current()
    plot.setBackground(now.base)
    for side, words in labels.items():
        axis = plot.getAxis(side)
        axis.setPen(now.border)
        axis.setTextPen(now.muted)
        if words is not None:
            axis.setLabel(words, color=now.muted)
