"""The CT rows: slices that were kept from training, projected on a grid twice as fine, with photon noise.

The reference is the slice averaged to 256 x 256 pixels. PSNR and SSIM are for a data range of 2000 HU. Each method gets
the same sinogram; TV and DDS know that nothing is below air.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from core.diffusion.dds import sample
from core.diffusion.schedule import Schedule, timesteps
from core.engine.noise import NoiseSource
from core.engine.precision import choose_precision
from core.engine.presets import settings_for
from core.engine.settings import LAST_TIMESTEP, ReconSettings
from core.engine.stop import Stop
from core.engine.watch import WatchedPrior
from core.geometry import ParallelBeam, evenly_spread
from core.hounsfield import MU_WATER, hu_from_mu, mu_from_hu
from core.operators.linear import LinearOperator, Scaled, operator_norm
from core.operators.parallel import Parallel
from core.operators.photons import counted
from core.priors import load_prior
from core.priors.volumes import read_volume
from core.solvers.fbp import fbp
from core.solvers.total_variation import total_variation
from tests.benchmarks.quality import Image, Row, best_weight, dds_variants, row, timed

PHOTONS = 1e5
RANGE_HU = 2000.0
CASES = (
    *((f"body {k}", views) for k in (1, 2) for views in (30, 60)),
    *((f"head {k}", views) for k in (1, 2, 3, 4) for views in (16, 30)),
)
WARM_LAM = 6e-4
AIR = -1.0
"""In the prior's unit of 1000 HU."""


@dataclass
class Case:
    """A x = y in units of HU / 1000, A of unit norm; from_air: the same y for HU / 1000 + 1.

    parallel and sinogram: the same for attenuation in 1/mm, as a scanner has them.
    """

    operator: LinearOperator
    y: Tensor
    parallel: Parallel
    sinogram: Tensor
    reference: Image
    from_air: Tensor


def rows(options: argparse.Namespace) -> Iterator[Row]:
    torch.set_grad_enabled(False)
    for name, views in CASES:
        if options.only in f"{name} {views}":
            yield from case(name, views, options)


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


def prepared(hu: Image, pixel: float, views: int) -> Case:
    angles, bins = evenly_spread(views), 367
    fine = Parallel(ParallelBeam(angles, 2 * bins, pixel), (512, 512), (pixel, pixel))
    exact = fine.forward(torch.from_numpy(mu_from_hu(hu))[None])[0].numpy().reshape(views, bins, 2).mean(axis=2)
    noisy, _ = counted(exact, PHOTONS, seed=1)
    coarse = Parallel(ParallelBeam(angles, bins, 2 * pixel), (256, 256), (2 * pixel, 2 * pixel))
    sinogram = torch.from_numpy(noisy)[None]
    scale = MU_WATER * operator_norm(coarse)
    operator = Scaled(coarse, MU_WATER / scale)
    from_air = sinogram / scale
    y = from_air - operator.forward(torch.ones(operator.domain_shape))
    reference = hu.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    return Case(operator, y, coarse, sinogram, reference, from_air)


def case(name: str, views: int, options: argparse.Namespace) -> Iterator[Row]:
    ready = prepared(*slice_of(options.data, name), views)
    names = (f"ct {name}", f"{views} views")

    def measure(image: Image) -> dict[str, float]:
        error = np.clip(image, -1000, 3000) - ready.reference
        psnr = 20 * np.log10(RANGE_HU / np.sqrt(np.mean(error**2)))
        kind = {"data_range": RANGE_HU, "gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
        ssim = structural_similarity(np.clip(image, -1000, 3000), ready.reference, **kind)
        nrmse = np.linalg.norm(error) / np.linalg.norm(ready.reference + 1000)
        return {"psnr": float(psnr), "ssim": float(ssim), "nrmse": float(nrmse)}

    image, seconds = timed(lambda: hu_from_mu(fbp(ready.parallel, ready.sinogram)[0].numpy()), options.repeats)
    yield row(names, "fbp", "hann", image, measure, seconds)
    lam = best_weight(lambda w: 1000 * tv(ready, w)[0].numpy(), measure)
    image, seconds = timed(lambda: 1000 * tv(ready, lam)[0].numpy(), options.repeats)
    yield row(names, "tv", f"lam {lam:.2g}", image, measure, seconds)
    for preset, detail, changes in dds_variants(tuple(options.variants.split(","))):
        settings = settings_for(preset=preset, prior=options.prior or "ct-small", **changes)
        image, seconds = timed(lambda s=settings: 1000 * dds(ready, s)[0].numpy(), options.repeats)
        yield row(names, "dds", detail, image, measure, seconds)


def tv(ready: Case, lam: float) -> Tensor:
    """Total variation in units of 1000 HU, never below air."""
    above = total_variation(ready.operator, ready.from_air, lam, lowest=0.0)
    return above + AIR


def dds(ready: Case, settings: ReconSettings) -> Tensor:
    """The mean of the samples that the settings ask for, from the TV image where they ask for a warm start."""
    prior = load_prior(settings.prior)
    prior.network.to(memory_format=torch.channels_last)
    start = None if settings.t_start == LAST_TIMESTEP else settings.t_start
    walk = Schedule(prior.schedule, tuple(timesteps(settings.nfe, settings.spacing, t_start=start)))
    signal, level = walk.levels.levels(walk.timesteps[0])
    warm: Any = 0.0 if start is None else signal * tv(ready, WARM_LAM)
    total = torch.zeros(ready.operator.domain_shape)
    precision = choose_precision(settings.precision, prior.card.family, torch.device("cpu"))
    watched = WatchedPrior(prior, Stop(), 1, torch.ones(1, 1, 1, dtype=torch.bool), precision)
    for k in range(settings.samples):
        noise = NoiseSource((settings.seed + k,), (0,), like=total)
        *_, last = sample(
            watched,
            ready.operator,
            ready.y,
            schedule=walk,
            cg_steps=settings.cg_steps,
            gamma=settings.gamma,
            eta=settings.eta,
            x_T=warm + level * noise.start(),
            noise=noise,
        )
        total += last.denoised / settings.samples
    return total
