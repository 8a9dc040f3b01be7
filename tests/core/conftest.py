"""A small asymmetric scan that tests of the core share, and a prior that knows the answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from core.geometry import ConeBeam, FanBeam, Geometry, Grid, ParallelBeam, evenly_spread
from core.hounsfield import mu_from_hu
from core.projections import Projections
from core.scan import KSpace, Provenance


def phantom(ny: int, nx: int) -> np.ndarray:
    """An object that no flip, shift or turn maps to itself: a tilted ellipse with three different marks."""
    y, x = np.mgrid[:ny, :nx]
    v, u = (y - ny / 2) / ny, (x - nx / 2) / nx
    image = 1.0 * (((u + 0.3 * v) / 0.38) ** 2 + (v / 0.42) ** 2 < 1)
    image += 0.5 * ((u + 0.15) ** 2 + (v + 0.2) ** 2 < 0.006) - 0.4 * ((u - 0.18) ** 2 + (v - 0.05) ** 2 < 0.004)
    return image + 0.3 * (abs(u - 0.05) < 0.03) * (abs(v - 0.25) < 0.06)


def smooth_maps(coils: int, ny: int, nx: int) -> np.ndarray:
    """Smooth complex coil maps of unit root-sum-of-squares, (coils, ny, nx)."""
    y, x = np.mgrid[-1 : 1 : ny * 1j, -1 : 1 : nx * 1j]
    angles = 2 * np.pi * np.arange(coils) / coils
    maps = [np.exp(-((x - np.cos(a)) ** 2 + (y - np.sin(a)) ** 2) / 2 + 1j * (a + 0.6 * x - 0.4 * y)) for a in angles]
    stack = np.stack(maps)
    return stack / np.sqrt((abs(stack) ** 2).sum(0))


def centred_fft(image: np.ndarray, axes: tuple[int, ...] = (-2, -1)) -> np.ndarray:
    shifted = np.fft.fftn(np.fft.ifftshift(image, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes=axes)


def build_scan(
    ny: int = 48,
    nx: int = 40,
    coils: int = 4,
    slices: int = 1,
    repetitions: int = 1,
    noise: float = 0.0,
    scale: float = 1.0,
) -> KSpace:
    rng = np.random.default_rng(0)
    stack = np.stack([phantom(ny, nx) * (1 + 0.2 * s) for s in range(slices)])
    k_space = centred_fft(smooth_maps(coils, ny, nx) * stack[:, None])
    k_space = k_space + noise * (rng.standard_normal(k_space.shape) + 1j * rng.standard_normal(k_space.shape))
    data = np.repeat(k_space[None, None, :, :, None], repetitions, axis=1) * scale
    return KSpace(
        data.astype(np.complex64),
        np.ones((1, 1, 1, 1, ny, 1), dtype=bool),
        (1, ny, nx),
        Provenance("synthetic.h5", "test", sha256="0" * 64),
    )


@pytest.fixture
def make_scan() -> Callable[..., KSpace]:
    return build_scan


def body(slices: int, ny: int, nx: int) -> np.ndarray:
    """The asymmetric object in HU, in air, changing slowly from slice to slice, float32 (slices, ny, nx)."""
    image = phantom(ny, nx)
    return np.stack([-1000 + 1000 * image * (1 + 0.05 * s) for s in range(slices)]).astype(np.float32)


def geometry_of(kind: str, views: int, columns: int, rows: int) -> Geometry:
    """Pixels of 2 mm on the axis of rotation for all kinds of beams."""
    if kind == "parallel":
        return ParallelBeam(evenly_spread(views), columns, 2.0)
    turn = evenly_spread(views, 2 * np.pi)
    if kind == "fan":
        return FanBeam(turn, columns, 3.0, 400.0, 200.0)
    return ConeBeam.circular(turn, rows, columns, (3.0, 3.0), 400.0, 200.0)


def build_projections(
    kind: str = "parallel",
    slices: int = 1,
    views: int = 24,
    size: tuple[int, int] = (32, 28),
    photons: float | None = None,
    **changes: object,
) -> Projections:
    from core.operators.tomography import projector

    columns, rows = 52, slices + 4 if kind == "cone" else slices
    geometry = geometry_of(kind, views, columns, rows)
    grid = Grid((slices, *size), (2.0, 2.0, 2.0))
    mu = torch.from_numpy(mu_from_hu(body(slices, *size)))
    data = projector(geometry, grid, rows).forward(mu).numpy()
    if photons:
        data = -np.log(np.maximum(np.random.default_rng(0).poisson(photons * np.exp(-data)), 1) / photons)
    told = Provenance("synthetic.h5", "test", sha256="0" * 64)
    affine = np.diag([2.0, 2.0, 2.0, 1.0]) @ np.eye(4)
    affine[:3, 3] = (-20.0, 5.0, 100.0)
    details = {"affine": affine, "photons": photons, "hounsfield": True, "simulated": True, **changes}
    return Projections(np.ascontiguousarray(data, dtype=np.float32), geometry, grid, told, **details)


@pytest.fixture
def make_projections() -> Callable[..., Projections]:
    return build_projections


@pytest.fixture
def hu_image() -> Callable[[int, int, int], np.ndarray]:
    return body


@pytest.fixture
def phantom_image() -> Callable[[int, int], np.ndarray]:
    return phantom


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
