"""Where measurements are seen: in which panes, and how to get to one."""

from __future__ import annotations

from app.state.room.figure import PARALLEL, Measurement
from app.state.room.measurements import Measurements
from app.state.room.pane import Face
from core.viewing.grid import step_along
from core.viewing.sheet import Sheet
from core.viewing.standard import standard_sheet


def seen_in(measurements: Measurements, index: int) -> tuple[Measurement, ...]:
    """Those that lie in the plane of a pane, as nearly as it has planes, and in the place that it shows."""
    item, sheet = measurements.room.item_in(index), measurements.room.sheet_of(index)
    if item is None or sheet is None:
        return ()
    step = step_along(item.affine, sheet.normal)
    return tuple(
        m
        for m in measurements.drawn
        if measurements.shares_place(m, item) and len(m.points) and m.is_seen_on(sheet, step)
    )


def is_own(measurements: Measurements, measurement: Measurement, index: int) -> bool:
    """It was made on an image that this pane shows."""
    room = measurements.room
    return measurement.item in {item.key for item in (room.item_in(index), room.over_in(index)) if item is not None}


def go_to(measurements: Measurements, measurement: Measurement) -> None:
    """Let a pane show a measurement, if none does: the one that can with the least change."""
    room = measurements.room
    if any(m.key == measurement.key for i in room.shown for m in seen_in(measurements, i)):
        return
    order = sorted(room.shown, key=lambda i: (not is_own(measurements, measurement, i), i != room.active))
    for index in order:
        item, sheet = room.item_in(index), room.sheet_of(index)
        if item is None or sheet is None or not measurements.shares_place(measurement, item):
            continue
        if _is_parallel(sheet, measurement):
            room.move_to(index, measurement.middle)
            return
    if order and _turn(measurements, measurement, order[0]):
        room.move_to(order[0], measurement.middle)


def _turn(measurements: Measurements, measurement: Measurement, index: int) -> bool:
    """Give a pane the plane of a measurement; False where its item has no such plane."""
    room = measurements.room
    item = room.item_in(index)
    if item is None or not measurements.shares_place(measurement, item):
        return False
    for patient_axes in (False, True) if item.placed else (False,):
        for face in (face for face in Face if face.flat):
            middle = measurement.middle
            sheet = standard_sheet(item.shape, item.affine, face.orientation, middle, patient_axes=patient_axes)
            if _is_parallel(sheet, measurement):
                room.set_pane(index, face=face, patient_axes=patient_axes)
                return True
    return False


def _is_parallel(sheet: Sheet, measurement: Measurement) -> bool:
    return abs(float(sheet.normal @ measurement.plane.normal)) > PARALLEL
