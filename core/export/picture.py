"""PNG pictures: the magnitude of all frames side by side, with the research mark."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from core.scan import Volume

NOTICE = "Research use only. Not for diagnosis."
SHORT_NOTICE = "Research use only"
WHITE_PERCENTILE = 99.5
_STRIP = 18


def write(volume: Volume, path: Path) -> None:
    """Write 8-bit grey: 0 is black, the 99.5th percentile white, pixels squared up by the spacing."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    magnitude = np.nan_to_num(np.abs(volume.array)).astype(np.float32)
    white = float(np.percentile(magnitude, WHITE_PERCENTILE)) or 1.0
    grey = np.clip(magnitude / white * 255, 0, 255).astype(np.uint8)
    columns = math.ceil(math.sqrt(len(grey)))
    rows = math.ceil(len(grey) / columns)
    height, width = _square_pixels(grey.shape[1:], volume.spacing_mm)
    sheet = Image.new("L", (columns * width, rows * height + _STRIP))
    for i, frame in enumerate(grey):
        picture = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)
        sheet.paste(picture, (i % columns * width, i // columns * height))
    pen = ImageDraw.Draw(sheet)
    fits = pen.textlength(NOTICE) + 8 <= sheet.width
    pen.text((4, rows * height + 3), NOTICE if fits else SHORT_NOTICE, fill=200)
    about = PngInfo()
    about.add_text("Comment", NOTICE)
    sheet.save(path, format="PNG", pnginfo=about)


def _square_pixels(shape: tuple[int, ...], spacing: tuple[float, float, float]) -> tuple[int, int]:
    finest = min(spacing[:2])
    return round(shape[0] * spacing[1] / finest), round(shape[1] * spacing[0] / finest)
