"""CT images in the unit that is asked for."""

from __future__ import annotations

from dataclasses import replace

from core.export import ExportError
from core.hounsfield import mu_from_hu
from core.scan import Volume


def in_unit(volume: Volume, *, hounsfield: bool) -> Volume:
    """A CT volume in HU, or else in 1/mm, with its spread; other volumes as they are.

    Raises ExportError where HU are asked for and the volume is not of a kind that has them.
    """
    if hounsfield and volume.unit != "HU":
        raise ExportError(
            "This image cannot be told in Hounsfield units.",
            f"It is in {volume.unit}, and the attenuation of water is not known for this scan.",
            "Leave out --hu.",
        )
    if volume.unit == "HU" and not hounsfield:
        per_hu = volume.mu_water / 1000
        spread = None if volume.spread is None else volume.spread * per_hu
        return replace(volume, array=mu_from_hu(volume.array, volume.mu_water), spread=spread, unit="1/mm")
    return volume
