"""What a run will need, before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch

import psutil
import torch
from torch import Tensor

from core.engine.events import Estimate
from core.engine.problem import Problem
from core.engine.settings import ReconSettings
from core.errors import JobError
from core.operators.tomography import memory_bytes as matrix_bytes
from core.priors.prior import Prior
from core.projections import Projections
from core.scan import KSpace, Scan
from core.solvers.differences import AXES

_COMPLEX64 = 8
PATCH = 128
"""Side in pixels of what the network is timed on."""

_FLOAT32 = 4
_DATA_ARRAYS, _IMAGE_ARRAYS = 6, 12
_CT_DATA_ARRAYS, _CT_IMAGE_ARRAYS, _TV_VOLUMES = 4, 11, 10
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
    """Six arrays of the size of the measured data (as read, scaled, coil maps twice, two coil-wise temporaries), twelve
    of the size of the image for each sample that is drawn and two for each that is done, and the network."""
    settings = settings or ReconSettings()
    sizes = scan.sizes
    pixels = sizes["ky"] * sizes["kx"] if not scan.is_3d else max(sizes["kz"] * sizes["ky"], sizes["ky"] * sizes["kx"])
    image = _count_planes(scan, slices) * pixels * _COMPLEX64
    data = image * sizes["coil"]
    need = _DATA_ARRAYS * data + _IMAGE_ARRAYS * image
    if settings.method in ("l1-wavelet", "tv"):
        need += _PENALTY_DATA_ARRAYS * data + _PENALTY_IMAGE_ARRAYS * image
    if prior is not None:
        need += _network_bytes(prior, pixels)
        need += (at_once - 1) * _IMAGE_ARRAYS * image + (settings.samples - 1) * 2 * image
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
    """Four arrays of the size of the measured data, eleven of the size of the volume (five in CG, four in the sampler,
    the image on show and its copy), two or six more for what ties the slices, the system matrix, and the network."""
    settings = settings or ReconSettings()
    depth, height, width = scan.grid.shape
    depth = slices[1] - slices[0] if slices else depth
    volume = max(depth, 1) * height * width * _FLOAT32
    need = _CT_DATA_ARRAYS * scan.data.nbytes + _CT_IMAGE_ARRAYS * volume + matrix_bytes(scan.geometry, scan.grid)
    if settings.method == "tv" and depth > 1:
        need += _TV_VOLUMES * volume
    if prior is not None:
        tied = len(AXES["z" if settings.along == "auto" else settings.along]) if settings.rho else 0
        need += 2 * tied * volume + _network_bytes(prior, height * width)
        need += (at_once - 1) * _CT_IMAGE_ARRAYS * volume + (settings.samples - 1) * volume
    return Estimate(need, available_bytes(device))


def _network_bytes(prior: Prior, pixels: int) -> int:
    """Of the weights and the activations for one plane: 64 channels at full size for the first levels and their skip
    connections, doubled."""
    weights = sum(p.numel() * p.element_size() for p in prior.network.parameters())
    width = int(prior.card.config.get("num_channels") or prior.card.config.get("width", 64))
    return weights + 2 * 2 * width * pixels * 8


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


def available_bytes(device: torch.device) -> int:
    """Memory that can still be had on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


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
