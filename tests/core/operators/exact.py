"""Ellipses whose line integrals are known, and the ends of rays as the geometries' docstrings tell them."""

from __future__ import annotations

import numpy as np
import torch

from core.geometry import FanBeam, Grid, ParallelBeam


def ellipsoid(grid: Grid, centre: tuple[float, ...], radii: tuple[float, ...], fine: int = 4) -> torch.Tensor:
    """How much of each voxel an ellipsoid covers, from fine^3 points in it, float32 (nz, ny, nx). (x, y, z) in mm.

    With two numbers an ellipse, the same in every slice.
    """
    axes = []
    for k, n in enumerate(grid.shape[::-1]):
        points = (np.arange(fine * n) - (fine * n - 1) / 2) / fine * grid.spacing_mm[k] + grid.centre_mm[k]
        within = k < len(radii)
        axes.append(((points - (centre[k] if within else 0)) / (radii[k] if within else np.inf)) ** 2)
    x, y, z = axes
    inside = z[:, None, None] + y[:, None] + x < 1
    nz, ny, nx = grid.shape
    covered = inside.reshape(nz, fine, ny, fine, nx, fine).mean(axis=(1, 3, 5))
    return torch.from_numpy(covered.astype(np.float32))


def chords(begin: np.ndarray, end: np.ndarray, centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    """The lengths within an ellipse or ellipsoid of lines through two points, (..., 2 or 3) mm."""
    a, d = (begin - np.array(centre)) / np.array(radii), (end - begin) / np.array(radii)
    dd, ad, aa = (d * d).sum(-1), (a * d).sum(-1), (a * a).sum(-1)
    half = np.sqrt(np.maximum(ad**2 - dd * (aa - 1), 0)) / dd
    return 2 * half * np.linalg.norm(end - begin, axis=-1)


def ends(geometry: ParallelBeam | FanBeam) -> tuple[np.ndarray, np.ndarray]:
    """Two points on every ray, both (views, detectors, 2)."""
    cos, sin = np.cos(geometry.angles)[:, None], np.sin(geometry.angles)[:, None]
    bins = (np.arange(geometry.detectors) - (geometry.detectors - 1) / 2) * geometry.pitch_mm + geometry.offset_mm
    if isinstance(geometry, ParallelBeam):
        begin = np.stack((bins * cos, bins * sin), axis=-1)
        return begin, begin + np.stack((-sin + 0 * bins, cos + 0 * bins), axis=-1)
    one = np.ones_like(bins)
    source = geometry.source_mm * np.stack((sin * one, -cos * one), axis=-1)
    if geometry.curved:
        reach = geometry.source_mm + geometry.detector_mm
        turned = geometry.angles[:, None] - bins / reach
        return source, source + reach * np.stack((-np.sin(turned), np.cos(turned)), axis=-1)
    middle = geometry.detector_mm * np.stack((-sin * one, cos * one), axis=-1)
    return source, middle + np.stack((bins * cos, bins * sin), axis=-1)


def gap(a: torch.Tensor | np.ndarray, b: torch.Tensor | np.ndarray) -> float:
    """||a - b|| / ||b||."""
    a, b = np.asarray(a), np.asarray(b)
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))
