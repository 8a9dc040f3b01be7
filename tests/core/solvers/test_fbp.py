"""Filtered back-projection: attenuations come back at their values and at their places, whatever the arc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from core.geometry import FanBeam, Grid, ParallelBeam, evenly_spread
from core.operators.slicewise import Slicewise
from core.operators.tomography import projector
from core.solvers.fbp import _between, fbp
from core.solvers.ramp import WINDOWS, ramp_filtered
from core.solvers.redundancy import arc_weights, blank_columns, ray_weights
from tests.core.operators.exact import chords, ellipsoid, ends

TURN = 2 * np.pi
GRID = Grid((1, 96, 90), (1.1, 0.9, 1.0), (2.0, -1.0, 0.0))
CENTRE, RADII, MU = (-6.0, 8.0), (30.0, 25.0), 0.02


def image_of(geometry: ParallelBeam | FanBeam, window: str = "hann") -> Tensor:
    """From the exact line integrals of an ellipse, so that no error of the projector can hide one of fbp.

    Streamed, since a matrix that is not applied need not be built.
    """
    sinogram = torch.from_numpy(MU * chords(*ends(geometry), CENTRE, RADII)).float()[None]
    return fbp(Slicewise(geometry, GRID, budget=0), sinogram, window)


def check(image: Tensor, share: float = 0.005, most: float = 0.06) -> None:
    """Its value inside, next to nothing outside, both away from the edge, on the average and nearly everywhere."""
    inside = ellipsoid(GRID, CENTRE, (RADII[0] - 5, RADII[1] - 5)) == 1
    outside = (ellipsoid(GRID, CENTRE, (RADII[0] + 5, RADII[1] + 5)) == 0) & (ellipsoid(GRID, (0, 0), (42, 42)) == 1)
    assert float(image[inside].mean()) == pytest.approx(MU, rel=share)
    assert float(image[outside].mean()) == pytest.approx(0, abs=share * MU)
    assert float((image[inside] - MU).abs().max()) < most * MU
    assert float(image[outside].abs().max()) < most * MU


@pytest.mark.parametrize("window", sorted(WINDOWS))
@pytest.mark.parametrize(("arc", "offset"), [(np.pi, 0.0), (1.3 * np.pi, 0.3), (TURN, 0.3)])
def test_parallel_beams(window: str, arc: float, offset: float) -> None:
    check(
        image_of(ParallelBeam(evenly_spread(220, arc), 160, 0.8, offset), window),
        most=0.1 if window == "ramp" else 0.06,
    )


def test_both_ends_of_half_a_turn_measured() -> None:
    check(image_of(ParallelBeam(np.linspace(0, np.pi, 221), 160, 0.8)))


def test_parallel_beams_with_the_axis_near_the_detectors_end() -> None:
    """Half of the lines are seen from one end only."""
    check(image_of(ParallelBeam(evenly_spread(360, TURN), 110, 0.8, 25.0)))
    check(image_of(ParallelBeam(evenly_spread(360, TURN), 110, 0.8, -25.0)))


@pytest.mark.parametrize("offset", [0.8, -1.6, 2.4])
def test_the_rim_that_only_one_side_of_a_full_turn_sees(offset: float) -> None:
    """A detector a few columns off the middle, and a disc that fills its longer side."""
    geometry = ParallelBeam(evenly_spread(360, TURN), 100, 0.8, offset)
    radius = 39.0 + abs(offset)
    sinogram = torch.from_numpy(MU * chords(*ends(geometry), (0.0, 0.0), (radius, radius))).float()[None]
    image = fbp(Slicewise(geometry, GRID, budget=0), sinogram)
    rim = (ellipsoid(GRID, (0, 0), (radius - 2,) * 2) == 1) & (ellipsoid(GRID, (0, 0), (radius - 4,) * 2) == 0)
    assert float(image[rim].mean()) == pytest.approx(MU, rel=0.02)


FAN = FanBeam(evenly_spread(360, TURN) + 0.3, 180, 1.2, 150.0, 120.0)
SHORT = np.pi + 2 * np.arctan(90 * 1.2 / 270)


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("window", ["hann", "ramp"])
@pytest.mark.parametrize(("arc", "offset"), [(TURN, 0.4), (SHORT, 0.0), (1.6 * np.pi, 0.4)])
def test_fan_beams(curved: bool, window: str, arc: float, offset: float) -> None:
    """A full turn, the shortest arc that sees every line, and one between them."""
    geometry = replace(FAN, angles=evenly_spread(300, arc) + 0.3, curved=curved, offset_mm=offset)
    check(image_of(geometry, window), most=0.1 if window == "ramp" else 0.06)


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("offset", [60.0, -60.0])
def test_fan_beams_with_the_axis_near_the_detectors_end(curved: bool, offset: float) -> None:
    check(image_of(replace(FAN, curved=curved, offset_mm=offset)))


def test_backwards_and_unevenly_spread_views() -> None:
    angles = np.sort(TURN * (np.arange(400) * 0.6180339887 % 1))[::-1].copy()
    check(image_of(replace(FAN, angles=angles)), 0.01)
    check(image_of(ParallelBeam(angles, 160, 0.8)), 0.01)


def test_a_missing_arc_costs_no_more_than_what_it_held() -> None:
    """120 of 180 degrees: two thirds of the value, where the views beside the gap could have filled it with streaks."""
    image = image_of(ParallelBeam(evenly_spread(160, TURN / 3), 160, 0.8))
    inside = ellipsoid(GRID, CENTRE, (RADII[0] - 5, RADII[1] - 5)) == 1
    assert float(image[inside].mean()) == pytest.approx(2 / 3 * MU, rel=0.1)
    assert float(image[inside].std()) < 0.01 * MU


@pytest.mark.parametrize("make", [lambda: ParallelBeam(evenly_spread(60), 60, 1.0), lambda: replace(FAN, pitch_mm=1.0)])
def test_a_dot_comes_back_where_it_was(make: Callable[[], ParallelBeam | FanBeam]) -> None:
    """Also with its slice: left is left, up is up, and the next slice is empty."""
    grid = Grid((2, 33, 41), (1.0, 1.2, 1.0), (3.0, -2.0, 0.0))
    dot = torch.zeros(grid.shape)
    dot[1, 16 - 9, 20 + 6] = 1.0
    operator = projector(make(), grid, 2)
    image = fbp(operator, operator.forward(dot), "ramp")
    assert int(image.argmax()) == int(dot.argmax())
    assert float(image[1].max()) > 0.3
    assert not image[0].any()


def test_views_count_by_the_arc_they_stand_for() -> None:
    np.testing.assert_allclose(arc_weights(evenly_spread(10)), np.pi / 10)
    np.testing.assert_allclose(arc_weights(evenly_spread(10, TURN)), np.pi / 10)
    uneven = arc_weights(np.array([0.0, 0.1, 1.0, 2.0]))
    assert uneven.sum() == pytest.approx(np.pi)
    assert uneven[1] == pytest.approx(0.5)
    assert arc_weights(np.array([1.0])) == pytest.approx(np.pi)
    assert arc_weights(np.full(5, 1.0)).sum() == pytest.approx(np.pi)
    # A third of half a turn: 20 views of 3 degrees and nothing for the rest.
    np.testing.assert_allclose(arc_weights(evenly_spread(20, np.pi / 3)), np.pi / 60)


@pytest.mark.parametrize(("arc", "shift"), [(SHORT, 0.0), (1.5 * np.pi, 0.0), (TURN, 0.0), (TURN, 0.25)])
def test_the_weights_of_every_line_add_up_to_one(arc: float, shift: float) -> None:
    """Seen from its other end the line belongs to the view at b + pi - 2 g, column -g."""
    angles = evenly_spread(720, arc)
    fan = np.linspace(-0.35, 0.35, 141) + shift
    weights = ray_weights(angles, fan)
    both = np.zeros(0)
    for column, angle in enumerate(fan):
        other = int(np.argmin(np.abs(fan + angle)))
        if abs(fan[other] + angle) > 1e-9:
            continue
        again = np.mod(angles + np.pi - 2 * angle, TURN)
        known = (again < angles[-1]) | np.isclose(arc, TURN)
        theirs = np.interp(again, np.append(angles, TURN), np.append(weights[:, other], weights[0, other]))
        both = np.append(both, (weights[:, column] + theirs)[known])
    assert both.size > 1000
    np.testing.assert_allclose(np.quantile(both, [0.002, 0.998]), 1, atol=0.03)


def test_blank_columns_fill_up_the_shorter_side() -> None:
    edge = np.arange(10) - 4.5
    assert blank_columns(edge) == (0, 0)
    assert blank_columns(np.arange(64) - 31.5 + 0.25) == (0, 0)
    assert blank_columns(edge + 2) == (4, 0)
    assert blank_columns(edge - 2) == (0, 4)
    assert blank_columns(-(edge + 2)) == (4, 0)
    assert blank_columns(edge + 1e9) == (10, 0)


def test_the_ramp_takes_constants_away_and_leaves_edges() -> None:
    line = torch.zeros(1, 256)
    line[:, 64:192] = 1.0
    seen = ramp_filtered(line, 1.0, "ramp")[0]
    assert abs(float(seen[120:136].mean())) < 0.01
    assert float(seen[64]) > 0.1 > -0.1 > float(seen[63])
    torch.testing.assert_close(ramp_filtered(line, 2.0, "hann"), ramp_filtered(line, 1.0, "hann") / 2)
    with pytest.raises(KeyError):
        ramp_filtered(line, 1.0, "no such window")


def test_the_ends_of_an_arc_fade_out_over_what_was_seen_twice() -> None:
    """Parallel beams over half a turn and an eighth: sin^2 of how deep a view lies in the eighth; 1 between them."""
    views, arc = 90, 1.25 * np.pi
    angles = (np.arange(views) + 0.5) * arc / views
    weights = ray_weights(angles + 2.0, np.zeros(3), np.array([-1.0, 0.0, 1.0]))
    fading = np.sin(np.pi / 2 * np.clip(np.minimum(angles, arc - angles) / (arc - np.pi), 0, 1)) ** 2
    np.testing.assert_allclose(weights, np.repeat(fading[:, None], 3, axis=1), atol=1e-9)


def test_the_short_side_of_a_detector_fades_into_the_long_one() -> None:
    """Full turn, columns from -2 to 6: what both ends see goes over from one to the other, the rest counts once."""
    edge = np.arange(-1.5, 6, 1.0)
    weights = ray_weights(evenly_spread(60, TURN), np.zeros(len(edge)), edge)
    expected = np.where(edge > 2, 1.0, (1 + np.sin(np.pi / 2 * np.clip(edge / 2, -1, 1))) / 2)
    np.testing.assert_allclose(weights, np.broadcast_to(expected, weights.shape))
    mirrored = ray_weights(evenly_spread(60, TURN), np.zeros(len(edge)), -edge)
    np.testing.assert_allclose(mirrored, weights)


def test_the_ramp_has_its_known_values() -> None:
    """Kak and Slaney 1988, eq. 3.61; on a curved detector by (g / sin g)^2."""
    line = torch.zeros(1, 31, dtype=torch.float64)
    line[0, 13] = 1.0
    n = torch.arange(31, dtype=torch.float64) - 13
    kernel = torch.where(n % 2 != 0, -1 / (np.pi * n) ** 2, 0.0)
    kernel[13] = 0.25
    torch.testing.assert_close(ramp_filtered(line, 0.5, "ramp")[0], kernel / 0.5, atol=1e-12, rtol=0)
    bent = kernel / torch.sinc(n * 0.07 / np.pi) ** 2
    torch.testing.assert_close(ramp_filtered(line, 0.07, "ramp", curved=True)[0], bent / 0.07, atol=1e-9, rtol=0)


def test_windows_leave_what_they_are_known_for() -> None:
    frequencies = torch.tensor([0.0, 0.25, 0.5], dtype=torch.float64)
    known = {
        "ramp": [1, 1, 1],
        "hann": [1, 0.5, 0],
        "cosine": [1, 0.5**0.5, 0],
        "shepp-logan": [1, 0.9003163, 2 / np.pi],
    }
    assert set(known) == set(WINDOWS)
    for name, expected in known.items():
        np.testing.assert_allclose(WINDOWS[name](frequencies), expected, atol=1e-6)


def test_a_line_is_read_between_its_bins_and_half_a_bin_beyond() -> None:
    line = torch.tensor([[1.0], [2.0], [4.0]])
    places = torch.tensor([-0.6, -0.5, -0.2, 0.0, 0.5, 1.25, 2.0, 2.5, 2.6])
    assert _between(line, places)[:, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 1.5, 2.5, 4.0, 4.0, 0.0]
