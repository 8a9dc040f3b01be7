"""How good reconstructions of known images are: DDS against classical methods that get the best weight there is.

python -m tests.benchmarks.quality mri|ct [--data FOLDER] [--prior NAME] [--variants ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[Any]
WEIGHTS = (3e-4, 6e-4, 1.2e-3, 2.5e-3, 5e-3, 1e-2, 2e-2, 4e-2)
VARIANTS = ("one", "best", "nfe", "seeds", "cold")


@dataclass(frozen=True)
class Row:
    """One line of the table: PSNR (dB), SSIM and NRMSE for the data range named by the module that made it."""

    scan: str
    sampling: str
    method: str
    detail: str
    psnr: float
    ssim: float
    nrmse: float
    seconds: float

    def __str__(self) -> str:
        figures = f"{self.psnr:6.2f} {self.ssim:6.3f} {self.nrmse:6.3f} {self.seconds:7.1f}"
        return f"{self.scan:<12} {self.sampling:<18} {self.method:<12} {self.detail:<30} {figures}"


Measure = Callable[[Image], dict[str, float]]


def timed(make: Callable[[], Image], repeats: int = 1) -> tuple[Image, float]:
    """(what was made last, median seconds)."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        image = make()
        seconds.append(time.perf_counter() - started)
    return image, statistics.median(seconds)


def best_weight(make: Callable[[float], Image], measure: Measure) -> float:
    """The weight of the highest PSNR: a coarse grid, then two between its best and the neighbours."""
    found = {lam: measure(make(lam))["psnr"] for lam in WEIGHTS}
    top = max(found, key=found.__getitem__)
    for lam in (top / np.sqrt(2), top * np.sqrt(2)):
        found[lam] = measure(make(lam))["psnr"]
    return max(found, key=found.__getitem__)


def row(names: tuple[str, str], method: str, detail: str, image: Image, measure: Measure, seconds: float) -> Row:
    quality = measure(image)
    return Row(*names, method, detail, quality["psnr"], quality["ssim"], quality["nrmse"], seconds)


def dds_variants(chosen: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(preset, detail, changes) of the DDS runs to make."""
    if "one" in chosen:
        yield "", "recommended", {}
    if "best" in chosen:
        yield "Best", "best (4 samples)", {}
    if "seeds" in chosen:
        yield from (("", f"recommended, seed {seed}", {"seed": seed}) for seed in (1, 2))
    if "nfe" in chosen:
        yield from (("", f"recommended, NFE {nfe}", {"nfe": nfe}) for nfe in (6, 10))
        yield "", "recommended from 80, NFE 50", {"nfe": 50, "t_start": 80}
    if "cold" in chosen:
        cold = {"t_start": 999, "spacing": "uniform"}
        yield "", "from noise, NFE 20", cold
        yield "Paper 20", "paper's settings", {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["mri", "ct"])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--prior", help="default: the bundled prior of the kind")
    parser.add_argument("--variants", default="one,best", help=f"some of {','.join(VARIANTS)}")
    parser.add_argument("--only", default="", help="take the cases whose name contains this")
    parser.add_argument("--set", default="sparse", choices=["sparse", "views", "arcs"], help="cases of CT")
    parser.add_argument("--repeats", type=int, default=1, help="for the seconds, which are a median")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    module = importlib.import_module(f"tests.benchmarks.quality_{options.kind}")
    print(f"{'scan':<12} {'sampling':<18} {'method':<12} {'detail':<30} {'PSNR':>6} {'SSIM':>6} {'NRMSE':>6} {'s':>7}")
    rows = []
    for made in module.rows(options):
        rows.append(made)
        print(made, flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
