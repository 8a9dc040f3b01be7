"""The pieces of work that a benchmark times: always of the same sizes, so that machines can be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import torch
from torch import Tensor

from core.diffusion.dds import sample
from core.diffusion.schedule import Schedule, timesteps
from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.precision import choose_precision, computing_in
from core.engine.presets import settings_for
from core.engine.runner import run
from core.errors import JobError
from core.geometry import Grid, ParallelBeam, evenly_spread
from core.operators.linear import LinearOperator, Scaled, operator_norm
from core.operators.masks import Undersampling, sampling_mask
from core.operators.sense import Sense
from core.operators.tomography import projector
from core.priors.phantoms_simple import coil_maps, shepp_logan
from core.priors.prior import Prior
from core.priors.registry import load_prior
from core.solvers.cg import conjugate_gradient

Call = Callable[[], object]
MRI_PRIOR, CT_PRIOR = "mri-small", "ct-small"
COILS, ACCELERATION = 8, 4.0
CT_SIDE, CT_VIEWS, CT_DETECTORS = 256, 60, 363
SMALL, LARGE = 256, 320
CG_STEPS, GAMMA, TIMESTEP = 5, 5.0, 50


@dataclass(frozen=True)
class Probe:
    """name: its key, for programs. words: what it is, for a person. make(device): what is to be timed, made ready."""

    name: str
    words: str
    make: Callable[[torch.device], Call]


def probes() -> tuple[Probe, ...]:
    """All of them, those that tell the most first."""
    return (
        Probe("dds_step_mri_320", f"DDS step, MRI, 320 x 320, {COILS} coils", lambda device: mri_step(LARGE, device)),
        Probe("dds_step_mri_256", f"DDS step, MRI, 256 x 256, {COILS} coils", lambda device: mri_step(SMALL, device)),
        Probe("dds_step_ct_256", f"DDS step, CT, 256 x 256, {CT_VIEWS} views", ct_step),
        Probe(
            "run_mri_256", "Demo head: a slice, recommended settings", lambda device: demo_run("mri_head", MRI_PRIOR)
        ),
        Probe("run_ct_256", "Demo chest: a slice, recommended settings", lambda device: demo_run("ct_chest", CT_PRIOR)),
        Probe("network_mri_256", "Network, MRI, 256 x 256", lambda device: network(MRI_PRIOR, SMALL, device)),
        Probe("network_mri_320", "Network, MRI, 320 x 320", lambda device: network(MRI_PRIOR, LARGE, device)),
        Probe("network_ct_256", "Network, CT, 256 x 256", lambda device: network(CT_PRIOR, SMALL, device)),
        Probe(
            "sense_normal_256", f"SENSE normal operator, 256 x 256, {COILS} coils", lambda device: normal(SMALL, device)
        ),
        Probe(
            "sense_normal_320", f"SENSE normal operator, 320 x 320, {COILS} coils", lambda device: normal(LARGE, device)
        ),
        Probe(
            "cg_mri_320", f"CG, {CG_STEPS} iterations, 320 x 320, {COILS} coils", lambda device: solve(LARGE, device)
        ),
        Probe("ct_forward_256", f"CT forward, 256 x 256, {CT_VIEWS} views", ct_forward),
        Probe("ct_adjoint_256", f"CT adjoint, 256 x 256, {CT_VIEWS} views", ct_adjoint),
    )


@cache
def prior_on(name: str, device: torch.device) -> Prior:
    """A bundled prior as runs use it."""
    prior = load_prior(name)
    prior.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return prior.to(device)


@dataclass(frozen=True)
class Bundled:
    """A bundled prior that computes in the precision of runs; the solver stays in float32."""

    prior: Prior
    device: torch.device

    def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        with computing_in(choose_precision("auto", self.prior.card.family, self.device), self.device):
            return self.prior.predict(x, timestep)


def network(name: str, side: int, device: torch.device) -> Call:
    prior = Bundled(prior_on(name, device), device)
    x = torch.from_numpy(shepp_logan(side))[None].to(device)
    x = torch.complex(x, torch.zeros_like(x)) if prior.prior.channels == 2 else x
    return lambda: prior.predict(x, TIMESTEP)


def sense(side: int, device: torch.device) -> tuple[LinearOperator, Tensor]:
    """(the operator of unit norm, an image)."""
    maps = torch.from_numpy(coil_maps(COILS, (side, side)))[None]
    mask = torch.from_numpy(sampling_mask(Undersampling("gaussian1d", ACCELERATION), side, side))[None]
    bare = Sense(maps.to(device), mask.to(device))
    image = torch.from_numpy(shepp_logan(side))[None].to(device, torch.complex64)
    return Scaled(bare, 1 / operator_norm(bare)), image


def normal(side: int, device: torch.device) -> Call:
    operator, x = sense(side, device)
    return lambda: operator.normal(x)


def solve(side: int, device: torch.device) -> Call:
    operator, x = sense(side, device)
    b = operator.normal(x)
    return lambda: conjugate_gradient(lambda v: v + GAMMA * operator.normal(v), b, torch.zeros_like(x), CG_STEPS)


def mri_step(side: int, device: torch.device) -> Call:
    return step(MRI_PRIOR, *sense(side, device), device)


def tomography(device: torch.device) -> tuple[LinearOperator, Tensor]:
    grid = Grid((1, CT_SIDE, CT_SIDE), (1.0, 1.0, 1.0))
    bare = projector(ParallelBeam(evenly_spread(CT_VIEWS), CT_DETECTORS, 1.0), grid, 1, device=device)
    return Scaled(bare, 1 / operator_norm(bare)), torch.from_numpy(shepp_logan(CT_SIDE))[None].to(device)


def ct_forward(device: torch.device) -> Call:
    operator, x = tomography(device)
    return lambda: operator.forward(x)


def ct_adjoint(device: torch.device) -> Call:
    operator, x = tomography(device)
    y = operator.forward(x)
    return lambda: operator.adjoint(y)


def ct_step(device: torch.device) -> Call:
    return step(CT_PRIOR, *tomography(device), device)


def step(name: str, operator: LinearOperator, x: Tensor, device: torch.device) -> Call:
    """One step of the sampler: the network, conjugate gradients, and the step of DDIM."""
    prior, y = Bundled(prior_on(name, device), device), operator.forward(x)
    walk = Schedule(prior.prior.schedule, tuple(timesteps(2, t_start=TIMESTEP)))
    return lambda: next(sample(prior, operator, y, schedule=walk, cg_steps=CG_STEPS, gamma=GAMMA, x_T=x))


def demo_run(demo: str, prior: str) -> Call:
    """A whole run of one slice of a bundled scan, as a user starts it."""

    def call() -> None:
        with as_file(files("resources") / "demo" / f"{demo}.h5") as path:
            job = JobSpec(ScanSource(str(path), slices=(1, 2)), settings_for(prior=prior))
            ended = last(run(job))
        if not isinstance(ended, Finished):
            raise JobError("The bundled scan could not be reconstructed.", str(ended), "Install the program again.")

    return call


def last(events: Iterator[object]) -> object:
    event: object = None
    for event in events:  # noqa: B007
        pass
    return event


def evaluations(prior: str) -> int:
    """NFE of a prior's recommended settings."""
    return settings_for(prior=prior).nfe


def larger(seconds: float, old: int, new: int) -> float:
    """Seconds of something that grows with the number of pixels."""
    return seconds * math.pow(new / old, 2)
