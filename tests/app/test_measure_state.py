"""The measurements of the viewing room without a screen: names, steps back, records, the table."""

from __future__ import annotations

import csv
import io
import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.state.picture import Levels
from app.state.room.figure import Figure, Measurement, plane_of_sheet
from app.state.room.item import Item, Kind
from app.state.room.measure_places import go_to, seen_in
from app.state.room.measure_records import from_dict, rows_of, to_dict
from app.state.room.measurements import Measurements
from app.state.room.pane import Face
from app.state.room.reading import effort
from app.state.room.room import Room
from app.state.undo import History
from app.views.measure_words import region_lines, short
from core.errors import ScanError, UserError
from core.export.measurements import COLUMNS, as_csv, write
from core.viewing.cut import Slab

AFFINE = np.array([[0.5, 0, 0, -10.0], [0, -0.8, 0, 40.0], [0, 0, 3.0, 7.0], [0, 0, 0, 1]])


def image(key: str = "scan/run/result", kind: Kind = Kind.RESULT, name: str = "DDS 20, CG 5") -> Item:
    values = np.random.default_rng(3).normal(50, 5, (2, 8, 20, 24)).astype(np.float32)
    return Item(key, name, kind, values, AFFINE, True, "HU", Levels(0, 100))


def kept(history: History | None = None) -> Measurements:
    room = Room()
    room.put(image())
    room.set_pane(0, face=Face.AXIAL)
    return Measurements(room, history)


def drawn(measurements: Measurements, figure: Figure, *pixels: tuple[float, float]) -> Measurement:
    """A figure through these pixels of the first pane."""
    sheet = measurements.room.sheet_of(0)
    assert sheet is not None
    points = np.array([sheet.point_at(*pixel) for pixel in pixels])
    return Measurement(figure, measurements.room.panes[0].item, plane_of_sheet(sheet), points)


def one_of_each(measurements: Measurements) -> None:
    pixels = [(2.0, 3.0), (10.0, 12.0), (15.0, 4.0), (9.0, 2.0)]
    for figure in Figure:
        measurements.add(drawn(measurements, figure, *pixels[: min(figure.points[1], 4)]))


def test_names_are_never_given_twice() -> None:
    measurements = kept()
    for _ in range(3):
        measurements.add(drawn(measurements, Figure.DISTANCE, (1, 1), (4, 4)))
    measurements.remove([next(iter(measurements)).key])
    measurements.add(drawn(measurements, Figure.DISTANCE, (1, 1), (4, 4)))
    names = [m.name for m in measurements]
    assert names[:2] == ["Distance 2", "Distance 3"]
    assert len(set(names)) == 3


def test_every_change_goes_back_and_forth() -> None:
    history = History()
    measurements = kept(history)
    states = []

    def state() -> list[tuple[str, list[list[float]]]]:
        return [(m.name, m.points.tolist()) for m in measurements]

    states.append(state())
    first = measurements.add(drawn(measurements, Figure.DISTANCE, (1, 1), (4, 4)))
    states.append(state())
    measurements.rename(first.key, "  Left\n ventricle ")
    states.append(state())
    measurements.change(replace(first, points=first.points + 1))
    states.append(state())
    measurements.copy(first.key, by=(2.0, 0, 0))
    states.append(state())
    measurements.remove([first.key])
    states.append(state())
    assert states[2][0][0] == "Left ventricle"
    for expected in reversed(states[:-1]):
        history.undo()
        assert state() == expected
    for expected in states[1:]:
        history.redo()
        assert state() == expected


def test_an_empty_name_or_the_same_changes_nothing() -> None:
    history = History()
    measurements = kept(history)
    made = measurements.add(drawn(measurements, Figure.PROBE, (1, 1)))
    for name in ("", " \n", made.name):
        measurements.rename(made.key, name)
    measurements.rename("m99", "nobody")
    assert history.labels == ("drawing Probe 1",)


def test_a_figure_without_its_points_is_not_kept() -> None:
    measurements = kept()
    with pytest.raises(ValueError, match="angle"):
        measurements.add(drawn(measurements, Figure.ANGLE, (1, 1), (2, 2)))
    measurements.draw(drawn(measurements, Figure.FREEHAND, (1, 1), (2, 2)))
    measurements.finish()
    assert len(measurements) == 0
    assert measurements.sketch is None


