"""Cone-beam CT by the Reconstruction Toolkit (RTK), optional, six times as fast as ours on a processor."""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.errors import JobError
from core.geometry import ConeBeam, Grid
from core.operators.linear import LinearOperator

SAME = 1e-6
"""How unlike the pitches of two views may be, and how skew a panel, as a share, for RTK to tell them."""


def rtk_serves(geometry: ConeBeam) -> bool:
    """RTK is installed and can tell this geometry: one panel of rectangular pixels for all views."""
    column, row = (np.linalg.norm(v, axis=1) for v in (geometry.column_mm, geometry.row_mm))
    skew = np.abs(np.sum(geometry.column_mm * geometry.row_mm, axis=1)) / (column * row)
    same = np.ptp(column) <= SAME * column[0] and np.ptp(row) <= SAME * row[0] and skew.max() <= SAME
    return bool(same) and _installed()


class ConeRtk(LinearOperator):
    """A: attenuation in 1/mm, float32 (nz, ny, nx), to line integrals (rows, views, columns) without unit.

    Joseph's projector and its transpose as RTK has them (Rit et al. 2014, doi 10.1088/1742-6596/489/1/012079). They
    run on as many threads as PyTorch does. They equal ConeTorch's but in the outermost half voxels, which end sharply
    here. Only where `rtk_serves`.
    """

    def __init__(self, geometry: ConeBeam, grid: Grid) -> None:
        self.geometry, self.grid = geometry, grid
        self.domain_shape = grid.shape
        self.range_shape = (geometry.rows, geometry.views, geometry.columns)
        self.dtype, self.device = torch.float32, torch.device("cpu")
        self.joint = grid.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        itk = _rtk()
        kind = itk.Image[itk.F, 3]
        project = itk.RTK.JosephForwardProjectionImageFilter[kind, kind].New()
        empty = torch.zeros(self.geometry.views, self.geometry.rows, self.geometry.columns)
        seen = _run(project, self._stack(empty), self._volume(x), _rtk_geometry(self.geometry))
        return torch.from_numpy(seen).transpose(0, 1)

    def adjoint(self, y: Tensor) -> Tensor:
        itk = _rtk()
        kind = itk.Image[itk.F, 3]
        project = itk.RTK.JosephBackProjectionImageFilter[kind, kind].New()
        empty = torch.zeros(self.domain_shape)
        found = _run(project, self._volume(empty), self._stack(y.transpose(0, 1)), _rtk_geometry(self.geometry))
        return torch.from_numpy(found).permute(1, 0, 2).flip(1)

    def _volume(self, x: Tensor) -> Any:
        """RTK turns about its second axis: (x, y, z) is (x, z, -y) there, a turn and no mirror."""
        turned = x.flip(1).permute(1, 0, 2)
        (nz, ny, nx), (dx, dy, dz), (x0, y0, z0) = self.grid.shape, self.grid.spacing_mm, self.grid.centre_mm
        return _image(turned, (dx, dz, dy), (x0, z0, -y0), (nx, nz, ny))

    def _stack(self, views: Tensor) -> Any:
        pitch = [float(np.linalg.norm(v[0])) for v in (self.geometry.column_mm, self.geometry.row_mm)]
        count = self.geometry.views
        middle = (0.0, 0.0, (count - 1) / 2)
        return _image(views, (*pitch, 1.0), middle, (self.geometry.columns, self.geometry.rows, count))


def _image(
    array: Tensor, spacing: tuple[float, ...], centre: tuple[float, ...], size: tuple[int, ...]
) -> tuple[Any, Any]:
    """An ITK image of an array, and the array, which must live as long."""
    held = np.ascontiguousarray(array.numpy(), dtype=np.float32)
    image = _rtk().image_view_from_array(held)
    image.SetSpacing([float(s) for s in spacing])
    image.SetOrigin([c - (n - 1) / 2 * s for c, n, s in zip(centre, size, spacing, strict=True)])
    return image, held


def _run(project: Any, start: tuple[Any, Any], other: tuple[Any, Any], views: Any) -> Any:
    """What a projector adds to its first input, an array of its own."""
    project.SetInput(0, start[0])
    project.SetInput(1, other[0])
    project.SetGeometry(views)
    project.SetNumberOfWorkUnits(torch.get_num_threads())
    project.Update()
    return _rtk().array_from_image(project.GetOutput())


def _rtk_geometry(geometry: ConeBeam) -> Any:
    views = _rtk().RTK.ThreeDCircularProjectionGeometry.New()
    turned = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float64)
    column = geometry.column_mm / np.linalg.norm(geometry.column_mm, axis=1, keepdims=True)
    row = geometry.row_mm / np.linalg.norm(geometry.row_mm, axis=1, keepdims=True)
    parts = [v @ turned.T for v in (geometry.source_mm, geometry.detector_mm, column, row)]
    for view in range(geometry.views):
        views.AddProjection(*(part[view].tolist() for part in parts))
    return views


@cache
def _installed() -> bool:
    try:
        return bool(importlib.metadata.version("itk-rtk"))
    except importlib.metadata.PackageNotFoundError:
        return False


@cache
def _rtk() -> Any:
    """The itk package with RTK. Loading it takes some ten seconds, so it waits for the first projection.

    Raises JobError where it is installed and cannot be loaded.
    """
    # Its modules warn while they load, and crash the process where warnings are errors.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            itk = importlib.import_module("itk")
            _ = itk.Image[itk.F, 3], itk.image_view_from_array, itk.array_from_image
            _ = itk.RTK.ThreeDCircularProjectionGeometry, itk.RTK.JosephForwardProjectionImageFilter
            _ = itk.RTK.JosephBackProjectionImageFilter
        except (ImportError, AttributeError) as error:
            raise JobError(
                "RTK cannot be loaded.",
                f"It is installed, but: {error}",
                "Install the package itk-rtk anew, or remove it; cone beams then take our own projector.",
            ) from error
    return itk
