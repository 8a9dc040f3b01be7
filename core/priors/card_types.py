"""Whether the values of a model card are of the kinds that its fields need; a card may come from anybody."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

_WORDS = (
    *("name", "family", "parametrization", "noise_schedule", "modality", "anatomy", "contrast", "licence"),
    *("sha256", "source_sha256", "recipe"),
)
_RANGES = ("sigma_range", "value_range", "pixel_mm")
_LISTS = ("training_data", "warnings")
_OPTIONAL = ("image_size", "pixel_mm", "parameters")
_MOST = 10**12


def check_kinds(values: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError, naming the field, for a value that cannot be one of core.priors.card.ModelCard."""
    for name, value in values.items():
        if value is None and name in _OPTIONAL:
            continue
        fits = _FITS.get(name)
        if fits is not None and not fits(value):
            raise TypeError(f"{name} cannot be {str(value)[:60]}")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MOST


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_range(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(is_number(v) for v in value)


def _are_words(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)


def _are_presets(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(preset, dict) for preset in value.values())


def _is_curve(value: Any) -> bool:
    """PSNR by timestep, a number as text."""
    return isinstance(value, dict) and all(_is_time(t) and is_number(psnr) for t, psnr in value.items())


def _is_time(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


_FITS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_WORDS, lambda value: isinstance(value, str)),
    **dict.fromkeys(_RANGES, _is_range),
    **dict.fromkeys(_LISTS, _are_words),
    **dict.fromkeys(("channels", "training_steps", "image_size", "parameters"), _is_count),
    "scale_percentile": is_number,
    "config": lambda value: isinstance(value, dict),
    "presets": _are_presets,
    "validation": _is_curve,
}
