"""The pictures side by side: the slice alone, or the three planes through a stack with a rendering of it."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QWidget

from app.state.display import PLANES, SINOGRAM, SPREAD
from app.state.measured import axis_column
from app.state.planes import Section
from app.state.runs import Shown
from app.state.session import Session, Stack
from app.views.captions import overlay_of, plane_overlay
from app.views.slice_view import SliceView
from app.views.volume_pane import VolumePane
from app.words import tr
from core.projections import Projections


class PlanesView(QWidget):
    """slice_view draws the frame on view; `across` the two planes across the slices, `volume` the rendering.

    A click in a plane makes the planes meet there; the wheel moves each along its own axis; levels are shared.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: Shown | None = None
        self._stack: Stack | None = None
        self._pixels: list[tuple[int, int] | None] = [None, None, None]
        self._cut: list[tuple[object, npt.NDArray[np.float32]] | None] = [None, None, None]
        self.slice_view = SliceView(self)
        self.across = (SliceView(self), SliceView(self))
        self.volume = VolumePane(session.display, self)
        self.views = (self.slice_view, *self.across)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        for pane, place in zip((*self.views, self.volume), ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
            self._grid.addWidget(pane, *place)
        for view, name in zip(self.across, (tr("Plane across the rows"), tr("Plane across the columns")), strict=True):
            view.setAccessibleName(name)
            view.setMinimumSize(QSize(120, 100))
            view.hide()
        self.volume.hide()
        for i, view in enumerate(self.views):
            view.scrolled.connect(partial(self._scroll, i))
            view.levels_dragged.connect(session.display.drag_levels)
            view.pointed.connect(partial(self._point, i))
            view.picked.connect(partial(self._pick, i))

    @property
    def planes_on_view(self) -> bool:
        """The three planes are shown, not the slice alone."""
        return self._stack is not None and self._session.display.layout == PLANES

    def start_over(self) -> None:
        """Another scan."""
        self._pixels = [None, None, None]
        for view in self.views:
            view.clear()
            view.fit()
        self.volume.forget()

    def show_nothing(self) -> None:
        self._shown = self._stack = None
        self.slice_view.clear()
        self._arrange()

    def show_picture(self, shown: Shown) -> None:
        """Draw what is to be shown; a plane only if it is another one."""
        self._shown, self._stack = shown, self._session.stack_shown(shown)
        self._arrange()
        display, scan = self._session.display, self._session.scan
        plane = shown.picture.component(display.component, display.frame)
        known = scan.spacing_of(shown) if scan else None
        spacing = known[:2] if known else (1.0, 1.0)
        if shown.run is None and scan is not None:
            spacing = scan.measured[shown.view].spacing
        self.slice_view.show_plane(plane, display.levels, spacing, coloured=shown.view == SPREAD)
        self._show_cross()
        if self.planes_on_view:
            self._show_across()
            assert self._stack is not None
            self.volume.show_stack(shown, self._stack, scan.affine_of(shown) if scan else None, self._marks())
        self.show_words()

    def show_words(self) -> None:
        if self._shown is None:
            return
        self.slice_view.set_overlay(overlay_of(self._session, self._shown, self._pixels[0]))
        self.slice_view.setAccessibleDescription(self._shown.caption)
        if self.planes_on_view and self._stack is not None:
            for i, view in enumerate(self.across, 1):
                words = plane_overlay(self._session, self._shown, self._stack, self._stack.planes[i], self._pixels[i])
                view.set_overlay(words)
                view.setAccessibleDescription(words.title)

    def fit(self) -> None:
        for view in self.views:
            view.fit()

    def zoom_by(self, factor: float) -> None:
        """Of the plane that has the focus, or else the slice."""
        next((view for view in self.views if view.hasFocus()), self.slice_view).zoom_by(factor)

    def set_smooth(self, smooth: bool) -> None:
        for view in self.views:
            view.set_smooth(smooth)

    def _arrange(self) -> None:
        several = self.planes_on_view
        for pane in (*self.across, self.volume):
            pane.setVisible(several)
        # Rows and columns of equal size, whatever their contents would like.
        for line in (0, 1):
            self._grid.setRowStretch(line, 1 if several or line == 0 else 0)
            self._grid.setColumnStretch(line, 1 if several or line == 0 else 0)
        self.slice_view.setMinimumSize(QSize(120, 100) if several else QSize(240, 200))

    def _show_across(self) -> None:
        assert self._stack is not None
        assert self._shown is not None
        levels, coloured = self._session.display.levels, self._shown.view == SPREAD
        for i, view in enumerate(self.across, 1):
            section = self._stack.planes[i]
            spacing = section.spacing(self._stack.spacing_mm)
            view.show_plane(self._plane(i, section), levels, spacing, coloured=coloured)

    def _plane(self, i: int, section: Section) -> npt.NDArray[np.float32]:
        """The same array as long as it is the same plane of the same picture."""
        assert self._stack is not None
        assert self._shown is not None
        picture, component = self._shown.picture, self._session.display.component
        index = self._stack.at[section.fixed]
        key = (picture, component, section, index, self._stack.first_frame)
        kept = self._cut[i]
        if kept is None or kept[0] != key:
            part = section.part(index, self._stack.first_frame, self._stack.size[2])
            kept = self._cut[i] = (key, np.ascontiguousarray(section.turned(picture.drawn_of(component, part))))
        return kept[1]

    def _show_cross(self) -> None:
        """The point where the planes meet, or a scan's axis of rotation in what it measured."""
        if self.planes_on_view and self._stack is not None:
            for view, section in zip(self.views, self._stack.planes, strict=True):
                view.set_cross(*section.pixel_of(self._stack.at, self._stack.size))
        else:
            self.slice_view.set_cross(self._axis())

    def _axis(self) -> float | None:
        assert self._shown is not None
        scan = self._session.scan.scan if self._session.scan else None
        if self._shown.run is not None or not isinstance(scan, Projections):
            return None
        chosen = self._session.choice.center
        view = 0 if self._shown.view == SINOGRAM else self._session.display.frame
        return axis_column(scan.geometry, view) if chosen is None else chosen

    def _marks(self) -> tuple[str, ...]:
        assert self._shown is not None
        return self._session.scan.marks_of(self._shown) if self._session.scan else ()

    def _scroll(self, i: int, steps: int) -> None:
        display = self._session.display
        if i == 0 or self._stack is None:
            display.go_to(display.frame + steps)
            return
        fixed = self._stack.planes[i].fixed
        place = list(self._stack.at)
        place[fixed] = min(max(place[fixed] + steps, 0), self._stack.size[fixed] - 1)
        display.go_to_point(place[0], place[1], self._stack.first_frame + place[2])

    def _pick(self, i: int, x: int, y: int) -> None:
        if self._stack is None:
            return
        section = self._stack.planes[i]
        across, down, along = section.voxel_of((x, y), self._stack.at[section.fixed], self._stack.size)
        self._session.display.go_to_point(across, down, self._stack.first_frame + along)

    def _point(self, i: int, pixel: tuple[int, int] | None) -> None:
        self._pixels[i] = pixel
        self.show_words()
