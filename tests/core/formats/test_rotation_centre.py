"""The axis of rotation: found in synthetic scans to a fraction of a column, and set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.formats.rotation_centre import find_centre, mirror_mismatch, opposite_views, recentred
from core.geometry import ConeBeam, FanBeam, Grid, ParallelBeam, evenly_spread
from core.projections import Projections
from core.provenance import Provenance
from tests.core.formats.projections_writer import integrals, parallel


def column_of(geometry: ParallelBeam | FanBeam) -> float:
    return (geometry.detectors - 1) / 2 - geometry.offset_mm / geometry.pitch_mm


def noisy(data: np.ndarray, photons: float = 3000.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    return -np.log(np.maximum(rng.poisson(photons * np.exp(-data)), 1) / photons)


@pytest.mark.parametrize("offset_mm", [-5.3, -0.6, 0.0, 2.1, 6.0])
@pytest.mark.parametrize("arc", [np.pi, 2 * np.pi])
def test_it_is_found_in_noise(offset_mm: float, arc: float) -> None:
    geometry = parallel(90, 128, offset_mm, arc)
    found = find_centre(noisy(integrals(geometry)).astype(np.float32), geometry.angles)
    assert abs(found - column_of(geometry)) < 0.4


def test_inclusive_ends_and_several_rows() -> None:
    geometry = ParallelBeam(np.linspace(0, np.pi, 91), 128, 0.5, 3.3)
    data = integrals(geometry, rows=3).astype(np.float32)
    assert abs(find_centre(data, geometry.angles) - column_of(geometry)) < 0.25


def test_a_truncated_object() -> None:
    """The detector sees only a part of the object."""
    geometry = ParallelBeam(evenly_spread(120), 60, 0.5, 1.7)
    data = noisy(integrals(geometry)).astype(np.float32)
    assert abs(find_centre(data, geometry.angles) - column_of(geometry)) < 1


def test_a_short_arc_goes_by_the_centre_of_mass() -> None:
    geometry = ParallelBeam(evenly_spread(80, 2.0), 128, 0.5, 2.6)
    assert opposite_views(geometry.angles) == []
    data = integrals(geometry).astype(np.float32)
    assert abs(find_centre(data, geometry.angles) - column_of(geometry)) < 0.2


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 3), views=st.integers(1, 12), columns=st.integers(1, 12), scale=st.sampled_from([0, 1, 1e6]))
def test_any_shape_gives_a_column_of_the_detector(rows: int, views: int, columns: int, scale: float) -> None:
    data = (scale * np.random.default_rng(0).normal(size=(rows, views, columns))).astype(np.float32)
    found = find_centre(data, evenly_spread(views))
    assert 0 <= found <= columns - 1


def test_mirrored_views_agree_only_about_the_axis() -> None:
    geometry = parallel(90, 128, 2.0)
    data = integrals(geometry).astype(np.float32)
    assert mirror_mismatch(data, geometry.angles, column_of(geometry)) < 0.05
    assert mirror_mismatch(data, geometry.angles, column_of(geometry) + 12) > 0.2
    assert mirror_mismatch(data, geometry.angles[:20], 60.0) is None


def scan_with(geometry: ParallelBeam | FanBeam | ConeBeam, rows: int = 1) -> Projections:
    data = np.ones((rows, geometry.views, geometry.detectors), dtype=np.float32)
    return Projections(data, geometry, Grid((rows, 16, 16), (1, 1, 1)), Provenance("a", "test"))


@pytest.mark.parametrize(
    "geometry", [ParallelBeam(evenly_spread(4), 20, 0.5), FanBeam(evenly_spread(4), 20, 0.5, 100, 50, 3.0)]
)
def test_the_axis_projects_on_the_column_that_is_set(geometry: ParallelBeam | FanBeam) -> None:
    scan = recentred(scan_with(geometry), 7.0)
    assert scan.geometry.bins_mm[7] == pytest.approx(0)
    assert scan.geometry.angles is geometry.angles
    assert "7.00" in scan.provenance.done[-1]
    assert recentred(scan, 9.5).geometry.offset_mm == pytest.approx(0)


@pytest.mark.parametrize("column", [-0.1, 19.1, float("nan"), float("inf")])
def test_a_column_outside_the_detector(column: float) -> None:
    with pytest.raises(ScanError, match="outside the detector"):
        recentred(scan_with(ParallelBeam(evenly_spread(4), 20, 0.5)), column)


def test_a_cone_is_placed_by_its_file() -> None:
    cone = ConeBeam.circular(evenly_spread(4), 3, 20, (1, 1), 100, 50)
    with pytest.raises(ScanError, match="cannot be moved"):
        recentred(scan_with(cone, 3), 9.0)
