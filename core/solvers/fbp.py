"""Filtered back-projection, the classical image of a CT slice."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import pad

from core.geometry import FanBeam, Geometry, Grid, ParallelBeam
from core.operators.slicewise import SLICES_AT_ONCE, Slicewise
from core.solvers.ramp import ramp_filtered
from core.solvers.redundancy import arc_weights, blank_columns, ray_weights

FloatArray = npt.NDArray[np.float64]
Places = tuple[Tensor, Tensor | None]


def fbp(operator: Slicewise, sinogram: Tensor, window: str = "hann") -> Tensor:
    """Attenuation (slices, ny, nx) in 1/mm from line integrals (slices, views, detectors).

    window: a name in ramp.WINDOWS. Views may be unevenly spread over any arc; each counts by the arc that it stands
    for, and lines that were seen twice count once. What an arc shorter than that lacks is missing from the image.
    Kak and Slaney 1988, chapter 3.
    """
    parts = torch.split(sinogram, SLICES_AT_ONCE)
    return torch.cat([_image(operator.geometry, operator.grid, part, window) for part in parts])


def _image(given: ParallelBeam | FanBeam, grid: Grid, sinogram: Tensor, window: str) -> Tensor:
    before, after = blank_columns(given.bins_mm)
    detectors, shift = given.detectors + before + after, (after - before) / 2 * given.pitch_mm
    geometry = replace(given, detectors=detectors, offset_mm=given.offset_mm + shift)
    weights = torch.from_numpy(_weights(given)).to(sinogram)
    lines = _filtered(geometry, pad(sinogram * weights, (before, after)), window).permute(1, 2, 0).contiguous()
    image = torch.zeros(grid.shape[1] * grid.shape[2], len(sinogram)).to(sinogram)
    for view in range(geometry.views):
        place, weight = _seen_at(geometry, grid, view)
        found = _between(lines[view], place.to(sinogram))
        image += found if weight is None else found * weight.to(sinogram)[:, None]
    return image.T.reshape(-1, *grid.shape[1:])


@singledispatch
def _weights(geometry: Geometry) -> FloatArray:
    """By what each ray counts, (views, detectors): the arc of its view, and its share where a line was seen twice."""
    raise TypeError(type(geometry))


@_weights.register
def _(geometry: ParallelBeam) -> FloatArray:
    turn = arc_weights(geometry.angles, 2 * np.pi)
    if turn.sum() < 1.9 * np.pi:
        return np.repeat(arc_weights(geometry.angles)[:, None], geometry.detectors, axis=1)
    # Where the axis is off the middle, lines beyond the shorter side were seen from one end only.
    return ray_weights(geometry.angles, np.zeros(geometry.detectors), geometry.bins_mm) * turn[:, None]


@_weights.register
def _(geometry: FanBeam) -> FloatArray:
    fan = geometry.fan_angles
    weights = ray_weights(geometry.angles, fan) * np.cos(fan) * arc_weights(geometry.angles, 2 * np.pi)[:, None]
    return weights * geometry.source_mm if geometry.curved else weights


@singledispatch
def _filtered(geometry: Geometry, lines: Tensor, window: str) -> Tensor:
    """Weighted lines (slices, views, detectors) under the ramp, by the pitch that it has for this detector."""
    raise TypeError(type(geometry))


@_filtered.register
def _(geometry: ParallelBeam, lines: Tensor, window: str) -> Tensor:
    return ramp_filtered(lines, geometry.pitch_mm, window)


@_filtered.register
def _(geometry: FanBeam, lines: Tensor, window: str) -> Tensor:
    if geometry.curved:
        return ramp_filtered(
            lines, geometry.pitch_mm / (geometry.source_mm + geometry.detector_mm), window, curved=True
        )
    return ramp_filtered(lines, geometry.pitch_mm / geometry.magnification, window)


@singledispatch
def _seen_at(geometry: Geometry, grid: Grid, view: int) -> Places:
    """Where a view sees each pixel, in bins, (ny * nx,), and the weight of the pixel there; None for 1."""
    raise TypeError(type(geometry))


@_seen_at.register
def _(geometry: ParallelBeam, grid: Grid, view: int) -> Places:
    across, _ = _turned(grid, geometry.angles[view])
    return ((across - geometry.bins_mm[0]) / geometry.pitch_mm).flatten(), None


@_seen_at.register
def _(geometry: FanBeam, grid: Grid, view: int) -> Places:
    across, along = _turned(grid, geometry.angles[view])
    depth = (geometry.source_mm + along).flatten()
    # What lies behind the source is not seen; it is at the source where the two below divide by 0.
    ahead = depth > 1e-3 * geometry.source_mm
    across, depth = across.flatten(), torch.where(ahead, depth, geometry.source_mm)
    distance = geometry.source_mm + geometry.detector_mm
    if geometry.curved:
        reach, weight = distance * torch.atan2(across, depth), 1 / (across**2 + depth**2)
    else:
        reach, weight = distance * across / depth, (geometry.source_mm / depth) ** 2
    return (reach - geometry.bins_mm[0]) / geometry.pitch_mm, torch.where(ahead, weight, 0.0)


def _turned(grid: Grid, angle: float) -> tuple[Tensor, Tensor]:
    """The pixels' places along the detector's axis and along the middle ray, float64 (ny, nx) in mm."""
    x, y = (
        (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * step + centre
        for n, step, centre in zip(grid.shape[:0:-1], grid.spacing_mm, grid.centre_mm, strict=False)
    )
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return x * cos + y[:, None] * sin, y[:, None] * cos - x * sin


def _between(line: Tensor, place: Tensor) -> Tensor:
    """The values (places, slices) at places between the bins of a line (bins, slices); 0 beyond its ends."""
    last = len(line) - 1
    low = place.floor().clamp(0, max(last - 1, 0))
    index, share = low.long(), (place - low)[:, None]
    inside = ((place >= -0.5) & (place <= last + 0.5))[:, None]
    value = torch.lerp(line[index], line[(index + 1).clamp(max=last)], share.clamp(0, 1))
    return torch.where(inside, value, 0.0)
