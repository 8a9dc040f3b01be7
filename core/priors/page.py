"""What is known of a prior as a page of plain text; answered from its card and its files, without loading it."""

from __future__ import annotations

import json
import math
import textwrap
from pathlib import Path
from typing import Any

from core.priors.card import ModelCard
from core.priors.catalogue import companions

_WIDTH = 100
_LABEL = 16
_BAR = 40
_FAMILIES = {
    "adm": "ADM U-Net (guided diffusion)",
    "small": "small convolutional U-Net",
    "ncsnpp": "NCSN++ score network",
}
_PREDICTS = {"eps": "eps, the noise", "v": "v", "x0": "x0, the clean image"}
_CHANNELS = {1: "1 (real)", 2: "2 (real and imaginary part)", 3: "3 (colours)"}


def page(card: ModelCard, weights: Path, origin: str) -> str:
    """The page of a prior. weights: its file. origin: a word or two on where it comes from, such as "bundled"."""
    lines = [f"{card.name} ({origin})", ""]
    for label, words in (*_about(card), *_files(card, weights)):
        lines += _entry(label, words)
    if card.presets:
        lines += ["", "Presets"]
        for name, values in card.presets.items():
            lines += _entry(f"  {name}", ", ".join(_setting(key, value) for key, value in values.items()))
    if card.validation:
        lines += ["", "Denoising PSNR by timestep, on images that were kept from training", *_curve(card.validation)]
    if card.warnings:
        lines += ["", "Warnings"]
        for warning in card.warnings:
            lines += textwrap.wrap(warning, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"


def count_parameters(weights: Path) -> int | None:
    """How many numbers a .safetensors file holds, by its header; None if it has none that can be read."""
    try:
        with weights.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length < weights.stat().st_size else {}
        return sum(math.prod(map(int, entry["shape"])) for name, entry in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError, RecursionError):
        return None


def _about(card: ModelCard) -> list[tuple[str, str]]:
    low, high = card.value_range
    size = f"{card.image_size} x {card.image_size} pixels in training" if card.image_size else "unknown, or any"
    if card.family == "small" and not card.image_size:
        size = "any"
    return [
        ("Modality", card.modality),
        ("Anatomy", card.anatomy),
        ("Contrast", card.contrast),
        ("Channels", _CHANNELS.get(card.channels, str(card.channels))),
        ("Image size", size),
        ("Pixel size", _between(card.pixel_mm, " mm") if card.pixel_mm else "unknown"),
        ("Network", _FAMILIES.get(card.family, card.family)),
        ("Predicts", _PREDICTS.get(card.parametrization, card.parametrization)),
        ("Noise schedule", _schedule(card)),
        ("Value range", f"{low:g} to {high:g}; 1 is percentile {card.scale_percentile:g} of the magnitude"),
        ("Training data", "; ".join(card.training_data) or "unknown"),
        ("Licence", card.licence),
    ]


def _schedule(card: ModelCard) -> str:
    levels = f", sigma {_between(card.sigma_range)}" if card.noise_schedule == "ve" else ""
    return f"{card.noise_schedule}, {card.training_steps} steps{levels}"


def _files(card: ModelCard, weights: Path) -> list[tuple[str, str]]:
    count = card.parameters or count_parameters(weights)
    megabytes = weights.stat().st_size / 1e6
    lines = [
        ("Size", f"{f'{count / 1e6:.3g} million parameters, ' if count else ''}{megabytes:.3g} MB"),
        ("SHA-256", card.sha256 or "not on the card"),
    ]
    if card.source_sha256:
        lines.append(("Made from", f"a checkpoint of SHA-256 {card.source_sha256}"))
    lines.append(("Weights", str(weights)))
    if weights.with_suffix(".json").is_file():
        lines.append(("Card", str(weights.with_suffix(".json"))))
    names = {".recipe.json": "Recipe", ".samples.png": "Sample sheet", ".denoising.png": "Denoising sheet"}
    for suffix, path in companions(weights).items():
        lines.append((names.get(suffix, suffix.strip(".").removesuffix(".png").capitalize()), str(path)))
    return lines


def _entry(label: str, words: str) -> list[str]:
    indent = " " * _LABEL
    wrapped = textwrap.wrap(words, _WIDTH - _LABEL, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{label:<{_LABEL - 1}} {wrapped[0]}", *(indent + line for line in wrapped[1:])]


def _curve(validation: dict[str, float]) -> list[str]:
    """A line for each timestep, smallest first, with a bar from 0 dB on."""
    points = sorted((int(float(t)), psnr) for t, psnr in validation.items())
    most = max((psnr for _, psnr in points), default=0.0)
    return [
        f"  t = {t:>4} {psnr:6.1f} dB  {'#' * round(_BAR * max(psnr, 0.0) / most) if most > 0 else ''}".rstrip()
        for t, psnr in points
    ]


def _between(values: tuple[float, float], unit: str = "") -> str:
    low, high = values
    return f"{low:g}{unit}" if low == high else f"{low:g} to {high:g}{unit}"


def _setting(name: str, value: Any) -> str:
    return f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"
