"""What a run will need, before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch

import torch
from torch import Tensor

from core.engine.events import Estimate
from core.engine.memory import available_bytes
from core.engine.problem import Problem
from core.engine.problem_ct import SLAB
from core.engine.settings import LAST_TIMESTEP, ReconSettings
from core.errors import JobError
from core.operators.tomography import memory_bytes as matrix_bytes
from core.priors.prior import Prior
from core.projections import Projections
from core.scan import KSpace, Scan
from core.solvers.differences import AXES
from core.solvers.slice_tie import SLICES_AT_ONCE

_COMPLEX64 = 8
PATCH = 128
"""Side in pixels of what the network is timed on."""

_FLOAT32 = 4
_DATA_ARRAYS, _CT_DATA_ARRAYS = 10, 4
_SAMPLER_ARRAYS, _SHOWN_ARRAYS = 7, 2
"""A* y, the last estimate, the noise, and four of conjugate gradients; beside them the image on show and its copy."""
_TIE_SLAB_ARRAYS = 2
"""Of the slices whose slopes are worked on at once, for each direction."""
_TV_ARRAYS = 10
"""More of them for total variation, with all it carries along."""
_WARM_ARRAYS, _WARM_SLAB_ARRAYS = 4, 14
"""Of a warm start in CT: of the size of the volume, and of the slices that are solved at once."""
_PENALTY_DATA_ARRAYS, _PENALTY_IMAGE_ARRAYS = 2, 12
"""More of them for the iterative methods with a penalty: the dual variables and what FISTA carries along."""


@singledispatch
def estimate(
    scan: Scan,
    slices: tuple[int, int] | None,
    device: torch.device,
    prior: Prior | None,
    settings: ReconSettings | None = None,
    at_once: int = 1,
) -> Estimate:
    """An upper bound of the memory of a run with at_once samples side by side, and what there is."""
    raise TypeError(type(scan))


@estimate.register
def _(
    scan: KSpace,
    slices: tuple[int, int] | None,
    device: torch.device,
    prior: Prior | None,
    settings: ReconSettings | None = None,
    at_once: int = 1,
) -> Estimate:
    """Ten arrays of the size of the measured data, those of the sampler of the size of the image, and the network.

    The ten: as read, scaled, coil maps four times (kept for the next run, of this one, with phase ramps, and the same
    by lines), and four coil-wise temporaries.
    """
    settings = settings or ReconSettings()
    sizes = scan.sizes
    pixels = sizes["ky"] * sizes["kx"] if not scan.is_3d else max(sizes["kz"] * sizes["ky"], sizes["ky"] * sizes["kx"])
    image = _count_planes(scan, slices) * pixels * _COMPLEX64
    data = image * sizes["coil"]
    arrays = _arrays(settings, at_once, max(sizes["slice"], sizes["kz"]))
    need = _DATA_ARRAYS * data + int(arrays * image)
    if settings.method in ("l1-wavelet", "tv"):
        need += _PENALTY_DATA_ARRAYS * data + _PENALTY_IMAGE_ARRAYS * image
    if prior is not None:
        need += _network_bytes(prior, pixels)
    return Estimate(need, available_bytes(device))


@estimate.register
def _(
    scan: Projections,
    slices: tuple[int, int] | None,
    device: torch.device,
    prior: Prior | None,
    settings: ReconSettings | None = None,
    at_once: int = 1,
) -> Estimate:
    """Four arrays of the size of the measured data, those of the sampler of the size of the volume or, where they are
    more, those of the warm start, the system matrix, and the network."""
    settings = settings or ReconSettings()
    depth, height, width = scan.grid.shape
    depth = max(slices[1] - slices[0] if slices else depth, 1)
    volume = depth * height * width * _FLOAT32
    arrays = _arrays(settings, at_once, depth)
    if settings.method == "tv":
        arrays += _TV_ARRAYS
    if settings.method == "dds" and settings.t_start != LAST_TIMESTEP:
        share = 1.0 if scan.is_volume else min(SLAB / depth, 1.0)
        arrays = max(arrays, _WARM_ARRAYS + _WARM_SLAB_ARRAYS * share)
    need = _CT_DATA_ARRAYS * scan.data.nbytes + int(arrays * volume) + matrix_bytes(scan.geometry, scan.grid)
    if prior is not None:
        need += _network_bytes(prior, height * width)
    return Estimate(need, available_bytes(device))


def _arrays(settings: ReconSettings, at_once: int, depth: int) -> float:
    """How many of the size of the image: for each sample under way those of the sampler, what ties its slices, and a
    copy where there are several; one for each that is done; what is on show. The other methods need no more."""
    each: float = _SAMPLER_ARRAYS + (at_once > 1)
    if settings.rho > 0 and depth > 1:
        directions = len(AXES["z" if settings.along == "auto" else settings.along])
        each += directions * (1 + _TIE_SLAB_ARRAYS * min(SLICES_AT_ONCE / depth, 1)) + (settings.admm_steps > 1)
    return each * at_once + settings.samples - 1 + _SHOWN_ARRAYS


def _network_bytes(prior: Prior, pixels: int) -> int:
    """Of the weights and of what one plane leaves on its way."""
    return sum(p.numel() * p.element_size() for p in prior.network.parameters()) + activation_bytes(prior, pixels)


def activation_bytes(prior: Prior, pixels: int) -> int:
    """Of one plane on its way through the network: 64 channels at full size for the first levels and their skip
    connections, doubled."""
    width = int(prior.card.config.get("num_channels") or prior.card.config.get("width", 64))
    return 2 * 2 * width * pixels * 8


def _count_planes(scan: KSpace, slices: tuple[int, int] | None) -> int:
    sizes = scan.sizes
    stack = max(sizes["slice"], sizes["kz"])
    chosen = slices[1] - slices[0] if slices else stack
    return sizes["contrast"] * sizes["repetition"] * max(chosen, 1)


def samples_at_once(needed: Callable[[int], Estimate], samples: int) -> int:
    """How many samples fit into memory side by side, in groups as even as they can be; 1 if none does.

    needed: the estimate for so many at once.
    """
    for groups in range(1, samples):
        at_once = -(-samples // groups)
        found = needed(at_once)
        if found.memory_bytes <= found.available_bytes:
            return at_once
    return 1


def with_seconds(
    needed: Estimate, problem: Problem, settings: ReconSettings, predict: Callable[[Tensor], object]
) -> Estimate:
    """The estimate with its seconds for DDS, from the network on one small patch and the operator, timed once each.

    predict: an evaluation of the network on some planes. A step applies the operator cg_steps + 1 times to each sample
    to solve, and once to their mean for the residual. Full-size networks take ten seconds for a whole plane, which
    would be too long to wait for an estimate.
    """
    x = torch.zeros(problem.operator.domain_shape, dtype=problem.operator.dtype, device=problem.operator.device)
    patch = x[:1, :PATCH, :PATCH]
    network = seconds_of(lambda: predict(patch)) * x.numel() / patch.numel()
    operator = seconds_of(lambda: problem.operator.normal(x))
    step = settings.samples * (network + (settings.cg_steps + 1) * operator) + operator
    return replace(needed, seconds=settings.nfe * step)


def seconds_of(call: Callable[[], object]) -> float:
    """Of a second call: the first one also pays for what is set up once."""
    call()
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def refuse_if_too_large(needed: Estimate, slices: int = 1) -> None:
    """Raise JobError when a run over so many slices cannot fit; it says how many would."""
    if needed.memory_bytes > needed.available_bytes:
        fit = int(slices * needed.available_bytes / needed.memory_bytes)
        fewer = f"About {fit} of its {slices} slices would fit at once" if fit else "Make the image smaller"
        raise JobError(
            "This run does not fit into memory.",
            f"It may need {gigabytes(needed.memory_bytes)}, and {gigabytes(needed.available_bytes)} are free.",
            f"{fewer}; or close other programs.",
        )


def gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
