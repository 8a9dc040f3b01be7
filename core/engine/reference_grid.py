"""A volume on the grid of an image: as it is where it lies there, else brought there, or refused in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.orientation import letter
from core.scan import Volume
from core.viewing.onto import resampled, same_grid

Array = npt.NDArray[Any]

HOW = "Choose one on the image's grid, or have it resampled: --resample, or “Bring onto the image's grid”."


@dataclass(frozen=True)
class Place:
    """Where an image will lie. image: with any voxels. whole, first: the stack of which its slices are some, from
    slice `first` on; None where it has all, or several stacks."""

    image: Volume
    whole: Volume | None = None
    first: int = 0


@dataclass(frozen=True)
class OnGrid:
    """values: (frame, y, x), real, with NaN where there is no voxel. resampled: they lay on another grid."""

    values: Array
    resampled: bool


def on_grid(given: Sequence[Volume], place: Place, name: str, *, resample: bool) -> OnGrid:
    """The voxels of a volume at those of the image; of complex ones the magnitude.

    given: the volume in one or two orders of its voxels, as its file stores them and as it is viewed. name: for a
    person, such as "reference brain.nii". resample: by trilinear interpolation, where the grids differ. Raises
    ScanError where they do and it is not asked for, and where it cannot be, since one does not tell where it lies.
    """
    for volume in given:
        if _same(volume, place.image):
            return OnGrid(_real(volume.array), False)
        if place.whole is not None and _same(volume, place.whole):
            end = place.first + len(place.image.array)
            return OnGrid(_real(volume.array[place.first : end]), False)
    volume, image = given[0], place.image
    placed = volume.affine is not None and image.affine is not None and _one_stack(volume) and _one_stack(image)
    if placed and resample:
        assert volume.affine is not None
        assert image.affine is not None
        depth, height, width = image.array.shape
        values = _real(volume.array).astype(np.float32)
        return OnGrid(resampled(values, volume.affine, (depth, height, width), image.affine), True)
    how = HOW if placed else "Choose one with the same voxels: it cannot be resampled without its place in the patient."
    what = f"The {name} does not fit the image's grid."
    raise ScanError(what, differences(volume, place.whole or image if not placed else image), how)


def differences(volume: Volume, image: Volume) -> str:
    """How two grids differ, in words: size, spacing, orientation and place, those that do."""
    told = []
    ours, theirs = _size(volume), _size(image)
    if ours != theirs:
        told.append(f"It has {ours} voxels, the image {theirs}.")
    if volume.affine is None or image.affine is None:
        missing = "Neither tells" if volume.affine is image.affine else "One of them does not tell"
        return " ".join([*told, f"{missing} where it lies in the patient."])
    ours, theirs = _spacing(volume), _spacing(image)
    if ours != theirs:
        told.append(f"Its voxels are {ours} mm, those of the image {theirs} mm.")
    ours, theirs = _letters(volume), _letters(image)
    if ours != theirs:
        told.append(f"Its columns, rows and slices run towards {ours}, those of the image towards {theirs}.")
    if not told:
        apart = float(np.abs(volume.affine[:3] - image.affine[:3]).max())
        told.append(f"It lies elsewhere in the patient, by {apart:.3g} mm or more.")
    return " ".join(told)


def _same(volume: Volume, image: Volume) -> bool:
    """The same voxels; where one does not tell its place, or has several stacks, the same number of them."""
    if volume.array.shape != image.array.shape:
        return False
    if volume.affine is None or image.affine is None or not (_one_stack(volume) and _one_stack(image)):
        return True
    depth, height, width = image.array.shape
    return same_grid((depth, height, width), volume.affine, (depth, height, width), image.affine)


def _one_stack(volume: Volume) -> bool:
    return volume.slices == len(volume.array)


def _real(array: Array) -> Array:
    return np.abs(array) if np.iscomplexobj(array) else array


def _size(volume: Volume) -> str:
    """Columns first."""
    return " x ".join(str(n) for n in reversed(volume.array.shape))


def _spacing(volume: Volume) -> str:
    assert volume.affine is not None
    return " x ".join(f"{float(n):.3g}" for n in np.linalg.norm(volume.affine[:3, :3], axis=0))


def _letters(volume: Volume) -> str:
    assert volume.affine is not None
    return " ".join(letter(step) for step in volume.affine[:3, :3].T)
