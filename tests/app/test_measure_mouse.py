"""Measuring with the mouse: lengths, angles and regions are those of the patient."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt

from app.state.room.figure import Figure
from app.state.room.pane import Face
from tests.app.measure_bench import AFFINES, LEFT, NONE, Bench, mouse, phantom, voxels_within

FLAT = (Face.AXIAL, Face.CORONAL, Face.SAGITTAL, Face.STORED)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_distance_between_two_voxels_is_that_of_the_patient(bench: Bench, affine: np.ndarray) -> None:
    for face in FLAT:
        for zoom in (None, 3.0, 11.0):
            distance_between_voxels(bench, affine, face, zoom)


def distance_between_voxels(bench: Bench, affine: np.ndarray, face: Face, zoom: float | None) -> None:
    bench.measurements.put_all(())
    bench.show(phantom(affine), face, zoom)
    sheet = bench.canvas.sheet
    assert sheet is not None
    height, width = sheet.shape
    index = np.linalg.inv(affine) @ np.append(sheet.point_at(width // 2, height // 2), 1)
    one = np.rint(index)[:3]
    other = one.copy()
    # Two voxel axes that lie in the sheet, some voxels along each.
    for axis, steps in [(a, s) for a, s in ((0, 4), (1, -3), (2, 2)) if abs(sheet.normal @ affine[:3, a]) < 0.01]:
        other[axis] += steps
    ends = [affine[:3, :3] @ voxel + affine[:3, 3] for voxel in (one, other)]
    bench.tool(Figure.DISTANCE)
    bench.drag(bench.at(ends[0]), (5, 5), bench.at(ends[1]))
    found = bench.measurements.reading(bench.only)
    assert found is not None
    known = float(np.linalg.norm(affine[:3, :3] @ (other - one)))
    assert found.length_mm == pytest.approx(known, abs=0.03 / bench.canvas.zoom())
    assert np.allclose(bench.only.points, ends, atol=0.02 / bench.canvas.zoom())


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_region_tells_of_the_voxels_that_it_holds(bench: Bench, affine: np.ndarray) -> None:
    for face in FLAT:
        for figure in (Figure.RECTANGLE, Figure.ELLIPSE, Figure.FREEHAND):
            region_of_voxels(bench, affine, face, figure)


def region_of_voxels(bench: Bench, affine: np.ndarray, face: Face, figure: Figure) -> None:
    bench.measurements.put_all(())
    item = phantom(affine)
    bench.show(item, face)
    bench.tool(figure)
    left, top = bench.pixel(1.6, 2.4)
    right, bottom = bench.pixel(8.7, 9.2)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    bench.drag(*(corners if figure is Figure.FREEHAND else (corners[2], corners[1], corners[0])))
    region, found = bench.only, bench.statistics()
    known = voxels_within(item, region)
    sheet = bench.canvas.sheet
    assert sheet is not None
    assert known.size > 20
    assert found.pixels == known.size
    assert found.mean == pytest.approx(float(known.mean()), rel=1e-5)
    assert found.sd == pytest.approx(float(known.std(ddof=1)), rel=1e-4)
    assert (found.minimum, found.maximum) == (known.min(), known.max())
    pixel = np.prod(
        [float(np.linalg.norm(affine[:3, a])) for a in range(3) if abs(affine[:3, a] @ sheet.normal) < 0.01]
    )
    assert found.area_mm2 == pytest.approx(known.size * pixel)
    assert found.counts.sum() == known.size


def test_an_angle_of_three_clicks(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]), Face.CORONAL)
    bench.tool(Figure.ANGLE)
    x, y = 300.0, 260.0
    bench.click((x + 80, y))
    bench.hover((x + 10, y + 3))
    bench.click((x, y))
    bench.hover((x, y - 10))
    assert len(bench.measurements) == 0
    bench.click((x, y - 60))
    found = bench.measurements.reading(bench.only)
    assert found is not None
    assert found.angle_deg == pytest.approx(90.0, abs=1e-6)
    bench.click((x + 80, y - 100))
    bench.click((x + 80, y - 40))
    bench.click((x + 120, y - 80))
    acute = bench.measurements.reading(list(bench.measurements)[1])
    assert acute is not None
    assert acute.angle_deg == pytest.approx(135.0 - 90.0, abs=1e-6)


def test_two_quick_clicks_of_an_angle_are_two(bench: Bench) -> None:
    """The window system tells a double click in place of the second press."""
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    for at in ((250, 200), (250, 200), (250, 260)):
        mouse(bench.canvas, QEvent.Type.MouseButtonDblClick, at, LEFT, LEFT)
        mouse(bench.canvas, QEvent.Type.MouseButtonRelease, at, LEFT, NONE)
    assert bench.room.maximised is None
    assert len(bench.only.points) == 3


def test_enter_ends_an_angle_where_the_mouse_is(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    bench.click((250, 200))
    bench.hover((250, 260))
    bench.key(Qt.Key.Key_Return)
    assert bench.measurements.reading(bench.only).angle_deg == pytest.approx(90.0)  # type: ignore[union-attr]


def test_a_probe_tells_place_and_value(bench: Bench) -> None:
    item = phantom(AFFINES["oblique"])
    bench.show(item, Face.SAGITTAL)
    bench.tool(Figure.PROBE)
    sheet = bench.canvas.sheet
    assert sheet is not None
    point = sheet.point_at(3, 4)
    bench.click(bench.at(point))
    x, y, z = np.rint(np.linalg.inv(item.affine) @ np.append(point, 1)).astype(int)[:3]
    assert bench.measurements.reading(bench.only).value == item.stack(0)[z, y, x]  # type: ignore[union-attr]
    assert np.allclose(bench.only.points[0], point, atol=0.01)
