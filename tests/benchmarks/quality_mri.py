"""The MRI rows: scans whose fully sampled, noise-free image is known, undersampled with noise added.

The reference is that image, coil-combined with the maps of the reconstruction; the data range is its peak. Noise:
complex Gaussian on k-space, of a standard deviation (both parts together) of 1 % of the peak of the combined image.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.presets import settings_for
from core.engine.problem_mri import prepare_kspace as prepare
from core.engine.runner import run
from core.engine.stop import Stop
from core.formats import open_scan
from core.operators.masks import parse_undersampling
from core.operators.planes import to_planes
from core.operators.undersample import undersample
from core.priors.phantoms_simple import coil_maps
from core.priors.volumes import read_volume
from core.quality import compare
from core.scan import KSpace, Provenance
from tests.benchmarks.quality import Image, Row, best_weight, dds_variants, row, timed

T = TypeVar("T")
NOISE = 0.01
PATTERNS = ("gaussian1d:4", "gaussian1d:8", "equispaced1d:4", "poisson2d:8")


def rows(options: argparse.Namespace) -> Iterator[Row]:
    prior = options.prior or "mri-small"
    for name, clean in scans(options.data):
        for pattern in PATTERNS:
            if options.only in f"{name} {pattern}":
                yield from case(name, clean, pattern, prior, options)


def scans(data: Path) -> Iterator[tuple[str, KSpace]]:
    yield "brain_4ch", open_scan(data / "kspace" / "img_brain_4ch.mat", axes="y,x,coil", domain="image")
    yield "brain2", simulated_brain(data / "volumes" / "brain2_image.nrrd")


def simulated_brain(path: Path, coils: int = 8) -> KSpace:
    """The three middle slices of a volume, with a smooth phase, seen by simulated coils."""
    volume = read_volume(path).array
    middle = len(volume) // 2
    slices = np.abs(volume[middle - 1 : middle + 2]).astype(np.float32)
    height, width = slices.shape[1:]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    seen = coil_maps(coils, (height, width)) * (slices * np.exp(1j * (0.8 * x + 0.6 * y * y)))[:, None]
    axes = (-2, -1)
    data = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(seen, axes=axes), norm="ortho"), axes=axes)
    mask = np.ones((1, 1, 1, 1, height, 1), bool)
    return KSpace(
        data[None, None, :, :, None].astype(np.complex64),
        mask,
        (1, height, width),
        Provenance(path.name, "simulated"),
        simulated=True,
    )


def case(name: str, clean: KSpace, pattern: str, prior: str, options: argparse.Namespace) -> Iterator[Row]:
    peak = float(abs(combined(clean)).max())
    rng = np.random.default_rng(7)
    grain = rng.standard_normal((2, *clean.data.shape)).astype(np.float32) * (NOISE * peak / np.sqrt(2))
    noisy = clean.with_changes(data=(clean.data + grain[0] + 1j * grain[1]).astype(np.complex64), noise_std=None)
    scan = undersample(noisy, parse_undersampling(pattern))
    problem = drained(prepare(scan, None, torch.device("cpu"), Stop()))
    reference = problem.combine(to_planes(clean, None))

    def measure(image: Image) -> dict[str, float]:
        return compare(image, reference)

    names = (name, f"{pattern} R={scan.acceleration:.2f}")
    yield row(names, "zero-filled", "", *reconstructed(scan, {"method": "zero-filled"}, options.repeats, measure))
    for method in ("cg-sense", "l1-wavelet", "tv"):
        lam = best_weight(lambda w, m=method: image_of(scan, {"method": m, "lam": w}), measure)
        yield row(
            names,
            method,
            f"lam {lam:.2g}",
            *reconstructed(scan, {"method": method, "lam": lam}, options.repeats, measure),
        )
    for preset, detail, changes in dds_variants(tuple(options.variants.split(","))):
        chosen = {"preset": preset, "prior": prior, **changes}
        yield row(names, "dds", detail, *reconstructed(scan, chosen, options.repeats, measure))


def combined(scan: KSpace) -> Image:
    """The coil-combined images of a full scan, (frame, y, x)."""
    return drained(prepare(scan, None, torch.device("cpu"), Stop())).combine(to_planes(scan, None))


def reconstructed(scan: KSpace, chosen: dict[str, Any], repeats: int, measure: Any) -> tuple[Image, Any, float]:
    image, seconds = timed(lambda: image_of(scan, chosen), repeats)
    return image, measure, seconds


def image_of(scan: KSpace, chosen: dict[str, Any]) -> Image:
    """The image of the program for these settings."""
    *_, last = run(JobSpec(ScanSource("benchmark"), settings_for(**chosen), scan))
    if not isinstance(last, Finished):
        raise SystemExit(str(last))
    return last.volume.array


def drained(generator: Generator[Any, None, T]) -> T:
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            result: T = stop.value
            return result
