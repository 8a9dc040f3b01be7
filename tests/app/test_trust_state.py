"""What is known of runs, and the items that are made of what was found."""

from __future__ import annotations

import numpy as np
import pytest

from app.state.picture import Levels, Picture
from app.state.room.item import Item, Kind
from app.state.runs import Run
from app.state.trust.book import TrustBook
from app.state.trust.found import Calibrated, Doing, Found, Verdict, picture_of_residual
from app.state.trust.items import items_of
from app.state.trust.study import NAMES, PARTS, SHOWS, STUDIES, Part, Study
from core.engine.job import JobSpec, ScanSource
from core.scan import KSPACE_AXES, Volume

BAD = Verdict("It is off by 3.00 times the noise.", 3.0, False, 0.1, "simulation")
SHAPE = (3, 8, 10)


def a_run(name: str = "DDS 2") -> Run:
    return Run(JobSpec(ScanSource("/scans/head.h5")), name)


def base(run: Run, stacks: int = 1) -> Item:
    values = np.zeros((stacks, *SHAPE), np.float32)
    moments = tuple(f"echo {k}" for k in range(stacks)) if stacks > 1 else ()
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    return Item(
        "scan 1/x/result",
        run.name,
        Kind.RESULT,
        values,
        affine,
        True,
        "a.u.",
        Levels(0, 1),
        marks=("Simulated scan",),
        state="step 1 of 2",
        moments=moments,
        final=False,
        origin=run,
    )


def test_the_words_are_those_of_the_engine() -> None:
    from core.engine.trust.against_classical import DIFFERENCE_SHOWS
    from core.engine.trust.ensemble import DEVIATION_SHOWS
    from core.engine.trust.residual import RESIDUAL_SHOWS
    from core.engine.trust.support import SUPPORT_SHOWS, UNSEEN_SHOWS

    said = {
        Part.UNSEEN: UNSEEN_SHOWS,
        Part.SUPPORT: SUPPORT_SHOWS,
        Part.UNCERTAINTY: DEVIATION_SHOWS,
        Part.DIFFERENCE: DIFFERENCE_SHOWS,
        Part.RESIDUAL: RESIDUAL_SHOWS,
    }
    assert said == SHOWS
    assert set(NAMES) == set(SHOWS) == {part for parts in PARTS.values() for part in parts}
    assert set(STUDIES) == set(Study) - {Study.VERDICT}


def test_sources_of_noise_have_words() -> None:
    from app.views.trust_words import NOISE_FROM
    from core.engine.trust import expected_noise as known

    assert set(NOISE_FROM) == {known.NOISE_SCAN, known.SIMULATION, known.EDGE, known.PHOTONS}


def test_a_book_gathers_doubts_and_tells_whose_they_are() -> None:
    book, run, other = TrustBook(), a_run(), a_run("DDS 5")
    changed: list[Run] = []
    book.changed.connect(changed.append)
    assert book.record(run) is None
    assert book.warnings_of(run) == ()
    book.take(run, Study.SUPPORT, Found(doubts=("Little is measured.",)))
    book.take(run, Study.VERDICT, Found(doubts=("Off.",), misfits=("For heads.",), verdict=BAD))
    assert book.warnings_of(run) == ("Off.", "Little is measured.", "For heads.")
    assert book.record(run).verdict is BAD
    assert changed == [run, run]
    assert book.warnings_of(other) == ()
    run.warnings.append("For heads.")
    assert book.warnings_of(run) == ("Off.", "Little is measured."), "what the run warned of stands there already"


def test_a_study_that_is_made_again_replaces_its_doubts_only() -> None:
    book, run = TrustBook(), a_run()
    known = Calibrated(8, 0.6, 0.9)
    book.take(run, Study.VERDICT, Found(doubts=("Off.",), verdict=BAD))
    book.take(run, Study.UNCERTAINTY, Found(doubts=("They disagree.",), calibrated=known))
    book.take(run, Study.SUPPORT, Found())
    assert book.record(run).calibrated is known
    book.take(run, Study.UNCERTAINTY, Found())
    assert book.record(run).calibrated is None
    assert book.warnings_of(run) == ("Off.",)
    good = Verdict("Fine.", 1.0, True)
    book.take(run, Study.RESIDUAL, Found(verdict=good))
    assert book.record(run).verdict is good
    assert book.warnings_of(run) == (), "the residual is the verdict's"


def test_failures_are_kept_until_there_is_a_verdict_and_runs_are_forgotten() -> None:
    book, run, other = TrustBook(), a_run(), a_run()
    book.fail(run, "The scan has changed.")
    book.take(run, Study.SUPPORT, Found())
    assert book.record(run).trouble == "The scan has changed."
    book.take(run, Study.VERDICT, Found(verdict=BAD))
    assert book.record(run).trouble == ""
    book.take(other, Study.VERDICT, Found(verdict=BAD))
    book.keep_only([other])
    assert book.record(run) is None
    assert book.record(other) is not None


