"""What lies over one another in a pane: images, and the tool that takes the mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter

if TYPE_CHECKING:
    from app.views.room_canvas import RoomCanvas


@dataclass(frozen=True, eq=False)
class Layer:
    """An image on the sheet of a pane. left_edge: seen only right of this share of the pane's width, or everywhere."""

    image: QImage
    opacity: float = 1.0
    left_edge: float | None = None


class PaneTool(Protocol):
    """What measures or marks on a canvas. The canvas' sheet, transform, position_of and point_at place it."""

    def press(self, canvas: RoomCanvas, event: QMouseEvent) -> bool:
        """A left press; True if it is taken, so that move and release follow."""

    def move(self, canvas: RoomCanvas, event: QMouseEvent) -> None:
        """A drag after a press that was taken."""

    def release(self, canvas: RoomCanvas, event: QMouseEvent) -> None:
        """The end of it."""

    def hover(self, canvas: RoomCanvas, event: QMouseEvent) -> None:
        """A move without a button."""

    def double(self, canvas: RoomCanvas, event: QMouseEvent) -> bool:
        """A double click; True if it is taken."""

    def key(self, canvas: RoomCanvas, event: QKeyEvent) -> bool:
        """A key; True if it is taken."""

    def draw(self, painter: QPainter, canvas: RoomCanvas) -> None:
        """Over the image, in widget coordinates."""
