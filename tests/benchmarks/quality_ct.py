"""The CT rows: slices that were kept from training, projected on a grid twice as fine, with photon noise.

The reference is the slice averaged to 256 x 256 pixels. PSNR and SSIM are for a data range of 2000 HU. Every method is
the program's own and gets the same scan; none goes below air.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.presets import settings_for
from core.engine.runner import run
from core.geometry import Grid, ParallelBeam, evenly_spread
from core.hounsfield import mu_from_hu
from core.operators.photons import counted
from core.operators.tomography import projector
from core.priors.volumes import read_volume
from core.projections import Projections
from core.provenance import Provenance
from tests.benchmarks.quality import Image, Row, best_weight, dds_variants, row, timed

PHOTONS = 1e5
RANGE_HU = 2000.0
BINS = 367
CASES = (
    *((f"body {k}", views, np.pi) for k in (1, 2) for views in (30, 60)),
    *((f"head {k}", views, np.pi) for k in (1, 2, 3, 4) for views in (16, 30)),
)
SPARSE = tuple((name, views, np.pi) for name in ("body 1", "body 2", "head 1", "head 3") for views in (8, 24, 60))
LIMITED = tuple((name, arc, np.radians(arc)) for name in ("body 1", "body 2", "head 1", "head 3") for arc in (90, 120))
"""One view a degree over less than half a turn."""
SETS = {"sparse": CASES, "views": SPARSE, "arcs": LIMITED}


def rows(options: argparse.Namespace) -> Iterator[Row]:
    for name, views, arc in SETS[options.set]:
        if options.only in f"{name} {views}":
            yield from case(name, views, arc, options)


def slice_of(data: Path, name: str) -> tuple[Image, float]:
    """(HU (512, 512), pixel size in mm) of the kept slices: two of one patient's body, the last four of a head."""
    kind, number = name.split()
    if kind == "body":
        volume = read_volume(sorted((data / "volumes" / "ct_body_dicom").glob("A056642*"))[int(number) - 1])
        hu = volume.array[0]
    else:
        volume = read_volume(data / "volumes" / "ct_head_dicom")
        hu = volume.array[-5 + int(number)]
    y, x = np.mgrid[: hu.shape[0], : hu.shape[1]] - (np.array(hu.shape)[:, None, None] - 1) / 2
    seen = np.hypot(y, x) < min(hu.shape) / 2 - 1
    return np.where(seen, np.clip(hu, -1000, 3000), -1000).astype(np.float32), volume.spacing_mm[1]


def scan_of(hu: Image, pixel: float, views: int, arc: float) -> Projections:
    """The scan of a slice (512, 512) for an image of 256 x 256 pixels."""
    angles, fine = evenly_spread(views, arc), Grid((1, 512, 512), (pixel, pixel, pixel))
    geometry = ParallelBeam(angles, 2 * BINS, pixel)
    exact = projector(geometry, fine, 1).forward(torch.from_numpy(mu_from_hu(hu))[None])[0].numpy()
    noisy, _ = counted(exact.reshape(views, BINS, 2).mean(axis=2), PHOTONS, seed=1)
    return Projections(
        noisy[None],
        ParallelBeam(angles, BINS, 2 * pixel),
        Grid((1, 256, 256), (2 * pixel, 2 * pixel, 2 * pixel)),
        Provenance("benchmark", "simulated"),
        photons=PHOTONS,
        hounsfield=True,
        simulated=True,
    )


def case(name: str, views: int, arc: float, options: argparse.Namespace) -> Iterator[Row]:
    hu, pixel = slice_of(options.data, name)
    scan, reference = scan_of(hu, pixel, views, arc), hu.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    names = (f"ct {name}", f"{views} views" + (f" in {np.degrees(arc):.0f} deg" if arc < np.pi else ""))

    def measure(image: Image) -> dict[str, float]:
        error = np.clip(image, -1000, 3000) - reference
        psnr = 20 * np.log10(RANGE_HU / np.sqrt(np.mean(error**2)))
        kind = {"data_range": RANGE_HU, "gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
        ssim = structural_similarity(np.clip(image, -1000, 3000), reference, **kind)
        nrmse = np.linalg.norm(error) / np.linalg.norm(reference + 1000)
        return {"psnr": float(psnr), "ssim": float(ssim), "nrmse": float(nrmse)}

    def made(chosen: dict[str, Any]) -> Image:
        *_, last = run(JobSpec(ScanSource("benchmark"), settings_for(**chosen), scan))
        if not isinstance(last, Finished):
            raise SystemExit(str(last))
        return last.volume.array[0]

    def shown(method: str, detail: str, chosen: dict[str, Any]) -> Row:
        image, seconds = timed(lambda: made(chosen), options.repeats)
        return row(names, method, detail, image, measure, seconds)

    yield shown("fbp", "hann", {"method": "fbp"})
    lam = best_weight(lambda w: made({"method": "tv", "lam": w}), measure)
    yield shown("tv", f"lam {lam:.2g}", {"method": "tv", "lam": lam})
    for preset, detail, changes in dds_variants(tuple(options.variants.split(","))):
        yield shown("dds", detail, {"preset": preset, "prior": options.prior or "ct-small", **changes})
