"""Time the same runs on one worker and on two, of one thread each, in turn, and beside them in this process."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import as_file, files
from typing import Any

from core.engine.cluster import Cluster
from core.engine.cluster_local import own_cluster
from core.engine.job import ScanSource
from core.engine.stop import Stop
from core.engine.sweep import SweepDone, run_sweep
from core.engine.sweep_plan import Axis, SweepPlan, plan_sweep
from core.engine.tasks import Task, Workplace
from core.engine.work import Here
from core.formats import open_scan
from core.scan import Volume


class Nowhere:
    """Keeps nothing, so that every round does all."""

    def read(self, task: Task) -> dict[str, Any] | None:
        return None

    def write(self, task: Task, record: dict[str, Any], volume: Volume | None) -> None:
        pass


def plan_of(path: str, runs: int, nfe: int) -> SweepPlan:
    """So many samples of the demo scan's first slice, images and all."""
    source = ScanSource(path, slices=(0, 1))
    given = {"nfe": nfe, "t_start": 150}
    return plan_sweep(open_scan(path), source, [Axis("seed", tuple(range(runs)))], given, keep_images=True, threads=1)


def seconds(plan: SweepPlan, place: Workplace) -> float:
    started = time.perf_counter()
    (ended,) = [event for event in run_sweep(plan, Stop(), Nowhere(), place) if isinstance(event, SweepDone)]
    if ended.done != len(plan.cells):
        raise RuntimeError(f"Only {ended.done} of {len(plan.cells)} runs were done.")
    return time.perf_counter() - started


def clusters(held: ExitStack) -> Iterator[tuple[str, Cluster]]:
    for workers, name in ((1, "1 worker"), (2, "2 workers")):
        yield name, held.enter_context(own_cluster(workers, threads=1))


def measure(path: str, runs: int, nfe: int, rounds: int) -> dict[str, Any]:
    plan, warm = plan_of(path, runs, nfe), plan_of(path, 4, 2)
    times: dict[str, list[float]] = {}
    with ExitStack() as held:
        places: dict[str, Workplace] = {"here": Here(), **dict(clusters(held))}
        for place in places.values():
            seconds(warm, place)
        for _ in range(rounds):
            for name, place in places.items():
                times.setdefault(name, []).append(seconds(plan, place))
    ratios = [one / two for one, two in zip(times["1 worker"], times["2 workers"], strict=True)]
    return {
        **{name: statistics.median(each) for name, each in times.items()},
        "1 worker / 2 workers": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--nfe", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with as_file(files("resources") / "demo" / "mri_head.h5") as path:
        print(json.dumps(measure(str(path), options.runs, options.nfe, options.rounds), indent=1))


if __name__ == "__main__":
    main()
