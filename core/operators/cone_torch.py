"""Cone-beam CT in PyTorch: Joseph's line integrals through a volume, for any trajectory of source and panel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from core.geometry import ConeBeam, Grid
from core.operators.linear import LinearOperator

SAMPLES_AT_ONCE = {"cpu": 1 << 22, "cuda": 1 << 26}
NUMBERS_A_SAMPLE = 11
"""Numbers held for each sample at a time: two places, a value, and what making them takes, as measured."""

PLANES = ((2, 0, 1), (1, 0, 2), (0, 1, 2))
"""The order of (z, y, x) that makes planes across x, y or z, the way a ray advances fastest."""


@dataclass(frozen=True, eq=False)
class _Course:
    """Rays that advance along one axis. which: their indices. first, slope: (2, rays) the straight course in the plane
    at each step, (inner, outer) of PLANES, as grid_sample counts, -1 to 1 over the image. length: mm a step, (rays,).
    begin: the step before which a ray is still behind its source, and the sign of its advance, (2, rays).
    """

    main: int
    which: Tensor
    first: Tensor
    slope: Tensor
    length: Tensor
    begin: Tensor


class ConeTorch(LinearOperator):
    """A: attenuation in 1/mm, real (nz, ny, nx), to line integrals (rows, views, columns) without unit.

    A ray from the source through the middle of a pixel takes one sample in each plane across the axis along which it
    passes most voxels, bilinear in the plane, times the way to the next (Joseph 1982, doi 10.1109/TMI.1982.4307572).
    It does not end at the panel. The adjoint spreads with the same weights. Rays are taken in blocks, so that beside
    images and projections the memory is bounded. dtype: float32 or float64.
    """

    def __init__(
        self,
        geometry: ConeBeam,
        grid: Grid,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        samples: int | None = None,
    ) -> None:
        self.geometry, self.grid = geometry, grid
        self.domain_shape = grid.shape
        self.range_shape = (geometry.rows, geometry.views, geometry.columns)
        self.dtype, self.device = dtype, torch.device(device)
        self.joint = grid.shape[0]
        limit = samples or SAMPLES_AT_ONCE.get(self.device.type, SAMPLES_AT_ONCE["cpu"])
        self._rays = max(1, limit // max(grid.shape))
        spacing, centre = np.array(grid.spacing_mm), np.array(grid.centre_mm)
        middle = (np.array(grid.shape[::-1]) - 1) / 2
        # Everything in voxels from here on, so that the kernel knows no millimetres but the length of a step.
        self._source = self._wide((geometry.source_mm - centre) / spacing + middle)
        self._panel = self._wide((geometry.detector_mm - centre) / spacing + middle)
        self._column, self._row = self._wide(geometry.column_mm / spacing), self._wide(geometry.row_mm / spacing)
        self._spacing = self._wide(spacing)
        outside = np.abs((geometry.source_mm - centre) / spacing).max(axis=1) > middle.max() + 1
        self._source_inside = not bool(outside.all())

    def forward(self, x: Tensor) -> Tensor:
        result = torch.zeros(self.geometry.views * self.geometry.rows * self.geometry.columns).to(x)
        planes = [x.permute(order).unsqueeze(1).contiguous() for order in PLANES]
        for course in self._courses():
            seen = grid_sample(planes[course.main], self._places(course), align_corners=False)
            result[course.which] = seen.sum(dim=0).flatten() * course.length
        return result.reshape(self.geometry.views, self.geometry.rows, -1).transpose(0, 1)

    def adjoint(self, y: Tensor) -> Tensor:
        values = y.transpose(0, 1).flatten()
        result = torch.zeros(self.domain_shape).to(y)
        for course in self._courses():
            order = PLANES[course.main]
            target = result.permute(order)
            place = self._places(course)
            spread = (values[course.which] * course.length).expand(len(place), 1, 1, -1)
            like = target.unsqueeze(1).expand(-1, 1, -1, -1)
            found, _ = torch.ops.aten.grid_sampler_2d_backward(
                spread.contiguous(), like, place, 0, 0, False, (True, False)
            )
            target += found[:, 0]
        return result

    def _courses(self) -> Iterator[_Course]:
        """All rays, some at a time, sorted by the axis along which they advance."""
        rows, columns = self.geometry.rows, self.geometry.columns
        total = self.geometry.views * rows * columns
        for begin in range(0, total, self._rays):
            ray = torch.arange(begin, min(begin + self._rays, total), device=self.device)
            view, row, column = ray // (rows * columns), ray // columns % rows, ray % columns
            across = (column.double() - (columns - 1) / 2)[:, None] * self._column[view]
            along = (row.double() - (rows - 1) / 2)[:, None] * self._row[view]
            source = self._source[view]
            direction = self._panel[view] + across + along - source
            speed = direction.abs()
            main = speed.argmax(dim=1)
            way = torch.linalg.vector_norm(direction * self._spacing, dim=1)
            for axis in range(3):
                chosen = (main == axis).nonzero()[:, 0]
                if len(chosen):
                    yield self._course(axis, ray[chosen], source[chosen], direction[chosen], way[chosen])

    def _course(self, axis: int, which: Tensor, source: Tensor, direction: Tensor, way: Tensor) -> _Course:
        _, outer, inner = (2 - k for k in PLANES[axis])
        others = [inner, outer]
        size = torch.tensor([self.grid.shape[2 - k] for k in others], device=self.device, dtype=torch.float64)
        slope = (direction[:, others] / direction[:, axis, None]).T
        first = source[:, others].T - slope * source[:, axis]
        scale = (2 / size)[:, None]
        return _Course(
            axis,
            which,
            ((first + 0.5) * scale - 1).to(self.dtype),
            (slope * scale).to(self.dtype),
            (way / direction[:, axis].abs()).to(self.dtype),
            torch.stack((source[:, axis], direction[:, axis].sign())).to(self.dtype),
        )

    def _places(self, course: _Course) -> Tensor:
        """Where the rays cross each plane, (steps, 1, rays, 2)."""
        steps = torch.arange(self.grid.shape[2 - course.main], device=self.device, dtype=self.dtype)[:, None]
        place = torch.stack([torch.addcmul(f, s, steps) for f, s in zip(course.first, course.slope, strict=True)], -1)
        if self._source_inside:
            behind = (steps - course.begin[0]) * course.begin[1] <= 0
            place = torch.where(behind[..., None], 4.0, place)
        # Beyond any image, and still a number that the kernel can turn into an index.
        return place.clamp_(-1e4, 1e4).unsqueeze(1)

    def _wide(self, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


def memory_bytes(geometry: ConeBeam, grid: Grid, dtype: torch.dtype = torch.float32, device: str = "cpu") -> int:
    """About what a projection takes beside image and projections: the samples of a block, and three turned volumes."""
    size = torch.empty((), dtype=dtype).element_size()
    samples = min(SAMPLES_AT_ONCE[device], geometry.views * geometry.rows * geometry.columns * max(grid.shape))
    return size * (NUMBERS_A_SAMPLE * samples + 3 * int(np.prod(grid.shape)))
