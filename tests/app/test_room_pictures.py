"""Pictures and films out of the viewing room."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.pictures import GivenUp, PictureDesk, frame_of
from app.state.notice import Notice
from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Comparison, Face, Layout
from app.state.room.public import picture_file_name, public_names, public_room
from app.state.room.room import Room
from app.views import overlay
from app.views.room_canvas import RoomCanvas
from app.views.room_cine import Cine
from app.views.room_page import RoomPage
from app.views.room_pictures import Pictures
from app.views.room_studio import Studio
from core.formats.identity import Identity
from core.formats.volume_parts import Opened
from core.scan import Volume

LEFT = Qt.MouseButton.LeftButton
PATIENT = "DOE_JANE"


def made(key: str = "a", stacks: int = 1, shape: tuple[int, int, int] = (5, 60, 80), **values: Any) -> Item:
    """Of a file that is named after its patient."""
    voxels = np.arange(stacks * np.prod(shape), dtype=np.float32).reshape(stacks, *shape)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    volume = Volume(voxels[0], "HU", affine, (1.0, 1.0, 2.0))
    origin = Opened(volume, f"/scans/{PATIENT}.dcm", "DICOM", identity=Identity(patient_name=PATIENT, patient_id="12"))
    plain: dict[str, Any] = {"kind": Kind.VOLUME, "origin": replace(origin, modality="CT"), "name": f"{PATIENT}.dcm"}
    return Item(
        key,
        stacks=voxels,
        affine=affine,
        placed=True,
        unit="HU",
        offered=Levels(0, float(voxels.max())),
        **{**plain, **values},
    )


class Answers:
    """Paths that a test gives, and what was proposed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scale = folder, 1
        self.picture, self.film = "out.png", "out.mp4"
        self.proposed: list[str] = []

    def picture_to_save(self, parent: object, proposal: str) -> tuple[str, int]:
        self.proposed.append(proposal)
        return str(self.folder / self.picture) if self.picture else "", self.scale

    def film_to_save(self, parent: object, proposal: str) -> str:
        self.proposed.append(proposal)
        return str(self.folder / self.film) if self.film else ""


