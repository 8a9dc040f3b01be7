"""Paints the panes of the viewing room into images, by their own paint code, without what is nobody else's business."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from app.state.room.cine import Played, show
from app.state.room.pane import Face
from app.state.room.public import public_room
from app.views.room_page import PLACES, RoomPage
from app.views.room_pane import RoomPane

_GAP = 2
_GROUND = QColor("#202428")


class Studio:
    """Shows what the page shows when it is made, whatever is done there later. Words over the image and the research
    mark are painted; names of files, the cursor and the frame of the active pane are not.

    drawings: with what the tools draw over the panes as they are; not for a film, since they belong to one slice.
    """

    def __init__(self, page: RoomPage, *, drawings: bool = True) -> None:
        self.page, self.drawings = page, drawings
        self.room = public_room(page.room)
        self._panes: dict[int, RoomPane] = {}

    def release(self) -> None:
        """Nothing is painted any more."""
        for pane in self._panes.values():
            pane.canvas.tool = None
            pane.deleteLater()
        self._panes.clear()

    def turn_to(self, index: int, played: Played, position: int) -> None:
        """Let a pane show another slice or moment."""
        show(self.room, index, played, position)

    def pane(self, index: int, scale: float = 1.0) -> QImage:
        """A pane. scale: times its size on screen."""
        size = self._size_of(index)
        scale *= self.page.devicePixelRatioF()
        image = QImage(round(size.width() * scale), round(size.height() * scale), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        image.fill(QColor("black"))
        if self.room.panes[index].face is Face.RENDERED and self.room.item_in(index) is not None:
            self._paint_rendering(index, image)
        else:
            self._paint_flat(index, size, image)
        return image

    def layout(self, scale: float = 1.0) -> QImage:
        """All panes on view as they lie, without what is between them and the edge."""
        images = {i: self.pane(i, scale) for i in self.room.shown}
        rows, columns = ({PLACES[i][axis] for i in images} for axis in (0, 1))
        sizes = {i: self._size_of(i) for i in images}
        heights = {r: max(sizes[i].height() for i in images if PLACES[i][0] == r) for r in rows}
        widths = {c: max(sizes[i].width() for i in images if PLACES[i][1] == c) for c in columns}
        whole = QSize(_length(widths), _length(heights))
        ratio = scale * self.page.devicePixelRatioF()
        made = QImage(round(whole.width() * ratio), round(whole.height() * ratio), QImage.Format.Format_RGB32)
        made.setDevicePixelRatio(ratio)
        made.fill(_GROUND)
        painter = QPainter(made)
        for i, image in images.items():
            row, column = PLACES[i]
            corner = QPoint(_start(widths, column), _start(heights, row))
            painter.fillRect(QRect(corner, QSize(widths[column], heights[row])), QColor("black"))
            # A rendering is less high than its neighbour, by its own bar.
            painter.drawImage(corner + QPoint(0, (heights[row] - sizes[i].height()) // 2), image)
        painter.end()
        return made

    def _size_of(self, index: int) -> QSize:
        live = self.page.panes[index]
        if self.room.panes[index].face is Face.RENDERED and live.rendering is not None:
            return live.rendering.view.size()
        return live.canvas.size()

    def _paint_flat(self, index: int, size: QSize, image: QImage) -> None:
        live, pane = self.page.panes[index], self._pane(index)
        pane.flickered = live.flickered
        pane.canvas.tool = live.canvas.tool if self.drawings else None
        pane.canvas.setFont(live.canvas.font())
        pane.resize(size)
        pane.refresh()
        pane.canvas.active = False
        painter = QPainter(image)
        pane.canvas.render(painter, QPoint(0, 0))
        painter.end()

    def _paint_rendering(self, index: int, image: QImage) -> None:
        """The one that is on screen, since there is one OpenGL for each pane."""
        rendering, item = self.page.panes[index].rendering, self.room.item_in(index)
        if rendering is None or item is None:
            return
        view = rendering.view
        overlay, active = view.overlay, view.active
        view.overlay = replace(overlay, title=item.title if overlay.title else "", who=())
        view.active = False
        painter = QPainter(image)
        view.render(painter, QPoint(0, 0))
        painter.end()
        view.overlay, view.active = overlay, active

    def _pane(self, index: int) -> RoomPane:
        if index not in self._panes:
            pane = self._panes[index] = RoomPane(self.room, index)
            # The canvas has the whole of it then.
            pane.header.hide()
        return self._panes[index]


def _start(lengths: dict[int, int], at: int) -> int:
    return sum(length + _GAP for place, length in lengths.items() if place < at)


def _length(lengths: dict[int, int]) -> int:
    return sum(lengths.values()) + _GAP * (len(lengths) - 1)
