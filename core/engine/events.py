"""What a run tells while it goes on. The command line, the tests and the window consume the same stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from core.engine.state import State
from core.errors import UserError
from core.scan import Volume

Image = npt.NDArray[Any]


@dataclass(frozen=True)
class Event:
    """Anything that `core.engine.runner.run` yields."""


@dataclass(frozen=True)
class Estimate:
    """What a run will need.

    memory_bytes is an upper bound. seconds: for all steps, from one timed network evaluation and one timed application
    of the operator, or from timed iterations; None for methods that are over in less.
    """

    memory_bytes: int
    available_bytes: int
    seconds: float | None = None


@dataclass(frozen=True)
class Started(Event):
    """The scan has been prepared. frames, height, width: of the image to come. steps: how many StepDone can follow."""

    estimate: Estimate
    frames: int
    height: int
    width: int
    steps: int
    device: str
    frame_names: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class Progress(Event):
    """A part of the work that is no step of the sampler: "Coil maps" 3 of 8."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class ClassicalImage(Event):
    """A classical image, (frame, y, x) complex64 (CT: float32) in the unit of the result, and its method."""

    method: str
    image: Image = field(repr=False)


@dataclass(frozen=True)
class StepDone(Event):
    """Step `step` of `total` (from 1) is done.

    residual: ||Ax - y|| / ||y|| of the denoised estimate. seconds_left: for the rest of the run.
    estimate(): the denoised estimate, (frame, y, x) complex64 (CT: float32) in the unit of the result; of several
    samples the mean. It costs a copy, so it is made only when called, and only before the next event is asked for.
    noisy(): likewise the noisy image that the sampler goes on with, of the first sample under way; None where the
    samples under way are done. state(): all that the run needs to go on from here. metrics: of the estimate, as those
    of Finished; empty without a reference, and at steps that were not compared.
    """

    step: int
    total: int
    timestep: int
    residual: float
    network_seconds: float
    solver_seconds: float
    seconds_left: float
    estimate: Callable[[], Image] = field(repr=False)
    noisy: Callable[[], Image | None] = field(default=lambda: None, repr=False)
    state: Callable[[], State | None] = field(default=lambda: None, repr=False)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Paused(Event):
    """The run is paused between two events; asking again answers Paused again, after a tenth of a second at most.

    A pause that another thread asks for in the middle of a step holds the run there, without an event.
    """


@dataclass(frozen=True)
class Warned(Event):
    """Something that the user must see beside the result."""

    message: str


@dataclass(frozen=True)
class Noted(Event):
    """Something that is good to know, but no cause for alarm."""

    message: str


@dataclass(frozen=True)
class Finished(Event):
    """The run is done, or was stopped to keep what there was.

    kept_at: the step it was stopped after (0: before the first), or None if it ran through. volume.card is
    the run card. metrics: psnr, ssim, nrmse, hfen, data_range when there was a reference, else empty.
    """

    volume: Volume
    kept_at: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def card(self) -> dict[str, Any]:
        return self.volume.card


@dataclass(frozen=True)
class Discarded(Event):
    """The run was stopped and its result thrown away."""


@dataclass(frozen=True)
class Failed(Event):
    """The run could not go on. error says what, why and what to do."""

    error: UserError
