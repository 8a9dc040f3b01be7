"""DICOM slices put in order along their normal, and the affine of their stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.formats.dicom_frames import Frame
from core.formats.volume_parts import affine_from_corner
from core.orientation import Affine

Vectors = npt.NDArray[np.float64]

_SAME_MM = 0.01
_UNEVEN = 0.05
_TILTED_DEGREES = 0.1


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames in order; the affine is None where they do not tell their place. step_mm: from slice to slice."""

    frames: list[Frame]
    affine: Affine | None
    step_mm: float
    notes: list[str]


def stacked(frames: list[Frame]) -> Stack:
    """One frame for each place, sorted along the normal (row x column).

    The slice step of the affine is the true one between positions, so that the slices of a tilted gantry are sheared
    against each other as they lie in the patient. What is missing, double or uneven is told in notes.
    """
    notes: list[str] = []
    by_number = sorted(frames, key=lambda frame: (frame.order, frame.file.name, frame.number))
    first = by_number[0]
    placed = [frame.position for frame in by_number if frame.position is not None]
    if first.row is None or first.column is None or len(placed) < len(by_number):
        notes.append("The file does not tell where the patient lies; slices are in the order of their numbers.")
        if not first.spacing_known:
            notes.append("The size of the pixels is not told; 1 mm was taken.")
        return Stack(by_number, None, _thickness(first, len(by_number), notes), notes)
    normal = np.cross(first.row, first.column)
    along = np.stack(placed) @ normal
    order = _one_each(np.argsort(along, kind="stable"), along, notes)
    if order != list(range(len(by_number))):
        notes.append("Slices sorted by their position.")
    chosen, positions = [by_number[i] for i in order], np.stack([placed[i] for i in order])
    step = _step(positions, normal, first, notes)
    columns = np.stack((first.row * first.spacing_mm[1], first.column * first.spacing_mm[0], step), axis=1)
    affine = affine_from_corner(columns, positions[0], (len(chosen), *first.shape)) if first.spacing_known else None
    if affine is None:
        notes.append("The size of the pixels is not told; the place in the patient is not kept.")
    return Stack(chosen, affine, float(np.linalg.norm(step)), notes)


def _one_each(order: npt.NDArray[np.intp], along: Vectors, notes: list[str]) -> list[int]:
    """The first frame of each place."""
    kept: list[int] = []
    for index in order:
        if not kept or along[index] - along[kept[-1]] > _SAME_MM:
            kept.append(int(index))
    double = len(order) - len(kept)
    if double:
        notes.append(
            f"{_slices(double, 'lies', 'lie')} where others do; the first of each place by its number was kept."
        )
    return kept


def _step(positions: Vectors, normal: Vectors, first: Frame, notes: list[str]) -> Vectors:
    """The mean step from slice to slice (3,), mm."""
    if len(positions) == 1:
        return normal * _thickness(first, 1, notes)
    step: Vectors = (positions[-1] - positions[0]) / (len(positions) - 1)
    gaps = np.diff(positions @ normal)
    off = np.linalg.norm(positions - positions[0] - np.arange(len(positions))[:, None] * step, axis=1).max()
    usual = float(np.median(gaps))
    if np.abs(gaps - usual).max() > _UNEVEN * usual + _SAME_MM:
        notes.append(_uneven(gaps, usual, float(off)))
    elif off > _UNEVEN * usual + _SAME_MM:
        notes.append(f"The slices do not lie on a straight line; they are up to {off:.1f} mm off their place.")
    cosine = float(step @ normal / np.linalg.norm(step))
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    if angle > _TILTED_DEGREES:
        notes.append(f"The gantry was tilted: the slices lean by {angle:.1f} degrees against their stack.")
    return step


def _uneven(gaps: Vectors, usual: float, off: float) -> str:
    counts = gaps / usual
    missing = int(np.round(counts).sum()) - len(gaps)
    if missing > 0 and np.abs(counts - np.round(counts)).max() < _UNEVEN:
        what = f"{_slices(missing, 'is', 'are')} missing, the first after slice {int(np.argmax(counts > 1.5)) + 1}"
    else:
        what = f"The slices are not evenly spaced ({gaps.min():.2f} to {gaps.max():.2f} mm)"
    return f"{what}; the mean distance is used, and slices are up to {off:.1f} mm off their place."


def _thickness(frame: Frame, count: int, notes: list[str]) -> float:
    """mm from slice to slice where their positions do not tell it; of one slice, its thickness."""
    told = (frame.thickness_mm, frame.apart_mm) if count == 1 else (frame.apart_mm, frame.thickness_mm)
    if not any(told):
        notes.append("The thickness of the slices is not told; 1 mm was taken.")
    return told[0] or told[1] or 1.0


def _slices(count: int, one: str, more: str) -> str:
    return f"{count} slice {one}" if count == 1 else f"{count} slices {more}"
