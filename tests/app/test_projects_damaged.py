"""Damaged projects open what they can, and say what they could not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.bridge.prints import Prints
from app.bridge.project_reader import Reader, sources_of
from app.state.project_restore import restore
from core.errors import ScanError
from core.formats import project_file
from tests.app.project_bench import (
    Desk,
    changed_record,
    load,
    on_disk,
)


def opened_by_hand(desk: Desk, path: Path) -> Any:
    """What the desk and the window do with a file, in one thread."""
    file = project_file.read(path)
    prints = Prints()
    found = {source.name: source.locate(None, prints) for source in sources_of(file.record)}
    there = {name: place for name, place in found.items() if not hasattr(place, "name")}
    restored = Reader(desk.bridge.engine, prints, lambda *_: None).restored(file, there, {}, of_crash=True)
    restore(desk.session, restored, desk.projects.parts)
    for index in range(4):
        desk.session.room.sheet_of(index)
        desk.session.room.levels_of(index)
    desk.session.shown()
    return restored


def test_a_cut_off_project_opens_as_far_as_it_goes(
    whole: bytes, build: Callable[[], Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "cut.ddsproj"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    two = load(build(), path, qtbot)
    assert two.session.scan is not None
    assert len(two.session.runs) > 0
    assert "cut.ddsproj is damaged or cut off." in two.session.notice.why
    assert two.projects.path is None


def test_a_letter_is_no_project(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    path = on_disk(tmp_path, "letter.ddsproj", b"Dear all")
    desk.projects.open(path)
    qtbot.waitUntil(lambda: desk.session.notice is not None)
    assert "no project, or damaged" in desk.session.notice.what
    assert not desk.session.reading


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r.update(runs="none"), "The list of runs"),
        (lambda r: r.update(volumes=None), "The list of volumes"),
        (lambda r: r.update(scan=[]), "Which scan"),
        (lambda r: r["scan"].update(path="a\0b"), "Which scan"),
        (lambda r: r.pop("room"), "How the review room was arranged"),
        (lambda r: r["room"].update(active=17), "How the review room was arranged"),
        (lambda r: r["room"].update(cross=[1e300, 0, 0]), "How the review room was arranged"),
        (lambda r: r["room"]["panes"]["ONE"].pop(), "How the review room was arranged"),
        (lambda r: r["room"]["panes"]["ONE"][0].update(zoom=0), "How the review room was arranged"),
        (lambda r: r["display"].update(view="dream"), "How the image was shown"),
        (lambda r: r["display"].update(levels={"magnitude": [1, 0]}), "How the image was shown"),
        (lambda r: r["choice"]["settings"].update(nfe=-3), "The settings"),
        (lambda r: r["choice"]["settings"].update(poem="x"), "The settings"),
        (lambda r: r["parts"]["measurements"].update(version=9), "Measurements"),
        (lambda r: r["runs"][1].update(job={}), "Run 2 could not"),
        (lambda r: r["runs"][1].update(phase="RUNNING"), "Run 2 could not"),
        (lambda r: r["runs"][1]["volume"].update(slices=2), "Run 2 could not"),
        (lambda r: r["runs"][1]["result"].update(image="arrays/99.npy"), "could not be read: It is not in the file"),
    ],
)
def test_what_makes_no_sense_is_told_and_the_rest_is_there(
    whole: bytes, build: Callable[[], Desk], tmp_path: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    path = changed_record(whole, tmp_path, change)
    restored = opened_by_hand(build(), path)
    assert any(told in note for note in restored.notes), restored.notes
    assert not restored.whole


SOMETHING = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**30), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_value_may_be_wrong(whole: bytes, desk: Desk, tmp_path: Path, data: st.DataObject) -> None:
    def change(record: dict[str, Any]) -> None:
        for name in ("format", "version", "program", "saved", "arrays"):
            record.pop(name)
        inside: Any = record
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                return
            key = data.draw(st.sampled_from(keys))
            if not isinstance(inside[key], (dict, list)) or data.draw(st.integers(0, 4)) == 0:
                inside[key] = data.draw(SOMETHING)
                return
            inside = inside[key]

    opened_by_hand(desk, changed_record(whole, tmp_path, change))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=8), end=st.floats(0.02, 1.0))
def test_any_byte_may_be_wrong(
    whole: bytes, desk: Desk, tmp_path: Path, places: list[tuple[float, int]], end: float
) -> None:
    held = bytearray(whole[: int(len(whole) * end)])
    for place, mask in places:
        held[int(place * (len(held) - 1))] ^= mask
    path = tmp_path / "flipped.ddsproj"
    path.write_bytes(held)
    with suppress(ScanError):
        opened_by_hand(desk, path)


# What is kept against a crash
