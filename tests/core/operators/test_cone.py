"""The cone-beam operators: adjoints, exact chords, agreement with fan beams and with each other, which way is which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import ScanError
from core.geometry import ConeBeam, FanBeam, Grid, evenly_spread
from core.operators import cone
from core.operators.cone_rtk import ConeRtk, rtk_serves
from core.operators.cone_torch import ConeTorch
from core.operators.linear import dot_test
from core.operators.tomography import memory_bytes, projector
from tests.core.operators.exact import chords, ellipsoid, gap

TURN = 2 * np.pi


def small(offset: tuple[float, float] = (0.4, 0.9)) -> ConeBeam:
    return ConeBeam.circular(evenly_spread(9, TURN) + 0.1, 11, 20, (1.7, 1.5), 60.0, 40.0, offset)


def spiral() -> ConeBeam:
    """A source that rises and wobbles, and panels that lean: nothing that a circle could tell."""
    circle = small()
    rise = np.linspace(-8, 9, circle.views)[:, None] * [0.0, 0.1, 1.0]
    lean = 0.1 * np.sin(np.arange(circle.views))[:, None]
    return replace(
        circle,
        source_mm=circle.source_mm + rise,
        detector_mm=circle.detector_mm + 0.8 * rise,
        column_mm=circle.column_mm + lean * circle.row_mm,
    )


def from_above() -> ConeBeam:
    """Rays that run along z."""
    turn = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    names = ("source_mm", "detector_mm", "column_mm", "row_mm")
    return replace(small(), **{name: getattr(small(), name) @ turn for name in names})


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("geometry", [small(), spiral(), from_above()], ids=["circle", "spiral", "from above"])
@pytest.mark.parametrize("shape", [(9, 17, 22), (1, 8, 8)])
def test_the_adjoint_is_one(dtype: torch.dtype, limit: float, geometry: ConeBeam, shape: tuple[int, int, int]) -> None:
    grid = Grid(shape, (1.1, 0.8, 1.3), (2.0, -1.0, 0.5))
    operator = projector(geometry, grid, geometry.rows, dtype=dtype)
    assert operator.joint == shape[0]
    assert dot_test(operator) < limit


def ray_ends(geometry: ConeBeam) -> tuple[np.ndarray, np.ndarray]:
    """Of every ray, (rows, views, columns, 3)."""
    column = np.arange(geometry.columns)[:, None] - (geometry.columns - 1) / 2
    row = (np.arange(geometry.rows) - (geometry.rows - 1) / 2)[:, None, None, None]
    end = geometry.detector_mm[:, None] + column * geometry.column_mm[:, None] + row * geometry.row_mm[:, None]
    return np.broadcast_to(geometry.source_mm[:, None], end.shape), end


@pytest.mark.parametrize("geometry", [small(), spiral(), from_above()], ids=["circle", "spiral", "from above"])
def test_line_integrals_of_an_ellipsoid(geometry: ConeBeam) -> None:
    """Off the middle, in voxels of unequal sides, image and panel shifted: 3 % off at 48 voxels, 1.4 % at 96.

    The sum is 0.2 % off.
    """
    grid, centre, radii = Grid((48, 50, 46), (0.7, 0.6, 0.5), (1.0, -1.0, 0.5)), (-2.0, 3.0, 1.0), (9.0, 7.0, 6.0)
    seen = projector(geometry, grid, geometry.rows).forward(ellipsoid(grid, centre, radii))
    exact = chords(*ray_ends(geometry), centre, radii)
    assert gap(seen, exact) < 0.032
    assert float(seen.sum()) == pytest.approx(exact.sum(), rel=4e-3)


def test_blocks_of_rays_do_not_matter() -> None:
    grid = Grid((9, 17, 22), (1.1, 0.8, 1.3))
    x = torch.rand(grid.shape)
    whole, split = ConeTorch(spiral(), grid), ConeTorch(spiral(), grid, samples=1500)
    torch.testing.assert_close(whole.forward(x), split.forward(x))
    torch.testing.assert_close(whole.normal(x), split.normal(x))


@pytest.mark.parametrize("source", [60.0, 10.3])
def test_the_middle_plane_is_a_fan_beam(source: float) -> None:
    """Also from a source inside of the image, behind which nothing is seen."""
    grid = Grid((1, 24, 31), (1.1, 0.8, 1.3), (2.0, -1.0, 0.0))
    flat = FanBeam(evenly_spread(9, TURN) + 0.01, 41, 1.5, source, 40.0, 0.9)
    wide = ConeBeam.circular(flat.angles, 1, 41, (1.7, 1.5), source, 40.0, (0.0, 0.9))
    x = torch.rand(grid.shape)
    torch.testing.assert_close(
        projector(wide, grid, 1).forward(x), projector(flat, grid, 1).forward(x), atol=2e-4, rtol=0
    )


def test_which_way_is_which() -> None:
    """A dot to the right, below, and in a slice above the middle: it falls to the right at 0 and at 90 degrees, where
    the source is above and then at the right, and on the side of the rows with larger z."""
    grid = Grid((21, 41, 41), (1.0, 1.0, 1.0))
    dot = torch.zeros(grid.shape)
    dot[10 + 5, 20 + 7, 20 + 11] = 1.0
    geometry = ConeBeam.circular(np.array([0.0, np.pi / 2]), 41, 101, (0.7, 0.5), 100.0, 60.0)
    seen = projector(geometry, grid, 41).forward(dot).double().numpy()
    total = seen.sum(axis=(0, 2))
    columns = ((np.arange(101) - 50) * 0.5 * seen).sum(axis=(0, 2)) / total
    rows = ((np.arange(41) - 20)[:, None, None] * 0.7 * seen).sum(axis=(0, 2)) / total
    np.testing.assert_allclose(columns, [160 * 11 / 107, 160 * 7 / 89], atol=0.3)
    np.testing.assert_allclose(rows, [160 * 5 / 107, 160 * 5 / 89], atol=0.3)


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ScanError, match="do not fit"):
        projector(small(), Grid((9, 8, 8), (1.0, 1.0, 1.0)), 9)


def test_memory_stays_bounded() -> None:
    """A big scan needs no more beside its images than the samples of a block and three turned volumes."""
    grid = Grid((512, 512, 512), (1.0, 1.0, 1.0))
    big = ConeBeam.circular(evenly_spread(720, TURN), 1000, 1000, (1.0, 1.0), 900.0, 400.0)
    assert memory_bytes(big, grid) < 3 * 4 * 512**3 + 2**28


@pytest.mark.slow  # RTK takes its time to load.
def test_rtk_agrees_with_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """To rounding, for an image that is empty at its edges: RTK's end half a voxel further out."""
    pytest.importorskip("itk")
    geometry, grid = small(), Grid((13, 27, 32), (1.1, 0.8, 1.3), (2.0, -1.0, 0.5))
    if not rtk_serves(geometry):
        pytest.skip("itk without RTK")
    monkeypatch.setattr(cone, "WORTH_LOADING", 0)
    theirs, ours = projector(geometry, grid, 11), ConeTorch(geometry, grid)
    assert isinstance(theirs, ConeRtk)
    assert theirs.joint == 13
    assert dot_test(theirs) < 1e-5
    x = torch.zeros(grid.shape)
    x[2:-2, 2:-2, 2:-2] = torch.rand(9, 23, 28)
    assert gap(theirs.forward(x), ours.forward(x)) < 1e-5
    y = torch.rand(theirs.range_shape)
    inner = (slice(2, -2),) * 3
    assert gap(theirs.adjoint(y)[inner], ours.adjoint(y)[inner]) < 1e-5
    assert isinstance(projector(spiral(), grid, 11), ConeTorch)
    assert isinstance(projector(geometry, grid, 11, dtype=torch.float64), ConeTorch)


def test_which_projector_serves_goes_by_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views, rows, columns and the longest side of the grid, on a processor, in single precision."""
    geometry, grid = (
        ConeBeam.circular(evenly_spread(3, TURN), 5, 7, (1.0, 1.0), 60.0, 40.0),
        Grid((2, 4, 11), (1.0,) * 3),
    )
    samples = 3 * 5 * 7 * 11
    monkeypatch.setattr(cone, "rtk_serves", lambda _: True)
    monkeypatch.setattr(cone, "ConeRtk", lambda *_: "RTK")
    for worth, dtype, device, served in (
        (samples, torch.float32, "cpu", True),
        (samples - 1, torch.float32, "cpu", True),
        (samples + 1, torch.float32, "cpu", False),
        (samples, torch.float64, "cpu", False),
        (samples, torch.float32, "meta", False),
    ):
        monkeypatch.setattr(cone, "WORTH_LOADING", worth)
        monkeypatch.setattr(cone, "ConeTorch", lambda *_: "ours")
        assert cone.cone_projector(geometry, grid, dtype, device) == ("RTK" if served else "ours")  # type: ignore[comparison-overlap]
