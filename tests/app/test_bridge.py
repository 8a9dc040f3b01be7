"""What lies between the threads."""

from __future__ import annotations

import gc
import sys
import threading
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.bridge.bridge import Bridge
from app.bridge.engine import Machine
from app.bridge.facts import facts_of
from app.bridge.mailbox import INTERVAL_S, Mailbox
from app.bridge.preload import without_collector
from app.bridge.pull import Listener, pull
from app.bridge.worker import Worker
from app.state.runs import Run
from app.state.session import Session
from core.engine.events import Event, Finished, StepDone
from core.engine.job import JobSpec, ScanSource
from tests.app.fakes import FakeEngine, Script, scan


def test_of_one_slot_only_the_latest_is_delivered(qtbot: QtBot) -> None:
    box, seen = Mailbox(), []
    for number in range(5):
        box.post(partial(seen.append, f"preview {number}"), slot="preview")
        box.post(partial(seen.append, f"event {number}"))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == ["event 0", "event 1", "event 2", "event 3", "preview 4", "event 4"]
    box.close()


def test_a_full_stream_is_delivered_at_a_bounded_rate(qtbot: QtBot) -> None:
    """However fast a thread posts, the window is called no more often than once an interval, and the end arrives."""
    box = Mailbox()
    deliveries: list[float] = []
    seen: list[int] = []

    def flood() -> None:
        for number in range(2000):
            box.post(partial(seen.append, number), slot="preview")

    box.post(lambda: deliveries.append(time.monotonic()))
    poster = threading.Thread(target=flood)
    poster.start()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == 1999)
    poster.join()
    assert len(seen) < 2000
    box.close()
    assert INTERVAL_S <= 1 / 15


def test_a_delivery_that_fails_does_not_hold_up_the_rest(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[type] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: told.append(kind))
    box, seen = Mailbox(), []
    box.post(lambda: [][0])
    box.post(partial(seen.append, "after"))
    qtbot.waitUntil(lambda: bool(seen))
    assert told == [IndexError]
    box.close()


def test_a_closed_mailbox_takes_nothing(qtbot: QtBot) -> None:
    box, seen = Mailbox(), []
    box.post(partial(seen.append, 1))
    box.close()
    box.post(partial(seen.append, 2))
    box.deliver()
    assert seen == []


def test_a_worker_does_its_tasks_in_order_and_ends() -> None:
    worker, seen = Worker("test"), []
    for number in range(3):
        worker.submit(partial(seen.append, number))
    worker.leave()
    assert worker.ended()
    assert seen == [0, 1, 2]


def test_a_task_that_fails_is_reported_and_the_next_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[type] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: told.append(kind))
    worker, seen = Worker("test"), []
    worker.submit(lambda: [][0])
    worker.submit(partial(seen.append, "after"))
    worker.leave()
    assert worker.ended()
    assert (told, seen) == ([IndexError], ["after"])


def test_a_worker_that_never_worked_ends_at_once() -> None:
    worker = Worker("idle")
    worker.leave()
    assert worker.ended(0)


class Recorder(Listener):
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.steps: list[int] = []

    def event(self, run: Run, event: Event) -> None:
        self.events.append(event)

    def result(self, run: Run, picture: object, step: int) -> None:
        self.steps.append(step)


def test_no_array_and_no_estimate_outlives_its_step(qtbot: QtBot) -> None:
    box, heard = Mailbox(), Recorder()
    run = Run(JobSpec(ScanSource("a.h5"), scan=scan()), "a")
    pull(run, Script(free=True).run, box, heard)
    qtbot.waitUntil(lambda: bool(heard.events) and isinstance(heard.events[-1], Finished))
    steps = [e for e in heard.events if isinstance(e, StepDone)]
    assert len(steps) == 4
    with pytest.raises(RuntimeError):
        steps[0].estimate()
    assert all(getattr(e, "image", np.empty(0)).size == 0 for e in heard.events)
    assert heard.steps[-1] == 0
    box.close()


def test_facts_for_the_card() -> None:
    lines = [
        ("File", "a.h5"),
        ("Coils", "8"),
        ("Vendor", "unknown"),
        ("Orientation", "unknown"),
        ("Noise", "unknown"),
        ("Done", "One."),
        ("Done", "Two."),
        ("Simulated", "yes"),
    ]
    assert facts_of(lines) == (
        ("Coils", "8"),
        ("Orientation", "unknown"),
        ("Done", "One."),
        ("", "Two."),
        ("Not in the file", "vendor, noise"),
    )


def test_the_collector_is_back_after_an_import_that_failed() -> None:
    def broken() -> None:
        with without_collector():
            assert not gc.isenabled()
            raise ImportError

    with pytest.raises(ImportError):
        broken()
    assert not gc.isenabled(), "it stays as it was, in tests and in the program off"
    gc.enable()
    with pytest.raises(ImportError):
        broken()
    assert gc.isenabled()
    gc.unfreeze()


def test_plugins_that_are_of_no_use_are_told_at_the_start(qtbot: QtBot) -> None:
    session = Session()
    machine = Machine(troubles=("The method theirs of their-package 0.1 is not used: SyntaxError.",))
    bridge = Bridge(session, replace(FakeEngine().engine(), survey=lambda: machine))
    bridge.warm_up()
    qtbot.waitUntil(lambda: session.notice is not None)
    assert session.notice is not None
    assert (session.notice.error, session.notice.why) == (False, machine.troubles[0])
    assert bridge.shut_down()
    bridge.wait_for_end()
