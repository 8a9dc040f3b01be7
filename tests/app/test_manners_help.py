"""The manners of the window: the tour, names for those who do not see it, the language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from app import theme, words
from app import window as starter
from app.actions import DEEDS
from app.preferences import Preferences
from app.views.keys_dialog import KeysDialog
from app.views.main_window import MainWindow
from app.views.tour import STEPS, part_of
from tests.app.fakes import FakeEngine
from tests.app.manners_bench import LEFT, described, some_notice

pytestmark = pytest.mark.usefixtures("usual_looks")


class TestTour:
    def test_enter_leads_through_all_of_it_over_the_demo(
        self, window: MainWindow, fake: FakeEngine, qtbot: QtBot
    ) -> None:
        fake.files["mri_head.h5"] = fake.files["head.h5"]
        tour = window.tour
        window.actions_["tour"].trigger()
        assert tour.title.text() == STEPS[0].title
        assert window.empty.demo.isVisible()
        qtbot.keyClick(tour.next, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: tour.at == 1)
        assert window.session.scan is not None
        for step in range(2, len(STEPS)):
            qtbot.keyClick(tour.next, Qt.Key.Key_Return)
            assert tour.at == step
            assert part_of(window, step).isVisible()
            assert window.rect().contains(tour.geometry())
            assert tour.text.text() == STEPS[step].text
        assert tour.next.text() == "&Done"
        qtbot.keyClick(tour.next, Qt.Key.Key_Left)
        assert tour.at == len(STEPS) - 2
        qtbot.keyClick(tour.next, Qt.Key.Key_Right)
        qtbot.keyClick(tour.next, Qt.Key.Key_Return)
        assert not tour.isVisible()
        assert window.viewer.slice_view.hasFocus()
        assert Preferences().tour_seen
        qtbot.waitUntil(lambda: not any(run.going_on for run in window.session.runs))

    def test_esc_and_skip_end_it_and_close_nothing_else(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.session.tell(some_notice())
        opened.tour.start()
        qtbot.keyClick(opened.tour.next, Qt.Key.Key_Escape)
        assert not opened.tour.isVisible()
        assert opened.session.notice is not None
        opened.tour.start()
        qtbot.mouseClick(opened.tour.skip, LEFT)
        assert not opened.tour.isVisible()

    def test_the_buttons_work_with_the_mouse(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.tour.start()
        assert not opened.tour.back.isEnabled()
        qtbot.mouseClick(opened.tour.next, LEFT)
        qtbot.mouseClick(opened.tour.next, LEFT)
        assert opened.tour.at == 2
        qtbot.mouseClick(opened.tour.back, LEFT)
        assert opened.tour.at == 1

    def test_a_demo_that_cannot_be_opened_ends_the_wait(self, window: MainWindow, qtbot: QtBot) -> None:
        window.tour.start()
        qtbot.mouseClick(window.tour.next, LEFT)
        qtbot.waitUntil(lambda: window.session.notice is not None)
        assert (window.tour.at, window.tour.next.text()) == (0, "&Next")

    def test_it_stays_inside_a_small_window_and_follows_it(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.setMinimumSize(400, 300)
        for step in range(len(STEPS)):
            opened.resize(1280, 720)
            opened.tour.go(step)
            opened.resize(opened.minimumSizeHint())
            QApplication.processEvents()
            assert opened.rect().contains(opened.tour.geometry()), STEPS[step].title

    @pytest.mark.parametrize(
        ("given", "starts"),
        [({}, True), ({"path": "/scans/head.h5"}, False), ({"demo": "mri"}, False), ({"screenshot": "x"}, False)],
    )
    def test_it_starts_by_itself_once_and_only_in_an_empty_window(
        self, qapp: QApplication, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], starts: bool
    ) -> None:
        fake.files["mri_head.h5"] = fake.files["head.h5"]
        seen: list[bool] = []

        def look_and_leave() -> int:
            window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
            seen.append(window.tour.isVisible())
            window.leave()
            window.deleteLater()
            return 0

        monkeypatch.setattr(starter.QApplication, "exec", lambda *_: look_and_leave())
        for _ in range(2):
            starter.launch(**given, engine=fake.engine())  # type: ignore[arg-type]
        assert seen == [starts, False]


class TestNames:
    def test_all_controls_have_a_name(self, window: MainWindow) -> None:
        assert unnamed(window) == []

    def test_with_a_scan_too(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.parameters.more.setChecked(True)
        assert unnamed(opened) == []

    def test_and_in_the_dialogs(self, opened: MainWindow, qtbot: QtBot) -> None:
        opened.show_priors()
        opened.palette_.open()
        opened.tour.start()
        keys = KeysDialog(opened.actions_, opened.preferences, opened)
        keys.open()
        assert unnamed(opened) == []
        keys.close()


def unnamed(window: MainWindow) -> list[str]:
    """Controls that take the keyboard, on view or not, and that a screen reader could only call by their kind."""
    found = []
    for widget in window.findChildren(QWidget):
        inside = widget.objectName().startswith("qt_") or widget.focusProxy() is not None
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or inside or isinstance(widget, QMenu | QScrollBar):
            continue
        if widget.window().windowType() == Qt.WindowType.Popup:
            continue  # the list of a box, which has the name of the box
        said = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
        if isinstance(widget, QLabel) and not said:
            continue
        if not (widget.accessibleName() or said or labelled(widget, window)):
            found.append(described(widget))
    return found


def labelled(widget: QWidget, window: QWidget) -> bool:
    return any(label.buddy() is widget and label.text() for label in window.findChildren(QLabel))


class TestLanguage:
    @pytest.fixture
    def pseudo(self) -> Iterator[None]:
        words.use(lambda text: f"[{text}]")
        yield
        words.use(None)

    @pytest.mark.usefixtures("pseudo")
    def test_every_word_of_menus_palette_and_tips_is_translated(self, window: MainWindow) -> None:
        bracketed = [action.text() for menu in window.menus.menus for action in all_actions(menu)]
        bracketed += [window.actions_[name].text() for name in DEEDS]
        bracketed += [menu.title() for menu in window.menus.menus]
        assert not [text for text in bracketed if not (text.startswith("[") and text.endswith("]"))]
        assert all(window.actions_[name].toolTip().startswith("[") for name in DEEDS)
        window.palette_.open()
        for command in window.palette_.found:
            assert command.words.startswith("[")
            assert all(part.startswith("[") for part in command.path.split(" › ")), command
            assert command.why_not == "" or command.why_not.startswith("[")

    def test_a_language_is_remembered_and_those_without_words_are_not_offered(
        self, window: MainWindow, qtbot: QtBot
    ) -> None:
        window.actions_["language_en"].trigger()
        assert Preferences().language == "en"
        assert "started again" in window.statusBar().currentMessage()
        window.statusBar().clearMessage()


def all_actions(menu: QMenu) -> Iterator[object]:
    for action in menu.actions():
        if action.menu() is not None and action.menu().title() != "[Open &recent]":
            yield from all_actions(action.menu())  # type: ignore[arg-type]
        if not action.isSeparator():
            yield action


def test_the_font_of_the_desktop_is_the_usual_one(qapp: QApplication) -> None:
    theme.scale_text(100)
    assert isinstance(qapp.font(), QFont)
    usual = qapp.font().pointSizeF()
    theme.scale_text(150)
    theme.scale_text(100)
    assert qapp.font().pointSizeF() == usual
