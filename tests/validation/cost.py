"""What runs cost: seconds and memory along each size, every point in a process of its own, kept in a file of lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.engine.simulate_ct import CtSettings, simulate_ct
from core.engine.simulate_mri import MriSettings, simulate_mri
from core.export.dataexchange import save_projections
from core.export.ismrmrd_scan import save_kspace
from core.formats.volume_parts import Opened
from core.scan import Volume

MADE = 1
COSTS = "costs.jsonl"
ROOT = Path(__file__).parents[2]
PIXEL_MM = 1.0


@dataclass(frozen=True)
class Point:
    """A scan of discs: slices of size x size pixels from `channels` coils at R = 4, or views; and NFE."""

    kind: str
    slices: int = 1
    size: int = 256
    channels: int = 8
    nfe: int = 10

    @property
    def words(self) -> str:
        channels = "coils" if self.kind == "MRI" else "views"
        return f"{self.kind}, {self.slices} x {self.size} x {self.size}, {self.channels} {channels}, NFE {self.nfe}"


@dataclass(frozen=True)
class Line:
    """Points that differ in one thing. along: what that is, in words. field: its name in Point."""

    kind: str
    along: str
    field: str
    values: tuple[int, ...]
    base: Point

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(replace(self.base, **{self.field: value}) for value in self.values)


MRI, CT = Point("MRI"), Point("CT", channels=30)
LINES = (
    Line("MRI", "slices", "slices", (1, 2, 4, 8), MRI),
    Line("MRI", "pixels a side", "size", (128, 192, 256, 384, 512), MRI),
    Line("MRI", "coils", "channels", (2, 4, 8, 16), MRI),
    Line("MRI", "evaluations", "nfe", (5, 10, 20, 40), MRI),
    Line("CT", "slices", "slices", (1, 2, 4, 8), CT),
    Line("CT", "pixels a side", "size", (128, 192, 256, 384, 512), CT),
    Line("CT", "views", "channels", (15, 30, 60, 120), CT),
    Line("CT", "evaluations", "nfe", (3, 5, 10, 20), CT),
)
LARGE = (
    *(replace(MRI, slices=n, nfe=2) for n in (8, 16, 32)),
    *(replace(MRI, slices=8, channels=n, nfe=2) for n in (16, 32)),
    *(replace(CT, slices=n, nfe=2) for n in (8, 32)),
)
"""For memory, in few steps: it does not grow with their number."""

HELD_OUT = (
    Point("MRI", 12, 320, 12, 2),
    Point("MRI", 24, 192, 6, 2),
    Point("CT", 12, 320, 90, 2),
    Point("CT", 64, 256, 30, 2),
)
"""Of other sizes than those by which the estimate of memory was set."""


def points() -> Iterator[Point]:
    """All, each once."""
    yield from dict.fromkeys(point for line in LINES for point in line.points)
    yield from LARGE
    yield from HELD_OUT


def kept_costs(wanted: Iterator[Point], folder: Path) -> list[dict[str, Any]]:
    """The records of the points that are there already."""
    known = {record["words"]: record for record in records_in(folder / COSTS)}
    return [known[point.words] for point in wanted if point.words in known]


def done_costs(wanted: Iterator[Point], folder: Path, tell: Callable[[str], object] = print) -> list[dict[str, Any]]:
    """The records of the points in order; those in the folder are not measured again."""
    kept = folder / COSTS
    known = {record["words"]: record for record in records_in(kept)}
    found = []
    for point in wanted:
        if point.words not in known:
            known[point.words] = {"made": MADE, "words": point.words, **vars(point), **measured(point)}
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[point.words]) + "\n")
            tell(f"{point.words}: {known[point.words]['total_s']:.2f} s")
        found.append(known[point.words])
    return found


def records_in(path: Path) -> Iterator[dict[str, Any]]:
    """What a file of lines holds; a line that was cut off by a kill counts as none."""
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("made") == MADE:
            yield record


def measured(point: Point) -> dict[str, float]:
    """Of a process that does one run; see tests.validation.child."""
    with tempfile.TemporaryDirectory() as folder:
        ending = ".h5"
        scan, warm = Path(folder) / f"scan{ending}", Path(folder) / f"warm{ending}"
        write, prior = WRITERS[point.kind]
        write(point, scan)
        write(replace(point, slices=1, size=32, channels=4), warm)
        settings = {"prior": prior, "nfe": point.nfe}
        spec = json.dumps({"scan": str(scan), "warm": str(warm), "settings": settings})
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "DDS_VIEWER_CACHE": folder}
        child = [sys.executable, "-m", "tests.validation.child", spec]
        ended = subprocess.run(child, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    told: dict[str, float] = json.loads(ended.stdout)
    return told


@cache
def discs(slices: int, size: int) -> npt.NDArray[np.float32]:
    """(slices, size, size), 0 outside, 1 in the large one, with lesser ones in it."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    image = 1.0 * (x**2 + (y / 0.9) ** 2 < 0.75)
    rng = np.random.default_rng(0)
    for cx, cy, radius, value in rng.uniform((-0.5, -0.5, 0.05, -0.4), (0.5, 0.5, 0.2, 0.4), (12, 4)):
        image = image + value * ((x - cx) ** 2 + (y - cy) ** 2 < radius**2)
    return np.repeat(image[None].astype(np.float32), slices, axis=0)


def write_mri(point: Point, path: Path) -> None:
    spacing = (PIXEL_MM * 256 / point.size, PIXEL_MM * 256 / point.size, 3.0)
    volume = Volume(discs(point.slices, point.size), spacing_mm=spacing, slices=point.slices)
    scan = simulate_mri(
        Opened(volume, "", "made up"), MriSettings(point.channels, "gaussian1d:4:0.125", noise=0.01)
    ).scan
    save_kspace(scan, path)


def write_ct(point: Point, path: Path) -> None:
    spacing = (PIXEL_MM * 256 / point.size, PIXEL_MM * 256 / point.size, 3.0)
    hu = 1000 * discs(point.slices, point.size) - 1000
    volume = Volume(hu, "HU", spacing_mm=spacing, slices=point.slices)
    save_projections(simulate_ct(Opened(volume, "", "made up"), CtSettings(point.channels, photons=1e5)), path)


WRITERS: dict[str, tuple[Callable[[Point, Path], None], str]] = {
    "MRI": (write_mri, "mri-small"),
    "CT": (write_ct, "ct-small"),
}
