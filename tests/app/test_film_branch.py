"""The film of a run with its noisy states, marks on the curves, branches from a step, and interrupted runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QDialogButtonBox
from pytestqt.qtbot import QtBot
from safetensors.torch import save_file

from app import theme
from app.bridge.bridge import Bridge
from app.bridge.recovery import RUN, claim, left_behind
from app.preferences import Preferences
from app.state.room.item import Item
from app.state.runs import Run
from app.state.session import Session
from app.views.main_window import MainWindow
from app.views.project_dialogs import ProjectDialogs, Wish
from app.views.residual_curve import ResidualCurve
from core.diffusion.small_unet import SmallUNet
from core.engine.checkpoint import ENDING, write
from core.engine.events import Event, StepDone
from core.engine.job import JobSpec
from core.engine.runner import run as really_run
from core.engine.settings import ReconSettings
from core.engine.state import State
from core.engine.stop import Stop
from core.priors.card import ModelCard
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.core.conftest import build_scan

NFE = 6
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def prior(tmp_path: Path) -> str:
    torch.manual_seed(0)
    config = {"channels": 2, "widths": [16, 16], "blocks": 1, "time_width": 16}
    network, path = SmallUNet(**config), tmp_path / "tiny.safetensors"
    torch.nn.init.normal_(network.head.weight, std=0.02)
    save_file(network.state_dict(), path)
    path.with_suffix(".json").write_text(ModelCard("tiny", "small", config, 2, parametrization="v").to_json())
    return str(path)


@pytest.fixture
def calls() -> list[tuple[JobSpec, State | None]]:
    """What the engine was asked for."""
    return []


@pytest.fixture
def real(
    qtbot: QtBot, fake: FakeEngine, dialogs: FakeDialogs, prior: str, calls: list[tuple[JobSpec, State | None]]
) -> Iterator[MainWindow]:
    """A window whose runs are real ones, over a small scan, with the scan open."""

    def run(job: JobSpec, stop: Stop, held: State | None = None) -> Iterator[Event]:
        if job.settings.method == "dds":
            calls.append((job, held))
        for event in really_run(job, stop, held):
            yield event
            if isinstance(event, StepDone):
                await_shown(event.step, stop)

    def await_shown(step: int, stop: Stop) -> None:
        """A window that is slower than the run would leave out steps."""
        with told:
            told.wait_for(lambda: stop.ending or any(r.going_on and r.result_step >= step for r in session.runs), 10)

    def tell(*_: object) -> None:
        with told:
            told.notify_all()

    theme.apply("dark")
    fake.files |= {name: build_scan(ny=24, nx=32, slices=3, noise=1e-3) for name in ("head.h5", "other.h5")}
    told, session = threading.Condition(), Session()
    session.runs.told.connect(tell)
    session.choice.defaults = session.choice.settings = ReconSettings(prior=prior, nfe=NFE, eta=0.7, device="cpu")
    made = MainWindow(session, Bridge(session, replace(fake.engine(), run=run)), Preferences(), dialogs)
    made.show()
    with qtbot.waitActive(made):
        made.activateWindow()
    made.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: ended(made, 1))
    session.choice.set(prior=prior, nfe=NFE, eta=0.7)
    yield made
    made.leave()
    made.bridge.wait_for_end()
    made.deleteLater()


def ended(window: MainWindow, count: int) -> bool:
    runs = list(window.session.runs)
    return len(runs) == count and all(run.volume is not None for run in runs)


def reconstruct(window: MainWindow, qtbot: QtBot) -> Run:
    """A run of DDS to its end."""
    before = len(window.session.runs)
    qtbot.mouseClick(window.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: ended(window, before + 1) or window.session.notice is not None, timeout=20_000)
    assert window.session.notice is None, window.session.notice
    return list(window.session.runs)[-1]


def films(window: MainWindow) -> dict[str, Item]:
    return {item.key.rpartition("/")[2]: item for item in window.session.room if window.filming.film.cut(item.key)}


def click(qtbot: QtBot, curve: ResidualCurve, step: int) -> None:
    qtbot.mouseClick(curve, LEFT, pos=QPoint(round(curve._x_of(step)), curve.height() // 2))


def test_the_film_keeps_the_noisy_state_beside_the_estimate(real: MainWindow, qtbot: QtBot) -> None:
    run = reconstruct(real, qtbot)
    found = films(real)
    assert set(found) == {"steps", "noisy"}
    denoised, noisy = found["steps"], found["noisy"]
    assert noisy.name == f"{run.name}, noisy states"
    assert denoised.stacks.shape == noisy.stacks.shape
    assert denoised.moments == noisy.moments
    assert noisy.stacks[0].std() > noisy.stacks[-2].std(), "there is more noise at the start"
    assert np.array_equal(noisy.stacks[-1], denoised.stacks[-1])
    assert real.filming.film.cut(denoised.key).steps[-1] == NFE  # type: ignore[union-attr]


def test_a_click_on_the_curve_goes_to_that_step_and_scrubbing_moves_the_mark(real: MainWindow, qtbot: QtBot) -> None:
    run = reconstruct(real, qtbot)
    room, filming = real.session.room, real.filming
    curve = real.run_panel.curve
    assert curve.cursor_at is None
    assert not real.actions_["branch"].isEnabled()
    click(qtbot, curve, 3)
    assert real.stack.reviewing
    assert room.panes[room.active].item == films(real)["steps"].key
    shown = films(real)["steps"].moments[room.moment]
    assert shown == f"step {filming.at[1]} of {NFE}"  # type: ignore[index]
    assert filming.strip.isVisible()
    assert filming.strip.curve.cursor_at == curve.cursor_at == filming.at[1]  # type: ignore[index]
    cine = real.reviewing.cine
    cine.slider.setFocus()
    qtbot.keyClick(cine.slider, Qt.Key.Key_Home)
    if room.moment:
        cine.model.choose(cine.model.offered[-1])
        cine.refresh()
        qtbot.keyClick(cine.slider, Qt.Key.Key_Home)
    assert room.moment == 0
    assert curve.cursor_at == filming.strip.curve.cursor_at == 1
    click(qtbot, filming.strip.curve, NFE)
    assert room.moment == len(films(real)["steps"].moments) - 1
    assert curve.cursor_at == NFE
    assert not real.actions_["branch"].isEnabled(), "nothing is left to do after the last step"
    qtbot.keyClick(filming.strip.curve, Qt.Key.Key_Left)
    assert filming.at == (run, NFE - 1)
    qtbot.mouseClick(filming.strip.noisy, LEFT, pos=QPoint(8, filming.strip.noisy.height() // 2))
    assert room.panes[room.active].item == films(real)["noisy"].key
    assert filming.at == (run, NFE - 1)
    assert filming.strip.noisy.isChecked()


def test_a_branch_starts_with_the_settings_of_the_form(
    real: MainWindow, qtbot: QtBot, calls: list[tuple[JobSpec, State | None]]
) -> None:
    run = reconstruct(real, qtbot)
    click(qtbot, real.run_panel.curve, 2)
    real.session.choice.set(gamma=60.0)
    step = real.filming.at[1]  # type: ignore[index]
    qtbot.keyClick(real, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert not real.stack.reviewing, "the run panel is to be seen"
    qtbot.waitUntil(lambda: ended(real, 3), timeout=20_000)
    made = list(real.session.runs)[-1]
    assert made.name.endswith(f"from step {step}")
    job, held = calls[-1]
    assert held is not None
    assert (held.done, job.start.step, job.settings.gamma) == (step, step, 60.0)  # type: ignore[union-attr]
    assert made.residuals[:step] == run.residuals[:step]
    assert len(made.residuals) == NFE
    assert made.residuals[step:] != run.residuals[step:]
    *_, again = really_run(job, Stop())
    assert np.array_equal(again.volume.array, made.volume.array)  # type: ignore[attr-defined, union-attr]
    assert f"after step {step}" in real.run_panel.runs.item(2).toolTip()


def test_where_no_state_is_held_the_run_is_walked_again(
    real: MainWindow, qtbot: QtBot, calls: list[tuple[JobSpec, State | None]]
) -> None:
    reconstruct(real, qtbot)
    click(qtbot, real.run_panel.curve, 3)
    real.bridge.queue.keeping.states.most_bytes = 0
    step = real.filming.at[1]  # type: ignore[index]
    real.actions_["branch"].trigger()
    qtbot.waitUntil(lambda: ended(real, 3), timeout=20_000)
    assert calls[-1][1] is None
    runs = list(real.session.runs)
    assert calls[-1][0].start.step == step  # type: ignore[union-attr]
    assert np.array_equal(runs[1].volume.array, runs[2].volume.array), "the settings are the same"  # type: ignore[union-attr]


def test_settings_that_a_branch_cannot_change_are_told(real: MainWindow, qtbot: QtBot) -> None:
    reconstruct(real, qtbot)
    click(qtbot, real.run_panel.curve, 2)
    real.session.choice.set(t_start=300)
    real.actions_["branch"].trigger()
    notice = real.session.notice
    assert notice is not None
    assert "Start timestep" in notice.what
    assert not notice.error
    qtbot.waitUntil(lambda: ended(real, 3), timeout=20_000)


def test_the_user_chooses_how_much_is_kept(real: MainWindow, qtbot: QtBot) -> None:
    real.actions_["keep_steps"].trigger()
    dialog = real.findChild(QDialogButtonBox).window()
    box = dialog.findChild(QComboBox)
    box.setCurrentIndex(box.findData(0))
    qtbot.mouseClick(dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok), LEFT)
    assert real.preferences.steps_mib == 0
    reconstruct(real, qtbot)
    assert not films(real)
    assert real.bridge.queue.keeping.states.nbytes == 0
    click(qtbot, real.run_panel.curve, 2)
    assert not real.stack.reviewing, "there is nothing to see"
    assert real.run_panel.curve.cursor_at == 2
    assert real.run_panel.branch.isVisible()


class Asks(ProjectDialogs):
    def __init__(self, wish: Wish) -> None:
        self.wish, self.asked = wish, []

    def run_left_behind(self, parent: object, scan: str, done: int, total: int, when: str) -> Wish:  # type: ignore[override]
        self.asked.append((scan, done, total))
        return self.wish


def interrupted(window: MainWindow, job: JobSpec, step: int, folder: Path) -> None:
    """As if a process had been killed after a step of a run."""
    place = claim(folder, RUN, ENDING)
    events = really_run(job)
    for event in events:
        if isinstance(event, StepDone) and event.step == step:
            write(event.state(), place.file)  # type: ignore[arg-type]
            events.close()  # type: ignore[attr-defined]
            break
    place.leave()


@pytest.mark.parametrize("open_already", [True, False])
def test_after_a_crash_the_run_goes_on_to_the_same_image(
    real: MainWindow, qtbot: QtBot, calls: list, tmp_path: Path, open_already: bool
) -> None:
    run = reconstruct(real, qtbot)
    folder = real.bridge.queue.keeping.folder
    interrupted(real, run.job, 4, folder)
    if not open_already:
        real.open_path("/scans/other.h5")
        qtbot.waitUntil(lambda: real.session.scan.name == "other.h5" and ended(real, 1))
    asks = Asks(Wish.RESTORE)
    real.resuming._asks = asks
    calls.clear()
    real.resuming.begin()
    count = 3 if open_already else 2
    qtbot.waitUntil(lambda: ended(real, count), timeout=20_000)
    assert asks.asked == [("head.h5", 4, NFE)]
    made = list(real.session.runs)[-1]
    assert calls[-1][1].done == 4
    assert made.residuals == run.residuals
    assert np.array_equal(made.volume.array, run.volume.array)
    assert not list(folder.glob(f"*{ENDING}")), "it is not needed any more"


@pytest.mark.parametrize("wish", [Wish.LATER, Wish.DISCARD])
def test_otherwise_it_stays_or_goes(real: MainWindow, qtbot: QtBot, wish: Wish) -> None:
    run = reconstruct(real, qtbot)
    folder = real.bridge.queue.keeping.folder
    interrupted(real, run.job, 2, folder)
    real.resuming._asks = Asks(wish)
    real.resuming.begin()
    assert len(real.session.runs) == 2
    places = left_behind(folder, RUN, ENDING)
    assert len(places) == (wish is Wish.LATER)
    for place in places:
        place.leave()


def test_a_damaged_checkpoint_is_dropped_or_told(real: MainWindow, qtbot: QtBot) -> None:
    run = reconstruct(real, qtbot)
    folder = real.bridge.queue.keeping.folder
    interrupted(real, run.job, 2, folder)
    (file,) = folder.glob(f"*{ENDING}")
    whole = file.read_bytes()
    file.write_bytes(whole[:-8] + b"\x01" * 8)
    real.resuming._asks = asks = Asks(Wish.RESTORE)
    real.resuming.begin()
    qtbot.waitUntil(lambda: real.session.notice is not None)
    assert "cannot be read" in real.session.notice.what
    assert len(real.session.runs) == 2
    folder.mkdir(exist_ok=True)
    file.write_bytes(whole[:40])
    real.resuming.begin()
    assert len(asks.asked) == 1
    assert not file.exists()


def test_a_run_is_kept_while_it_goes_on_and_only_then(
    real: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = real.bridge.queue.keeping
    keeping.every = 0.0
    seen: list[list[str]] = []

    def look(state: State, path: Path) -> None:
        write(state, path)
        seen.append([file.name for file in keeping.folder.glob(f"*{ENDING}")])

    monkeypatch.setattr("core.engine.checkpoint.write", look)
    reconstruct(real, qtbot)
    assert seen == [[f"run-{os.getpid()}-0{ENDING}"]] * NFE
    qtbot.waitUntil(lambda: not list(keeping.folder.glob(f"*{ENDING}")))
