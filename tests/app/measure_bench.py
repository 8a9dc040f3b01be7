"""A viewing room to measure in with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.picture import Levels
from app.state.room.figure import Figure, Measurement
from app.state.room.item import Item, Kind
from app.state.room.measurements import Measurements
from app.state.room.pane import Face, Look
from app.state.room.room import Room
from app.state.undo import History
from app.views.measure_room import Measuring
from app.views.room_canvas import RoomCanvas
from app.views.room_page import RoomPage
from core.viewing.regions import Statistics

NO_KEY = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
NONE, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
SHAPE = (12, 24, 30)


def turned(degrees: float) -> np.ndarray:
    a, b = np.deg2rad([degrees, -degrees / 2])
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return z @ x


def affine_of(steps: np.ndarray) -> np.ndarray:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = steps, (12.0, -70.0, 33.0)
    return made


SIDES = np.diag([0.7, 1.3, 5.0])
AFFINES = {
    "anisotropic": affine_of(SIDES),
    "flipped": affine_of(SIDES @ np.diag([-1.0, 1.0, -1.0])),
    "permuted": affine_of(np.eye(3)[:, [1, 2, 0]] @ np.diag([-0.7, 1.3, -5.0])),
    "oblique": affine_of(turned(18) @ SIDES),
}


def phantom(affine: np.ndarray, key: str = "a", seed: int = 1, placed: bool = True) -> Item:
    """Noise, so that every set of voxels has its own mean."""
    values = np.random.default_rng(seed).normal(100, 20, (1, *SHAPE)).astype(np.float32)
    return Item(key, f"Image {key}", Kind.RESULT, values, affine, placed, "HU", Levels(0, 200))


@dataclass
class Bench:
    """A page with everything that belongs to measuring."""

    room: Room
    page: RoomPage
    measurements: Measurements
    history: History
    measuring: Measuring
    answers: list[str]

    @property
    def canvas(self) -> RoomCanvas:
        return self.page.active.canvas

    @property
    def only(self) -> Measurement:
        (found,) = self.measurements
        return found

    def statistics(self, measurement: Measurement | None = None) -> Statistics:
        found = self.measurements.reading(measurement or self.only)
        assert found is not None
        assert found.statistics is not None
        return found.statistics

    def show(self, item: Item, face: Face = Face.AXIAL, zoom: float | None = None) -> None:
        self.room.put(item)
        self.room.set_pane(0, face=face, look=Look(zoom))
        QApplication.processEvents()

    def tool(self, figure: Figure) -> None:
        """Click its button in the bar."""
        QTest.mouseClick(self.page.bar.tools[figure.value], LEFT)
        QApplication.processEvents()
        assert self.room.tool == figure.value

    def drag(self, *way: tuple[float, float], keys: Qt.KeyboardModifier = NO_KEY, index: int = 0) -> None:
        """Press at the first place, move along the others, release at the last."""
        canvas = self.page.panes[index].canvas
        mouse(canvas, QEvent.Type.MouseButtonPress, way[0], LEFT, LEFT, keys)
        for at in way[1:]:
            mouse(canvas, QEvent.Type.MouseMove, at, NONE, LEFT, keys)
        mouse(canvas, QEvent.Type.MouseButtonRelease, way[-1], LEFT, NONE, keys)
        QApplication.processEvents()

    def click(self, at: tuple[float, float], keys: Qt.KeyboardModifier = NO_KEY) -> None:
        self.drag(at, keys=keys)

    def hover(self, at: tuple[float, float]) -> None:
        mouse(self.canvas, QEvent.Type.MouseMove, at, NONE, NONE)

    def key(self, key: Qt.Key) -> None:
        self.canvas.setFocus()
        QTest.keyClick(self.canvas, key)
        QApplication.processEvents()

    def at(self, point: np.ndarray) -> tuple[float, float]:
        """Where a point is drawn, to the hundredth of a pixel."""
        place = self.canvas.position_of(point)
        return round(place.x(), 2), round(place.y(), 2)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the sheet is drawn."""
        place = self.canvas.transform().map(QPointF(x, y))
        return place.x(), place.y()


def mouse(
    canvas: RoomCanvas,
    kind: QEvent.Type,
    at: tuple[float, float],
    button: Qt.MouseButton,
    held: Qt.MouseButton,
    keys: Qt.KeyboardModifier = NO_KEY,
) -> None:
    place = QPointF(*at)
    QApplication.sendEvent(canvas, QMouseEvent(kind, place, canvas.mapToGlobal(place), button, held, keys))


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    room = Room()
    page = RoomPage(room)
    qtbot.addWidget(page)
    page.resize(1000, 640)
    history, measurements, answers = History(), Measurements(room), [""]
    measuring = Measuring(page, measurements, history, lambda parent, proposal: answers[-1])
    page.show()
    qtbot.waitExposed(page)
    yield Bench(room, page, measurements, history, measuring, answers)
    measuring.release()
    page.release()


def voxels_within(item: Item, region: Measurement) -> np.ndarray:
    """Values of the voxels whose middles lie in a region, told voxel by voxel from the affine alone."""
    z, y, x = np.indices(item.shape)
    places = np.stack([x, y, z, np.ones(item.shape)], axis=-1) @ item.affine.T
    way = places[..., :3] - region.plane.origin
    u, v, w = (way @ axis for axis in (region.plane.across, region.plane.down, region.plane.normal))
    ends = (region.points - region.plane.origin) @ np.stack([region.plane.across, region.plane.down], axis=1)
    (u0, v0), (u1, v1) = ends.min(axis=0), ends.max(axis=0)
    if region.figure is Figure.ELLIPSE:
        inside = ((2 * u - u0 - u1) / (u1 - u0)) ** 2 + ((2 * v - v0 - v1) / (v1 - v0)) ** 2 <= 1
    else:
        inside = (u >= u0) & (u <= u1) & (v >= v0) & (v <= v1)
    return item.stack(0)[inside & (np.abs(w) < 1e-3)]
