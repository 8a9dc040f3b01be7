"""The trust panel over the real engine, with the bundled MRI scan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.bridge.engine import Engine
from app.state.room.feed import Feed
from app.state.room.item import Kind
from app.state.session import Session
from app.state.trust.study import SEEDS, Part, Study
from app.views.files import demo_path
from app.views.room_page import RoomPage
from app.views.trust_room import Trusting
from core.engine.settings import ReconSettings
from tests.app.trust_bench import Studio, click

MINUTE = 60_000


@pytest.fixture
def real(qtbot: QtBot) -> Iterator[Studio]:
    theme.apply("dark")
    session = Session()
    session.choice.settings = ReconSettings(nfe=2, cg_steps=2, device="cpu", t_start=200)
    bridge = Bridge(session, Engine())
    feed = Feed(session, session.room)
    page = RoomPage(session.room)
    trusting = Trusting(page, session, bridge)
    page.resize(1280, 720)
    with qtbot.waitExposed(page):
        page.show()
    yield Studio(session, bridge, page, trusting, None, qtbot)  # type: ignore[arg-type]
    trusting.release()
    trusting.desk.wait_for_end()
    page.release()
    bridge.shut_down()
    bridge.wait_for_end()
    page.deleteLater()
    del feed


def test_every_question_is_answered_for_a_slice_of_the_bundled_scan(real: Studio, qtbot: QtBot) -> None:
    session, panel = real.session, real.trusting.panel
    real.bridge.open(demo_path("mri"))
    qtbot.waitUntil(lambda: session.runs.first is not None and session.runs.first.volume is not None, timeout=MINUTE)
    session.choice.settings = ReconSettings(nfe=2, cg_steps=2, device="cpu", t_start=200)
    session.choice.set_only_this_slice(True)
    run = real.bridge.reconstruct()
    assert run is not None
    qtbot.waitUntil(lambda: run.volume is not None and run.result is not None, timeout=MINUTE)
    image = real.on_view(run)
    qtbot.waitUntil(lambda: real.judged(run), timeout=MINUTE)
    real.settle()
    verdict = real.trusting.book.record(run).verdict  # type: ignore[union-attr]
    assert verdict is not None
    assert verdict.ratio is not None
    assert 0.5 < verdict.ratio < 10
    assert panel.ratio.text().endswith("× noise")
    assert panel.noise.text() == "The noise is known from the simulation."
    block = panel.blocks[Study.UNCERTAINTY]
    assert block.seeds.value() == SEEDS
    block.seeds.setValue(2)
    for study, parts in (
        (Study.SUPPORT, (Part.SUPPORT, Part.UNSEEN)),
        (Study.DIFFERENCE, (Part.DIFFERENCE,)),
        (Study.RESIDUAL, (Part.RESIDUAL,)),
        (Study.UNCERTAINTY, (Part.UNCERTAINTY,)),
    ):
        real.press(study)
        qtbot.waitUntil(lambda parts=parts: all(real.made(part) is not None for part in parts), timeout=MINUTE)
        qtbot.waitUntil(lambda: not real.trusting.busy)
        assert session.notice is None
    found = {part: real.made(part) for part in Part}
    support, residual = found[Part.SUPPORT], found[Part.RESIDUAL]
    assert support is not None
    assert residual is not None
    known = support.stacks[np.isfinite(support.stacks)]
    assert known.min() >= 0
    assert known.max() <= 1
    assert np.isnan(support.stacks).any(), "in the air there is no signal"
    for part in (Part.SUPPORT, Part.UNSEEN, Part.DIFFERENCE, Part.UNCERTAINTY):
        item = found[part]
        assert item is not None
        assert item.stacks.shape == image.stacks.shape
        assert np.array_equal(item.affine, image.affine)
    assert residual.kind is Kind.VOLUME
    assert np.isfinite(residual.stacks).any()
    assert block.told.text() == "", "there is no reference"
    doubts = real.trusting.book.record(run).warnings  # type: ignore[union-attr]
    assert any("start from the classical image" in said for said in doubts)
    real.settle()
    click(panel.blocks[Study.SUPPORT].answers[Part.UNSEEN].lay_button)
    assert session.room.over_in(0) is found[Part.UNSEEN]


def test_the_band_is_checked_where_the_scan_was_undersampled_on_purpose(real: Studio, qtbot: QtBot) -> None:
    session, block = real.session, real.trusting.panel.blocks[Study.UNCERTAINTY]
    real.bridge.open(demo_path("ct"))
    qtbot.waitUntil(lambda: session.runs.first is not None and session.runs.first.volume is not None, timeout=MINUTE)
    session.choice.set(nfe=2, cg_steps=1, device="cpu")
    session.choice.set_only_this_slice(True)
    session.choice.set_undersample("every:2")
    run = real.bridge.reconstruct()
    assert run is not None
    qtbot.waitUntil(lambda: run.volume is not None and run.result is not None, timeout=MINUTE)
    real.on_view(run)
    block.seeds.setValue(2)
    real.press(Study.UNCERTAINTY)
    qtbot.waitUntil(lambda: real.made(Part.UNCERTAINTY) is not None, timeout=MINUTE)
    qtbot.waitUntil(lambda: "2 seeds in" in block.told.text())
    calibrated = real.trusting.book.record(run).calibrated  # type: ignore[union-attr]
    assert calibrated is not None
    assert 0 < calibrated.coverage < 1
    assert calibrated.expected == 0.9