def test_records_bring_back_the_same_values() -> None:
    measurements = kept()
    one_of_each(measurements)
    region = drawn(measurements, Figure.ELLIPSE, (2, 3), (14, 12))
    measurements.add(replace(region, slab_mm=9.0, slab=Slab.MIP, name="slab"))
    text = json.dumps(to_dict(measurements), allow_nan=False)
    other = Measurements(measurements.room)
    from_dict(other, json.loads(text))
    assert as_csv(rows_of(other)) == as_csv(rows_of(measurements))
    assert to_dict(other) == json.loads(text)
    assert len({m.key for m in other}) == len(other) == len(Figure) + 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.update(version=2),
        lambda d: d.update(measurements=5),
        lambda d: d["measurements"].append(7),
        lambda d: d["measurements"][0].pop("plane"),
        lambda d: d["measurements"][0].update(kind="spiral"),
        lambda d: d["measurements"][0].update(item=3),
        lambda d: d["measurements"][0].update(slab_mm=-1),
        lambda d: d["measurements"][0].update(slab_mm=float("nan")),
        lambda d: d["measurements"][0].update(points=[[0, 0]]),
        lambda d: d["measurements"][0].update(points=[[0, 0, float("nan")], [0, 0, 0]]),
        lambda d: d["measurements"][0].update(points=[[0, 0, 1e30], [0, 0, 0]]),
        lambda d: d["measurements"][0].update(points=[[0, 0, 0]] * 5),
        lambda d: d["measurements"][0]["plane"].update(normal=[0, 0, 0]),
        lambda d: d["measurements"][0]["plane"].update(across=[0, 0, 1]),
    ],
)
def test_damaged_records_are_refused_and_change_nothing(damage: object) -> None:
    measurements = kept()
    one_of_each(measurements)
    data = deepcopy(to_dict(measurements))
    damage(data)  # type: ignore[operator]
    before = list(measurements)
    with pytest.raises(ScanError):
        from_dict(measurements, data)
    assert list(measurements) == before


@pytest.mark.parametrize("data", [None, [], {}, {"version": 1, "measurements": [{}] * 10_001}])
def test_what_is_no_record_is_refused(data: object) -> None:
    with pytest.raises(ScanError):
        from_dict(kept(), data)  # type: ignore[arg-type]


def test_the_table_has_values_with_units_and_no_name_of_a_file() -> None:
    measurements = kept()
    one_of_each(measurements)
    measurements.room.put(image("file /home/DOE^JANE.nii", Kind.VOLUME, "DOE^JANE.nii"))
    measurements.room.set_pane(0, item="file /home/DOE^JANE.nii")
    measurements.add(drawn(measurements, Figure.RECTANGLE, (2, 3), (9, 9)))
    text = as_csv(rows_of(measurements))
    assert "DOE" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == [*COLUMNS, "note"]
    assert [row["kind"] for row in rows] == [*(f.value for f in Figure), "rectangle"]
    by = {row["kind"]: row for row in rows[:-1]}
    assert float(by["distance"]["length_mm"]) == pytest.approx(np.hypot(8 * 0.5, 9 * 0.8), rel=1e-6)
    assert by["distance"]["unit"] == ""
    assert by["ellipse"]["unit"] == "HU"
    region = measurements.reading(list(measurements)[2])
    assert region is not None
    assert region.statistics is not None
    assert float(by["rectangle"]["mean"]) == pytest.approx(region.statistics.mean, rel=1e-6)
    assert int(by["rectangle"]["pixels"]) == 9 * 10
    assert float(by["rectangle"]["area_mm2"]) == pytest.approx(90 * 0.4)
    assert by["ellipse"]["image"] == "DDS 20, CG 5"
    assert rows[-1]["image"] == "volume 1, 24 x 20 x 8 voxels"
    assert {row["note"] for row in rows} == {"Research use only"}
    points = np.array([[float(v) for v in p.split()] for p in by["distance"]["points"].split(";")])
    assert np.allclose(points, next(iter(measurements)).points, atol=1e-4)


def test_a_name_is_no_formula_and_stays_in_its_cell(tmp_path: Path) -> None:
    measurements = kept()
    made = measurements.add(drawn(measurements, Figure.DISTANCE, (1, 1), (4, 4)))
    measurements.rename(made.key, '=HYPERLINK("x"), größer')
    path = tmp_path / "table.csv"
    write(rows_of(measurements), path)
    (row,) = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    assert row["name"] == '\'=HYPERLINK("x"), größer'
    with pytest.raises(UserError):
        write(rows_of(measurements), tmp_path / "nowhere" / "table.csv")


