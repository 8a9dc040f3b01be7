"""Whether the maps of core.engine.trust point to the errors: rank correlations, coverage of the band, residual.

python -m tests.benchmarks.trust [mri ct] [--samples 8] [--preset NAME] [--noise 0.01] [--png FOLDER]

mri: a real four-coil brain, every fifth to sixth line kept (gaussian1d, R = 6). ct: a slice of a body in 30 views. Both
references are the images before anything was left out; noise is added as in the quality benchmarks, and the MRI
reference still holds what noise the real scan has. Correlations are Spearman's, within the object.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.presets import settings_for
from core.engine.trust.against_classical import difference_to_classical
from core.engine.trust.agreement import error_of, rank_correlation, signal_of
from core.engine.trust.calibration import calibrate
from core.engine.trust.doubts import doubts
from core.engine.trust.ensemble import Ensemble, draw
from core.engine.trust.local import Window, air_of, bright_of, mean_within, object_mask, shown
from core.engine.trust.posed import Posed, pose, result_of
from core.engine.trust.residual import residual_of
from core.engine.trust.support import support_of
from core.formats import open_scan
from core.priors.fit import misfit
from core.priors.registry import load_prior
from core.scan import KSpace, Volume
from tests.benchmarks.quality_ct import scan_of, slice_of
from tests.benchmarks.quality_mri import combined

T = TypeVar("T")
Image = npt.NDArray[Any]
PRIORS = {"mri": "mri-small", "ct": "ct-small"}


def mri_case(options: argparse.Namespace) -> tuple[JobSpec, Image, float]:
    """The job, the image of the scan before noise was added and lines were left out, and the noise of that image."""
    clean = open_scan(options.data / "kspace" / "img_brain_4ch.mat", axes="y,x,coil", domain="image")
    assert isinstance(clean, KSpace)
    image = combined(clean)
    scan = clean
    if options.noise:
        deviation = options.noise * float(abs(image).max()) / np.sqrt(2)
        rng = np.random.default_rng(7)
        grain = rng.standard_normal((2, *clean.data.shape)).astype(np.float32) * deviation
        data = (clean.data + grain[0] + 1j * grain[1]).astype(np.complex64)
        scan = clean.with_changes(data=data, noise_std=float(np.hypot(deviation, clean.noise_std or 0)))
    job = JobSpec(ScanSource("benchmark", undersample=options.pattern), settings(options, "mri"), scan)
    return job, image, clean.noise_std or 0.0


def ct_case(options: argparse.Namespace) -> tuple[JobSpec, Image, float]:
    hu, pixel = slice_of(options.data, "body 1")
    scan = scan_of(hu, pixel, options.views, np.pi)
    job = JobSpec(ScanSource("benchmark"), settings(options, "ct"), scan)
    return job, hu.reshape(1, 256, 2, 256, 2).mean(axis=(2, 4)), 0.0


def settings(options: argparse.Namespace, kind: str) -> Any:
    return settings_for(preset=options.preset, prior=PRIORS[kind], device="cpu")


CASES = {"mri": mri_case, "ct": ct_case}


def timed(name: str, steps: Generator[Any, None, T]) -> T:
    started = time.perf_counter()
    value = result_of(steps)
    print(f"  {name:<28} {time.perf_counter() - started:7.2f} s", flush=True)
    return value


def ensemble_and_first(job: JobSpec, count: int) -> Generator[Any, None, tuple[Ensemble, Volume]]:
    found: list[Volume] = []

    def watched() -> Generator[Any, None, Ensemble | None]:
        steps = draw(job, count)
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                ensemble: Ensemble | None = end.value
                return ensemble
            found.extend([event.volume] if isinstance(event, Finished) else [])
            yield event

    ensemble = yield from watched()
    if ensemble is None:
        raise SystemExit("There are no two samples.")
    return ensemble, found[0]


def study(kind: str, options: argparse.Namespace) -> None:
    job, truth, noise = CASES[kind](options)
    print(f"{kind}: {job.settings.prior}, {job.settings.nfe} NFE from timestep {job.settings.t_start}")
    ensemble, first = timed(f"{options.samples} samples", ensemble_and_first(job, options.samples))
    volume = replace(ensemble.mean, card=first.card)
    posed = timed("equations", pose(first, job))
    started = time.perf_counter()
    residual = residual_of(posed)
    print(f"  {'residual':<28} {time.perf_counter() - started:7.2f} s", flush=True)
    support = timed("support", support_of(posed))
    difference, _ = timed("difference to classical", difference_to_classical(posed))
    print(
        f"  residual: relative {residual.relative:.4f}, ratio {residual.ratio:.2f}, noise from {residual.noise.source}"
    )
    print(f"  {residual.sentence} {residual.whiteness.sentence}")
    maps = {
        "uncertainty (SD)": ensemble.deviation.array,
        "lack of support": 1 - support.support.array,
        "unseen strength": support.unseen.array,
        "|difference to classical|": np.abs(difference.array),
    }
    mask = object_mask(replace(volume, array=truth.astype(np.float32) if kind == "ct" else truth))
    report(maps, volume, truth, mask, ensemble, noise)
    prior = load_prior(job.settings.prior).card
    for sentence in doubts(residual, misfit(prior, posed.scan), ensemble, support):
        print(f"  doubt: {sentence}")
    if options.png:
        draw_maps(options.png / f"trust_{kind}.png", posed, ensemble, support.support.array, volume, truth)


def report(maps: dict[str, Image], volume: Volume, truth: Image, mask: Image, ensemble: Ensemble, noise: float) -> None:
    error = np.abs(error_of(volume, truth).array)
    local = np.sqrt(np.stack([mean_within(e**2, Window().sigmas(volume.spacing_mm)) for e in error]))
    rms = float(np.sqrt(np.mean(error[mask] ** 2)))
    print(f"  error in the object {rms:.4g} {volume.unit}, {100 * rms / bright(volume):.2f} % of the bright parts")
    signal = signal_of(replace(volume, array=truth))
    strength = np.sqrt(np.stack([mean_within(s**2, Window().sigmas(volume.spacing_mm)) for s in signal]))
    print(f"  {'rank correlation with':<28} |error|  its local RMS  that over the local signal")
    for name, array in maps.items():
        one, two, three = (
            rank_correlation(array, each, mask) for each in (error, local, local / np.maximum(strength, 1e-9))
        )
        print(f"  {name:<28} {one:7.3f} {two:14.3f} {three:27.3f}")
    for each_noise in sorted({0.0, noise}):
        found = calibrate(ensemble, shown(volume, truth), mask, reference_noise=each_noise)
        allowed = f", {each_noise:.3g} of noise in the truth allowed for" if each_noise else ""
        print(f"  5-95 % band holds the truth in {100 * found.coverage:.1f} % (expected 90 %){allowed};", end=" ")
        print(f"SD needs {found.factor:.2f}")
    for each in found.bins:
        print(f"    SD {each.deviation:10.4g}  error {each.error:10.4g}  in the band {100 * each.coverage:5.1f} %")


def bright(volume: Volume) -> float:
    return bright_of(shown(volume) - air_of(volume.unit))


def draw_maps(path: Path, posed: Posed, ensemble: Ensemble, support: Image, volume: Volume, truth: Image) -> None:
    """Image, support, uncertainty and error side by side, with what each is and the research mark."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    from core.export.picture import NOTICE
    from core.export.spread import colours

    air, white = air_of(volume.unit), bright(volume)
    error = np.abs(error_of(volume, truth).array[0])
    top = max(float(np.percentile(each, 99.5)) for each in (error, ensemble.deviation.array[0])) or 1.0
    grey = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[:, None], 3, axis=1)
    panes = (
        ("image", (shown(volume)[0] - air) / white, grey),
        ("support (0 to 1)", np.nan_to_num(support[0]), colours()),
        (f"uncertainty (to {top:.3g})", ensemble.deviation.array[0] / top, colours()),
        (f"|error| (to {top:.3g})", error / top, colours()),
    )
    frames = [table[(np.clip(values, 0, 1) * 255).astype(np.uint8)] for _, values, table in panes]
    height, width = frames[0].shape[:2]
    sheet = Pictures.new("RGB", (width * len(panes), height + 34))
    pen = ImageDraw.Draw(sheet)
    for k, (frame, (name, *_)) in enumerate(zip(frames, panes, strict=True)):
        sheet.paste(Pictures.fromarray(frame), (k * width, 0))
        pen.text((k * width + 4, height + 2), name, fill=(200, 200, 200))
    pen.text((4, height + 18), f"{NOTICE} {posed.job.settings.prior}", fill=(200, 200, 200))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(CASES))
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--preset", default="", help="default: what the prior's card recommends")
    parser.add_argument("--pattern", default="gaussian1d:6")
    parser.add_argument("--views", type=int, default=30)
    parser.add_argument("--noise", type=float, default=0.0, help="MRI: added, as a share of the image's peak")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--png", type=Path, help="folder for the maps side by side")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for kind in options.kinds:
        study(kind, options)


if __name__ == "__main__":
    main()
