"""Peak memory and time of DDS on a tall CT volume from few views, as a multiple of the volume, in a process of its own.

python -m tests.benchmarks.ct_memory [--slices 448] [--views 8] [--nfe 20] [--rho 0.5] [--size 256] [--bare]

--bare: for the memory of the arrays alone, in a minute: the network is a copy, and the warm start is cut short.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from core.export.dataexchange import save_projections
from core.geometry import Grid, ParallelBeam, evenly_spread
from core.hounsfield import mu_from_hu
from core.operators.photons import counted
from core.operators.tomography import projector
from core.priors.phantoms_torso import torso
from core.projections import Projections
from core.provenance import Provenance

CHILD = """
import os, resource, sys, time
from app.cli import main
if os.environ.get("BARE"):
    from core.priors.prior import Prior
    from core.solvers import total_variation
    Prior._run_network = lambda self, x, timestep: x.clone()
    total_variation.iterates.__kwdefaults__["iterations"] = 2
started = time.perf_counter()
try:
    main(sys.argv[1:])
except SystemExit as stop:
    code = int(stop.code or 0)
else:
    code = 0
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print("PEAK", peak, time.perf_counter() - started)
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("slices", 448), ("views", 8), ("nfe", 20), ("size", 256)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rho", type=float, default=0.5)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "tall.h5"
        save_projections(tall_scan(options.slices, options.views, options.size), scan)
        report = Path(folder) / "report.json"
        words = ["recon", str(scan), "--out", str(Path(folder) / "x.npy"), "--report", str(report)]
        words += ["--nfe", str(options.nfe), "--rho", str(options.rho), "--device", "cpu"]
        environment = {**os.environ, "BARE": "1" if options.bare else ""}
        child = [sys.executable, "-c", CHILD, *words]
        ended = subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        told = json.loads(report.read_text())
        volume = options.slices * options.size**2 * 4
        peak, seconds = (float(v) for v in ended.stdout.split("PEAK")[1].split())
        share = 1 - told["network_seconds"] / told["seconds"]
        print(
            f"{options.slices} x {options.size} x {options.size}, {options.views} views, NFE {options.nfe}, rho"
            f" {options.rho:g}: peak {peak / 1e6:.0f} MB = {peak / volume:.1f} volumes of {volume / 1e6:.0f} MB,"
            f" {seconds:.0f} s, network {told['network_seconds']:.0f} s, all else {100 * share:.0f} %"
        )


def tall_scan(slices: int, views: int, size: int) -> Projections:
    """A made-up trunk, one slice in four painted and the others between them."""
    painted = -(-slices // 4) + 1
    made = torso(20308, (painted, size, size), spacing_mm=(4.0, 384 / size, 384 / size)).image
    places = np.arange(slices) / 4
    low = places.astype(int)
    share = (places - low)[:, None, None].astype(np.float32)
    hu = made[low] * (1 - share) + made[low + 1] * share
    grid = Grid((slices, size, size), (384 / size, 384 / size, 1.0))
    geometry = ParallelBeam(evenly_spread(views), int(1.42 * size), 384 / size)
    exact = projector(geometry, grid, slices).forward(torch.from_numpy(mu_from_hu(hu))).numpy()
    told = Provenance("tall.h5", "simulated")
    noisy, _ = counted(exact, 1e5, seed=0)
    return Projections(noisy, geometry, grid, told, photons=1e5, hounsfield=True, simulated=True)


if __name__ == "__main__":
    main()
