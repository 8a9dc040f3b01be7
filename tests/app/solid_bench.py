"""A rendering pane for tests, its pictures, and the asymmetric phantom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Face
from app.state.room.room import Room
from app.views.room_rendering import RoomRendering
from core.orientation import Affine

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
SHAPE = (20, 24, 28)
TOWARDS = np.array([1.0, -1.0, 1.0])
"""Where the bright block lies from the middle, LPS: left, front, head."""


def turned(degrees_x: float, degrees_z: float) -> npt.NDArray[np.float64]:
    a, b = np.deg2rad([degrees_x, degrees_z])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return about_z @ about_x


SHEAR = np.array([[1.0, 0, 0], [0, 1.0, 0.3], [0, 0, 1.0]])
LYING = {
    "straight": np.diag([2.0, 2.0, 2.0]),
    "flipped": np.diag([-2.0, 2.0, -3.0]),
    "permuted": np.eye(3)[:, [2, 0, 1]] @ np.diag([2.0, -2.0, 2.0]),
    "oblique": turned(18, 14) @ np.diag([2.0, 2.5, 2.0]),
    "sheared": SHEAR @ np.diag([2.0, 2.0, -2.5]),
}


def phantom(steps: npt.NDArray[np.float64] = LYING["straight"]) -> tuple[npt.NDArray[np.int16], Affine]:
    """(values (z, y, x) in HU, affine): a body of soft tissue with a block of bone to the left, the front, the head."""
    sizes = np.array(SHAPE[::-1])
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = np.array([30.0, -50.0, 400.0]) - steps @ ((sizes - 1) / 2)
    towards = np.sign((steps / np.linalg.norm(steps, axis=0)).T @ TOWARDS)
    x, y, z = np.round((sizes - 1) / 2 + towards * sizes / 4).astype(int)
    values = np.full(SHAPE, -1000, np.int16)
    values[z - 2 : z + 3, y - 2 : y + 3, x - 2 : x + 3] = 1200
    return values, affine


def item_of(values: npt.NDArray[np.int16], affine: Affine, key: str = "file a", **changes: object) -> Item:
    made = Item(key, "phantom", Kind.VOLUME, values[None], affine, True, "HU", Levels(-160, 240))
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def pane(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[RoomRendering]:
    """A pane, shown, with nothing in it, that rests no longer than it must."""
    theme.apply("dark")
    monkeypatch.setattr("app.views.room_solid_frames.REST_MS", 1)
    room = Room()
    room.set_pane(0, face=Face.RENDERED)
    made = RoomRendering(room, 0)
    qtbot.addWidget(made)
    made.resize(240, 260)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.release()
    qtbot.waitUntil(lambda: not made.aside.busy, timeout=30_000)


def settle(pane: RoomRendering, qtbot: QtBot) -> QImage:
    """Wait for the fine picture of what is asked for."""
    QApplication.processEvents()
    qtbot.waitUntil(lambda: bool(pane.trouble) or (pane.frames.settled and not pane.aside.busy), timeout=30_000)
    if pane.trouble:
        pytest.skip(f"no rendering here: {pane.trouble}")
    return pane.view.image.copy()


def put(pane: RoomRendering, qtbot: QtBot, item: Item) -> QImage:
    """Into the room, and wait until it is rendered."""
    pane.room.put(item)
    pane.show_item(item)
    return settle(pane, qtbot)


@pytest.fixture
def rendered(pane: RoomRendering, qtbot: QtBot) -> RoomRendering:
    """The straight phantom; skips where there is no OpenGL."""
    put(pane, qtbot, item_of(*phantom()))
    return pane


def brightness(image: QImage) -> npt.NDArray[np.float64]:
    """(height, width) 0 to 255."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return pixels[:, : grey.width()].astype(np.float64)


def centre(image: QImage) -> tuple[float, float]:
    """Where the bright parts lie: (x, y) from the middle, in halves of the picture, to the right and downwards."""
    bright = brightness(image)
    assert bright.max() > 40, "nothing is seen"
    height, width = bright.shape
    y, x = np.mgrid[:height, :width]
    return (
        float((x * bright).sum() / bright.sum()) / (width - 1) * 2 - 1,
        float((y * bright).sum() / bright.sum()) / (height - 1) * 2 - 1,
    )
