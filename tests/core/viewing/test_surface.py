"""The surface of a threshold: where it lies, which way it faces, whether it is closed, and what it refuses."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.errors import ScanError
from core.viewing import surface as module
from core.viewing.surface import surface
from tests.core.viewing.placement import block_of, placed


def ball(radius: float = 6.0, size: int = 21) -> np.ndarray:
    """Distances inwards from a sphere about the middle, voxels."""
    z, y, x = np.mgrid[:size, :size, :size] - (size - 1) / 2
    return (radius - np.sqrt(x**2 + y**2 + z**2)).astype(np.float32)


def volume_within(points: np.ndarray, triangles: np.ndarray) -> float:
    """mm^3, positive where the triangles face outwards (Gauss)."""
    a, b, c = (points[triangles[:, i]] - points.mean(axis=0) for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def open_edges(triangles: np.ndarray) -> int:
    """Edges that do not lie between two triangles that run along them in opposite senses."""
    edges = [(int(t[i]), int(t[(i + 1) % 3])) for t in triangles for i in range(3)]
    ways = Counter(edges)
    return sum(ways[edge] != ways[edge[::-1]] for edge in ways)


def test_a_ball_has_its_volume_and_faces_outwards_however_it_lies(affine: np.ndarray) -> None:
    found = surface(ball(), affine, 0.0)
    assert found is not None
    expected = 4 / 3 * np.pi * 6**3 * abs(np.linalg.det(affine[:3, :3]))
    assert volume_within(found.points, found.triangles) == pytest.approx(expected, rel=0.02)
    back = (found.points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T - 10
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), 6, atol=0.1)


def test_the_block_lies_where_it_is(affine: np.ndarray) -> None:
    values, place = block_of(affine)
    found = surface(values, affine, 500.0)
    assert found is not None
    middle = (found.points.min(axis=0) + found.points.max(axis=0)) / 2
    np.testing.assert_allclose(middle, place, atol=0.3 * np.abs(affine[:3, :3]).sum(axis=1).max())


@pytest.mark.parametrize("cells", [1, 441, 3000, 10**6])
def test_layers_are_sewn_without_a_seam(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ball() + np.random.default_rng(1).normal(0, 1.5, (21, 21, 21)).astype(np.float32)
    monkeypatch.setattr(module, "_AT_ONCE", cells)
    found = surface(values, np.eye(4), 0.25)
    assert found is not None
    assert open_edges(found.triangles) == 0
    assert len(np.unique(found.points, axis=0)) == len(found.points)
    monkeypatch.setattr(module, "_AT_ONCE", 10**9)
    whole = surface(values, np.eye(4), 0.25)
    assert whole is not None
    assert len(whole.triangles) == len(found.triangles)
    np.testing.assert_allclose(np.sort(whole.points, axis=0), np.sort(found.points, axis=0), atol=1e-5)


def test_whole_numbers_on_the_threshold_leave_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corners of cells lie exactly on the surface."""
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    values = np.random.default_rng(2).integers(0, 4, (9, 10, 11)).astype(np.int16)
    found = surface(values, np.eye(4), 2)
    assert found is not None
    assert open_edges(found.triangles) == 0


def test_it_is_closed_where_the_volume_ends_and_nan_is_air() -> None:
    values = np.full((4, 5, 6), 100, np.float32)
    values[:2] = np.nan
    values[3, 4, 5] = 0
    found = surface(values, np.eye(4), 50)
    assert found is not None
    assert open_edges(found.triangles) == 0
    assert found.points[:, 2].min() == pytest.approx(1.5)
    assert found.points.max(axis=0) == pytest.approx((5.5, 4.5, 3.5))


def test_a_reduced_grid_lies_where_the_whole_one_does() -> None:
    affine = placed(np.diag([2.0, 1.0, -3.0]))
    whole, thin = surface(ball(8), affine, 0), surface(ball(8)[::4, ::2, ::1], affine, 0, step=(1, 2, 4))
    assert whole is not None
    assert thin is not None
    np.testing.assert_allclose(thin.points.min(axis=0), whole.points.min(axis=0), atol=1.5)
    np.testing.assert_allclose(thin.points.max(axis=0), whole.points.max(axis=0), atol=1.5)


def test_it_stops_when_it_is_no_longer_wanted() -> None:
    assert surface(ball(), np.eye(4), 0, stopped=lambda: True) is None


@pytest.mark.parametrize("threshold", [7.0, -100.0, np.nan, np.inf])
def test_no_surface_says_so(threshold: float) -> None:
    with pytest.raises(ScanError, match="no surface"):
        surface(ball(), np.eye(4), threshold)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_volume_of_nothing(value: float) -> None:
    with pytest.raises(ScanError, match="no surface"):
        surface(np.full((3, 3, 3), value, np.float32), np.eye(4), 0.0)


def test_noise_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TRIANGLES", 500)
    noise = np.random.default_rng(3).normal(size=(20, 20, 20)).astype(np.float32)
    with pytest.raises(ScanError, match="too rough"):
        surface(noise, np.eye(4), 0.0)


def test_a_flat_affine_is_refused() -> None:
    with pytest.raises(ScanError, match="no shape"):
        surface(ball(), np.diag([1.0, 0.0, 1.0, 1.0]), 0.0)
