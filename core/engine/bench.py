"""How fast this machine is at what runs are made of: measurements within a budget of seconds, and what to expect."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from core.engine.bench_probes import CT_PRIOR, LARGE, MRI_PRIOR, SMALL, Call, Probe, evaluations, larger, probes
from core.engine.machine import in_short, machine
from core.engine.precision import choose_precision
from core.engine.runner import choose_device

SCHEMA, VERSION = "dds-viewer-bench", 1
LEAST, MOST = 3, 30
"""Repetitions of one measurement; of what takes longer than QUICK_MS there may be fewer."""
QUICK_MS = 100.0
EARLY_S = 0.3
"""How long the load of other programs is watched."""


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each repetition."""

    name: str
    words: str
    times_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.times_ms)

    def to_dict(self) -> dict[str, Any]:
        low, high = quartiles(self.times_ms)
        return {
            "what": self.words,
            "median_ms": round(self.median_ms, 3),
            "quartile_low_ms": round(low, 3),
            "quartile_high_ms": round(high, 3),
            "least_ms": round(min(self.times_ms), 3),
            "repeats": len(self.times_ms),
        }


@dataclass(frozen=True)
class LeftOut:
    """A measurement that was not made, and why in a sentence."""

    name: str
    words: str
    why: str


def measurements(seconds: float, chosen: tuple[Probe, ...] | None = None) -> Iterator[Measured | LeftOut]:
    """Time each probe several times, on all threads as runs do; the time that is left is shared among those to come.

    seconds: the budget. A piece of work under way is not cut short, so it may be passed by that much. chosen: probes
    in place of all.
    """
    wanted = probes() if chosen is None else chosen
    end, threads = time.perf_counter() + seconds, torch.get_num_threads()
    device = choose_device("auto")
    try:
        torch.set_num_threads(os.cpu_count() or 1)
        for k, probe in enumerate(wanted):
            now = time.perf_counter()
            if now >= end:
                yield LeftOut(probe.name, probe.words, "The time was over.")
                continue
            share = (end - now) / (len(wanted) - k)
            with torch.no_grad():
                times = timed(probe.make(device), now + share, device)
            yield Measured(probe.name, probe.words, times)
    finally:
        torch.set_num_threads(threads)


def timed(call: Call, end: float, device: torch.device) -> tuple[float, ...]:
    """Milliseconds of some calls until `end` of perf_counter, after one that pays for what is set up once and does not
    count, unless the time is over by then."""
    first = clocked(call, device)
    if time.perf_counter() >= end and first > QUICK_MS:
        return (first,)
    times = [clocked(call, device)]
    least = LEAST if times[0] < QUICK_MS else 1
    while len(times) < least or (len(times) < MOST and time.perf_counter() + times[-1] / 1000 < end):
        times.append(clocked(call, device))
    return tuple(times)


def clocked(call: Call, device: torch.device, clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (clock() - started) * 1000


def quartiles(times: tuple[float, ...]) -> tuple[float, float]:
    if len(times) < 2:
        return times[0], times[0]
    low, _, high = statistics.quantiles(times, n=4, method="inclusive")
    return low, high


def about() -> dict[str, Any]:
    """The machine, what runs on it choose by themselves, and the percentage of it that other programs use now."""
    device = choose_device("auto")
    return machine() | {
        "device": device.type,
        "threads": os.cpu_count() or 1,
        "precision": choose_precision("auto", "small", device),
        "others_percent": round(psutil.cpu_percent(EARLY_S), 1),
    }


def expected(medians_ms: Mapping[str, float]) -> dict[str, Any]:
    """What runs will take, in seconds, from the medians by name; sentence: the same for a person.

    An MRI slice of 320 x 320: its steps, and beside them what the run of the demo took beside its own steps, by pixels.
    Keys are absent where the measurements for them are.
    """
    nfe = evaluations(MRI_PRIOR)
    told: dict[str, Any] = {}
    if "dds_step_mri_320" in medians_ms:
        beside = 0.0
        if {"run_mri_256", "dds_step_mri_256"} <= medians_ms.keys():
            beside = max(medians_ms["run_mri_256"] - nfe * medians_ms["dds_step_mri_256"], 0.0)
        whole = nfe * medians_ms["dds_step_mri_320"] + larger(beside, SMALL, LARGE)
        told["mri_slice_320_s"] = round(whole / 1000, 2)
    if "run_ct_256" in medians_ms:
        told["ct_slice_256_s"] = round(medians_ms["run_ct_256"] / 1000, 2)
    told["evaluations_mri"], told["evaluations_ct"] = nfe, evaluations(CT_PRIOR)
    told["sentence"] = sentence(told)
    return told


def sentence(told: Mapping[str, Any]) -> str:
    """What to expect of this machine."""
    parts = []
    if "mri_slice_320_s" in told:
        slice_of = f"a 320 x 320 slice of 8 coils with {told['evaluations_mri']} evaluations"
        parts.append(f"about {spoken(told['mri_slice_320_s'])} for {slice_of}")
    if "ct_slice_256_s" in told:
        slice_of = f"a 256 x 256 CT slice with {told['evaluations_ct']}"
        parts.append(f"{spoken(told['ct_slice_256_s'])} for {slice_of}")
    return f"Expect {', and '.join(parts)}." if parts else "There was too little time to say what to expect."


def spoken(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 9.5 else f"{seconds:.0f} s"


def busy_sentence(found: Mapping[str, Any]) -> str:
    """A warning where other programs were at work, else ""."""
    if found["others_percent"] < 20:
        return ""
    return f"Other programs used {found['others_percent']:.0f} % of the processor: idle, this machine is faster."


__all__ = ["LeftOut", "Measured", "about", "busy_sentence", "expected", "in_short", "measurements"]
