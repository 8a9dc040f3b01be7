"""Without a window: history, finding actions, colours, preferences, catalogues."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor, QKeySequence

from app import theme, words
from app.actions import DEEDS, TAKEN, plain
from app.commands import NO_MATCH, WHY_NOT, Command, ranked, score
from app.preferences import Preferences
from app.state.recorder import Recorder
from app.state.session import Session
from app.state.undo import MOST_STEPS, History
from app.words import tr


class Box:
    """A value that is set and remembered."""

    def __init__(self) -> None:
        self.value = 0
        self.history = History()

    def put(self, value: int, label: str = "value", key: str | None = None) -> None:
        before, self.value = self.value, value
        self.history.push(label, lambda: setattr(self, "value", before), lambda: setattr(self, "value", value), key)


class TestHistory:
    def test_back_and_forth(self) -> None:
        box = Box()
        for value in (1, 2, 3):
            box.put(value, f"to {value}")
        assert (box.history.undo_label, box.history.redo_label) == ("to 3", "")
        box.history.undo()
        box.history.undo()
        assert (box.value, box.history.undo_label, box.history.redo_label) == (1, "to 1", "to 2")
        box.history.redo()
        assert (box.value, box.history.labels) == (2, ("to 1", "to 2"))
        box.put(9, "to 9")
        assert box.history.redo_label == ""
        box.history.redo()
        assert box.value == 9

    def test_nothing_to_undo_is_no_error(self) -> None:
        history = History()
        history.undo()
        history.redo()
        assert history.labels == ()

    def test_a_gesture_is_one_step_until_it_ends(self) -> None:
        box = Box()
        for value in (1, 2, 3):
            box.put(value, key="drag")
        box.history.seal()
        box.put(4, key="drag")
        box.put(5, key="other")
        assert len(box.history.labels) == 3
        box.history.undo()
        assert box.value == 4
        box.history.undo()
        assert box.value == 3
        box.history.undo()
        assert box.value == 0
        box.history.redo()
        assert box.value == 3

    def test_what_follows_an_undo_is_not_merged_into_an_older_step(self) -> None:
        box = Box()
        box.put(1, key="drag")
        box.history.seal()
        box.put(2, key="drag")
        box.history.undo()
        box.put(7, key="drag")
        box.history.undo()
        assert box.value == 1

    def test_the_oldest_steps_are_forgotten(self) -> None:
        box = Box()
        for value in range(1, MOST_STEPS + 11):
            box.put(value)
        assert len(box.history.labels) == MOST_STEPS
        for _ in range(MOST_STEPS + 5):
            box.history.undo()
        assert box.value == 10

    def test_what_an_undo_causes_is_no_step(self) -> None:
        history = History()
        history.push("outer", lambda: history.push("inner", int, int), int)
        history.undo()
        assert (history.labels, history.redo_label) == ((), "outer")

    def test_an_undo_that_fails_leaves_the_history_usable(self) -> None:
        history = History()
        history.push("bad", lambda: 1 / 0, int)
        with pytest.raises(ZeroDivisionError):
            history.undo()
        history.push("good", int, int)
        assert history.undo_label == "good"

    def test_it_tells(self) -> None:
        told: list[str] = []
        box = Box()
        box.history.changed.connect(lambda: told.append(box.history.undo_label))
        box.put(1, "one")
        box.history.undo()
        box.history.clear()
        assert told == ["one", "", ""]


class TestRecorder:
    def test_settings_come_back_with_what_followed_from_them(self) -> None:
        session = Session()
        recorder = Recorder(session)
        choice, history = session.choice, session.history
        start, defaults = choice.settings, choice.defaults
        choice.set(prior="ct-small")
        assert choice.defaults != defaults
        history.undo()
        assert (choice.settings, choice.defaults) == (start, defaults)
        history.redo()
        assert choice.settings.prior == "ct-small"
        assert recorder.dragging is False

    def test_a_number_that_is_stepped_is_one_step_and_others_are_their_own(self) -> None:
        session = Session()
        recorder = Recorder(session)
        start = session.choice.settings
        for nfe in (30, 31, 32):
            session.choice.set(nfe=nfe)
        session.choice.set(seed=5)
        session.choice.set_only_this_slice(True)
        assert session.history.labels == ("NFE", "Seed", "slices to reconstruct")
        session.history.undo()
        assert session.choice.only_this_slice is False
        session.history.undo()
        session.history.undo()
        assert session.choice.settings == start
        assert recorder is not None

    def test_what_is_looked_at_is_no_step_but_how_is(self) -> None:
        session = Session()
        recorder = Recorder(session)
        display = session.display
        display.set_frames(9)
        display.go_to(4)
        display.look_at("spread")
        assert session.history.labels == ()
        display.set_levels(2.0, 1.0)
        display.set_component("phase")
        display.set_layout("planes")
        assert session.history.labels == ("window and level", "component", "layout")
        for _ in range(3):
            session.history.undo()
        assert (display.touched, display.component, display.layout, display.frame) == (False, "magnitude", "slice", 4)
        assert recorder is not None


class TestFinding:
    def test_letters_must_come_in_their_order(self) -> None:
        assert score("zin", "Zoom in") > NO_MATCH
        assert score("niz", "Zoom in") == NO_MATCH
        assert score("", "Zoom in") == 0
        assert score("zoom  IN", "Zoom in") > NO_MATCH
        assert score("x", "") == NO_MATCH

    def test_starts_of_words_count_more(self) -> None:
        assert score("rw", "Reset window") > score("rw", "Draw")
        assert score("sa", "Save") > score("sa", "Discard")
        assert score("re", "Are reset") == score("re", "reset")

    def test_the_best_placing_is_found_not_the_first(self) -> None:
        assert score("on", "To open new") == score("on", "open new")

    def test_order(self) -> None:
        here = [Command("a", "Open"), Command("b", "Open folder"), Command("c", "Zoom", why_not="no image")]
        assert [c.name for c in ranked("", here)] == ["a", "b", "c"]
        assert [c.name for c in ranked("", here, ["b"])] == ["b", "a", "c"]
        assert [c.name for c in ranked("", here, ["c"])] == ["a", "b", "c"]
        assert [c.name for c in ranked("of", here)] == ["b"]
        assert [c.name for c in ranked("o", here)][:2] == ["a", "b"]

    def test_the_menu_counts_less_than_the_name(self) -> None:
        here = [Command("dark", "Dark", "View › Theme"), Command("theme", "The same", "File")]
        assert [c.name for c in ranked("theme", here)] == ["theme", "dark"]

    def test_reasons_are_given_for_actions_that_there_are(self) -> None:
        assert set(WHY_NOT) <= set(DEEDS)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("window", "panel", "base", "button", "warning_ground", "error_ground")
INKS = ("text", "muted", "link", "warning", "error", "good")


@pytest.mark.parametrize(("name", "least"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
def test_all_words_stand_out(name: str, least: float) -> None:
    """WCAG 2.2, 1.4.3 and 1.4.6. Disabled words are exempt there; in high contrast they are not here."""
    c = dataclasses.asdict(theme.colours(name))
    inks = (*INKS, "disabled") if name == "contrast" else INKS
    low = {
        (ink, ground): ratio
        for ink, ground in itertools.product(inks, GROUNDS)
        if (ratio := contrast(c[ink], c[ground])) < least
    }
    assert not low
    assert contrast(c["accent_text"], c["accent"]) >= least
    assert all(contrast(c["focus"], c[ground]) >= 3 for ground in GROUNDS)


def test_high_contrast_is_white_on_black_with_yellow() -> None:
    c = theme.colours("contrast")
    assert (c.window, c.base, c.text) == ("#000000", "#000000", "#ffffff")
    assert QColor(c.focus).hue() in range(45, 66)


@pytest.fixture
def stored() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "dds-viewer", "dds-viewer")


def test_preferences_are_kept(stored: QSettings) -> None:
    kept = Preferences()
    assert (kept.text_size, kept.keys, kept.commands, kept.tour_seen, kept.language) == (100, {}, [], False, "system")
    kept.text_size, kept.keys, kept.tour_seen, kept.language = 150, {"pause": "", "open": "O"}, True, "de"
    for name in ("open", "save", "open"):
        kept.remember_command(name)
    kept.flush()
    again = Preferences()
    assert (again.text_size, again.keys, again.tour_seen) == (150, {"pause": "", "open": "O"}, True)
    assert (again.commands, again.language) == (["open", "save"], "de")


@pytest.mark.parametrize("bad", ["x", "[1]", "3", '{"a"'])
def test_preferences_that_were_spoilt_are_passed_over(stored: QSettings, bad: str) -> None:
    stored.setValue("keys", bad)
    stored.setValue("text_size", "1e9")
    stored.sync()
    assert (Preferences().keys, Preferences().text_size) == ({}, 100)


def test_keys_of_actions_are_written_as_they_are_stored_and_none_is_taken() -> None:
    for name, deed in DEEDS.items():
        assert QKeySequence(deed.key).toString(QKeySequence.SequenceFormat.PortableText) == deed.key, name
        assert deed.key not in TAKEN
    for key in TAKEN:
        assert QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText) == key


def test_words_without_what_belongs_to_menus() -> None:
    assert plain("Save && &leave…") == "Save & leave"


class TestWords:
    def test_a_translation_is_used_and_a_bad_one_is_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = {"Open {name}?": "{name} öffnen?", "Saved {name}": "{nme} gesichert", "W {w}": "{w:q}"}
        words.use(lambda text: said.get(text, text))
        try:
            assert tr("Open {name}?", name="a{b}") == "a{b} öffnen?"
            assert tr("Saved {name}", name="x") == "Saved x"
            assert tr("W {w}", w=1) == "W 1"
            assert tr("{braces} stay") == "{braces} stay"
        finally:
            words.use(None)
        assert tr("Open {name}?", name="b") == "Open b?"


def test_themes_are_complete() -> None:
    folder = Path(theme.__file__).parents[1] / "resources" / "themes"
    assert {path.stem for path in folder.glob("*.json")} == set(theme.NAMES)
    keys = [list(json.loads((folder / f"{name}.json").read_text("utf-8"))) for name in theme.NAMES]
    assert keys[0] == keys[1] == keys[2]
