"""The cells of the quality tables: each is a task of the program's own sweep engine, done once and kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.presets import settings_for
from core.engine.reference_source import ReferenceSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.engine.sweep import SweepDone, performed
from core.engine.tasks import Task, TaskDone, TaskEvent, TaskFailed, TaskResult
from core.engine.work import worked
from core.export.sweep_folder import SweepFolder
from core.priors.catalogue import card_of
from tests.validation.cases import Case, Posed
from tests.validation.scale import Scale

MADE = 1
"""Raised whenever the cells of before are no longer to be taken."""
AS_OFFERED = "as offered"
LATER_START = 80
OTHER_WEIGHT = "lambda x "


@dataclass(frozen=True)
class Cell:
    """One run. detail: what distinguishes runs of one method. chosen: for core.engine.presets.settings_for."""

    case: str
    sampling: str
    mask: int
    method: str
    detail: str
    chosen: dict[str, Any]

    @property
    def values(self) -> dict[str, Any]:
        told = {"case": self.case, "sampling": self.sampling, "mask": self.mask, "method": self.method}
        return {**told, "detail": self.detail, "seed": self.chosen.get("seed", 0)}


def cells_of(case: Case, sampling: str, mask: int, scale: Scale) -> Iterator[Cell]:
    """The classical methods as offered, with other weights on the first mask, and DDS by NFE and seed."""

    def cell(detail: str, **chosen: Any) -> Cell:
        method = chosen.get("method", "dds")
        return Cell(case.name, sampling, mask, method, detail, {"device": "cpu", **chosen})

    for method, lam in case.methods.items():
        yield cell(AS_OFFERED, method=method, **({} if lam is None else {"lam": lam}))
        if lam is not None and mask == 0:
            for factor in scale.weights:
                yield cell(f"{OTHER_WEIGHT}{factor:g}", method=method, lam=lam * factor)
    for nfe in scale.nfe:
        for seed in range(case.seeds if nfe <= scale.long else 1):
            yield cell(f"NFE {nfe}", prior=case.prior, nfe=nfe, seed=seed, **room_for(nfe, case.prior))
    if case.bundled and mask == 0:
        for preset in scale.paper:
            yield cell(f"{preset}, from noise", prior=case.prior, preset=preset)


def room_for(nfe: int, prior: str) -> dict[str, int]:
    """A later start where so many evaluations do not fit below the recommended one."""
    return {"t_start": LATER_START} if nfe > settings_for(prior=prior).t_start else {}


class Tasks:
    """All cells as tasks. A scan is made when the first of its cells is missing."""

    def __init__(self, cases: Iterable[Case], scale: Scale, store: SweepFolder, work: Path) -> None:
        self._groups = [
            (case, sampling, mask, list(cells_of(case, sampling, mask, scale)))
            for case in cases
            for sampling in case.samplings
            for mask in range(case.masks)
        ]
        self._store, self._work, self._scale = store, work, scale

    def __len__(self) -> int:
        return sum(len(cells) for *_, cells in self._groups)

    def by_sampling(self) -> Iterator[list[Task]]:
        """Those of each case and sampling, without their scans."""
        found: dict[tuple[str, str], list[Task]] = {}
        for case, sampling, _, cells in self._groups:
            found.setdefault((case.name, sampling), []).extend(self._task(case, cell, 0) for cell in cells)
        yield from found.values()

    def __iter__(self) -> Iterator[Task]:
        number = 0
        for case, sampling, mask, cells in self._groups:
            tasks = [self._task(case, cell, number + k) for k, cell in enumerate(cells)]
            number += len(cells)
            if any(self._store.read(task) is None for task in tasks):
                yield from self._with_scan(tasks, case.pose(sampling, mask))
            else:
                yield from tasks

    def _task(self, case: Case, cell: Cell, number: int) -> Task:
        settings = settings_for(**cell.chosen)
        job = JobSpec(ScanSource(cell.case), settings, threads=1)
        digest = digest_of_cell(cell, settings, case.prior, self._scale.size if case.bundled else 0)
        wanted = case.bundled and cell.mask == 0 and cell.values["seed"] == 0
        name = f"{cell.case}, {cell.sampling}, mask {cell.mask}: {cell.method} {cell.detail}"
        return Task(number, name, job, digest, cell.values, keep_image=wanted)

    def _with_scan(self, tasks: list[Task], posed: Posed) -> Iterator[Task]:
        """The tasks with their scan and truth. A run beforehand makes what is kept from run to run: maps, matrix."""
        reference = ReferenceSource()
        if posed.truth is not None:
            reference = ReferenceSource(path=str(self._work / "truth.npy"))
            np.save(reference.path, posed.truth)
        ready = [
            dataclasses.replace(
                task,
                job=dataclasses.replace(task.job, source=posed.source, scan=posed.scan, reference=reference),
            )
            for task in tasks
        ]
        warm = next(task.job for task in ready if task.job.settings.method in ("cg-sense", "cgls"))
        *_, last = run(warm)
        if not isinstance(last, Finished):
            raise SystemExit(f"{tasks[0].name}: {last}")
        yield from ready


def digest_of_cell(cell: Cell, settings: ReconSettings, prior: str, size: int) -> str:
    """Of all that its figures depend on but the code. Settings that are as they always are do not count, so that a new
    one does not throw everything away."""
    usual = ReconSettings().to_dict()
    told = {name: value for name, value in settings.to_dict().items() if value != usual.get(name)}
    card = card_of(prior) if settings.method == "dds" else None
    named = [MADE, cell.values, told, size, card.sha256 if card else ""]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


class OneCore:
    """A workplace: this process on one core. Each record also gets `share`, the part of the core that it had.

    Other programs that work meanwhile make seconds longer and the share smaller; their product stays.
    """

    def work(self, tasks: Iterable[Task | TaskEvent], stop: Stop) -> Generator[TaskEvent, None, None]:
        for task in tasks:
            if isinstance(task, TaskEvent):
                yield task
                continue
            clock, busy = time.perf_counter(), time.process_time()
            for event in worked(task, stop):
                if isinstance(event, TaskResult):
                    share = (time.process_time() - busy) / (time.perf_counter() - clock)
                    event.record["share"] = min(share, 1.0)
                yield event


def kept_cells(cases: Iterable[Case], scale: Scale, folder: Path) -> list[dict[str, Any]]:
    """The figures of those samplings all of whose cells are in the folder, in order. Nothing is done."""
    store = SweepFolder(folder, resume=True)
    found: list[dict[str, Any]] = []
    for tasks in Tasks(cases, scale, store, folder).by_sampling():
        records = [store.read(task) for task in tasks]
        if None not in records:
            found += [figures_of(r, image_of(store, t)) for t, r in zip(tasks, records, strict=True) if r is not None]
    return found


def image_of(store: SweepFolder, task: Task) -> str:
    return str(store.image_of(task)) if task.keep_image else ""


def done_cells(cases: Iterable[Case], scale: Scale, folder: Path, tell: Any = print) -> list[dict[str, Any]]:
    """The figures of all cells, in order; what the folder has already is not done again."""
    store = SweepFolder(folder, resume=True)
    tasks = Tasks(cases, scale, store, folder)
    found: list[dict[str, Any]] = []
    for event in performed(tasks, len(tasks), Stop(), store, OneCore()):
        if isinstance(event, TaskDone):
            found.append(figures_of(event.record, image_of(store, event.task)))
            if not event.again:
                psnr = found[-1]["psnr_db"]
                tell(f"{len(found)} of {len(tasks)}  {event.task.name}: {psnr:.2f} dB")
        elif isinstance(event, TaskFailed):
            raise SystemExit(f"{event.task.name}: {event.error}")
        elif isinstance(event, SweepDone) and event.left:
            raise SystemExit(f"{event.left} cells are left.")
    return found


def figures_of(record: dict[str, Any], image: str) -> dict[str, Any]:
    """What the tables need of a record. seconds: of one core to itself."""
    metrics = record["metrics"]
    settings = record["card"]["job"]["settings"]
    return {
        **record["values"],
        "psnr_db": metrics["psnr"],
        "ssim": metrics["ssim"],
        "nrmse": metrics["nrmse"],
        "data_range": metrics["data_range"],
        "unit": record["unit"],
        "residual": record["residual"],
        "core_seconds": record["seconds"] * record["share"],
        "lam": settings["lam"],
        "t_start": settings["t_start"],
        "image": image,
    }
