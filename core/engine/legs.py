"""The legs of a walk: a run that branches goes by the settings of other runs first, then by its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from core.engine.problem import Coding
from core.engine.settings import Precision, ReconSettings
from core.errors import JobError
from core.priors.card import ModelCard
from core.priors.prior import Prior
from core.solvers.slice_tie import SliceTie


@dataclass(frozen=True)
class Leg:
    """Steps of a walk, up to the one counted `end`, that go by the same settings. weight: of the data."""

    prior: Prior
    settings: ReconSettings
    weight: float | Callable[[float], float]
    precision: Precision
    end: int


def seeds_of(legs: Sequence[Leg], members: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The seeds of some samples, counted from 0, in each leg; a run with fewer samples is left by several of one."""
    found: list[tuple[int, ...]] = []
    for leg in reversed(legs):
        members = tuple(k % leg.settings.samples for k in members)
        found.insert(0, tuple(leg.settings.seed + k for k in members))
    return found


def tie_of(settings: ReconSettings, slices: int) -> SliceTie | None:
    """What ties the slices of each sample, where that is asked for and there are several."""
    if not settings.rho or slices < 2:
        return None
    along = "z" if settings.along == "auto" else settings.along
    return SliceTie(slices, settings.rho, settings.lam, along, settings.admm_steps)


def carry_on(before: SliceTie | None, after: SliceTie | None) -> None:
    """Let the tie of a leg carry on what that of the leg before carried, where it means the same."""
    if before is None or after is None:
        return
    if (after.rho, after.lam, after.along) == (before.rho, before.lam, before.along):
        after.carried = before.carried


def require_alike(before: Prior, after: Prior) -> None:
    """Raise JobError where a prior cannot go on with noisy images of another one."""
    one, other = before.schedule, after.schedule
    alike = torch.equal(one.signal, other.signal) and torch.equal(one.noise, other.noise)
    if not alike or before.card.channels != after.card.channels:
        raise _other_prior(before, after)


def require_same_coding(before: Prior, after: Prior, coding_of: Callable[[ModelCard], Coding]) -> None:
    """Raise JobError where two priors are shown the image in different ways."""
    one, other = coding_of(before.card), coding_of(after.card)
    if (one.base, one.scale) != (other.base, other.scale):
        raise _other_prior(before, after)


def _other_prior(before: Prior, after: Prior) -> JobError:
    return JobError(
        "The run cannot be branched to that prior.",
        f"{after.card.name} counts noise or grey values otherwise than {before.card.name}.",
        "Choose the prior that the run had, or one like it.",
    )
