"""Pictures of panes and layouts: what is in them, and what never is."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QGuiApplication, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.pictures import frame_of
from app.state.notice import Notice
from app.state.room.item import Kind
from app.state.room.pane import Comparison, Face, Layout
from app.state.room.public import picture_file_name, public_names, public_room
from app.state.room.room import Room
from app.views import overlay
from app.views.room_canvas import RoomCanvas
from app.views.room_pictures import Pictures
from app.views.room_studio import Studio
from tests.app.pictures_bench import PATIENT, Answers, made, saved


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
