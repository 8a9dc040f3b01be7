"""The colour maps of the viewing room, as tables of 256 colours."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import qRgb

from app.words import later
from core.export.spread import colours as spread_colours

GREY, SPREAD, SIGNED = "grey", "spread", "signed"
COLOURS = {
    GREY: later("Grey"),
    "viridis": later("Perceptual (viridis)"),
    "inferno": later("Perceptual (inferno)"),
    "hot": later("Hot"),
    SPREAD: later("Uncertainty"),
    SIGNED: later("Signed: blue below, red above"),
}
"""Names of colour maps as a person reads them."""

_LIBRARY = {"viridis": "viridis", "inferno": "inferno", "hot": "CET-L3"}
_SIGNED = (
    (-1.0, (150, 225, 255)),
    (-0.5, (30, 110, 235)),
    (0.0, (0, 0, 0)),
    (0.5, (220, 60, 20)),
    (1.0, (255, 225, 130)),
)
"""Black where two images agree, so that a difference stands out of the dark as an image does."""


@cache
def table(name: str, invert: bool = False) -> list[int]:
    """256 colours for QImage; the first is black, for what lies outside the volume."""
    rgb = _rgb(name)
    rgb = rgb[::-1] if invert else rgb
    return [qRgb(0, 0, 0), *(qRgb(*(int(c) for c in colour)) for colour in rgb[1:])]


def _rgb(name: str) -> np.ndarray:
    if name in _LIBRARY:
        return np.asarray(pg.colormap.get(_LIBRARY[name]).getLookupTable(nPts=256, alpha=False))
    if name == SPREAD:
        return spread_colours()
    if name == SIGNED:
        places, steps = [place for place, _ in _SIGNED], np.linspace(-1, 1, 256)
        channels = [np.interp(steps, places, [colour[c] for _, colour in _SIGNED]) for c in range(3)]
        return np.stack(channels, axis=1).round().astype(np.uint8)
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
