"""One DDS run in a process of its own, for its seconds and its peak memory: python -m tests.validation.child SPEC.

SPEC: JSON with scan and warm (files), settings (for settings_for), slices. Prints one JSON object. The scan `warm` is
reconstructed first, so that libraries are loaded and counted apart.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from core.engine.events import Finished, Started, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.presets import settings_for
from core.engine.runner import run

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_bytes() -> int:
    """The most memory that this process held since `forget_peak`, else since its start."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> None:
    """Linux counts the peak anew after this; elsewhere nothing happens."""
    with suppress(OSError):
        CLEAR.write_text("5")


def measured(path: str, chosen: dict[str, Any]) -> dict[str, float]:
    """Of one run on one thread: bytes above those before it, estimated bytes, and seconds of the processor."""
    forget_peak()
    before, clock, busy = psutil.Process().memory_info().rss, time.perf_counter(), time.process_time()
    told: dict[str, float] = {}
    network = solver = 0.0
    for event in run(JobSpec(ScanSource(path), settings_for(device="cpu", **chosen), threads=1)):
        if isinstance(event, Started):
            told["estimate_bytes"] = event.estimate.memory_bytes
            told["estimate_s"] = event.estimate.seconds or 0.0
        elif isinstance(event, StepDone):
            network, solver = event.network_seconds, event.solver_seconds
        elif isinstance(event, Finished):
            break
    else:
        raise SystemExit(f"No image: {event}")
    core, wall = time.process_time() - busy, time.perf_counter() - clock
    share = min(core / wall, 1.0)
    parts = {"total_s": core, "network_s": network * share, "solver_s": solver * share}
    return {**told, **parts, "share": share, "peak_bytes": peak_bytes() - before}


def main() -> None:
    spec = json.loads(sys.argv[1])
    measured(spec["warm"], {**spec["settings"], "nfe": 2})
    print(json.dumps(measured(spec["scan"], spec["settings"])))


if __name__ == "__main__":
    main()
