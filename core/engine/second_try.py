"""The memory runs out on the way, or the graphics card is lost: once more, smaller or on the CPU, else in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from core.engine.events import Estimate
from core.engine.job import JobSpec
from core.engine.lost_device import is_lost_device, is_marked, lost, mark_lost, told
from core.engine.memory import available_bytes, is_out_of_memory
from core.errors import JobError, UserError
from core.priors.held import let_go


@dataclass
class Extent:
    """How large a run is, as far as that was known when it broke down. slices: that it is over; at_once: samples side
    by side."""

    device: torch.device | None = None
    needed: Estimate | None = None
    slices: int = 0
    at_once: int = 1


def is_foreseen(error: BaseException) -> bool:
    """It can happen to any run, on any machine."""
    return is_out_of_memory(error) or is_lost_device(error)


def second_try(job: JobSpec, extent: Extent, error: BaseException) -> tuple[JobSpec, str] | None:
    """The job to do instead, and what to tell of it; None where there is none.

    With half as many samples side by side, of which each stays the same; or on the CPU, where the device is "auto".
    """
    if is_lost_device(error):
        again = job.settings.device == "auto" and not is_marked()
        mark_lost(error)
        let_go()  # its weights lie on the card
        if not again:
            return None
        return job, f"The graphics card has stopped working ({told(error)}); it was begun again on the CPU."
    if extent.at_once <= 1 or job.keep_at is not None:  # which counts the steps of such groups
        return None
    fewer = extent.at_once // 2
    note = f"The memory was short: it was begun again with {fewer} {'sample' if fewer == 1 else 'samples'} at a time."
    return replace(job, samples_at_once=fewer), note


def in_words(extent: Extent, error: BaseException) -> UserError:
    """What went wrong, and what would fit."""
    if is_lost_device(error):
        return lost(told(error))
    elsewhere = " Or reconstruct on the CPU." if extent.device is not None and extent.device.type == "cuda" else ""
    return JobError("The memory ran out.", f"{told(error)}." if str(error) else "", f"{_what_fits(extent)}{elsewhere}")


def _what_fits(extent: Extent) -> str:
    if extent.needed is None or extent.device is None:
        return "Close other programs, or use a machine with more memory."
    if extent.slices < 2:
        return "Make the image smaller, or close other programs."
    free = available_bytes(extent.device)
    # What was thought to fit did not, so that half of it is the most to be hoped for.
    share = min(free / max(extent.needed.memory_bytes, 1), 0.5)
    fit = max(int(extent.slices * share), 1)
    return f"About {fit} of its {extent.slices} slices would fit at once; or close other programs."