class FakeMovie:
    """Keeps frames in the place of a file; waits at the first one while `go` is not set."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.fps = 0.0
        self.given_up = False
        self.fails: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.threads: set[int] = set()

    def __call__(self, frames: Iterable[np.ndarray], path: Path, fps: float) -> None:
        self.fps = fps
        try:
            for frame in frames:
                self.threads.add(threading.get_ident())
                self.go.wait()
                self.frames.append(frame)
                if self.fails is not None:
                    raise self.fails
        except GivenUp:
            self.given_up = True
            raise
        path.write_bytes(b"film")


@pytest.fixture
def room() -> Room:
    found = Room()
    found.put(made())
    return found


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path)


@pytest.fixture
def movie() -> Iterator[FakeMovie]:
    made = FakeMovie()
    yield made
    made.go.set()


@pytest.fixture
def pictures(qtbot: QtBot, room: Room, answers: Answers, movie: FakeMovie) -> Iterator[Pictures]:
    theme.apply("dark")
    page = RoomPage(room)
    cine = Cine(page)
    found = Pictures(page, answers, cine, lambda: "/home/me", movie)
    page.resize(700, 500)
    with qtbot.waitExposed(page):
        page.show()
    QApplication.processEvents()
    yield found
    movie.go.set()
    found.release()
    cine.release()
    page.release()
    page.deleteLater()


def pixels(path: Path | str) -> np.ndarray:
    with Image.open(path) as found:
        return np.asarray(found.convert("RGB"))


def saved(pictures: Pictures, qtbot: QtBot, *, layout: bool = False) -> np.ndarray:
    with qtbot.waitSignal(pictures.saved) as said:
        pictures.save_layout() if layout else pictures.save_pane()
    return pixels(said.args[0])


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[overlay.Overlay]:
    """Everything that is written over images from now on."""
    found: list[overlay.Overlay] = []
    plain = overlay.draw_overlay

    def draw(painter: QPainter, area: Any, words: overlay.Overlay, zoom: float, font: Any) -> None:
        found.append(words)
        plain(painter, area, words, zoom, font)

    monkeypatch.setattr("app.views.room_canvas.draw_overlay", draw)
    return found


def test_the_picture_is_what_the_pane_shows(pictures: Pictures, room: Room, qtbot: QtBot) -> None:
    canvas = pictures.page.panes[0].canvas
    room.go_to_slice(0, 1)
    room.set_pane(0, colours="inferno")
    found = saved(pictures, qtbot)
    assert found.shape == (canvas.height(), canvas.width(), 3)
    pictures.page.refresh()
    on_screen = frame_of(canvas.grab().toImage())
    # The words on top differ: the name of the file is not in the picture.
    assert found[60:-2, 2:-2] == pytest.approx(on_screen[60:-2, 2:-2], abs=2)


def test_the_research_mark_is_in_every_picture(
    pictures: Pictures, room: Room, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = pictures.page.panes[0].canvas
    found = saved(pictures, qtbot)
    monkeypatch.setattr(overlay, "RESEARCH", "")
    without = saved(pictures, qtbot)
    differ = np.argwhere((found != without).any(axis=2))
    assert len(differ) > 100
    corner = QRect(canvas.width() // 2, canvas.height() - 40, canvas.width() // 2, 40)
    assert all(corner.contains(int(x), int(y)) for y, x in differ), "at the right below, and nowhere else"
    monkeypatch.undo()
    assert overlay.RESEARCH == "Research use only"
    with Image.open(Path(pictures._dialogs.picture_to_save(None, "")[0])) as file:  # type: ignore[arg-type]
        assert "Research use only" in file.info["Comment"]


def test_twice_as_large(pictures: Pictures, answers: Answers, qtbot: QtBot) -> None:
    once = saved(pictures, qtbot)
    answers.scale = 2
    twice = saved(pictures, qtbot)
    assert twice.shape[:2] == (2 * once.shape[0], 2 * once.shape[1])
    inside = (slice(120, -120), slice(120, -120))
    halved = twice.reshape(once.shape[0], 2, once.shape[1], 2, 3).mean(axis=(1, 3))
    assert halved[inside].mean() == pytest.approx(once[inside].mean(), rel=0.03), "the same place, painted finer"


def test_no_identity_is_ever_painted(
    pictures: Pictures, room: Room, qtbot: QtBot, painted: list[overlay.Overlay]
) -> None:
    room.show_words(identity=True)
    other = made("b", name=f"{PATIENT} minus X", kind=Kind.DIFFERENCE)
    room.put(other)
    room.put(made("c", name="CT OF JANE DOE.nii"))
    room.set_layout(Layout.FOUR)
    room.show(0, "a")
    room.set_pane(0, over="c", comparison=Comparison.SWIPE)
    room.show(1, "b")
    room.set_pane(2, item="a", over="c", comparison=Comparison.DIFFERENCE)
    QApplication.processEvents()
    painted.clear()
    saved(pictures, qtbot, layout=True)
    studio = Studio(pictures.page)
    studio.layout()
    of_the_picture = painted[:4]
    assert not any(PATIENT in repr(words) for words in (*of_the_picture, *painted[-4:]))
    assert all(not item.name.startswith(("DOE", "CT OF")) for item in studio.room)
    assert not studio.room.identity
    assert [o.title for o in of_the_picture] == [
        "CT volume 1 | CT volume 2",
        "Difference",
        "CT volume 1 minus CT volume 2",
        "",
    ]
    assert all(o.who == () and o.cursor == () for o in of_the_picture)
    studio.release()


def test_names_that_are_offered_tell_method_and_place(pictures: Pictures, room: Room, answers: Answers) -> None:
    answers.picture = ""
    pictures.save_pane()
    assert answers.proposed == ["/home/me/CT-volume_as-stored-3.png"]
    room.put(made("scan 1/1/result", name="DDS 20, CG 5, eta 0.15", kind=Kind.RESULT, origin=None))
    room.show(0, "scan 1/1/result")
    assert picture_file_name(room, 0, ".mp4") == "DDS-20_CG-5_eta-0.15_as-stored-3.mp4"
    assert not pictures.busy


def test_names_of_volumes() -> None:
    room = Room()
    room.put(made("a"))
    room.put(made("b", origin=None))
    room.put(made("c", origin=None))
    room.put(made("d", name="FBP (classical)", kind=Kind.CLASSICAL))
    assert list(public_names(room).values()) == ["CT volume", "Volume 1", "Volume 2", "FBP (classical)"]
    assert all(item.origin is None for item in public_room(room))


def test_the_layout_lies_in_the_picture_as_on_screen(
    pictures: Pictures, room: Room, answers: Answers, qtbot: QtBot
) -> None:
    room.set_layout(Layout.SIDE)
    room.show(1, "a")
    room.set_pane(1, face=Face.CORONAL)
    canvases = [pictures.page.panes[i].canvas for i in (0, 1)]
    qtbot.waitUntil(lambda: abs(canvases[0].width() - canvases[1].width()) < 2)
    left, right = (canvas.size() for canvas in canvases)
    found = saved(pictures, qtbot, layout=True)
    assert found.shape[:2] == (left.height(), left.width() + 2 + right.width())
    studio = Studio(pictures.page)
    alone = frame_of(studio.pane(1))
    studio.release()
    assert np.array_equal(found[:, left.width() + 2 :], alone)
    room.maximise(1)
    qtbot.waitUntil(lambda: canvases[1].width() > left.width() + right.width())
    found = saved(pictures, qtbot, layout=True)
    whole = pictures.page.panes[1].canvas.size()
    assert found.shape[:2] == (whole.height(), whole.width())


def test_the_tool_draws_into_the_picture_too(pictures: Pictures, qtbot: QtBot) -> None:
    class Mark:
        def draw(self, painter: QPainter, canvas: RoomCanvas) -> None:
            painter.fillRect(QRect(100, 120, 30, 20), QColor("#ff00ff"))

        def hover(self, *_: object) -> None: ...

    canvas = pictures.page.panes[0].canvas
    canvas.tool = Mark()  # type: ignore[assignment]
    assert saved(pictures, qtbot)[130, 110].tolist() == [255, 0, 255]
    canvas.tool = None


def test_the_clipboard(pictures: Pictures, room: Room, qtbot: QtBot) -> None:
    pictures.copy()
    image = QGuiApplication.clipboard().image()
    assert image.size() == pictures.page.panes[0].canvas.size()
    studio = Studio(pictures.page)
    assert np.array_equal(frame_of(image), frame_of(studio.pane(0)))
    studio.release()
    room.remove("a")
    assert not pictures.can_save
    pictures.copy()
    pictures.save_pane()
    pictures.save_film()
    assert not pictures.busy


def test_a_picture_that_cannot_be_written_is_told(
    pictures: Pictures, answers: Answers, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "out.png").write_bytes(b"older")
    monkeypatch.setattr(Path, "write_bytes", full)
    with qtbot.waitSignal(pictures.told) as said:
        pictures.save_pane()
    notice = said.args[0]
    assert isinstance(notice, Notice)
    assert "No space left on device" in notice.why
    assert [p.name for p in tmp_path.glob("*out*")] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"older"
    answers.picture = "gone/out.png"
    with qtbot.waitSignal(pictures.told) as said:
        pictures.save_pane()
    assert "does not exist" in said.args[0].what


# Films


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
