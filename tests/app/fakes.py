"""Scans, and an engine whose runs go on only as far as a test lets them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.bridge.engine import Engine, Machine
from app.bridge.volumes import Tell
from app.state.choice import PriorChoice
from app.state.room.item import Item
from app.state.session import Fit
from app.state.shelf import Sheet
from app.state.simulation import Plan
from core.engine.events import (
    ClassicalImage,
    Discarded,
    Estimate,
    Event,
    Failed,
    Finished,
    Noted,
    Paused,
    Progress,
    Started,
    StepDone,
    Warned,
)
from core.engine.job import JobSpec
from core.engine.offers import quick_methods
from core.engine.stop import Stop
from core.errors import JobError, PriorError, ScanError, UserError
from core.formats.axes import AxesGuess
from core.formats.folder import Entry as FolderEntry
from core.formats.volume_parts import Opened
from core.orientation import affine_from_directions
from core.priors.card import ModelCard
from core.priors.catalogue import Entry
from core.projections import Projections
from core.scan import KSPACE_AXES, KSpace, Provenance, Scan, Volume
from tests.app.fakes_ct import CT_SHAPE, CT_SPACING, ct_scan, hu_image

HEIGHT, WIDTH = 24, 32
PRIORS = (
    PriorChoice("mri-small", "MR head", "MR"),
    PriorChoice("other-prior"),
    PriorChoice("ct-small", "CT trunk", "CT"),
)
Maker = Callable[[float], Any]
SPACING = (2.0, 4.0, 5.0)


def scan(path: str = "head.h5", *, slices: int = 3, placed: bool = True, full: bool = True, **changes: Any) -> KSpace:
    """A small scan. placed: where it lies in the patient is known. full: fully sampled."""
    shape = dict(zip(KSPACE_AXES, (1, 1, slices, 2, 1, HEIGHT, WIDTH), strict=True))
    mask = np.ones((1, 1, 1, 1, HEIGHT, 1), dtype=bool)
    mask[..., 1::2, :] = full
    affine = affine_from_directions((1, 0, 0), (0, 1, 0), (0, 0, 1), SPACING, (0, 0, 0), (slices, HEIGHT, WIDTH))
    values: dict[str, Any] = {
        "data": np.ones(tuple(shape.values()), dtype=np.complex64),
        "mask": mask,
        "matrix": (1, HEIGHT, WIDTH),
        "provenance": Provenance(path, "Fake", identifiers={"PatientName": "Nobody^Known"}),
        "affine": affine if placed else None,
        **changes,
    }
    return KSpace(**values)


def image(level: float, frames: int = 3) -> np.ndarray[Any, np.dtype[np.complex64]]:
    """Frames with a ramp along x that ends at `level`, so that levels and pixels can be told."""
    ramp = np.linspace(0, level, WIDTH, dtype=np.float32)
    stack = np.broadcast_to(ramp, (frames, HEIGHT, WIDTH)) * np.arange(1, frames + 1)[:, None, None] / frames
    return (stack * np.exp(0.5j)).astype(np.complex64)


@dataclass
class Script:
    """What a fake run does. Steps wait for `let`; failing: the step at which it fails, 0 for at once, or None."""

    steps: int = 4
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failing: int | None = None
    refusal: UserError = field(default_factory=lambda: JobError("It broke.", "Too hot.", "Choose another prior."))
    free: bool = False
    jobs: list[JobSpec] = field(default_factory=list)
    _permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def let(self, steps: int) -> None:
        """Let so many steps of DDS happen."""
        for _ in range(steps):
            self._permits.release()

    def run(self, job: JobSpec, stop: Stop) -> Iterator[Event]:
        self.jobs.append(job)
        if isinstance(job.scan, Projections):
            yield from self._run_ct(job, job.scan, stop)
            return
        slices = job.source.slices
        frames = slices[1] - slices[0] if slices else job.scan.sizes["slice"]  # type: ignore[union-attr]
        dds = job.settings.method == "dds"
        if self.failing == 0 and dds:
            yield Failed(self.refusal)
            return
        yield Progress("Coil maps", frames, frames)
        names = tuple(f"slice {i + 1}" for i in range(frames))
        yield Started(Estimate(2**20, 2**30), frames, HEIGHT, WIDTH, self.steps if dds else 0, "cpu", names)
        for warning in self.warnings:
            yield Warned(warning)
        for note in self.notes:
            yield Noted(note)
        yield ClassicalImage("zero-filled", image(0.25, frames))
        if job.settings.method != "zero-filled":
            yield ClassicalImage("cg-sense", image(1.0, frames))
        if dds:
            yield from self._steps(job, stop, frames)
        elif job.settings.method in ("l1-wavelet", "tv"):
            yield from self._iterations(job, stop, frames)
        else:
            yield Finished(_volume(image(1.0, frames), job, None))

    def _run_ct(self, job: JobSpec, scan: Projections, stop: Stop) -> Iterator[Event]:
        """Classical images of 40 HU; DDS comes from 40 HU up to 44."""
        slices = job.source.slices
        frames = slices[1] - slices[0] if slices else CT_SHAPE[0]
        method, (quick,) = job.settings.method, quick_methods(scan)
        if self.failing == 0 and method == "dds":
            yield Failed(self.refusal)
            return
        names = tuple(f"slice {i + 1}" for i in range(frames))
        steps = self.steps if method == "dds" else 0
        yield Started(Estimate(2**20, 2**30), frames, *CT_SHAPE[1:], steps, "cpu", names)
        for warning in self.warnings:
            yield Warned(warning)
        yield ClassicalImage(quick, hu_image(40, frames))
        if method == "dds":
            yield from self._steps(job, stop, frames, lambda done: hu_image(40 + done, frames))
        elif method in ("tv", "cgls", "sirt"):
            yield from self._iterations(job, stop, frames, quick, lambda level: hu_image(40 + level, frames))
        else:
            yield Finished(_volume(hu_image(40, frames), job, None))

    def _iterations(
        self, job: JobSpec, stop: Stop, frames: int, quick: str = "cg-sense", maker: Maker | None = None
    ) -> Iterator[Event]:
        """An iterative method: as many iterations as a run of DDS has steps."""
        make = maker or (lambda level: image(level, frames))
        done = 0
        yield Progress("Iterations", done, self.steps)
        while done < self.steps and not stop.ending:
            if stop.paused:
                stop.wait_while_paused(0.02)
                yield Paused()
            elif self.free or self._permits.acquire(timeout=0.01):
                done += 1
                yield Progress("Iterations", done, self.steps)
        if stop.discarding:
            yield Discarded()
            return
        kept = 0 if done < self.steps else None
        made = make(1.0 if kept == 0 else 3.0)
        if kept is None:
            yield ClassicalImage(job.settings.method, made)
        volume = _volume(made, job, kept)
        volume.card["outcome"]["kept_image"] = "" if kept is None else quick
        yield Finished(volume, kept)

    def _steps(self, job: JobSpec, stop: Stop, frames: int, maker: Maker | None = None) -> Iterator[Event]:
        make = maker or (lambda done: image(1.0 + 0.1 * done, frames))
        done = 0
        while done < self.steps and not stop.ending:
            if stop.paused:
                stop.wait_while_paused(0.02)
                yield Paused()
            elif self.free or self._permits.acquire(timeout=0.01):
                done += 1
                if done == self.failing:
                    yield Failed(JobError("It broke down at a step.", "", "Try a smaller gamma."))
                    return
                shown = make(done)
                yield StepDone(done, self.steps, 1000 - 10 * done, 0.5**done, 1.0, 0.5, 2.0, lambda shown=shown: shown)
        if stop.discarding:
            yield Discarded()
            return
        kept = done if done < self.steps else None
        yield Finished(_volume(make(done), job, kept), kept)


def _volume(array: Any, job: JobSpec, kept: int | None) -> Volume:
    card = {"job": job.to_dict(), "outcome": {"kept_at": kept, "residual": 0.125, "seconds": 3.0}}
    samples = job.settings.samples if job.settings.method == "dds" else 1
    spread = np.abs(array).astype(np.float32) / 10 if samples > 1 else None
    card["outcome"]["samples"] = samples
    unit, spacing = ("HU", CT_SPACING) if isinstance(job.scan, Projections) else ("a.u.", SPACING)
    return Volume(array, unit, spacing_mm=spacing, card=card, spread=spread)


def entry(name: str, *, bundled: bool = True, **card: Any) -> Entry:
    """A prior on the shelf."""
    values: dict[str, Any] = {
        "family": "small",
        "config": {},
        "channels": 2,
        "modality": "MR",
        "anatomy": "head",
        "sha256": "0123456789abcdef" * 4,
        "warnings": ("Small network; heads only.",),
        "presets": {"default": {"nfe": 20}},
        "validation": {"25": 33.0, "200": 22.5, "800": 12.0},
        **card,
    }
    return Entry(Path("/priors") / f"{name}.safetensors", ModelCard(name, **values), bundled)


@dataclass
class FakeEngine:
    """The functions of Engine. files: what is in each file by its name; a name that is not there cannot be read."""

    script: Script = field(default_factory=Script)
    files: dict[str, Scan] = field(
        default_factory=lambda: {"head.h5": scan(), "other.h5": scan("other.h5"), "chest.h5": ct_scan()}
    )
    saved: list[tuple[Volume, str]] = field(default_factory=list)
    opened: list[tuple[str, str, str]] = field(default_factory=list)
    saved_spreads: list[str] = field(default_factory=list)
    shelf: list[Entry] = field(default_factory=lambda: [entry("mri-small"), entry("other-prior", bundled=False)])
    fits: dict[str, Fit] = field(default_factory=dict)
    reading: threading.Event = field(default_factory=threading.Event)
    hold_reading: bool = False
    adding: threading.Event = field(default_factory=threading.Event)
    volumes: dict[str, Opened] = field(default_factory=dict)
    simulated: list[Plan] = field(default_factory=list)
    simulating: threading.Event = field(default_factory=threading.Event)
    trouble: Exception | None = None
    folders: dict[str, list[FolderEntry]] = field(default_factory=dict)
    exported: list[tuple[str, str, bool]] = field(default_factory=list)

    def engine(self) -> Engine:
        return Engine(
            run=self.script.run,
            open_scan=self.open_scan,
            describe=lambda found: [
                ("File", "x"),
                ("Coils", str(found.coils)) if isinstance(found, KSpace) else ("Views", str(found.views)),
                ("Vendor", "unknown"),
            ],
            guess_axes=self.guess_axes,
            volume_kind=lambda path: "NIfTI" if Path(path).name in self.volumes else "",
            open_volume=self.open_volume,
            view_volume=self.view_volume,
            contents=lambda path, tell: tuple(self.folders.get(Path(path).name, ())),
            open_entry=lambda found, tell: self.view_volume(found.path, tell),
            save_item=self.save_item,
            trust=nothing_found,
            write_scan=self.write_scan,
            save=self.save,
            preload=lambda: None,
            survey=lambda: Machine(PRIORS, False),
            rehearse=lambda settings: None,
            save_spread=lambda volume, path, scan: self.saved_spreads.append(path),
            list_priors=lambda: list(self.shelf),
            add_prior=self.add_prior,
            remove_prior=self.remove_prior,
            read_sheets=self.read_sheets,
            check_fit=lambda prior, scan: self.fits.get(prior, Fit()),
        )

    def remove_prior(self, name: str) -> None:
        self.shelf = [entry for entry in self.shelf if entry.path.stem != name]

    def add_prior(self, path: str, name: str) -> str:
        """Waits for `adding`, so that a test can look at what the window says meanwhile."""
        self.adding.wait(10)
        if not path.endswith(".pt"):
            raise PriorError("This is no prior.", "It holds a poem.", "Choose a checkpoint.")
        self.shelf.append(entry(name, bundled=False))
        return name

    def read_sheets(self, of: Entry) -> dict[str, Sheet]:
        return {"samples": np.full((20, 40), 128, np.uint8)} if of.bundled else {}

    def open_scan(self, path: str, axes: str, domain: str) -> Scan:
        self.opened.append((path, axes, domain))
        if self.hold_reading:
            self.reading.wait(10)
        if Path(path).name not in self.files:
            raise ScanError("This is no scan.", "It holds a letter.", "Choose a raw scan.")
        return self.files[Path(path).name]

    def open_volume(self, path: str) -> Opened:
        if Path(path).name not in self.volumes or path.startswith("/damaged"):
            raise ScanError("This volume is damaged.", "It is cut off.", "Copy it again.")
        return self.volumes[Path(path).name]

    def view_volume(self, path: str, tell: Tell) -> Opened:
        tell("Reading", 1, 2)
        return self.open_volume(path)

    def save_item(self, item: Item, path: str, keep_identity: bool) -> None:
        if "locked" in path:
            raise ScanError("locked.dcm could not be written.", "The folder is locked.", "Choose another place.")
        self.exported.append((item.name, path, keep_identity))

    def write_scan(self, plan: Plan, found: Opened, path: str, tell: Tell) -> None:
        """Half of it, then a wait for `simulating`, then the rest."""
        self.simulated.append(plan)
        tell("Projecting", 1, 2)
        Path(path).write_bytes(b"half")
        self.simulating.wait(10)
        if self.trouble is not None:
            raise self.trouble
        tell("Projecting", 2, 2)
        Path(path).write_bytes(b"whole")

    def guess_axes(self, path: str) -> tuple[AxesGuess, ...]:
        return (AxesGuess("", (2, HEIGHT, WIDTH), "coil,ky,kx", "kspace", True, "Short first axis."),)

    def save(self, volume: Volume, path: str, scan: object) -> None:
        if "locked" in path:
            raise ScanError("locked.npy could not be written.", "The folder is locked.", "Choose another place.")
        self.saved.append((volume, path))


def nothing_found(asked: object, stop: Stop) -> Iterator[Any]:
    """An examination that ends without a finding."""
    yield from ()


class FakeDialogs:
    """Answers set beforehand; `asked` holds the questions."""

    def __init__(self) -> None:
        self.path = ""
        self.name = ""
        self.target = ""
        self.answer = True
        self.asked: list[str] = []

    def scan_to_open(self, parent: object, folder: str) -> str:
        return self.path

    def folder_to_open(self, parent: object, folder: str) -> str:
        return self.path

    def volume_to_open(self, parent: object, folder: str) -> str:
        return self.path

    def reference_to_open(self, parent: object, folder: str) -> str:
        return self.path

    def mask_to_open(self, parent: object, folder: str) -> str:
        return self.path

    def scan_to_write(self, parent: object, proposal: str) -> str:
        self.asked.append(proposal)
        return self.target

    def prior_to_add(self, parent: object, folder: str) -> str:
        return self.path

    def name_of_prior(self, parent: object, proposal: str) -> str:
        self.asked.append(proposal)
        return self.name or proposal

    def item_to_save(self, parent: object, proposal: str) -> str:
        self.asked.append(proposal)
        return self.target

    def picture_to_save(self, parent: object, proposal: str) -> tuple[str, int]:
        self.asked.append(proposal)
        return self.target, 1

    def film_to_save(self, parent: object, proposal: str) -> str:
        self.asked.append(proposal)
        return self.target

    def keep_identity(self, parent: object) -> bool:
        self.asked.append("keep identity?")
        return self.answer

    def file_to_save(self, parent: object, proposal: str) -> str:
        self.asked.append(proposal)
        return self.path

    def go_on(self, parent: object, what: str, why: str, yes: str) -> bool:
        self.asked.append(f"{what} {why}")
        return self.answer
