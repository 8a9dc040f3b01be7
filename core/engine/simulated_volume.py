"""Cutting and resampling the volume that a scan is simulated from; its place in the patient goes along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import interpolate

from core.errors import JobError
from core.formats.volume_parts import is_even
from core.orientation import Affine
from core.scan import Volume

FloatArray = npt.NDArray[np.float32]

MOST_PIXELS = 4096
_SHEARED = 1e-3


def cut_slices(volume: Volume, slices: tuple[int, int] | None) -> Volume:
    """The slices first to end, counted from 0, as float32 or complex64. Raises JobError where there are none, and for a
    volume from which nothing can be simulated: its voxels are all equal, or some have no number."""
    count = len(volume.array)
    if is_even(volume.array):
        raise JobError("There is nothing to scan in this volume.", "All its voxels are equal.", "Choose another one.")
    first, end = slices or (0, count)
    if not 0 <= first < end <= count:
        raise JobError(
            f"There are no slices {first}:{end}.", f"The volume has {count} of them.", f"Choose within 0:{count}."
        )
    affine = None if volume.affine is None else volume.affine.copy()
    if affine is not None:
        affine[:3, 3] += first * affine[:3, 2]
    kind = np.complex64 if np.iscomplexobj(volume.array) else np.float32
    array = volume.array[first:end].astype(kind, copy=False)
    if not np.isfinite(array).all():
        raise JobError(
            "A scan cannot be simulated from this volume.", "Some of its voxels have no number (NaN).", "Mend it first."
        )
    return replace(volume, array=array, affine=affine, slices=end - first)


def check_size(size: int | None) -> None:
    """Raise JobError for a --size that makes no image."""
    if size is not None and not 2 <= size <= MOST_PIXELS:
        raise JobError(f"An image of {size} pixels cannot be made.", "", f"Choose from 2 to {MOST_PIXELS} pixels.")


def resampled(slices: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """The same extent in (rows, columns) other pixels, linear between their middles; float32 or complex64."""
    if slices.shape[1:] == shape:
        return slices
    if np.iscomplexobj(slices):
        return resampled(slices.real, shape) + np.complex64(1j) * resampled(slices.imag, shape)
    tensor = torch.from_numpy(np.ascontiguousarray(slices))[:, None]
    made = interpolate(tensor, shape, mode="bilinear", align_corners=False)
    return np.asarray(made[:, 0].numpy())


def affine_of_pixels(affine: Affine, old: tuple[int, int], new: tuple[int, int]) -> Affine:
    """The affine after the pixels (rows, columns) of an image become others of the same extent."""
    steps = np.eye(4)
    for axis in (0, 1):
        ratio = old[1 - axis] / new[1 - axis]
        steps[axis, axis], steps[axis, 3] = ratio, (ratio - 1) / 2
    moved: Affine = affine @ steps
    return moved


def lean_degrees(affine: Affine | None) -> float:
    """The angle between the way from slice to slice and the normal of the slices; 0 where they lie straight."""
    if affine is None:
        return 0.0
    normal, step = np.cross(affine[:3, 0], affine[:3, 1]), affine[:3, 2]
    cosine = abs(float(normal @ step)) / float(np.linalg.norm(normal) * np.linalg.norm(step))
    return 0.0 if cosine > 1 - _SHEARED**2 else float(np.degrees(np.arccos(cosine)))
