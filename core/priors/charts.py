"""A picture of how a training went: its loss and its validation, both by noise level."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT, _MARGIN = 420, 260, 34
_PAPER, _INK, _BAR = (24, 26, 30), (220, 222, 226), (86, 156, 214)


def training_chart(losses: dict[int, float], validation: dict[int, float], path: Path) -> None:
    """Write a PNG of two bar charts: the loss, and the denoising PSNR in dB, by timestep. Either may be empty."""
    sheet = Image.new("RGB", (2 * _WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _bars(draw, 0, "Training loss, from timestep", losses, "{:.3f}")
    _bars(draw, _WIDTH, "Denoising PSNR in dB, at timestep", validation, "{:.1f}")
    sheet.save(path)


def _bars(draw: ImageDraw.ImageDraw, left: int, title: str, values: dict[int, float], form: str) -> None:
    font = ImageFont.load_default()
    draw.text((left + _MARGIN, 8), title, _INK, font)
    if not values:
        draw.text((left + _MARGIN, _HEIGHT // 2), "nothing was held out" if "PSNR" in title else "no step yet", _INK)
        return
    top, bottom = 44, _HEIGHT - 28
    highest = max(max(values.values()), 1e-12)
    pitch = (_WIDTH - 2 * _MARGIN) / len(values)
    for place, (timestep, value) in enumerate(sorted(values.items())):
        x = left + _MARGIN + place * pitch
        height = (bottom - top) * max(value, 0.0) / highest
        draw.rectangle((x, bottom - height, x + 0.7 * pitch, bottom), fill=_BAR)
        draw.text((x, bottom - height - 13), form.format(value), _INK, font)
        draw.text((x, bottom + 6), str(timestep), _INK, font)
