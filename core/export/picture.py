"""PNG pictures: the magnitude or the spread of all frames side by side, with the research mark."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.export.spread import caption, colours, samples_of
from core.scan import Volume

if TYPE_CHECKING:
    from PIL import ImageDraw

NOTICE = "Research use only. Not for diagnosis."
SHORT_NOTICE = "Research use only"
WHITE_PERCENTILE = 99.5
_STRIP, _LINE = 18, 13
_INK = 200


def write(volume: Volume, path: Path) -> None:
    """Write 8-bit grey, pixels squared up by the spacing: 0 is black, the 99.5th percentile white.

    In HU, black is air.
    """
    darkest = -1000.0 if volume.unit == "HU" else 0.0
    _write_sheet(_eight_bits(volume.array, darkest), volume.spacing_mm, (), path)


def write_spread(volume: Volume, path: Path) -> None:
    """Write the spread of the samples in colours, 0 black and the 99.5th percentile brightest, and say what it is."""
    assert volume.spread is not None
    words = caption(samples_of(volume.card))
    _write_sheet(colours()[_eight_bits(volume.spread)], volume.spacing_mm, words, path)


def _eight_bits(array: npt.NDArray[Any], darkest: float = 0.0) -> npt.NDArray[np.uint8]:
    magnitude = np.nan_to_num(np.abs(array) if np.iscomplexobj(array) else array - darkest).astype(np.float32)
    white = float(np.percentile(magnitude, WHITE_PERCENTILE)) or 1.0
    grey: npt.NDArray[np.uint8] = np.clip(magnitude / white * 255, 0, 255).astype(np.uint8)
    return grey


def _write_sheet(
    frames: npt.NDArray[np.uint8], spacing: tuple[float, float, float], words: tuple[str, ...], path: Path
) -> None:
    """Frames (frame, y, x), or with red, green and blue as a fourth axis; words go under them, over the notice."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    columns = math.ceil(math.sqrt(len(frames)))
    rows = math.ceil(len(frames) / columns)
    height, width = _square_pixels(frames.shape[1:3], spacing)
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    lines = [line for sentence in words for line in _wrapped(pen, sentence, columns * width - 8)]
    fits = pen.textlength(NOTICE) + 8 <= columns * width
    lines.append(NOTICE if fits else SHORT_NOTICE)
    mode = "L" if frames.ndim == 3 else "RGB"
    sheet = Image.new(mode, (columns * width, rows * height + _LINE * len(lines) + _STRIP - _LINE))
    for i, frame in enumerate(frames):
        picture = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)
        sheet.paste(picture, (i % columns * width, i // columns * height))
    pen = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        pen.text((4, rows * height + 3 + i * _LINE), line, fill=_INK if mode == "L" else (_INK,) * 3)
    about = PngInfo()
    about.add_text("Comment", " ".join((*words, NOTICE)))
    sheet.save(path, format="PNG", pnginfo=about)


def _wrapped(pen: ImageDraw.ImageDraw, sentence: str, width: float) -> list[str]:
    """A sentence in lines no wider than `width` pixels, broken between words."""
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and pen.textlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _square_pixels(shape: tuple[int, ...], spacing: tuple[float, float, float]) -> tuple[int, int]:
    finest = min(spacing[:2])
    return round(shape[0] * spacing[1] / finest), round(shape[1] * spacing[0] / finest)