def test_values_are_those_of_the_moment_on_view_and_of_the_slab() -> None:
    measurements = kept()
    region = drawn(measurements, Figure.RECTANGLE, (2, 3), (9, 9))
    plain, thick = measurements.add(region), measurements.add(replace(region, slab_mm=9.0))
    item = measurements.room.item(region.item)
    assert item is not None
    z = 4
    for moment in (0, 1):
        measurements.room.set_moment(moment)
        found = [measurements.reading(m) for m in (plain, thick)]
        # The rows of the volume run to the front, those of the pane to the back.
        part = item.stack(moment)[:, 10:17, 2:10]
        assert found[0].statistics.mean == pytest.approx(float(part[z].mean()), rel=1e-5)  # type: ignore[union-attr]
        assert (
            found[1].statistics.mean
            == pytest.approx(  # type: ignore[union-attr]
                float(part[z - 1 : z + 2].mean()), rel=1e-5
            )
        )


def test_a_reading_is_made_once_and_a_slow_one_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.state.room.measurements.LIGHT", 10)
    measurements = kept()
    region = measurements.add(drawn(measurements, Figure.RECTANGLE, (2, 3), (9, 9)))
    assert measurements.reading(region) is measurements.reading(region)
    slow = measurements.add(replace(region, key="", name="", slab_mm=1e5))
    item = measurements.room.item(region.item)
    assert item is not None
    assert effort(slow, item) > 10 > effort(region, item)
    assert measurements.reading(slow, wait=False) is None
    found = measurements.reading(slow)
    assert found is not None
    assert measurements.reading(slow, wait=False) is found


def test_going_to_a_measurement_turns_and_moves_a_pane() -> None:
    measurements = kept()
    room = measurements.room
    room.scroll(0, -3)
    made = measurements.add(drawn(measurements, Figure.DISTANCE, (2, 3), (9, 9)))
    room.scroll(0, 5)
    assert not seen_in(measurements, 0)
    go_to(measurements, made)
    assert seen_in(measurements, 0) == (made,)
    room.set_pane(0, face=Face.SAGITTAL)
    assert not seen_in(measurements, 0)
    go_to(measurements, made)
    assert seen_in(measurements, 0) == (made,)
    assert room.panes[0].face is Face.AXIAL
    room.remove(made.item)
    go_to(measurements, made)


def test_a_shape_stays_in_its_plane_however_it_is_pulled() -> None:
    measurements = kept()
    rng = np.random.default_rng(5)
    for figure in Figure:
        made = drawn(measurements, figure, (2, 3), (9, 9), (4, 12), (1, 8))
        made = replace(made, points=made.points[: min(figure.points[1], 4)])
        for index in range(len(made.handles)):
            made = made.with_handle(index, rng.normal(0, 20, 3))
        made = made.shifted(rng.normal(0, 20, 3))
        depths = [made.plane.depth_of(p) for p in (*made.points, *made.outline, *made.handles)]
        assert np.allclose(depths, 0, atol=1e-9)


def test_nothing_is_told_in_millimetres_where_the_voxels_have_no_known_size() -> None:
    room = Room()
    room.put(replace(image(), spaced=False, affine=np.eye(4)))
    room.set_pane(0, face=Face.STORED)
    measurements = Measurements(room)
    measurements.add(drawn(measurements, Figure.DISTANCE, (2.0, 3.0), (5.0, 7.0)))
    measurements.add(drawn(measurements, Figure.RECTANGLE, (2.0, 3.0), (5.0, 7.0)))
    length, region = measurements
    found = measurements.reading(length)
    assert found is not None
    assert found.length_mm is None
    assert found.length_px == pytest.approx(5.0)
    assert short(length, found) == "5.0 pixels, size unknown"
    inside = measurements.reading(region)
    assert inside is not None
    assert inside.statistics is not None
    assert "mm" not in " ".join(region_lines(inside.statistics, "HU"))
    told = as_csv(rows_of(measurements))
    rows = list(csv.DictReader(io.StringIO(told)))
    assert len(rows) == 2
    assert all(not row["length_mm"] and not row["area_mm2"] for row in rows)
