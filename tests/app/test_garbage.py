"""What belongs to the window is destroyed in the window's thread."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from pytestqt.qtbot import QtBot

from app.bridge.garbage import Collector


class Knot:
    """Garbage that only the cyclic collector finds."""

    ended_in: list[str] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self.ended_in.append(threading.current_thread().name)


@pytest.fixture
def knots() -> list[str]:
    gc.collect()
    Knot.ended_in = []
    return Knot.ended_in


def test_garbage_is_collected_here_however_much_is_made_elsewhere(qtbot: QtBot, knots: list[str]) -> None:
    collector = Collector()
    Knot()

    def work() -> None:
        for _ in range(20_000):
            knot: list[object] = []
            knot.append(knot)

    worker = threading.Thread(target=work, name="worker")
    worker.start()
    worker.join()
    assert Knot.ended_in == []
    qtbot.waitUntil(lambda: bool(Knot.ended_in))
    assert Knot.ended_in == [threading.main_thread().name]
    collector.stop()
    assert gc.isenabled()


def test_all_generations_have_their_turn(qtbot: QtBot) -> None:
    gc.collect()
    collector = Collector()
    old = Knot()
    gone = weakref.ref(old)
    gc.collect(0)
    gc.collect(1)
    del old
    kept: list[list[object]] = []
    found = set()
    for _ in range(300):
        kept += [[] for _ in range(gc.get_threshold()[0] + 1)]
        found.add(collector.collect())
        if gone() is None:
            break
    collector.stop()
    assert gone() is None
    assert {0, 1, 2} <= found
