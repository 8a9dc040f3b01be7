"""What a run will need, before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import psutil
import torch

from core.engine.events import Estimate
from core.engine.problem import Problem
from core.engine.settings import ReconSettings
from core.errors import JobError
from core.priors.prior import Prior
from core.scan import KSpace

_COMPLEX64 = 8
PATCH = 128
"""Side in pixels of what the network is timed on."""


def estimate(scan: KSpace, planes: int, device: torch.device, prior: Prior | None) -> Estimate:
    """An upper bound of the memory of a run over so many planes, and what there is.

    Six arrays of the size of the measured data (as read, scaled, coil maps twice, two coil-wise temporaries), twelve of
    the size of the image, the network's weights and, for one plane, its activations (64 channels at full size for the
    first levels and their skip connections, doubled).
    """
    sizes = scan.sizes
    pixels = sizes["ky"] * sizes["kx"] if not scan.is_3d else max(sizes["kz"] * sizes["ky"], sizes["ky"] * sizes["kx"])
    data = planes * sizes["coil"] * pixels * _COMPLEX64
    need = 6 * data + 12 * planes * pixels * _COMPLEX64
    if prior is not None:
        weights = sum(p.numel() * p.element_size() for p in prior.network.parameters())
        width = int(prior.card.config.get("num_channels", 64))
        need += weights + 2 * 2 * width * pixels * 8
    return Estimate(need, available_bytes(device))


def with_seconds(needed: Estimate, problem: Problem, prior: Prior | None, settings: ReconSettings) -> Estimate:
    """The estimate with its seconds, from the network on one small patch and the normal operator, timed once each.

    A step applies the operator cg_steps + 1 times to solve and once for the residual. Full-size networks take ten
    seconds for a whole plane, which would be too long to wait for an estimate.
    """
    if prior is None:
        return needed
    x = torch.zeros(problem.operator.domain_shape, dtype=problem.operator.dtype, device=problem.operator.device)
    patch = x[:1, :PATCH, :PATCH]
    network = _seconds(lambda: prior.predict(patch, 0)) * x.numel() / patch.numel()
    operator = _seconds(lambda: problem.operator.normal(x))
    return replace(needed, seconds=settings.nfe * (network + (settings.cg_steps + 2) * operator))


def _seconds(call: Callable[[], object]) -> float:
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


def refuse_if_too_large(needed: Estimate) -> None:
    """Raise JobError when a run cannot fit."""
    if needed.memory_bytes > needed.available_bytes:
        raise JobError(
            "This run does not fit into memory.",
            f"It may need {gigabytes(needed.memory_bytes)}, and {gigabytes(needed.available_bytes)} are free.",
            "Reconstruct fewer slices at once, or close other programs.",
        )


def gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