def test_k_space_is_drawn_with_its_coils_together() -> None:
    shape = (2, 1, 3, 4, 1, 5, 6)
    values = np.zeros(shape, np.complex64)
    values[1, 0, 2, :, 0, 3, 4] = (3, 4j, 0, 0)
    values[0, 0, 0, 0, 0, 0, 0] = 0.5j
    measured = np.ones((1, 1, 1, 1, 1, 5, 1), bool)
    measured[..., 1, :] = False
    drawn = picture_of_residual(values, measured, KSPACE_AXES)
    assert drawn.shape == (2, 3, 5, 6)
    assert drawn.dtype == np.float32
    assert drawn[1, 2, 3, 4] == pytest.approx(np.log10(5))
    assert drawn[0, 0, 0, 0] == pytest.approx(np.log10(0.5))
    assert drawn[0, 1, 2, 2] == pytest.approx(np.log10(5e-6)), "zeros do not fall out of the scale"
    assert np.isnan(drawn[:, :, 1]).all()
    assert np.isfinite(np.delete(drawn, 1, axis=2)).all()


def test_a_sinogram_is_one_stack_of_its_rows() -> None:
    values = np.zeros((2, 4, 5), np.float32)
    values[1, 2, 3] = -100
    drawn = picture_of_residual(values, np.ones((1, 1, 1), bool), ("row", "view", "column"))
    assert drawn.shape == (1, 2, 4, 5)
    assert drawn[0, 1, 2, 3] == pytest.approx(2)
    nothing = picture_of_residual(0 * values, np.ones((1, 1, 1), bool), ("row", "view", "column"))
    assert np.isfinite(nothing).all()


@pytest.mark.parametrize("stacks", [1, 2])
def test_maps_lie_where_the_image_lies(stacks: int) -> None:
    run = a_run()
    frames = np.arange(stacks * np.prod(SHAPE), dtype=np.float32).reshape(-1, *SHAPE[1:])
    support = np.where(frames > 5, 0.5, np.nan).astype(np.float32)
    found = Found(
        {
            Part.SUPPORT: Volume(support, ""),
            Part.UNSEEN: Volume(frames, "a.u."),
            Part.UNCERTAINTY: Volume(frames, "a.u."),
            Part.DIFFERENCE: Volume(frames - 50, "a.u."),
        },
        picture=np.full((1, 2, 3, 4), np.nan, np.float32),
    )
    under = base(run, stacks)
    made = items_of(found, under, run, 5)
    placed = [made[part] for part in found.maps]
    for item in placed:
        assert item.affine is under.affine
        assert item.stacks.shape == under.stacks.shape
        assert (item.placed, item.final, item.state, item.moments) == (True, True, "", under.moments)
        assert item.marks[0] == "Simulated scan"
        assert item.family == under.family
        assert item.origin is run
    assert made[Part.SUPPORT].offered == Levels(0.0, 1.0)
    assert made[Part.SUPPORT].unit == ""
    assert made[Part.DIFFERENCE].signed
    assert made[Part.DIFFERENCE].offered.low == -made[Part.DIFFERENCE].offered.high
    assert made[Part.UNCERTAINTY].kind is Kind.SPREAD
    assert made[Part.UNCERTAINTY].name == "DDS 2, uncertainty of 5 seeds"
    assert made[Part.UNSEEN].name == "DDS 2, unseen part"
    assert len({item.key for item in made.values()}) == 5
    residual = made[Part.RESIDUAL]
    assert not residual.placed
    assert not residual.spaced
    assert residual.unit == "a.u."
    assert residual.scale != under.scale, "a window for images is none for logarithms"
    assert residual.offered.window > 0


def test_empty_maps_have_a_scale() -> None:
    run = a_run()
    zeros = np.zeros(SHAPE, np.float32)
    found = Found({part: Volume(zeros, "a.u.") for part in (Part.UNSEEN, Part.DIFFERENCE)})
    assert all(item.offered.window > 0 for item in items_of(found, base(run), run, 0).values())


def test_the_share_is_told_where_it_is_known() -> None:
    assert Doing("Samples", 1.5, 3).share == 0.5
    assert Doing("Coil maps", 0, 1).share is None
    assert Doing("Samples", 9, 3).share == 1.0


def test_the_pictures_of_a_run_lend_their_place() -> None:
    """A run whose picture has not come has no item to lend."""
    from app.state.room.room import Room
    from app.state.session import OpenScan
    from app.state.trust.items import base_of
    from tests.app.fakes import scan

    opened, run, room = OpenScan(ScanSource("/scans/head.h5"), scan()), a_run(), Room()
    assert base_of(opened, run, room) is None
    run.show_result(Picture(np.ones((3, 24, 32), np.complex64)), 0)
    under = base_of(opened, run, room)
    assert under is not None
    assert under.stacks.shape == (1, 3, 24, 32)
    assert under.placed
