"""How well a prior cleans white noise off images that it has not seen, by noise level and image size.

python -m tests.benchmarks.denoising [--data FOLDER] [--mri NAME] [--ct NAME]

Against total variation with the best weight of a search on the clean image. PSNR in dB: for the peak of the MR
magnitude, and for 2000 HU of CT. A complex image carries the noise in both parts, and TV is given each part alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from skimage.restoration import denoise_tv_chambolle
from skimage.transform import resize

from core.formats import open_scan
from core.priors import load_prior
from core.priors.prior import Prior
from tests.benchmarks.quality_ct import slice_of
from tests.benchmarks.quality_mri import combined

Array = npt.NDArray[Any]
TIMESTEPS = (5, 25, 50, 100, 200, 400)
SIZES = (192, 256, 320, 512)


def resized(image: Array, size: int) -> Array:
    if np.iscomplexobj(image):
        return resized(image.real, size) + 1j * resized(image.imag, size)
    return resize(image, (size, size), order=3, anti_aliasing=size < image.shape[0]).astype(np.float32)


def brain(data: Path) -> Array:
    """The coil-combined 4-coil brain, its 99.5th percentile 1."""
    scan = open_scan(data / "kspace" / "img_brain_4ch.mat", axes="y,x,coil", domain="image")
    image = combined(scan)[0]
    return image / np.percentile(abs(image), 99.5)


def rows(prior: Prior, image: Array, peak: float, size: int) -> Iterator[str]:
    """A line for each noise level."""
    clean = resized(image, size).astype(np.complex64 if np.iscomplexobj(image) else np.float32)
    generator = torch.Generator().manual_seed(0)
    for timestep in TIMESTEPS:
        signal, level = prior.schedule.levels(timestep)
        noise = torch.randn((1, size, size), generator=generator, dtype=torch.from_numpy(clean).dtype)
        noise = noise * np.sqrt(2) if noise.is_complex() else noise
        sigma = level / signal
        noisy = torch.from_numpy(clean)[None] + sigma * noise
        ours = prior.predict(signal * noisy, timestep)[0][0].numpy()
        theirs = best_tv(noisy[0].numpy(), sigma, lambda x: psnr(x, clean, peak))
        figures = [psnr(x, clean, peak) for x in (noisy[0].numpy(), theirs, ours)]
        yield f"{size:>5} {timestep:>5} {sigma:>7.3f} " + " ".join(f"{f:>7.2f}" for f in figures)


def best_tv(noisy: Array, sigma: float, quality: Callable[[Array], float]) -> Array:
    def cleaned(weight: float) -> Array:
        if np.iscomplexobj(noisy):
            return denoise_tv_chambolle(noisy.real, weight) + 1j * denoise_tv_chambolle(noisy.imag, weight)
        return denoise_tv_chambolle(noisy, weight)

    return max((cleaned(w * sigma) for w in (0.3, 0.5, 0.7, 0.9, 1.2, 1.6)), key=quality)


def psnr(image: Array, clean: Array, peak: float) -> float:
    error = abs(image) - abs(clean) if np.iscomplexobj(clean) else image - clean
    return float(20 * np.log10(peak / np.sqrt(np.mean(error**2))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--mri", default="mri-small")
    parser.add_argument("--ct", default="ct-small")
    options = parser.parse_args()
    mr = brain(options.data)
    ct = slice_of(options.data, "body 1")[0] / 1000
    with torch.inference_mode():
        for name, image, peak in ((options.mri, mr, float(abs(mr).max())), (options.ct, ct, 2.0)):
            prior = load_prior(name)
            print(f"{prior.card.name}\n{'size':>5} {'t':>5} {'sigma':>7} {'noisy':>7} {'TV':>7} {'prior':>7}")
            for size in SIZES:
                for line in rows(prior, image, peak, size):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
