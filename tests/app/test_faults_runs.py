"""What goes wrong in a run, or while something is shown, as the window takes it: it stands, says so, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from app.bridge.crash_watch import CrashWatch
from app.preferences import Preferences
from app.state.rendering import LEAST, SETTLED, coarser_if_short
from app.state.room import solid_parts
from app.state.runs import Phase
from app.views.image_item import GreyImage
from app.views.main_window import MainWindow
from app.views.room_canvas import RoomCanvas
from app.views.room_rendering import RoomRendering
from app.window import tell_crashes
from core.engine.events import Estimate, Event, Failed, Finished, Noted, Started, StepDone, Warned
from core.engine.job import JobSpec
from core.engine.stop import Stop
from core.errors import DeviceError
from tests.app.conftest import finished
from tests.app.fakes import HEIGHT, WIDTH, FakeEngine
from tests.app.solid_bench import item_of, phantom, put
from tests.faults.conftest import Disk, disk  # noqa: F401
from tests.faults.faulty import FULL

LEFT = Qt.MouseButton.LeftButton


def begin(window: MainWindow, fake: FakeEngine) -> None:
    fake.script.free = True
    window.bridge.reconstruct()


def changed(fake: FakeEngine, change: Callable[[Event], Event]) -> Callable[..., Iterator[Event]]:
    """The fake run, its events another."""

    def run(job: JobSpec, stop: Stop) -> Iterator[Event]:
        for event in fake.script.run(job, stop):
            yield change(event)

    return run


class TestMemory:
    @pytest.mark.parametrize("error", FULL, ids=["cuda", "driver", "cublas", "cpu", "python"])
    @pytest.mark.parametrize("what", ["estimate", "noisy"])
    def test_too_short_for_a_picture_on_the_way(
        self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot, error: Exception, what: str
    ) -> None:
        """The run goes on without that picture, and its result is shown."""

        def fail() -> None:
            raise error

        def without(event: Event) -> Event:
            return replace(event, **{what: fail}) if isinstance(event, StepDone) and event.step < 3 else event

        opened.bridge.queue._events = changed(fake, without)
        begin(opened, fake)
        qtbot.waitUntil(lambda: finished(opened, 2))
        run = opened.session.runs.front
        assert run is not None
        assert run.phase is Phase.FINISHED
        assert run.result is not None
        assert run.notes == ["The memory was short: not every step was shown."]
        assert opened.session.notice is None

    def test_too_short_for_the_picture_of_the_result(
        self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The result is there all the same, to be saved."""

        def short(*_: object, **__: object) -> None:
            raise MemoryError

        def now(event: Event) -> Event:
            if isinstance(event, Finished):
                monkeypatch.setattr("app.bridge.pull._picture", short)
            return event

        opened.bridge.queue._events = changed(fake, now)
        begin(opened, fake)
        qtbot.waitUntil(lambda: finished(opened, 2))
        run = opened.session.runs.front
        assert run is not None
        assert run.volume is not None
        assert run.phase is Phase.FINISHED
        assert opened.session.runs.unsaved == [run]

    def test_too_short_to_keep_steps(
        self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def short(*_: object) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory.")

        monkeypatch.setattr(opened.bridge.queue.keeping.states, "take", short)
        begin(opened, fake)
        qtbot.waitUntil(lambda: finished(opened, 2))

    @pytest.mark.parametrize(("where", "part"), [(RoomCanvas, "_draw_layers"), (GreyImage, "render")])
    def test_too_short_to_paint(
        self,
        opened: MainWindow,
        qtbot: QtBot,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        where: type,
        part: str,
    ) -> None:
        """A sentence, no report of a mistake; painted again once there is room."""
        painted: list[str] = []

        def short(*_: object) -> None:
            painted.append("short")
            raise MemoryError

        watch = CrashWatch(tmp_path / "crashes")
        watch.start()
        with capture_exceptions() as caught:
            desk = tell_crashes(opened, watch)
            with monkeypatch.context() as shortage:
                shortage.setattr(where, part, short)
                if where is RoomCanvas:
                    opened.actions_["workspace_review"].trigger()
                else:
                    opened.session.display.set_levels(0.9, 0.4)
                qtbot.waitUntil(lambda: bool(painted))
            for _, error, _ in caught:
                watch.hear(error)  # what hears of errors in tests passes them on to nobody
        qtbot.waitUntil(lambda: opened.session.notice is not None)
        assert "memory ran out" in opened.banner.what.text()
        assert opened.banner.isVisible()
        assert desk.dialog is None
        watch.stop()
        canvas = opened.reviewing.page.panes[0].canvas
        before = canvas.frames_painted
        target = canvas if where is RoomCanvas else opened.viewer.slice_view.viewport()
        target.update()
        if where is RoomCanvas:
            qtbot.waitUntil(lambda: canvas.frames_painted > before)
        assert not target.grab().isNull()

    def test_a_rendering_takes_a_coarser_grid(self, pane: RoomRendering, qtbot: QtBot, monkeypatch) -> None:
        whole, tried = solid_parts.reduced, list[int]()

        def limited(frames: np.ndarray, first: int, count: int, most: int) -> object:
            tried.append(most)
            if most > 40:
                raise MemoryError
            return whole(frames, first, count, most)

        monkeypatch.setattr(solid_parts, "reduced", limited)
        made = solid_parts.prepared(item_of(*phantom()), 0)
        assert tried == [SETTLED, SETTLED // 2, SETTLED // 4]
        assert max(made.stack.values.shape) <= 40
        assert coarser_if_short(lambda most: most, 7) == 7

    def test_where_no_grid_is_coarse_enough_it_is_said(self, pane: RoomRendering, qtbot: QtBot, monkeypatch) -> None:
        tried: list[int] = []

        def never(frames: np.ndarray, first: int, count: int, most: int) -> object:
            tried.append(most)
            raise MemoryError

        monkeypatch.setattr(solid_parts, "reduced", never)
        pane.show_item(item_of(*phantom()))
        qtbot.waitUntil(lambda: bool(pane.trouble))
        assert "memory ran out" in pane.trouble or "OpenGL" in pane.trouble
        if tried:
            assert tried[-1] == LEAST

    def test_vtk_refuses_the_stack(self, pane: RoomRendering, qtbot: QtBot, monkeypatch) -> None:
        put(pane, qtbot, item_of(*phantom()))
        assert pane.renderer is not None

        def refuse(*_: object) -> None:
            raise MemoryError

        monkeypatch.setattr(type(pane.renderer), "show_stack", refuse)
        pane.show_item(item_of(*phantom(), key="file b"))
        qtbot.waitUntil(lambda: bool(pane.trouble))
        assert "memory ran out" in pane.trouble
        assert pane.trouble in pane.view.words


class TestGraphicsCard:
    @pytest.fixture
    def lost(self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> MainWindow:
        """A run on the card has failed."""
        fake.script.failing = 0
        fake.script.refusal = DeviceError("The graphics card has stopped working.", "CUDA error: x", "Use the CPU.")
        opened.session.choice.set(device="cuda", nfe=33)
        begin(opened, fake)
        qtbot.waitUntil(lambda: opened.session.notice is not None)
        return opened

    def test_one_click_does_the_same_on_the_cpu(self, lost: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        assert lost.banner.again.isVisible()
        assert "graphics card" in lost.banner.what.text()
        fake.script.failing = None
        lost.session.choice.set(nfe=44)
        qtbot.mouseClick(lost.banner.again, LEFT)
        qtbot.waitUntil(lambda: finished(lost, 2))
        assert not lost.banner.isVisible()
        first, again = fake.script.jobs[-2:]
        assert (first.settings.device, again.settings.device) == ("cuda", "cpu")
        assert again.settings == first.settings.replace(device="cpu")
        assert lost.session.choice.settings.device == "cpu"
        assert lost.session.choice.settings.nfe == 44, "what was typed meanwhile stays"

    def test_other_failures_offer_no_such_thing(self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        fake.script.failing = 0
        begin(opened, fake)
        qtbot.waitUntil(lambda: opened.session.notice is not None)
        assert not opened.banner.again.isVisible()

    def test_the_cursor_goes_to_the_device(self, lost: MainWindow) -> None:
        assert lost.session.notice.setting == "device"

    def test_begun_again_it_counts_from_the_start(self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        """As core.engine.runner.run tells it: a second Started, and what was told before is told again."""

        def run(job: JobSpec, stop: Stop) -> Iterator[Event]:
            names = tuple(f"slice {i + 1}" for i in range(3))
            started = Started(Estimate(1, 2), 3, HEIGHT, WIDTH, 4, "cuda", names)
            yield started
            yield Warned("It is warm.")
            for event in fake.script.run(job, stop):
                if isinstance(event, StepDone):
                    yield event
                    if event.step == 2:
                        break
            yield replace(started, device="cpu")
            yield Warned("It is warm.")
            yield Noted("It was begun again on the CPU.")
            yield from (e for e in fake.script.run(job, stop) if isinstance(e, (StepDone, Finished)))

        opened.bridge.queue._events = run
        begin(opened, fake)
        qtbot.waitUntil(lambda: finished(opened, 2))
        told = opened.session.runs.front
        assert told is not None
        assert told.device == "cpu"
        assert told.residuals == [0.5**k for k in (1, 2, 3, 4)]
        assert told.warnings == ["It is warm."]
        assert told.notes == ["It was begun again on the CPU."]


def test_a_failure_at_a_step_keeps_what_was_seen_and_the_earlier_result(
    opened: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    begin(opened, fake)
    qtbot.waitUntil(lambda: finished(opened, 2))
    first = opened.session.runs.front
    fake.script.failing = 3
    begin(opened, fake)
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    qtbot.waitUntil(lambda: opened.session.runs.current is None)
    broken = opened.session.runs.front
    assert broken is not None
    assert broken is not first
    assert (broken.phase, broken.result_step) == (Phase.FAILED, 2)
    assert "step 2 of 4" in broken.shown().caption
    assert opened.session.runs.unsaved == [first]
    fake.script.failing = None
    begin(opened, fake)
    qtbot.waitUntil(lambda: finished(opened, 3))


def test_preferences_on_a_full_disk_stay_as_they_were(
    disk: Disk,  # noqa: F811
    window: MainWindow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from PySide6.QtCore import QSettings

    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(disk.folder))
    kept = Preferences()
    kept.theme = "light"
    kept.flush()
    before = disk.held()
    assert before
    disk.fill()
    kept.keys = {f"action-{i}": "Ctrl+Alt+Shift+F12" for i in range(900)}
    kept.flush()
    assert disk.held() == before
    assert len(kept.keys) == 900, "for as long as the program runs"
    (disk.folder / "ballast").unlink()
    kept.flush()
    assert len(Preferences().keys) == 900
    QApplication.processEvents()


def test_a_failed_run_is_no_crash_of_the_command_line(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.cli_recon import follow
    from core.engine.job import ScanSource

    failed = Failed(DeviceError("The graphics card has stopped working.", "", "Use the CPU."))
    monkeypatch.setattr("core.engine.runner.run", lambda *_: iter([failed]))
    with pytest.raises(DeviceError):
        follow(JobSpec(ScanSource("x")), Stop())
