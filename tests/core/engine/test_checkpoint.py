"""A run that goes on from a state is the run that was not interrupted, bit for bit; branches can be made again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.diffusion.schedule import timesteps
from core.engine.branch import branched, spliced
from core.engine.events import ClassicalImage, Discarded, Failed, Finished, Started, StepDone
from core.engine.job import MOST_BRANCHES, Branch, JobSpec, ScanSource
from core.engine.run_card import differences, job_from_card
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.state import State
from core.engine.stop import Stop
from core.errors import JobError

NFE = 5


@pytest.fixture
def mri(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=NFE, eta=0.8, seed=7, device="cpu")
    source = ScanSource("synthetic.h5", undersample="gaussian1d:3:0.2:0")
    return JobSpec(source, settings, make_scan(ny=24, nx=20, slices=2, noise=1e-3), threads=1)


@pytest.fixture
def ct(tiny_prior, make_projections) -> JobSpec:
    prior = tiny_prior(channels=1, modality="CT", anatomy="trunk", scale_percentile=0.0)
    settings = ReconSettings(prior=prior, nfe=NFE, eta=0.6, rho=1.0, device="cpu", precision="float32")
    return JobSpec(ScanSource("synthetic.h5"), settings, make_projections(slices=2, views=12), threads=1)


def events_of(job: JobSpec, held: State | None = None, stop: Stop | None = None) -> tuple[list[StepDone], Finished]:
    found = list(run(job, stop, held))
    assert isinstance(found[-1], Finished), found[-1]
    return [event for event in found if isinstance(event, StepDone)], found[-1]


def states_of(job: JobSpec) -> tuple[dict[int, State], Finished]:
    """The state after every step, and how the run ends."""
    states = {}
    for event in run(job):
        if isinstance(event, StepDone):
            states[event.step] = event.state()
    assert isinstance(event, Finished), event
    return states, event


def same(one: Finished, other: Finished) -> bool:
    spreads = (one.volume.spread, other.volume.spread)
    alike = np.array_equal(*spreads) if spreads[0] is not None else spreads[1] is None
    return np.array_equal(one.volume.array, other.volume.array) and bool(alike)


@pytest.mark.parametrize("kind", ["mri", "ct"])
@pytest.mark.parametrize(("samples", "at_once", "t_start"), [(1, 1, 999), (3, 2, 999), (2, 1, 300)])
def test_from_every_step_it_goes_on_bit_for_bit(
    kind: str, samples: int, at_once: int, t_start: int, request: pytest.FixtureRequest
) -> None:
    job = request.getfixturevalue(kind)
    job = replace(job, settings=job.settings.replace(samples=samples, t_start=t_start), samples_at_once=at_once)
    states, whole = states_of(job)
    total = -(-samples // at_once) * NFE
    assert set(states) == set(range(1, total + 1))
    for done, state in states.items():
        steps, ended = events_of(replace(state.job, scan=job.scan), state)
        assert [event.step for event in steps] == list(range(done + 1, total + 1))
        assert same(ended, whole), f"after step {done}"
        assert ended.card["job"]["settings"] == whole.card["job"]["settings"]
        assert ended.card["outcome"]["nfe"] == whole.card["outcome"]["nfe"]
        assert ended.card["outcome"]["residual"] == whole.card["outcome"]["residual"]
        assert any(f"step {done}" in note for note in ended.card["outcome"]["notes"])


def test_what_goes_on_from_the_first_step_alone_would_differ(mri: JobSpec) -> None:
    """The test above could not fail if the noisy image did not matter."""
    states, whole = states_of(mri)
    spoilt = replace(states[2], noisy=(states[2].noisy[0] * 1.01,))
    assert not same(events_of(mri, spoilt)[1], whole)


def test_residuals_and_states_go_on_where_they_were(mri: JobSpec) -> None:
    states, _ = states_of(mri)
    again = {}
    for event in run(mri, held=states[2]):
        if isinstance(event, StepDone):
            again[event.step] = event.state()
    assert again[4].residuals == states[4].residuals
    assert len(again[4].residuals) == 4
    assert same(events_of(mri, again[4])[1], events_of(mri)[1])


def test_a_run_that_went_on_can_be_kept_and_made_again(mri: JobSpec) -> None:
    states, _ = states_of(mri)
    for last in (2, 3):
        stop = Stop()
        for event in run(mri, stop, states[2]):
            if isinstance(event, ClassicalImage) and event.method == "cg-sense" and last == 2:
                pass
            if isinstance(event, StepDone) and event.step == 3 and last == 3:
                stop.keep()
        if last == 3:
            assert event.kept_at == 3
            again = replace(job_from_card(event.card), scan=mri.scan)
            assert np.array_equal(events_of(again)[1].volume.array, event.volume.array)


def test_another_scan_or_prior_is_refused(mri: JobSpec, make_scan) -> None:
    states, _ = states_of(mri)
    other = replace(states[2], inputs={"scan": "another", "prior": ""})
    *_, event = run(mri, held=other)
    assert isinstance(event, Failed)
    assert "no longer" in str(event.error)
    bigger = replace(mri, scan=make_scan(ny=24, nx=24, slices=2, noise=1e-3))
    *_, event = run(bigger, held=states[2])
    assert isinstance(event, Failed)


@pytest.mark.parametrize("kind", ["mri", "ct"])
@pytest.mark.parametrize("samples", [1, 2])
def test_a_branch_with_the_same_settings_is_the_run_itself(
    kind: str, samples: int, request: pytest.FixtureRequest
) -> None:
    job = request.getfixturevalue(kind)
    job = replace(job, settings=job.settings.replace(samples=samples, t_start=500))
    states, whole = states_of(job)
    for step in range(1, NFE):
        branch = branched(job, step, job.settings)
        replayed, short = events_of(branch), events_of(branch, states[step])
        assert [event.step for event in replayed[0]] == list(range(1, NFE + 1))
        assert [event.step for event in short[0]] == list(range(step + 1, NFE + 1))
        assert same(replayed[1], whole)
        assert same(short[1], whole)


OTHERS = [
    {"eta": 0.1},
    {"gamma": 50.0, "cg_steps": 2},
    {"nfe": 9},
    {"nfe": 3, "spacing": "quadratic"},
    {"seed": 3},
    {"rho": 2.0, "lam": 0.1},
    {"samples": 3, "seed": 11},
]


@pytest.mark.parametrize("changes", OTHERS, ids=str)
def test_a_branch_differs_and_its_card_makes_it_again(mri: JobSpec, changes: dict) -> None:
    states, whole = states_of(mri)
    branch = branched(mri, 2, mri.settings.replace(**changes))
    steps, short = events_of(branch, states[2])
    assert not np.array_equal(short.volume.array, whole.volume.array)
    here = timesteps(NFE)[2]
    own = [t for t in timesteps(branch.settings.nfe, branch.settings.spacing) if t < here]
    groups = -(-branch.settings.samples // short.card["outcome"]["samples_at_once"])
    assert len(own) + 3 == short.card["outcome"]["nfe"] // branch.settings.samples
    card = json.loads(json.dumps(short.card))
    assert card["job"]["start"]["step"] == 2
    assert card["job"]["start"]["job"]["settings"] == mri.settings.to_dict()
    again = job_from_card(card)
    assert again.start == Branch(replace(mri, scan=None), 2)
    ended = events_of(replace(again, scan=mri.scan))[1]
    assert same(ended, short)
    assert ended.card["outcome"]["left"] == short.card["outcome"]["left"]
    assert len(ended.card["outcome"]["left"]) == branch.settings.samples
    assert not differences(card, ended.card)
    assert steps[-1].total == groups * (len(own) + 3)


def test_more_samples_leave_the_same_step_and_spread(mri: JobSpec) -> None:
    branch = branched(mri, 3, mri.settings.replace(samples=3, seed=20))
    ended = events_of(branch)[1]
    assert len(set(ended.card["outcome"]["left"])) == 1
    assert ended.volume.spread.max() > 0
    grouped = events_of(replace(branch, samples_at_once=1))[1]
    assert same(grouped, ended)


def test_a_branch_of_a_branch_goes_back_to_the_first_run(mri: JobSpec) -> None:
    one = branched(mri, 2, mri.settings.replace(gamma=50.0))
    states, _ = states_of(one)
    two = branched(one, 3, mri.settings.replace(gamma=1.0))
    short = events_of(two, states[3])[1]
    again = replace(job_from_card(json.loads(json.dumps(short.card))), scan=mri.scan)
    assert same(events_of(again)[1], short)
    early = branched(one, 1, mri.settings.replace(gamma=1.0))
    direct = branched(mri, 1, mri.settings.replace(gamma=1.0))
    assert same(events_of(early)[1], events_of(direct)[1])


def test_a_branch_that_was_interrupted_goes_on(mri: JobSpec) -> None:
    branch = replace(branched(mri, 2, mri.settings.replace(samples=3, seed=4)), samples_at_once=1)
    states, whole = states_of(branch)
    for done in (1, 2, 4, 5, 7, 11):
        ended = events_of(branch, states[done])[1]
        assert same(ended, whole)
        assert ended.card["outcome"]["left"] == whole.card["outcome"]["left"]


def test_a_kept_branch_can_be_made_again(mri: JobSpec) -> None:
    states, _ = states_of(mri)
    branch, stop = branched(mri, 2, mri.settings.replace(gamma=50.0)), Stop()
    for event in run(branch, stop, states[2]):
        if isinstance(event, StepDone) and event.step == 4:
            stop.keep()
    assert event.kept_at == 4
    again = replace(job_from_card(event.card), scan=mri.scan)
    assert same(events_of(again)[1], event)
    early = replace(again, keep_at=1)
    assert np.array_equal(
        events_of(early, states[2])[1].volume.array, events_of(replace(mri, keep_at=1))[1].volume.array
    )


@pytest.mark.parametrize(
    ("step", "changes", "words"),
    [
        (0, {}, "after step 0"),
        (NFE, {}, f"after step {NFE}"),
        (2, {"t_start": 200}, "start timestep"),
        (2, {"method": "tv"}, "DDS"),
    ],
)
def test_what_cannot_be_branched_is_told(mri: JobSpec, step: int, changes: dict, words: str) -> None:
    job = replace(mri, settings=mri.settings.replace(**changes), start=Branch(mri, step))
    if "method" in changes:
        job = replace(mri, start=Branch(replace(mri, settings=mri.settings.replace(method="tv")), step))
    *_, event = run(job)
    assert isinstance(event, Failed)
    assert words in str(event.error)


def test_a_prior_that_counts_noise_otherwise_is_refused(mri: JobSpec, tiny_prior, tmp_path) -> None:
    parent = tmp_path / "parent.safetensors"
    for ending in (".safetensors", ".json"):
        parent.with_suffix(ending).write_bytes((tmp_path / f"tiny{ending}").read_bytes())
    job = replace(mri, settings=mri.settings.replace(prior=str(parent)))
    other = branched(job, 2, job.settings.replace(prior=tiny_prior(noise_schedule="vp-cosine")))
    *_, event = run(other)
    assert isinstance(event, Failed)
    assert "counts noise" in str(event.error)
    alike = branched(job, 2, job.settings.replace(prior=tiny_prior()))
    assert same(events_of(alike)[1], events_of(job)[1])


def test_a_state_of_another_run_is_left_alone(mri: JobSpec) -> None:
    states, whole = states_of(replace(mri, settings=mri.settings.replace(seed=99)))
    assert same(events_of(mri, states[2])[1], events_of(mri)[1])
    branch = branched(mri, 2, mri.settings)
    assert same(events_of(branch, states[2])[1], events_of(mri)[1])
    assert not same(whole, events_of(mri)[1])


def test_discarded_at_once(mri: JobSpec) -> None:
    states, _ = states_of(mri)
    stop = Stop()
    for event in run(mri, stop, states[3]):
        if isinstance(event, Started):
            stop.discard()
    assert isinstance(event, Discarded)


def test_the_rest_of_a_walk_lies_below_the_step_that_is_left() -> None:
    assert spliced((999, 750, 500, 250, 0), 2, (999, 666, 333, 0)) == (999, 750, 500, 333, 0)
    assert spliced((999, 750, 500, 250, 0), 2, (999, 500, 0)) == (999, 750, 500, 0)
    assert spliced((999, 500, 0), 2, (999, 500)) == (999, 500, 0)
    for step in (0, 3, -1):
        with pytest.raises(JobError):
            spliced((999, 500, 0), step, (999, 0))


def test_endless_branches_are_refused(mri: JobSpec) -> None:
    job = mri
    for _ in range(MOST_BRANCHES + 1):
        job = replace(mri, start=Branch(replace(job, scan=None), 1))
    with pytest.raises(JobError):
        JobSpec.from_dict(job.to_dict())
    *_, event = run(job)
    assert isinstance(event, Failed)


def test_the_noisy_image_is_of_the_size_of_the_result(mri: JobSpec) -> None:
    shown = []
    for event in run(mri):
        if isinstance(event, StepDone):
            shown.append(event.noisy())
    assert [image is None for image in shown] == [False] * (NFE - 1) + [True]
    assert shown[0].shape == event.volume.array.shape
    assert abs(shown[0]).std() > abs(shown[-2]).std()
