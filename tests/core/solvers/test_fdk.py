"""The Feldkamp method: attenuations at their values and places in the middle plane, and which scans it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import ScanError
from core.geometry import ConeBeam, Grid, evenly_spread
from core.operators.cone_torch import ConeTorch
from core.operators.tomography import projector
from core.solvers.circle import circle_of
from core.solvers.fdk import fdk
from tests.core.operators.exact import chords, ellipsoid
from tests.core.operators.test_cone import ray_ends

TURN = 2 * np.pi
GRID = Grid((9, 60, 64), (1.1, 1.0, 1.5), (1.0, -1.0, 0.75))
CENTRE, RADII, MU = (-3.0, 5.0, 0.0), (19.0, 15.0, 14.0), 0.02
SHORT = np.pi + 2 * np.arctan(60 * 1.2 / 270)


def scanner(arc: float = TURN, offset: tuple[float, float] = (0.0, 0.0), columns: int = 120) -> ConeBeam:
    return ConeBeam.circular(evenly_spread(200, arc) + 0.2, 41, columns, (1.5, 1.2), 150.0, 120.0, offset)


def reversed_panel(geometry: ConeBeam) -> ConeBeam:
    """Its columns and rows read out the other way."""
    return replace(geometry, column_mm=-geometry.column_mm, row_mm=-geometry.row_mm)


CASES = {
    "full turn": scanner(),
    "short scan": scanner(SHORT),
    "shifted panel": scanner(offset=(2.0, 0.4)),
    "half a panel": scanner(offset=(0.0, 45.0), columns=80),
    "half a panel, other side": scanner(offset=(0.0, -45.0), columns=80),
    "reversed panel": reversed_panel(scanner(offset=(2.0, 0.4))),
    "reversed half panel": reversed_panel(scanner(offset=(0.0, 45.0), columns=80)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_ellipsoid_comes_back_at_its_value(name: str) -> None:
    """From exact line integrals: within 1 % in the middle plane, 3 % in the slices near the ends."""
    geometry = CASES[name]
    exact = MU * chords(*ray_ends(geometry), CENTRE, RADII)
    image = fdk(projector(geometry, GRID, geometry.rows), torch.from_numpy(exact).float())
    inner = ellipsoid(GRID, CENTRE, tuple(r - 4 for r in RADII)) == 1
    outer = ellipsoid(GRID, CENTRE, tuple(r + 4 for r in RADII)) == 0
    field = ellipsoid(GRID, (0, 0), (28, 28)) == 1
    middle = 4
    inside, outside = image[middle][inner[middle]], image[middle][(outer & field)[middle]]
    assert float(inside.mean()) == pytest.approx(MU, rel=0.01)
    assert float((inside - MU).abs().max()) < 0.05 * MU
    assert float(outside.mean()) == pytest.approx(0, abs=0.01 * MU)
    for k in range(GRID.shape[0]):
        assert float(image[k][inner[k]].mean()) == pytest.approx(MU, rel=0.03)


def test_a_dot_comes_back_where_it_was() -> None:
    grid = Grid((9, 33, 41), (1.0, 1.2, 1.5), (3.0, -2.0, 0.5))
    dot = torch.zeros(grid.shape)
    dot[4 + 2, 16 - 9, 20 + 6] = 1.0
    geometry = scanner()
    operator = ConeTorch(geometry, grid)
    image = fdk(operator, operator.forward(dot), "ramp")
    assert int(image.argmax()) == int(dot.argmax())
    assert float(image.max()) > 0.3


def test_small_errors_of_the_mechanics_are_followed() -> None:
    """Each view sags by its own fraction of a millimetre, as calibrations report."""
    still = scanner()
    sag = np.random.default_rng(0).uniform(-0.6, 0.6, (still.views, 1)) * still.column_mm
    geometry = replace(still, detector_mm=still.detector_mm + sag)
    exact = torch.from_numpy(MU * chords(*ray_ends(geometry), CENTRE, RADII)).float()
    reference = torch.from_numpy(MU * chords(*ray_ends(still), CENTRE, RADII)).float()
    followed = fdk(projector(geometry, GRID, 41), exact)
    ideal = fdk(projector(still, GRID, 41), reference)
    ignored = fdk(projector(still, GRID, 41), exact)
    assert (followed - ideal).norm() < 0.6 * (ignored - ideal).norm()


def changed(**parts: object) -> ConeBeam:
    return replace(scanner(), **parts)  # type: ignore[arg-type]


ROUND = scanner()
NO_CIRCLES = {
    "spiral": changed(source_mm=ROUND.source_mm + np.linspace(-30, 30, 200)[:, None] * [0.0, 0.0, 1.0]),
    "ellipse": changed(source_mm=ROUND.source_mm * [1.3, 1.0, 1.0]),
    "turned panel": changed(column_mm=ROUND.row_mm, row_mm=ROUND.column_mm),
    "leaning panel": changed(row_mm=ROUND.row_mm + 0.2 * ROUND.column_mm),
    "on the axis": changed(source_mm=np.tile([0.0, 0.0, 100.0], (200, 1))),
}


@pytest.mark.parametrize("name", NO_CIRCLES)
def test_other_trajectories_are_refused(name: str) -> None:
    with pytest.raises(ScanError, match="circular"):
        circle_of(NO_CIRCLES[name])


def test_the_circle_is_found() -> None:
    circle = circle_of(scanner(offset=(2.0, -3.0)))
    assert circle.source_mm == pytest.approx(150)
    assert circle.detector_mm == pytest.approx(120)
    np.testing.assert_allclose(circle.columns_mm[[0, -1]], [-59.5 * 1.2 - 3, 59.5 * 1.2 - 3])
    np.testing.assert_allclose(circle.rows_mm[[0, -1]], [-20 * 1.5 + 2, 20 * 1.5 + 2])


def test_what_is_the_same_in_all_slices_is_exact_in_all() -> None:
    """A cylinder, seen under up to 27 degrees along the axis and 23 across: only the slant makes up for longer ways."""
    grid = Grid((5, 40, 42), (1.5, 1.5, 10.0))
    geometry = ConeBeam.circular(evenly_spread(160, TURN), 62, 90, (2.0, 1.6), 60.0, 60.0)
    exact = MU * chords(*ray_ends(geometry), (-3.0, 5.0, 0.0), (17.0, 14.0, 1e9))
    image = fdk(projector(geometry, grid, geometry.rows), torch.from_numpy(exact).float())
    inner = ellipsoid(grid, (-3.0, 5.0), (12.0, 9.0)) == 1
    for k in range(5):
        assert float(image[k][inner[k]].mean()) == pytest.approx(MU, rel=0.01)


def test_what_lies_behind_the_source_gets_nothing() -> None:
    """The source is above the middle, inside of the image."""
    grid = Grid((3, 40, 20), (1.0, 1.0, 1.0))
    geometry = ConeBeam.circular(np.array([0.0, 0.05]), 9, 30, (1.0, 1.0), 10.0, 10.0)
    image = fdk(ConeTorch(geometry, grid), torch.ones(9, 2, 30))
    assert not image[:, :8].any()
    assert image[:, 15:].any()


PARTS = {"column back": ("column", 1), "column up": ("column", 2), "row across": ("row", 0), "row back": ("row", 1)}


@pytest.mark.parametrize("part", PARTS)
def test_a_panel_may_lean_by_a_fiftieth(part: str) -> None:
    which, axis = PARTS[part]
    angles = ROUND.angles
    zero = np.zeros_like(angles)
    frame = np.stack(
        (
            np.stack((np.cos(angles), np.sin(angles), zero), axis=1),
            np.stack((-np.sin(angles), np.cos(angles), zero), axis=1),
            np.stack((zero, zero, zero + 1), axis=1),
        )
    )
    name, length = (("column_mm", 1.2), ("row_mm", 1.5))[which == "row"]

    def leaning(share: float) -> ConeBeam:
        return changed(**{name: getattr(ROUND, name) + share * length * frame[axis]})

    circle_of(leaning(0.0185))
    circle_of(leaning(-0.0185))
    for share in (0.0215, -0.0215):
        with pytest.raises(ScanError, match="circular"):
            circle_of(leaning(share))


@pytest.mark.parametrize(
    ("name", "size"), [("source_mm", 150), ("detector_mm", 270), ("column_mm", 1.2), ("row_mm", 1.5)]
)
def test_a_view_may_stray_by_a_fiftieth(name: str, size: float) -> None:
    def strayed(share: float) -> ConeBeam:
        values = getattr(ROUND, name).copy()
        direction = np.array([0.0, 0.0, 1.0]) if name != "column_mm" else values[7] / 1.2
        values[7] += share * size * direction
        return changed(**{name: values})

    circle_of(strayed(0.018))
    with pytest.raises(ScanError, match="circular"):
        circle_of(strayed(0.022))


@pytest.mark.parametrize(("source", "detector", "fine"), [(0.4, 0.3, True), (-0.4, 0.9, False), (0.4, -0.9, False)])
def test_scanners_of_less_than_a_millimetre(source: float, detector: float, fine: bool) -> None:
    """And a panel on the wrong side of the source."""
    geometry = ConeBeam.circular(evenly_spread(30, TURN), 5, 6, (0.01, 0.01), 1.0, 1.0)
    geometry = replace(geometry, source_mm=source * geometry.source_mm, detector_mm=detector * geometry.detector_mm)
    if fine:
        assert circle_of(geometry).source_mm == pytest.approx(source)
        return
    with pytest.raises(ScanError, match="circular"):
        circle_of(geometry)
