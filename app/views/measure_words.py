"""What measurements say, in words and numbers."""

from __future__ import annotations

import math

from app.state.room.figure import Measurement
from app.state.room.reading import Reading
from app.views.number_edit import format_number
from app.views.room_captions import WRITTEN
from app.words import tr
from core.viewing.lengths import contrast, contrast_to_noise, signal_to_noise
from core.viewing.regions import Statistics

WAITING = "…"


def label_lines(measurement: Measurement, reading: Reading | None) -> tuple[str, ...]:
    """The name and what was read of its own image; None where that is not there yet."""
    if reading is None:
        return measurement.name, WAITING
    if reading.statistics is None:
        value = short(measurement, reading)
        return tuple(line for line in (measurement.name, value) if line)
    return tuple(line for line in (measurement.name, *region_lines(reading.statistics, reading.unit)) if line)


def geometry_lines(measurement: Measurement, reading: Reading | None) -> tuple[str, ...]:
    """The name, and what holds in every image: a length or an angle."""
    known = reading is not None and any(
        value is not None for value in (reading.length_mm, reading.length_px, reading.angle_deg)
    )
    lines = (measurement.name, short(measurement, reading) if known else "")
    return tuple(line for line in lines if line)


def region_lines(found: Statistics, unit: str) -> tuple[str, ...]:
    if not found.pixels:
        return (tr("no pixel with a number"),)
    mean, sd = format_number(found.mean), format_number(found.sd)
    low, high = format_number(found.minimum), format_number(found.maximum)
    return (
        tr("mean {mean}, SD {sd}", mean=mean, sd=sd) + _of(unit),
        tr("min {low}, max {high}", low=low, high=high),
        tr("{count} pixels", count=found.pixels)
        if math.isnan(found.area_mm2)
        else tr("{area} mm², {count} pixels", area=f"{found.area_mm2:.1f}", count=found.pixels),
    )


def short(measurement: Measurement, reading: Reading | None) -> str:
    """In a few words."""
    if reading is None:
        return WAITING
    if reading.length_mm is not None:
        return f"{reading.length_mm:.1f} mm"
    if reading.length_px is not None:
        return tr("{length} pixels, size unknown", length=f"{reading.length_px:.1f}")
    if reading.angle_deg is not None:
        return "—" if math.isnan(reading.angle_deg) else f"{reading.angle_deg:.1f}°"
    if reading.value is not None:
        return tr("no number") if math.isnan(reading.value) else format_number(reading.value) + _of(reading.unit)
    if reading.statistics is not None:
        return region_lines(reading.statistics, reading.unit)[0]
    return tr("image closed") if measurement.complete else ""


def comparison_lines(a: str, one: Statistics, b: str, other: Statistics, same_unit: bool) -> tuple[str, ...]:
    """SNR, CNR and contrast of two regions by their names, each with its formula."""
    if not same_unit:
        return (tr("{a} and {b} have different units.", a=a, b=b),)
    snr, cnr = _ratio(signal_to_noise(one, other)), _ratio(contrast_to_noise(one, other, other))
    michelson = f"(mean({a}) − mean({b})) / (mean({a}) + mean({b}))"
    return (
        tr("SNR = mean({a}) / SD({b}) = {value}", a=a, b=b, value=snr),
        tr("CNR = |mean({a}) − mean({b})| / SD({b}) = {value}", a=a, b=b, value=cnr),
        tr("Contrast = {formula} = {value}", formula=michelson, value=_ratio(contrast(one, other))),
    )


def _ratio(value: float) -> str:
    return tr("not defined here") if math.isnan(value) else f"{value:.3g}"


def _of(unit: str) -> str:
    return f" {unit}" if unit in WRITTEN else ""
