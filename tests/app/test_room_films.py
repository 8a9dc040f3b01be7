"""Films of what the cine bar plays."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.pictures import PictureDesk, frame_of
from app.state.notice import Notice
from app.state.room.room import Room
from app.views import overlay
from app.views.room_pictures import Pictures
from tests.app.pictures_bench import FakeMovie, made

LEFT = Qt.MouseButton.LeftButton


def test_a_film_has_every_frame_of_the_cine_at_its_speed(
    pictures: Pictures, room: Room, movie: FakeMovie, tmp_path: Path, qtbot: QtBot
) -> None:
    pictures.cine.model.set_fps(24)
    place = room.place_of(0)
    with qtbot.waitSignal(pictures.saved):
        pictures.save_film()
        assert not pictures.can_film, "one at a time"
        pictures.save_film()
        room.go_to_slice(0, 4)
        room.set_levels(0, 1, 1)
    assert (tmp_path / "out.mp4").exists()
    assert movie.fps == 24
    assert len(movie.frames) == 5
    assert threading.get_ident() not in movie.threads
    middle = [int(f[f.shape[0] // 2, f.shape[1] // 2 + 40, 0]) for f in movie.frames]
    assert sorted(set(middle)) == middle, "slice after slice, as it was when it began"
    assert place != room.place_of(0), "the room goes its own way"
    assert not pictures.busy
    assert pictures.filming is None


def test_moments_and_rocking_are_filmed_as_they_are_played(
    pictures: Pictures, room: Room, movie: FakeMovie, qtbot: QtBot
) -> None:
    from app.state.room.cine import Played

    room.put(made("b", stacks=4))
    room.show(0, "b")
    pictures.cine.model.choose(Played.MOMENTS)
    pictures.cine.model.rock(True)
    with qtbot.waitSignal(pictures.saved):
        pictures.save_film()
    assert len(movie.frames) == 6
    assert np.array_equal(movie.frames[1], movie.frames[5])
    assert not np.array_equal(movie.frames[1], movie.frames[2])
    assert room.moment == 0


def test_the_film_bears_the_research_mark(
    pictures: Pictures, movie: FakeMovie, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.waitSignal(pictures.saved):
        pictures.save_film()
    with_mark, movie.frames = movie.frames, []
    monkeypatch.setattr(overlay, "RESEARCH", "")
    with qtbot.waitSignal(pictures.saved):
        pictures.save_film()
    for frame, bare in zip(with_mark, movie.frames, strict=True):
        assert (frame != bare).any(axis=2).sum() > 100


def test_cancel_leaves_nothing_behind(
    pictures: Pictures, movie: FakeMovie, tmp_path: Path, room: Room, qtbot: QtBot
) -> None:
    room.put(made("b", shape=(60, 20, 20)))
    room.show(0, "b")
    movie.go.clear()
    pictures.save_film()
    filming = pictures.filming
    assert filming is not None
    progress = filming.progress
    qtbot.waitUntil(lambda: progress.value() > 3)
    qtbot.waitUntil(lambda: not filming.turn.isActive(), timeout=3000)
    assert progress.value() < 20, "it does not draw ahead without bound"
    assert progress.isVisible()
    cancel = progress.findChild(QPushButton)
    qtbot.mouseClick(cancel, LEFT)
    movie.go.set()
    qtbot.waitUntil(lambda: not pictures.busy)
    assert movie.given_up
    assert pictures.filming is None
    assert not list(tmp_path.glob("*mp4*"))
    qtbot.waitUntil(lambda: pictures.can_film)


def test_a_full_disk_ends_a_film_and_is_told(
    pictures: Pictures, movie: FakeMovie, tmp_path: Path, qtbot: QtBot
) -> None:
    from core.export import ExportError

    movie.fails = ExportError("out.mp4 could not be written.", "No space left on device.", "Choose another place.")
    with qtbot.waitSignal(pictures.told) as said:
        pictures.save_film()
    assert "No space left" in said.args[0].why
    assert pictures.filming is None
    movie.fails = None
    with qtbot.waitSignal(pictures.saved):
        pictures.save_film()
    assert len(movie.frames) == 6, "one of the first, five of the second"


def test_closing_gives_a_film_up(pictures: Pictures, movie: FakeMovie, tmp_path: Path, qtbot: QtBot) -> None:
    movie.go.clear()
    pictures.save_film()
    filming = pictures.filming
    assert filming is not None
    qtbot.waitUntil(lambda: filming.progress.value() == 5)
    filming.give_up()
    movie.go.set()
    pictures.release()
    assert movie.given_up
    assert not list(tmp_path.glob("*mp4*"))


def test_a_real_gif(qtbot: QtBot, tmp_path: Path) -> None:
    desk = PictureDesk()
    ended: list[tuple[str, Notice | None]] = []
    path = str(tmp_path / "a.gif")
    frames = desk.film(path, 10, lambda: None, lambda *answer: ended.append(answer))
    for grey in (0, 120, 250):
        image = QImage(33, 21, QImage.Format.Format_RGB32)
        image.fill(QColor(grey, grey, grey))
        frames.put(frame_of(image))
    frames.end()
    qtbot.waitUntil(lambda: bool(ended))
    assert ended == [(path, None)]
    with Image.open(path) as film:
        assert (film.size, film.n_frames) == ((33, 21), 3)
    other = desk.film(str(tmp_path / "b.gif"), 10, lambda: None, lambda *answer: ended.append(answer))
    other.put(frame_of(image))
    other.give_up()
    qtbot.waitUntil(lambda: len(ended) == 2)
    assert ended[1] == ("", None)
    assert [p.name for p in tmp_path.iterdir() if "gif" in p.name] == ["a.gif"]
    desk.close()


def test_frames_of_odd_widths_are_not_sheared() -> None:
    image = QImage(7, 3, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    image.setPixelColor(6, 2, QColor(10, 20, 30))
    frame = frame_of(image)
    assert frame.shape == (3, 7, 3)
    assert frame[2, 6].tolist() == [10, 20, 30]
    assert frame.sum() == 60
