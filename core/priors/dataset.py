"""Training crops: volumes prepared once, then cut, recoloured and turned at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi
import torch
from torch import Tensor
from torch.nn import functional

from core.priors.contrast import ContrastCurves
from core.priors.looks import CodeArray, Look, MrLook

ByteArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

MR: Look = MrLook()
PYRAMID = (1.0, 1.25, 1.55, 1.95)
HELD_OUT_SHARE = 0.1
LEAST_SLICES = 40
"""A volume with fewer voxels than this along an axis is only cut into slices as it was made."""
LEAST_HELD_OUT = 5
FINEST_PIXEL = 0.9
GAP = 4
"""Voxels between the slices to learn from and those held out: as far as denoising looks."""


@dataclass(frozen=True)
class Level:
    """One resolution of a volume (z, y, x): intensities as codes of its look, share of brain as bytes (255: all)."""

    codes: CodeArray
    inside: ByteArray | None
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class PreparedVolume:
    """A volume in several resolutions, finest first. axes: those across which slices may be cut."""

    name: str
    levels: tuple[Level, ...]
    axes: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True)
class CropOptions:
    """What crops look like: size in pixels, pixel size and slice thickness in mm (ranges), largest rotation.

    No pixel is much smaller than the voxels of its volume: a blurred crop would teach that images are blurred.
    """

    size: int = 96
    pixel_mm: tuple[float, float] = (0.65, 1.35)
    thickness_mm: tuple[float, float] = (0.7, 5.0)
    rotation_degrees: float = 25.0
    channels: int = 2
    look: Look = field(default_factory=MrLook)


def split(
    array: FloatArray, inside: FloatArray | None, spacing: tuple[float, float, float], name: str, look: Look = MR
) -> tuple[PreparedVolume, tuple[PreparedVolume, ...]]:
    """(for training, for validation): the last tenth of the slices along each axis is held out.

    The training part ends before all of them, so that no held-out voxel is seen along any axis. Thick slices are only
    cut as they were made; too few of them are all for training.
    """
    axes = tuple(i for i in range(3) if min(array.shape) >= LEAST_SLICES and _is_thin(spacing, i)) or (0,)
    held = tuple(i for i in axes if array.shape[i] >= LEAST_HELD_OUT)
    ends = [round(n * (1 - HELD_OUT_SHARE)) if i in held else n for i, n in enumerate(array.shape)]
    gap = [(GAP if array.shape[i] >= LEAST_SLICES else 0) if i in held else 0 for i in range(3)]
    training = tuple(slice(0, end - g) for end, g in zip(ends, gap, strict=True))

    def part(box: tuple[slice, ...], along: tuple[int, ...]) -> PreparedVolume:
        return prepare(array[box], None if inside is None else inside[box], spacing, name, along, look)

    slabs = [tuple(slice(ends[i], None) if i == axis else slice(None) for i in range(3)) for axis in held]
    return part(training, axes), tuple(part(slab, (axis,)) for slab, axis in zip(slabs, held, strict=True))


def _is_thin(spacing: tuple[float, float, float], axis: int) -> bool:
    """Whether slices across this axis show pixels of about equal sides."""
    sides = np.delete(spacing, axis)
    return bool(sides.max() <= 2 * sides.min())


def prepare(
    array: FloatArray,
    inside: FloatArray | None,
    spacing: tuple[float, float, float],
    name: str,
    axes: tuple[int, ...] = (0, 1, 2),
    look: Look = MR,
) -> PreparedVolume:
    """The pyramid of a volume (z, y, x): MR scaled so that its 99.5th percentile is 1, CT in HU."""
    levels = []
    for factor in PYRAMID:
        each = tuple(factor if s <= 2 * min(spacing) else 1.0 for s in spacing)
        mask = None if inside is None else _bytes(_shrink(inside, each))
        depth, row, column = (s * f for s, f in zip(spacing, each, strict=True))
        levels.append(Level(look.encode(_shrink(array, each)), mask, (depth, row, column)))
    return PreparedVolume(name, tuple(levels), axes)


def _bytes(array: FloatArray) -> ByteArray:
    return np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)


def _shrink(array: FloatArray, factors: tuple[float, ...]) -> FloatArray:
    """Fewer voxels by these factors, smoothed before so that nothing aliases."""
    if max(factors) == 1.0:
        return array
    smooth: FloatArray = ndi.gaussian_filter(array, [0.42 * np.sqrt(f**2 - 1) for f in factors], output=np.float32)
    for axis, factor in enumerate(factors):
        n = array.shape[axis]
        places = (np.arange(max(int(n / factor), 1)) + 0.5) * factor - 0.5
        low = np.clip(np.floor(places).astype(int), 0, n - 1)
        share = (places - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        smooth = np.take(smooth, low, axis) * (1 - share) + np.take(smooth, np.minimum(low + 1, n - 1), axis) * share
    return smooth


class CropSampler:
    """Endless random crops from prepared volumes, chosen by their weights; the same for the same generator."""

    def __init__(
        self,
        volumes: Sequence[PreparedVolume],
        weights: Sequence[float],
        options: CropOptions,
        rng: np.random.Generator,
    ) -> None:
        self.volumes = list(volumes)
        self.shares = np.asarray(weights, dtype=float) / np.sum(weights)
        self.options = options
        self.rng = rng

    def batch(self, count: int) -> Tensor:
        """(count, channels, size, size) float32; two channels are real and imaginary part."""
        return torch.stack([self._crop() for _ in range(count)])

    def _crop(self) -> Tensor:
        volume = self.volumes[self.rng.choice(len(self.volumes), p=self.shares)]
        image = self._slice(volume)
        for _ in range(4):
            if image.mean() > self.options.look.mostly_air or self.rng.random() < 0.15:
                break
            image = self._slice(volume)
        return self.options.look.finish(image, self.options.channels, self.rng)

    def _slice(self, volume: PreparedVolume) -> Tensor:
        """A slab cut from the volume, recoloured, averaged, turned and scaled: (size, size) magnitude."""
        rng, options = self.rng, self.options
        axis = int(rng.choice(volume.axes))
        finest = FINEST_PIXEL * max(np.delete(volume.levels[0].spacing_mm, axis))
        pixel = max(float(np.exp(rng.uniform(*np.log(options.pixel_mm)))), finest)
        level = _level_for(volume, axis, pixel)
        spacing = np.array(level.spacing_mm)
        matrix = self._matrix(pixel / np.delete(spacing, axis))
        reach = np.ceil(np.abs(matrix).sum(axis=1) * options.size / 2).astype(int) + 2
        depth = level.codes.shape[axis]
        thickness = int(np.clip(round(rng.uniform(*options.thickness_mm) / spacing[axis]), 1, depth))
        first = int(rng.integers(0, depth - thickness + 1))
        plane = np.delete(level.codes.shape, axis)
        centre = [int(rng.integers(0, n)) for n in plane]
        curves = options.look.curves(rng, level.inside is not None)
        slab = slice(first, first + thickness)
        rows = [mirrored(np.arange(c - r, c + r + 1), n) for c, r, n in zip(centre, reach, plane, strict=True)]
        patch = _recolour(level, axis, slab, rows, curves)
        if not options.look.scaled:
            return _sample(patch, matrix, options.size, options.look.darkest)
        coarse = [np.arange(0, n, 4) for n in plane]
        whole = _recolour(level, axis, slice(first + thickness // 2, first + thickness // 2 + 1), coarse, curves)
        scale = max(float(np.percentile(whole, 99.5)), 0.05)
        return _sample(patch / scale, matrix, options.size, options.look.darkest)

    def _matrix(self, per_pixel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Voxels (row, column) for each output pixel (row, column): flips, quarter turns and a small rotation."""
        rng = self.rng
        angle = rng.integers(0, 4) * np.pi / 2
        if rng.random() < 0.7:
            angle += np.deg2rad(rng.uniform(-1, 1) * self.options.rotation_degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        flip = np.diag([1.0, rng.choice([-1.0, 1.0])])
        result: npt.NDArray[np.float64] = np.diag(per_pixel) @ turn @ flip
        return result


def _level_for(volume: PreparedVolume, axis: int, pixel: float) -> Level:
    """The coarsest level that is still finer than the pixels wanted."""
    chosen = volume.levels[0]
    for level in volume.levels[1:]:
        if max(np.delete(level.spacing_mm, axis)) <= 1.05 * pixel:
            chosen = level
    return chosen


def _recolour(
    level: Level, axis: int, slab: slice, rows: Sequence[npt.NDArray[np.int64]], curves: ContrastCurves
) -> FloatArray:
    """Mean over a slab of the intensities after the curves, at the given rows and columns."""

    def cut(array: CodeArray) -> CodeArray:
        section: CodeArray = np.moveaxis(array, axis, 0)[slab][:, rows[0][:, None], rows[1][None]]
        return section

    values = curves.outside[cut(level.codes)]
    if level.inside is not None and curves.inside is not None:
        share = cut(level.inside).astype(np.float32) / 255
        values += share * (curves.inside[cut(level.codes)] - values)
    mean: FloatArray = values.mean(axis=0)
    return mean


def _sample(patch: FloatArray, matrix: npt.NDArray[np.float64], size: int, darkest: float) -> Tensor:
    """`size` squared pixels around the centre of the patch, by cubic interpolation."""
    places = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    row, column = torch.meshgrid(places, places, indexing="ij")
    height, width = patch.shape
    y = (float(matrix[0, 0]) * row + float(matrix[0, 1]) * column) * (2 / (height - 1))
    x = (float(matrix[1, 0]) * row + float(matrix[1, 1]) * column) * (2 / (width - 1))
    grid = torch.stack((x, y), dim=-1)[None]
    image = torch.from_numpy(patch.astype(np.float32))[None, None]
    out = functional.grid_sample(image, grid, mode="bicubic", padding_mode="border", align_corners=True)
    return out[0, 0].clamp(min=darkest)


def mirrored(index: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Indices beyond 0 .. n - 1, mirrored back inside."""
    period = max(2 * n - 2, 1)
    folded = np.mod(index, period)
    result: npt.NDArray[np.int64] = np.where(folded >= n, period - folded, folded)
    return result
