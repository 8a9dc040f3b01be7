"""The pane of the rendering in the viewing room."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.state.room.item import Item
from app.state.room.room import Room
from app.state.room.solid import RENDERED, SolidModel
from app.state.room.solid_parts import Pixels, Prepared, Skin, prepared, skin, slices_through
from app.views.overlay import Overlay
from app.views.room_solid_aside import NO_GL, Aside, load_vtk
from app.views.room_solid_bar import SolidBar
from app.views.room_solid_export import SolidExport
from app.views.room_solid_frames import MOST_PIXELS, Frames
from app.views.room_solid_panel import SolidPanel
from app.views.room_solid_view import SolidView
from app.views.room_solid_words import grid_words, overlay, words_in_the_middle, words_of
from app.words import tr
from core.viewing.sheet import Sheet

if TYPE_CHECKING:
    from app.views.volume3d import VolumeRenderer

FIRST_TURN = (25.0, 12.0)
"""Degrees away from the front."""


class RoomRendering(QWidget):
    """Renders the item of a pane in three dimensions. What lasts is worked out beside the window.

    trouble: why nothing can be rendered, in a sentence, or "". model: what is seen, and how.
    """

    doubled = Signal()

    def __init__(self, room: Room, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.room, self.index = room, index
        self.trouble = ""
        self.model = SolidModel()
        self.aside, self.frames = Aside(self), Frames(self)
        self.view, self.bar = SolidView(), SolidBar(self.model)
        self.panel = SolidPanel(self.model)
        self.export = SolidExport(self)
        self.item: Item | None = None
        self.renderer: VolumeRenderer | None = None
        self.prepared: Prepared | None = None
        self.skin: Skin | None = None
        self._asked: object = None
        self._asked_skin: object = None
        self._skin_words = ""
        self._slices: object = None
        self._geometry: object = None
        self._loading = self._closed = False
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.view.setAccessibleName(tr("Rendering in pane {number}", number=self.index + 1))
        self.panel.hide()
        below = QHBoxLayout()
        below.setSpacing(0)
        below.addWidget(self.view, 1)
        below.addWidget(self.panel)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        whole.addLayout(below, 1)

    def _connect(self) -> None:
        view, frames = self.view, self.frames
        view.turned.connect(partial(self._move, "turn"))
        view.zoomed.connect(partial(self._move, "zoom"))
        view.panned.connect(partial(self._move, "pan"))
        view.doubled.connect(self.doubled)
        view.pressed.connect(self._activate)
        view.resized.connect(self._resize)
        self.bar.looked.connect(self.look_from)
        self.bar.adjusted.connect(self.panel.setVisible)
        self.panel.save_surface.connect(self.export.save_surface)
        self.panel.save_picture.connect(self.export.save_picture)
        self.model.changed.connect(self._apply)
        frames.drawn.connect(self._show_frame)
        frames.failed.connect(self._lose)

    # What is shown

    def show_item(self, item: Item) -> None:
        """Render an item, if it is another one than before, and the slices through the crosshair."""
        other = item is not self.item
        self.item = item
        self.view.active = self.room.active == self.index and len(self.room.shown) > 1
        self.model.take(item)
        if other:
            self.bar.refresh()
            self.panel.show_item(item)
        self._ask()
        self._apply_slices()
        self._describe()

    def _ask(self) -> None:
        """Have what is missing made: VTK, and the stack on a reduced grid."""
        if self._closed or self.trouble or self.item is None or self.item.kind not in RENDERED:
            return
        if not self._loading:
            self._loading = True
            if QGuiApplication.platformName() in NO_GL:
                self._lose(tr("There is no OpenGL on this screen."))
                return
            self.aside.ask("VTK", load_vtk, self._make_renderer, self._lose)
        item, moment = self.item, self.room.moment
        if self._asked != (item, moment):
            self._asked = (item, moment)
            self.aside.ask("stack", lambda _: prepared(item, moment), self._take_stack, self._lose)

    def _make_renderer(self, _: object) -> None:
        from app.views.volume3d import VolumeRenderer

        try:
            self.renderer = self.frames.renderer = VolumeRenderer()
        except Exception as error:  # whatever the driver says costs this pane, not the program
            self._lose(error)
            return
        self._place()

    def _take_stack(self, made: Prepared) -> None:
        self.prepared = made
        self.panel.show_histogram(made.counts, made.edges)
        self._place()

    def _place(self) -> None:
        """Bring the stack into the room. The camera stays where it is, unless the stack lies elsewhere."""
        made = self.prepared
        if self.renderer is None or made is None:
            return
        try:
            self.renderer.show_stack(made.stack, made.item.affine)
        except Exception as error:  # as above
            self._lose(error)
            return
        geometry = (made.item.shape, made.item.affine.tobytes())
        if geometry != self._geometry:
            self._geometry = geometry
            self.renderer.look_from("A")
            self.renderer.turn(*FIRST_TURN)
            self._fit()
        self._asked_skin = self._slices = None
        self._resize()
        self._apply()

    def _apply(self) -> None:
        """Show what the model says."""
        self.bar.refresh()
        self.panel.refresh()
        if self.renderer is None or self.prepared is None:
            return
        now, preset = self.model.now, self.model.preset
        self.renderer.colour(self.model.points, mip=preset.mip, shade=preset.shade)
        self.renderer.clip(now.box, now.depth)
        self._apply_skin()
        self._apply_slices()
        self.frames.moved()
        self._describe()

    def _apply_skin(self) -> None:
        """Have the surface made where it is asked for; the one before it is seen until then."""
        now, made = self.model.now, self.prepared
        assert self.renderer is not None
        assert made is not None
        if not now.surface:
            self._asked_skin, self._skin_words = None, ""
            self.aside.forget("surface")
            self.skin = None
            self.renderer.show_surface(None)
            return
        wanted = (made.item, made.moment, now.threshold)
        if wanted != self._asked_skin:
            self._asked_skin, self._skin_words = wanted, tr("Making the surface …")
            self.aside.ask("surface", partial(skin, *wanted), self._take_skin, self._fail_skin)

    def _take_skin(self, made: Skin | None) -> None:
        if made is None or self.renderer is None:
            return
        self.skin, self._skin_words = made, ""
        self.renderer.show_surface(made.surface)
        self.frames.moved()
        self._describe()

    def _fail_skin(self, error: Exception) -> None:
        self.skin, self._skin_words = None, words_of(error)
        self._describe()

    def _apply_slices(self) -> None:
        if self.renderer is None or self.prepared is None or self.item is not self.prepared.item:
            return
        cross, levels = self.room.cross, self.room.levels_of(self.index)
        place = tuple(cross.tolist()) if self.model.now.slices and cross is not None else None
        wanted = place and (self.item, self.room.moment, place, levels)
        if wanted != self._slices:
            self._slices = wanted
            self.renderer.show_slices(self.slices_on_view())
            self.frames.moved()

    def slices_on_view(self) -> list[tuple[Sheet, Pixels]]:
        """The slices that stand in the room, with their pixels."""
        made, cross = self.prepared, self.room.cross
        if made is None or cross is None or not self.model.now.slices:
            return []
        return slices_through(made.item, made.moment, cross, self.room.levels_of(self.index))

    # How it is looked at

    def look_from(self, side: str) -> None:
        """Look at the whole stack from a side of the patient."""
        self._activate()
        if self.renderer is not None:
            self.renderer.look_from(side)
            self._fit()
            self._turned()

    def _move(self, how: str, *by: float) -> None:
        if self.renderer is not None:
            getattr(self.renderer, how)(*by)
            self._turned()

    def _turned(self) -> None:
        self.frames.moved()
        self._describe()

    def _fit(self) -> None:
        if self.renderer is not None:
            self.renderer.fit(self.view.width() / max(self.view.height(), 1))

    def _resize(self) -> None:
        view = self.view
        ratio = min(view.devicePixelRatioF(), MOST_PIXELS / max(view.width(), view.height(), 1))
        self.frames.resize(QSize(max(round(view.width() * ratio), 2), max(round(view.height() * ratio), 2)))

    def _activate(self) -> None:
        if self.room.active != self.index:
            self.room.activate(self.index)

    # Words

    def _show_frame(self) -> None:
        self.view.image = self.frames.image
        self.view.update()

    def _describe(self) -> None:
        item, renderer, skin = self.item, self.renderer, self.skin
        ready = renderer is not None and self.prepared is not None
        self.view.words = words_in_the_middle(self.trouble, item, ready)
        self.view.directions, self.view.overlay = None, Overlay()
        if item is not None and renderer is not None and ready and not self.view.words:
            self.view.directions = renderer.screen_axes() if item.placed else None
            self.view.overlay = self.overlay(item.title, grid_words(skin, self.prepared))
        self.panel.show_words(self._skin_words or (skin.sentence if skin is not None else ""))
        self.view.setAccessibleDescription(" ".join((self.view.overlay.title, *self.view.overlay.cursor)))
        self.view.update()

    def overlay(self, title: str, grid: tuple[str, ...]) -> Overlay:
        """The words over a rendering under a title, of a grid."""
        assert self.prepared is not None
        assert self.renderer is not None
        return overlay(title, grid, self.prepared.item, self.model, self.skin, self.renderer.screen_axes())

    # The end of it

    def _lose(self, why: str | Exception) -> None:
        why = why if isinstance(why, str) else words_of(why)
        self.trouble = tr("The volume cannot be rendered here. {why}", why=why)
        self.frames.stop()
        self.renderer = self.frames.renderer = None
        self._describe()

    def hideEvent(self, event: QHideEvent) -> None:
        self.frames.stop()

    def showEvent(self, event: QShowEvent) -> None:
        if not self.frames.settled:
            self.frames.moved()

    def release(self) -> None:
        """Give back what belongs to OpenGL, before the window goes."""
        self._closed = True
        self.export.close()
        self.aside.close()
        self.frames.stop()
        if self.renderer is not None:
            self.renderer.release()
            self.renderer = self.frames.renderer = None
        self.trouble = self.trouble or tr("The window is closed.")
        self._describe()
