"""Writes pictures and films that are drawn in the window's thread, in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject
from PySide6.QtGui import QImage

from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Worker
from app.state.notice import Notice

Frame = npt.NDArray[np.uint8]
"""(height, width, 3)."""
WriteFilm = Callable[[Iterable[Frame], Path, float], None]
Done = Callable[[str, "Notice | None"], None]
"""Called with the path that was written, or with "" and why it was not; both empty for a film that was given up."""

MOST_WAITING = 8
"""Frames that lie between the two threads at most."""


class GivenUp(Exception):
    """The user does not want the film any more."""


class Frames:
    """Hands frames from the window's thread to the one that writes. It is iterated over there; `put` never waits.

    taken: called in the other thread after each frame that it takes.
    """

    def __init__(self, taken: Callable[[], None]) -> None:
        self._taken = taken
        self._change = threading.Condition()
        self._waiting: deque[Frame] = deque()
        self._ended = self._given_up = False

    @property
    def full(self) -> bool:
        with self._change:
            return len(self._waiting) >= MOST_WAITING

    def put(self, frame: Frame) -> None:
        with self._change:
            self._waiting.append(frame)
            self._change.notify()

    def end(self) -> None:
        """There are no more frames than those that wait."""
        with self._change:
            self._ended = True
            self._change.notify()

    def give_up(self) -> None:
        """Whoever iterates gets GivenUp, and so leaves nothing behind."""
        with self._change:
            self._given_up = True
            self._waiting.clear()
            self._change.notify()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._ended or self._given_up)
                if self._given_up:
                    raise GivenUp
                if not self._waiting:
                    return
                frame = self._waiting.popleft()
            self._taken()
            yield frame


class PictureDesk(QObject):
    """Takes requests in the window's thread and answers there. Files are written whole or not at all.

    write_film: core.export.movie.write unless another is given.
    """

    def __init__(self, write_film: WriteFilm | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._write_film = write_film or _write_film
        self._mailbox = Mailbox(self)
        self._worker = Worker("pictures", self)
        self._films: list[Frames] = []
        self._working = 0

    @property
    def busy(self) -> bool:
        return self._working > 0

    def save(self, image: QImage, path: str, done: Done) -> None:
        """Write an image as PNG."""
        self._submit(path, partial(write_png, image, Path(path)), done)

    def film(self, path: str, fps: float, taken: Callable[[], None], done: Done) -> Frames:
        """Begin a film; it is written as frames are put, until `end`. taken: frames have been taken, there is room."""
        frames = Frames(lambda: self._mailbox.post(taken, self))
        self._films.append(frames)
        self._submit(path, partial(self._write_film, frames, Path(path), fps), done)
        return frames

    def close(self) -> None:
        """Give up films, finish pictures, and end the thread."""
        for frames in self._films:
            frames.give_up()
        self._mailbox.close()
        if self._worker.isRunning():
            self._worker.leave()
            self._worker.ended()

    def _submit(self, path: str, write: Callable[[], None], done: Done) -> None:
        self._working += 1
        self._worker.submit(partial(self._try, path, write, done))

    def _try(self, path: str, write: Callable[[], None], done: Done) -> None:
        """In the other thread."""
        written, trouble = path, None
        try:
            write()
        except GivenUp:
            written = ""
        except Exception as error:
            written, trouble = "", notice_of(error, f"{Path(path).name} could not be written.")
        self._mailbox.post(partial(self._answer, written, trouble, done))

    def _answer(self, written: str, trouble: Notice | None, done: Done) -> None:
        self._working -= 1
        if not self._working:
            self._films.clear()
        done(written, trouble)


def write_png(image: QImage, path: Path) -> None:
    """Write an image as PNG that says "Research use only" in its comment too. Raises ExportError; then nothing is left.

    It is encoded in memory first, since Qt does not tell why a file could not be written.
    """
    from core.export import ExportError, writing
    from core.export.picture import NOTICE
    from core.export.whole import write_whole

    image = QImage(image)
    image.setText("Comment", NOTICE)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]  # the stub says bytes
        raise ExportError(f"{path.name} could not be written.", "There is no picture.")

    def write(part: Path) -> None:
        part.write_bytes(data.data())

    with writing(path):
        write_whole(path, ".png", write)


def frame_of(image: QImage) -> Frame:
    """The pixels of an image, (height, width, 3) uint8."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).copy()


def _write_film(frames: Iterable[Frame], path: Path, fps: float) -> None:
    from core.export.movie import write

    write(frames, path, fps)
