"""Pictures and films of the viewing room: to a file or to the clipboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QProgressDialog, QWidget

from app.bridge.pictures import Frames, PictureDesk, WriteFilm, frame_of
from app.state.notice import Notice
from app.state.room.cine import Played
from app.state.room.public import picture_file_name
from app.views.room_cine import Cine
from app.views.room_page import RoomPage
from app.views.room_studio import Studio
from app.words import later, tr

PICTURES = {later("Picture, as large as on screen (*.png)"): 1, later("Picture, twice as large (*.png)"): 2}
"""Kinds of pictures, and times the size on screen."""
FILMS = {later("Film (*.mp4)"): ".mp4", later("Film for web pages (*.gif)"): ".gif"}


class Asks(Protocol):
    """What is asked before something is written. Answers are "" when the user thought better of it."""

    def picture_to_save(self, parent: QWidget, proposal: str) -> tuple[str, int]:
        """A path that ends in .png, and how many times as large as on screen."""

    def film_to_save(self, parent: QWidget, proposal: str) -> str:
        """A path that ends in .mp4 or .gif."""


class PictureDialogs:
    """Asks with the dialogs of the desktop."""

    def picture_to_save(self, parent: QWidget, proposal: str) -> tuple[str, int]:
        kinds = {tr(words): scale for words, scale in PICTURES.items()}
        path, chosen = QFileDialog.getSaveFileName(parent, tr("Save picture as"), proposal, ";;".join(kinds))
        return _ending_in(path, (".png",), ".png"), kinds.get(chosen, 1)

    def film_to_save(self, parent: QWidget, proposal: str) -> str:
        kinds = {tr(words): ending for words, ending in FILMS.items()}
        path, chosen = QFileDialog.getSaveFileName(parent, tr("Save film as"), proposal, ";;".join(kinds))
        return _ending_in(path, tuple(kinds.values()), kinds.get(chosen, ".mp4"))


def _ending_in(path: str, endings: tuple[str, ...], otherwise: str) -> str:
    return path if not path or path.lower().endswith(endings) else path + otherwise


class Pictures(QObject):
    """Saves what the panes show. folder: where files are offered. Whoever closes the page calls `release` first.

    told: something that the user must read. saved: a path that was written. changed: a film begins or ends.
    """

    told = Signal(object)
    saved = Signal(str)
    changed = Signal()

    def __init__(
        self,
        page: RoomPage,
        dialogs: Asks,
        cine: Cine,
        folder: Callable[[], str] = str,
        write_film: WriteFilm | None = None,
    ) -> None:
        super().__init__(page)
        self.page, self.room, self.cine = page, page.room, cine
        self._dialogs, self._folder = dialogs, folder
        self._desk = PictureDesk(write_film, self)
        self.filming: Filming | None = None

    @property
    def busy(self) -> bool:
        """Something is being written."""
        return self._desk.busy

    @property
    def can_save(self) -> bool:
        """The active pane shows something."""
        return self.room.item_in(self.room.active) is not None

    @property
    def can_film(self) -> bool:
        """There is more than one frame, in a plane, and no film is being made."""
        return (
            self.cine.model.played is not None and self.filming is None and self.room.panes[self.room.active].face.flat
        )

    def save_pane(self) -> None:
        """Ask where to write a picture of the active pane."""
        self._save(lambda studio, scale: studio.pane(studio.room.active, scale))

    def save_layout(self) -> None:
        """Ask where to write a picture of all panes on view."""
        self._save(lambda studio, scale: studio.layout(scale))

    def copy(self) -> None:
        """Put a picture of the active pane into the clipboard."""
        if self.can_save:
            studio = Studio(self.page)
            QGuiApplication.clipboard().setImage(studio.pane(studio.room.active))
            studio.release()

    def save_film(self) -> None:
        """Ask where to write what the cine bar plays, at its speed."""
        played = self.cine.model.played
        if not self.can_film or played is None:
            return
        path = self._dialogs.film_to_save(self.page, self._proposal(".mp4"))
        if not path:
            return
        self.cine.model.stop()
        self.filming = Filming(self.page, self._desk, played, self.cine.model.round(), self)
        self.filming.ended.connect(self._filmed)
        self.filming.begin(path, self.cine.model.fps)
        self.changed.emit()

    def release(self) -> None:
        """Give up a film, finish pictures, end the thread."""
        if self.filming is not None:
            self.filming.give_up()
            self.filming.close()
            self.filming = None
        self._desk.close()

    def _save(self, paint: Callable[[Studio, float], object]) -> None:
        if not self.can_save:
            return
        # Before the question: what is on view then is what the user means.
        studio = Studio(self.page)
        path, scale = self._dialogs.picture_to_save(self.page, self._proposal(".png"))
        if path:
            self._desk.save(paint(studio, scale), path, self._saved)  # type: ignore[arg-type]
        studio.release()

    def _proposal(self, ending: str) -> str:
        return str(Path(self._folder()) / picture_file_name(self.room, self.room.active, ending))

    def _saved(self, path: str, trouble: Notice | None) -> None:
        if trouble is not None:
            self.told.emit(trouble)
        elif path:
            self.saved.emit(path)

    def _filmed(self, path: str, trouble: Notice | None) -> None:
        self.filming = None
        self._saved(path, trouble)
        self.changed.emit()


class Filming(QObject):
    """Draws a film, one frame a turn of the event loop and not while too many wait to be written.

    ended: with the path and None, "" and a notice, or "" and None where it was given up.
    """

    ended = Signal(str, object)

    def __init__(
        self, page: RoomPage, desk: PictureDesk, played: Played, positions: tuple[int, ...], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._desk, self._played, self._index = desk, played, page.room.active
        self._positions: Iterator[int] = iter(positions)
        self._studio = Studio(page, drawings=False)
        self._frames: Frames | None = None
        self._drawn = 0
        self.turn = QTimer(self)
        self.turn.setInterval(0)
        self.turn.timeout.connect(self._draw_next)
        self.progress = QProgressDialog("", tr("Cancel"), 0, len(positions), page)
        self.progress.setWindowTitle("DDS Viewer")
        self.progress.setWindowModality(Qt.WindowModality.NonModal)
        self.progress.setAutoClose(False)
        self.progress.setAutoReset(False)
        self.progress.setMinimumDuration(0)
        self.progress.canceled.connect(self.give_up)

    def begin(self, path: str, fps: float) -> None:
        self.progress.setLabelText(tr("Writing {name} …", name=Path(path).name))
        self.progress.setValue(0)
        self.progress.show()
        self._frames = self._desk.film(path, fps, self._go_on, self._end)
        self.turn.start()

    def give_up(self) -> None:
        """Leave nothing behind."""
        self.turn.stop()
        if self._frames is not None:
            self._frames.give_up()

    def close(self) -> None:
        """The dialog and the panes that were painted go."""
        self.turn.stop()
        self._frames = None
        self._studio.release()
        self.progress.close()
        self.progress.deleteLater()

    def _go_on(self) -> None:
        """There is room for frames again."""
        if self._frames is not None and not self.progress.wasCanceled():
            self.turn.start()

    def _draw_next(self) -> None:
        if self._frames is None or self._frames.full:
            self.turn.stop()
            return
        position = next(self._positions, None)
        if position is None:
            self.turn.stop()
            self._frames.end()
            return
        self._studio.turn_to(self._index, self._played, position)
        self._frames.put(frame_of(self._studio.pane(self._index)))
        self._drawn += 1
        self.progress.setValue(self._drawn)

    def _end(self, path: str, trouble: Notice | None) -> None:
        self.close()
        self.ended.emit(path, trouble)
        self.deleteLater()
