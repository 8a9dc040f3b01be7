"""From a file or a run into the viewing room, and out of it again, as a user does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from app.preferences import Preferences
from app.state.room.item import Kind
from app.state.room.pane import Comparison, Layout
from app.state.session import FolderQuestion
from app.views.main_window import MainWindow
from core.formats.folder import Entry
from core.formats.identity import Identity
from core.formats.volume_parts import Opened
from core.scan import Volume
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.app.test_room_page import drag

SHAPE = (6, 10, 12)
NAME = "Doe^Jane"


def volume(path: str = "/volumes/head.nii", value: int = 0) -> Opened:
    """Whole numbers that rise along every axis, in HU."""
    array = (np.arange(np.prod(SHAPE)).reshape(SHAPE) + value).astype(np.int16)
    found = Volume(array, "HU", np.diag([1.0, 1.0, 3.0, 1.0]), (1.0, 1.0, 3.0), SHAPE[0])
    return Opened(
        found, path, "NIfTI", ("It leans.",), "head", identity=Identity(patient_name=NAME), windows=(("Head", 90, 30),)
    )


@pytest.fixture
def viewing(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> MainWindow:
    """The window with a volume open."""
    fake.volumes["head.nii"] = volume()
    fake.volumes["late.nii"] = volume("/volumes/late.nii", 40)
    show(window, "/volumes/head.nii", qtbot)
    return window


def show(window: MainWindow, path: str, qtbot: QtBot) -> None:
    before = len(window.session.room)
    window.open_path(path)
    qtbot.waitUntil(lambda: len(window.session.room) > before and not window.session.reading)


def test_a_volume_opens_in_review_with_the_files_own_window(viewing: MainWindow) -> None:
    assert viewing.stack.reviewing
    assert viewing.stack.currentWidget() is viewing.reviewing.page
    pane = viewing.reviewing.page.panes[0]
    viewing.reviewing.page.refresh()
    assert pane.canvas.overlay.title == "head.nii"
    assert pane.canvas.overlay.levels == "W 90  L 30 HU"
    notice = viewing.session.notice
    assert notice is not None
    assert not notice.error
    assert "not raw data" in notice.what
    assert "It leans." in notice.why
    assert notice.volume == "/volumes/head.nii", "a scan can be simulated of it"


def test_a_volume_replaces_nothing_and_asks_nothing(
    opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    fake.volumes["head.nii"] = volume()
    show(opened, "/volumes/head.nii", qtbot)
    assert dialogs.asked == []
    assert opened.session.scan is not None
    qtbot.keyClick(opened, Qt.Key.Key_F5)
    assert opened.stack.currentWidget() is opened.parts
    qtbot.keyClick(opened, Qt.Key.Key_F6)
    assert opened.stack.currentWidget() is opened.reviewing.page


def test_runs_are_items_of_the_room_and_go_with_their_scan(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    room = opened.session.room
    assert {item.kind for item in room} == {Kind.CLASSICAL}
    opened.bridge.reconstruct()
    fake.script.let(1)
    qtbot.waitUntil(lambda: any(item.kind is Kind.RESULT for item in room))
    live = next(item for item in room if item.kind is Kind.RESULT)
    assert not live.final
    assert "step 1 of 4" in live.title
    fake.script.let(3)
    qtbot.waitUntil(lambda: finished(opened, 2))
    results = [item for item in room if item.kind is Kind.RESULT and not item.name.endswith("steps")]
    assert len(results) == 1
    assert results[0].name.startswith("DDS ")
    assert results[0].final
    assert room.panes[0].item == results[0].key, "where the classical image was"
    opened.open_path("/scans/other.h5")
    qtbot.waitUntil(lambda: opened.session.scan is not None and opened.session.scan.name == "other.h5")
    qtbot.waitUntil(lambda: finished(opened, 1))
    assert all(item.kind is Kind.CLASSICAL for item in room)
    assert len({item.family for item in room}) == 1


def test_the_layout_keys_lead_to_review(opened: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert opened.stack.reviewing
    assert opened.session.room.layout is Layout.SIDE
    assert opened.actions_["layout_side"].isChecked()


def test_keys_of_windows_are_for_the_active_pane(viewing: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(viewing, Qt.Key.Key_3)
    assert viewing.session.room.levels_of(0).window == 2000
    qtbot.keyClick(viewing, Qt.Key.Key_R)
    assert viewing.session.room.levels_of(0).window == 90
    qtbot.keyClick(viewing, Qt.Key.Key_I)
    assert viewing.session.room.panes[0].invert


def test_undo_takes_back_a_drag_as_one_step_and_not_the_scrolling(viewing: MainWindow, qtbot: QtBot) -> None:
    room, canvas = viewing.session.room, viewing.reviewing.page.panes[0].canvas
    before = room.levels_of(0)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    for x in (120, 140, 160):
        move(canvas, QPoint(x, 100))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(160, 100))
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    place = room.place_of(0)
    assert room.levels_of(0) != before
    assert viewing.session.history.undo_label == "window and level"
    qtbot.keyClick(viewing, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert room.levels_of(0) == before
    assert room.place_of(0) == place
    qtbot.keyClick(viewing, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert room.levels_of(0) != before


def move(canvas: object, to: QPoint) -> None:
    drag(canvas, to)


def test_a_folder_with_several_things_asks_which(
    window: MainWindow, fake: FakeEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    fake.volumes |= {"t1.nii": volume("/study/t1.nii"), "t2.nii": volume("/study/t2.nii", 9)}
    picture = np.full((20, 30), 128, np.uint8)
    fake.folders["study"] = [
        Entry("series", "T1 axial, 24 images", "/study/t1.nii", (), 24, "5 mm from slice to slice", picture),
        Entry("volume", "t2.nii, 30 slices", "/study/t2.nii", (), 30),
        Entry("scan", "head.h5, raw data", "/study/head.h5", (), 0, "3 MB"),
    ]
    folder = tmp_path / "study"
    folder.mkdir()
    window.open_path(str(folder))
    qtbot.waitUntil(lambda: window.reviewing.dialog is not None)
    dialog = window.reviewing.dialog
    assert dialog is not None
    assert dialog.list.count() == 3
    dialog.list.item(1).setSelected(True)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(window.session.room) == 2)
    assert [item.name for item in window.session.room] == ["t1.nii", "t2.nii"]
    assert window.reviewing.dialog is None


def test_two_raw_scans_cannot_be_chosen(window: MainWindow, qtbot: QtBot) -> None:
    entries = tuple(Entry("scan", f"{n}.h5, raw data", f"/study/{n}.h5", (), 0) for n in "ab")
    window.session.folder_asked.emit(FolderQuestion("/study", entries))
    dialog = window.reviewing.dialog
    assert dialog is not None
    dialog.list.selectAll()
    button = dialog.buttons.button(QDialogButtonBox.StandardButton.Open)
    assert not button.isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert len(window.session.room) == 0


def test_an_export_leaves_the_name_out_unless_it_is_to_be_kept(
    viewing: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    dialogs.target = "/out/head.dcm"
    dialogs.answer = False
    qtbot.keyClick(viewing, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(fake.exported) == 1)
    assert fake.exported[0] == ("head.nii", "/out/head.dcm", False)
    assert dialogs.asked[-1] == "keep identity?"
    dialogs.answer = True
    viewing.actions_["export_volume"].trigger()
    qtbot.waitUntil(lambda: len(fake.exported) == 2)
    assert fake.exported[1][2] is True
    dialogs.target = "/out/locked.dcm"
    viewing.actions_["export_volume"].trigger()
    qtbot.waitUntil(lambda: viewing.session.notice is not None and viewing.session.notice.error)
    assert "locked" in viewing.session.notice.what  # type: ignore[union-attr]


def test_nobody_is_named_unless_the_user_asks(viewing: MainWindow) -> None:
    page = viewing.reviewing.page
    page.refresh()
    canvas = page.panes[0].canvas
    assert canvas.overlay.who == ()
    assert NAME not in repr(canvas.overlay)
    assert NAME not in viewing.windowTitle()
    viewing.actions_["identity"].trigger()
    page.refresh()
    assert canvas.overlay.who == (NAME,)


def test_corner_words_can_be_left_out_but_not_the_letters(viewing: MainWindow) -> None:
    page = viewing.reviewing.page
    viewing.actions_["corners"].trigger()
    page.refresh()
    overlay = page.panes[0].canvas.overlay
    assert overlay.place == ()
    assert overlay.levels == ""
    assert overlay.letters is not None
    assert overlay.title


def test_a_difference_becomes_a_volume_of_its_own(viewing: MainWindow, qtbot: QtBot) -> None:
    show(viewing, "/volumes/late.nii", qtbot)
    room = viewing.session.room
    room.show(0, "file /volumes/late.nii")
    room.set_pane(0, over="file /volumes/head.nii", comparison=Comparison.BLEND)
    viewing.actions_["subtract"].trigger()
    qtbot.waitUntil(lambda: len(room) == 3)
    made = next(item for item in room if item.kind is Kind.DIFFERENCE)
    assert made.name == "late.nii minus head.nii"
    assert np.all(made.stacks == 40)
    viewing.reviewing.page.refresh()
    assert "Difference of two volumes" in viewing.reviewing.page.panes[0].canvas.overlay.marks
    qtbot.keyClick(viewing, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert len(room) == 2


def test_a_closed_volume_leaves_the_empty_state(viewing: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(viewing, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert viewing.stack.currentWidget() is viewing.empty
    assert not viewing.actions_["export_volume"].isEnabled()


def test_a_damaged_volume_is_told_and_changes_nothing(viewing: MainWindow, qtbot: QtBot) -> None:
    viewing.open_path("/damaged/late.nii")
    qtbot.waitUntil(lambda: viewing.session.notice is not None and viewing.session.notice.error)
    assert len(viewing.session.room) == 1
    assert not viewing.session.reading
    QTest.qWait(0)


def test_the_layout_is_remembered(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    window.leave()
    assert Preferences().room_layout == "MPR"


def test_a_picture_names_nobody_even_with_names_on_screen(
    viewing: MainWindow, dialogs: FakeDialogs, tmp_path: Path, qtbot: QtBot
) -> None:
    viewing.actions_["identity"].trigger()
    dialogs.target = str(tmp_path / "pane.png")
    with qtbot.waitSignal(viewing.reviewing.pictures.saved):
        qtbot.keyClick(viewing, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert (tmp_path / "pane.png").stat().st_size > 0
    assert "head" not in dialogs.asked[-1], "the name of the file may be somebody's"
