"""Saves what a rendering shows: its surface as STL, and a larger picture of every voxel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QFileDialog

from app.state.rendering import ReducedStack, nearly_whole
from app.views.room_solid_frames import Frames
from app.words import tr
from core.export.picture import NOTICE
from core.viewing.surface import Surface

if TYPE_CHECKING:
    from app.views.room_rendering import RoomRendering

LONGEST_SIDE = 2000
"""Pixels of a saved picture."""
MOST_DETAIL = 2.0
"""How much larger than on screen letters and lines are in it."""


class SolidExport(QObject):
    """ask_file: the question for a path, given a proposal and a filter; "" is no answer. busy: something is made."""

    def __init__(self, pane: RoomRendering) -> None:
        super().__init__(pane)
        self._pane = pane
        self.ask_file: Callable[[str, str], str] = self._ask_file
        self.busy = False
        self._frames: Frames | None = None

    def save_surface(self) -> None:
        """The one on view, in LPS mm."""
        skin = self._pane.skin
        path = self._path("surface.stl", tr("Surfaces (*.stl)"), ".stl") if skin is not None else ""
        if skin is None or not path:
            return
        self._begin(tr("Saving the surface …"))
        self._pane.aside.ask("file", lambda _: _write_surface(skin.surface, path), self._saved, self._fail)

    def save_picture(self) -> None:
        """As it is seen, of every voxel that fits. The window's thread casts the rays, a strip at a time."""
        made, renderer = self._pane.prepared, self._pane.renderer
        if made is None or renderer is None or self._frames is not None:
            return
        path = self._path("rendering.png", tr("Pictures (*.png)"), ".png")
        if path:
            self._begin(tr("Making the picture. A large volume may hold the window up for some seconds."))
            values = made.item.stack(made.moment)
            self._pane.aside.ask(
                "whole", lambda _: nearly_whole(values).work_out(), partial(self._render, path), self._fail
            )

    def _render(self, path: str, stack: ReducedStack) -> None:
        from app.views.volume3d import VolumeRenderer

        pane, view = self._pane, self._pane.view
        made, now = pane.prepared, pane.model.now
        if made is None or pane.renderer is None or pane.item is None:
            self._fail(RuntimeError(tr("There is nothing to render any more.")))
            return
        try:
            renderer = VolumeRenderer()
            renderer.show_stack(stack, made.item.affine)
            renderer.take_view(pane.renderer)
            renderer.colour(pane.model.points, mip=pane.model.preset.mip, shade=pane.model.preset.shade)
            renderer.clip(now.box, now.depth)
            renderer.show_surface(pane.skin.surface if pane.skin is not None else None)
            renderer.show_slices(pane.slices_on_view())
        except Exception as error:  # whatever the driver says costs this picture, not the program
            self._fail(error)
            return
        larger = LONGEST_SIDE / max(view.width(), view.height(), 1)
        frames = self._frames = Frames(self)
        frames.renderer = renderer
        frames.drawn.connect(partial(self._drawn, path, stack.words))
        frames.failed.connect(lambda why: self._fail(RuntimeError(why)))
        frames.render(QSize(round(view.width() * larger), round(view.height() * larger)))

    def _drawn(self, path: str, grid: tuple[str, ...]) -> None:
        frames = self._frames
        if frames is None:
            return
        if not frames.settled:
            self._pane.panel.picture_words.setText(tr("Making the picture: {percent} %", percent=frames.percent))
            return
        picture = self._written_over(frames.image, grid)
        self._end()
        self._pane.aside.ask("file", lambda _: _write_picture(picture, path), self._saved, self._fail)

    def _written_over(self, image: QImage, grid: tuple[str, ...]) -> QImage:
        """With letters, cube and research mark, but without the title, which may name the patient's file."""
        view = self._pane.view
        picture = QImage(image.size(), QImage.Format.Format_RGB888)
        detail = min(image.width() / max(view.width(), 1), MOST_DETAIL)
        area = QRectF(0, 0, image.width() / detail, image.height() / detail)
        painter = QPainter(picture)
        painter.drawImage(0, 0, image)
        painter.scale(detail, detail)
        view.draw_words(painter, area, self._pane.overlay("3-D", grid))
        painter.end()
        picture.setText("Comment", NOTICE)
        return picture

    def _path(self, proposal: str, kinds: str, ending: str) -> str:
        path = self.ask_file(proposal, kinds)
        return path if not path or path.lower().endswith(ending) else path + ending

    def _ask_file(self, proposal: str, kinds: str) -> str:
        return QFileDialog.getSaveFileName(self._pane, tr("Save as"), proposal, kinds)[0]

    def _begin(self, words: str) -> None:
        self.busy = True
        self._pane.panel.picture_words.setText(words)

    def _saved(self, path: str) -> None:
        self.busy = False
        self._pane.panel.picture_words.setText(tr("Saved: {name}", name=Path(path).name))

    def _fail(self, error: Exception) -> None:
        self._end()
        self.busy = False
        self._pane.panel.picture_words.setText(tr("Nothing was saved. {why}", why=str(error)))

    def _end(self) -> None:
        """Give back the context of the picture."""
        if self._frames is not None:
            self._frames.stop()
            if self._frames.renderer is not None:
                self._frames.renderer.release()
            self._frames.deleteLater()
            self._frames = None

    def close(self) -> None:
        self._end()


def _write_surface(surface: Surface, path: str) -> str:
    from core.export import stl

    stl.write(surface.points, surface.triangles, Path(path))
    return path


def _write_picture(picture: QImage, path: str) -> str:
    from core.export import writing
    from core.export.whole import write_whole

    def write(part: Path) -> None:
        if not picture.save(str(part), "PNG"):  # type: ignore[call-overload]
            raise OSError(f"{Path(path).name} was refused")

    with writing(Path(path)):
        write_whole(Path(path), ".png", write)
    return path
