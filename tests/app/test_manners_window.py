"""The manners of the window: undo, the palette, keys, looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.actions import DEEDS
from app.bridge.bridge import Bridge
from app.preferences import TEXT_SIZES, Preferences
from app.state.session import Session
from app.views.help_dialogs import ShortcutsDialog
from app.views.keys_dialog import KeysDialog
from app.views.main_window import MainWindow
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.app.manners_bench import LEFT, described, some_notice

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier

pytestmark = pytest.mark.usefixtures("usual_looks")


def drag(qtbot: QtBot, window: MainWindow, *places: QPoint) -> None:
    """With the left button held, over the image."""
    view = window.viewer.slice_view.viewport()
    qtbot.mousePress(view, LEFT, pos=places[0])
    for place in places[1:]:
        qtbot.mouseMove(view, place)
        QApplication.processEvents()
    qtbot.mouseRelease(view, LEFT, pos=places[-1])


class TestUndo:
    def test_a_drag_is_one_step_and_the_menu_says_what(self, opened: MainWindow, qtbot: QtBot) -> None:
        display, undo, redo = opened.session.display, opened.actions_["undo"], opened.actions_["redo"]
        assert not undo.isEnabled()
        assert undo.text() == "&Undo"
        start = display.levels
        drag(qtbot, opened, QPoint(50, 50), QPoint(80, 60), QPoint(120, 90))
        first = display.levels
        assert first != start
        drag(qtbot, opened, QPoint(50, 50), QPoint(70, 40), QPoint(90, 30))
        assert display.levels != first
        assert undo.text() == "&Undo window and level"
        qtbot.keyClick(opened, Qt.Key.Key_Z, CTRL)
        assert display.levels == first
        qtbot.keyClick(opened, Qt.Key.Key_Z, CTRL)
        assert display.levels == start
        assert not undo.isEnabled()
        assert redo.text() == "&Redo window and level"
        qtbot.keyClick(opened, Qt.Key.Key_Z, CTRL | SHIFT)
        assert display.levels == first

    def test_opening_is_no_step_and_starts_anew(self, ct: MainWindow, qtbot: QtBot) -> None:
        assert ct.session.history.labels == ()
        qtbot.keyClick(ct, Qt.Key.Key_2)
        qtbot.keyClick(ct, Qt.Key.Key_3)
        assert ct.session.history.labels == ("window and level",) * 2
        ct.open_path("/scans/head.h5")
        qtbot.waitUntil(lambda: ct.session.scan is not None and ct.session.scan.name == "head.h5")
        assert ct.session.history.labels == ()
        assert not ct.actions_["undo"].isEnabled()

    def test_a_setting_comes_back_into_its_field(self, opened: MainWindow, qtbot: QtBot) -> None:
        field = opened.parameters.rows["nfe"].field
        before = opened.session.choice.settings.nfe
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_Up)
        qtbot.keyClick(field, Qt.Key.Key_Up)
        assert opened.session.choice.settings.nfe == before + 2
        qtbot.keyClick(field, Qt.Key.Key_Z, CTRL)
        assert opened.session.choice.settings.nfe == before
        assert field.value() == before

    def test_typed_text_keeps_its_own_undo(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.session.choice.set(nfe=33)
        edit = opened.viewer.window_edit
        edit.setFocus()
        shown = edit.text()
        qtbot.keyClicks(edit, "77")
        assert edit.text() != shown
        qtbot.keyClick(edit, Qt.Key.Key_Z, CTRL)
        assert edit.text() == shown
        assert opened.session.choice.settings.nfe == 33
        qtbot.keyClick(edit, Qt.Key.Key_Z, CTRL)
        assert opened.session.choice.settings.nfe != 33


class TestPalette:
    def test_letters_find_and_enter_does(self, opened: MainWindow, qtbot: QtBot) -> None:
        palette = opened.palette_
        opened.viewer.slice_view.setFocus()
        qtbot.keyClick(opened, Qt.Key.Key_P, CTRL | SHIFT)
        assert palette.isVisible()
        assert palette.line.hasFocus()
        qtbot.keyClicks(palette.line, "pha")
        assert palette.found[0].name == "phase"
        qtbot.keyClick(palette.line, Qt.Key.Key_Return)
        assert not palette.isVisible()
        assert opened.session.display.component == "phase"
        assert opened.viewer.slice_view.hasFocus()
        qtbot.keyClick(opened, Qt.Key.Key_P, CTRL | SHIFT)
        assert palette.found[0].name == "phase"
        assert palette.line.text() == ""

    def test_it_lists_where_and_by_which_key_and_why_not(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.palette_.open()
        listed = {command.name: command for command in opened.palette_.found}
        assert (listed["save"].path, listed["save"].key, listed["save"].why_not) == ("File", "Ctrl+S", "")
        assert listed["theme_dark"].path == "View › Theme"
        assert listed["pause"].why_not == "no run is going on"
        hidden = {name for name in opened.actions_ if not opened.actions_[name].isVisible()}
        assert listed.keys() == set(DEEDS) - hidden - {"commands", "dismiss"}
        assert all(command.path for command in listed.values())

    def test_what_cannot_be_chosen_is_not(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.palette_.open()
        qtbot.keyClicks(opened.palette_.line, "discard")
        qtbot.keyClick(opened.palette_.line, Qt.Key.Key_Return)
        assert opened.palette_.isVisible()
        assert Preferences().commands == []

    def test_up_down_and_the_mouse(self, opened: MainWindow, qtbot: QtBot) -> None:
        palette = opened.palette_
        palette.open()
        for key, row in ((Qt.Key.Key_Down, 1), (Qt.Key.Key_Down, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_PageUp, 0)):
            qtbot.keyClick(palette.line, key)
            assert palette.list.currentRow() == row
        qtbot.keyClicks(palette.line, "light")
        item = palette.list.visualItemRect(palette.list.item(0))
        qtbot.mouseClick(palette.list.viewport(), LEFT, pos=item.center())
        assert Preferences().theme == "light"

    def test_esc_closes_it_and_no_message(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.session.tell(some_notice())
        opened.palette_.open()
        qtbot.keyClick(opened.palette_.line, Qt.Key.Key_Escape)
        assert not opened.palette_.isVisible()
        assert opened.session.notice is not None

    def test_letters_do_not_reach_the_window_and_nothing_found_is_no_error(
        self, opened: MainWindow, qtbot: QtBot
    ) -> None:
        layout = opened.session.display.layout
        opened.palette_.open()
        qtbot.keyClicks(opened.palette_.line, "mmmxqj")
        assert opened.palette_.found == []
        qtbot.keyClick(opened.palette_.line, Qt.Key.Key_Down)
        qtbot.keyClick(opened.palette_.line, Qt.Key.Key_Return)
        assert opened.session.display.layout == layout

    def test_it_closes_when_the_keyboard_goes_elsewhere(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.palette_.open()
        opened.viewer.window_edit.setFocus()
        assert not opened.palette_.isVisible()
        assert opened.viewer.window_edit.hasFocus()

    def test_it_stays_inside_a_small_window(self, window: MainWindow, qtbot: QtBot) -> None:
        window.setMinimumSize(300, 240)
        window.resize(window.minimumSizeHint())
        window.palette_.open()
        qtbot.waitUntil(lambda: window.rect().contains(window.palette_.geometry()))


class TestKeys:
    @pytest.fixture
    def dialog(self, opened: MainWindow, qtbot: QtBot) -> Iterator[KeysDialog]:
        made = KeysDialog(opened.actions_, opened.preferences, opened)
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        made.open()
        qtbot.waitUntil(made.isVisible)
        yield made
        made.close()
        made.deleteLater()

    def test_every_action_is_listed(self, dialog: KeysDialog, opened: MainWindow) -> None:
        unseen = {name for name in DEEDS if name.startswith("language_")} - dialog.rows.keys()
        assert dialog.rows.keys() == DEEDS.keys() - unseen
        assert all(row.edit.keySequence() == opened.actions_[name].shortcut() for name, row in dialog.rows.items())

    def test_another_key_works_at_once_and_is_kept(self, dialog: KeysDialog, opened: MainWindow, qtbot: QtBot) -> None:
        qtbot.keyClick(dialog.rows["smooth"].edit, Qt.Key.Key_X)
        assert opened.actions_["smooth"].shortcut().toString() == "X"
        assert opened.actions_["smooth"].toolTip().endswith("(X)")
        assert dialog.rows["smooth"].reset.isEnabled()
        assert Preferences().keys == {"smooth": "X"}
        assert ("X", DEEDS["smooth"].tip) in ShortcutsDialog(opened, opened.actions_).lines
        dialog.close()
        with qtbot.waitActive(opened):
            opened.activateWindow()
        smooth = opened.actions_["smooth"].isChecked()
        qtbot.keyClick(opened, Qt.Key.Key_X)
        assert opened.actions_["smooth"].isChecked() is not smooth

    def test_a_key_of_another_action_stays_there_until_it_is_taken(
        self, dialog: KeysDialog, opened: MainWindow, qtbot: QtBot
    ) -> None:
        qtbot.keyClick(dialog.rows["smooth"].edit, Qt.Key.Key_P)
        assert "P is the key of “Pause”" in dialog.trouble.text()
        assert opened.actions_["pause"].shortcut().toString() == "P"
        assert opened.actions_["smooth"].shortcut().isEmpty()
        qtbot.mouseClick(dialog.take, LEFT)
        assert opened.actions_["smooth"].shortcut().toString() == "P"
        assert opened.actions_["pause"].shortcut().isEmpty()
        assert dialog.rows["pause"].edit.keySequence().isEmpty()
        assert Preferences().keys == {"smooth": "P", "pause": ""}
        assert dialog.trouble.text() == ""

    @pytest.mark.parametrize("key", [Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_Space, Qt.Key.Key_Return])
    def test_keys_that_images_and_fields_need_are_refused(
        self, dialog: KeysDialog, opened: MainWindow, qtbot: QtBot, key: Qt.Key
    ) -> None:
        qtbot.keyClick(dialog.rows["smooth"].edit, key)
        assert opened.actions_["smooth"].shortcut().isEmpty()
        assert "cannot be the key" in dialog.trouble.text()
        assert not dialog.take.isVisible()

    def test_backspace_empties_and_one_or_all_come_back(
        self, dialog: KeysDialog, opened: MainWindow, qtbot: QtBot
    ) -> None:
        qtbot.keyClick(dialog.rows["pause"].edit, Qt.Key.Key_Backspace)
        assert opened.actions_["pause"].shortcut().isEmpty()
        qtbot.keyClick(dialog.rows["smooth"].edit, Qt.Key.Key_P)
        qtbot.mouseClick(dialog.rows["pause"].reset, LEFT)
        assert opened.actions_["pause"].shortcut().toString() == "P"
        assert opened.actions_["smooth"].shortcut().isEmpty()
        assert "“Smooth pixels” had this key" in dialog.trouble.text()
        qtbot.keyClick(dialog.rows["fit"].edit, Qt.Key.Key_F, CTRL)
        qtbot.mouseClick(dialog.reset_all, LEFT)
        assert Preferences().keys == {}
        assert all(opened.actions_.key_of(name) == deed.key for name, deed in DEEDS.items())

    def test_esc_leaves_and_the_search_finds(self, dialog: KeysDialog, qtbot: QtBot) -> None:
        qtbot.keyClicks(dialog.search, "zoom")
        shown = {name for name, row in dialog.rows.items() if not row.edit.isHidden()}
        assert {"fit", "zoom_in", "zoom_out"} <= shown
        assert "quit" not in shown
        edit = dialog.rows["zoom_in"].edit
        edit.setFocus()
        qtbot.keyClick(edit, Qt.Key.Key_Escape)
        assert not dialog.isVisible()

    def test_keys_are_there_at_the_next_start(
        self, qtbot: QtBot, fake: FakeEngine, dialogs: FakeDialogs, qapp: QApplication
    ) -> None:
        Preferences().keys = {"smooth": "X", "pause": "", "no such action": "Q"}
        session = Session()
        window = MainWindow(session, Bridge(session, fake.engine()), Preferences(), dialogs)  # type: ignore[arg-type]
        assert (window.actions_.key_of("smooth"), window.actions_.key_of("pause")) == ("X", "")
        window.leave()
        window.bridge.wait_for_end()
        window.deleteLater()


class TestLooks:
    def test_text_grows_in_the_whole_window_and_is_remembered(self, opened: MainWindow, qtbot: QtBot) -> None:
        labels: list[QWidget] = [opened.scan_card.name, opened.parameters.reconstruct, opened.menuBar()]
        before = [label.font().pointSizeF() for label in labels]
        for _ in TEXT_SIZES:
            opened.actions_["text_larger"].trigger()
        assert Preferences().text_size == 200
        assert not opened.actions_["text_larger"].isEnabled()
        qtbot.waitUntil(lambda: [label.font().pointSizeF() for label in labels] == [2 * size for size in before])
        for _ in TEXT_SIZES:
            opened.actions_["text_smaller"].trigger()
        assert Preferences().text_size == 80
        qtbot.keyClick(opened, Qt.Key.Key_0, CTRL | Qt.KeyboardModifier.AltModifier)
        assert Preferences().text_size == 100
        qtbot.waitUntil(lambda: [label.font().pointSizeF() for label in labels] == before)

    @pytest.mark.parametrize("name", theme.NAMES)
    def test_where_the_keyboard_is_can_be_seen_on_every_control(
        self, opened: MainWindow, qtbot: QtBot, name: str
    ) -> None:
        opened.set_theme(name)
        ink = QColor(theme.current().focus).rgb()
        unseen = []
        for control in controls(opened):
            control.setFocus(Qt.FocusReason.TabFocusReason)
            focused = QApplication.focusWidget()
            assert focused is not None
            grabbed = focused.grab().toImage()
            across = sum(grabbed.pixel(x, 0) == ink for x in range(grabbed.width()))
            if across < 0.9 * grabbed.width() or opened.rings.around is not focused:
                unseen.append(described(control))
        assert not unseen

    def test_high_contrast_is_followed_by_the_words(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.actions_["theme_contrast"].trigger()
        assert Preferences().theme == "contrast"
        form = opened.parameters
        qtbot.waitUntil(lambda: form.palette().window().color() == QColor("#000000"))
        assert form.palette().windowText().color() == QColor("#ffffff")


def controls(window: QWidget) -> list[QWidget]:
    """Everything on view that takes the keyboard by Tab."""
    return [
        w
        for w in window.findChildren(QWidget)
        if w.isVisible()
        and w.isEnabled()
        and w.focusPolicy() & Qt.FocusPolicy.TabFocus
        and w.focusProxy() is None
        and not w.objectName().startswith("qt_")
        and not isinstance(w, QMenu)
    ]
