"""What is reconstructed: the bundled phantoms, whose truth is known, and real scans where they are present."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.engine.job import ScanSource
from core.engine.presets import CT_LAM, METHOD_LAM
from core.engine.problem_mri import prepare_kspace
from core.engine.scan_source import undersampled
from core.engine.simulate_ct import CtSettings, simulate_ct
from core.engine.simulate_mri import as_measured, complex_noise, kspace
from core.engine.simulated_volume import resampled
from core.engine.stop import Stop
from core.formats import open_scan
from core.formats.volume_parts import Opened
from core.hounsfield import mu_from_hu
from core.operators.planes import to_planes
from core.priors.phantoms import head
from core.projections import Projections
from core.provenance import Provenance
from core.scan import KSpace, Scan, Volume
from tests.benchmarks.quality_ct import scan_of, slice_of
from tests.benchmarks.quality_mri import drained
from tests.validation.scale import Scale

Array = npt.NDArray[Any]
Weights = dict[str, float | None]
MRI: Weights = {
    "zero-filled": None,
    "cg-sense": METHOD_LAM["cg-sense"],
    **{m: METHOD_LAM[m] for m in ("l1-wavelet", "tv")},
}
CT: Weights = {"fbp": None, "cgls": None, "sirt": None, "tv": CT_LAM["tv"]}
"""The classical methods with the weight that the program offers, None where there is none."""
PHOTONS = 1e5
HEAD_SLICE, CHEST_SLICE = 1, 14
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Posed:
    """A scan to reconstruct. truth: what the image is compared with, (frame, y, x), in a.u. or 1/mm; None for the image
    of the scan before anything was left out of it."""

    scan: Scan = field(repr=False)
    source: ScanSource
    truth: Array | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Case:
    """One object in several samplings.

    about: what it is and what it is compared with, for the table. methods: the classical ones with the weights on
    offer. pose(sampling, mask): makes the scan; mask counts sampling masks or draws of the noise. bundled: made by the
    program itself, so that pictures may be shown.
    """

    name: str
    methods: Weights
    about: str
    prior: str
    samplings: tuple[str, ...]
    masks: int
    seeds: int
    bundled: bool
    pose: Callable[[str, int], Posed] = field(repr=False)


def cases(scale: Scale, data: Path | None) -> Iterator[Case]:
    """The phantoms, then the real scans that are in the folder."""
    phantom = {"masks": scale.masks, "seeds": scale.seeds, "bundled": True}
    views = tuple(f"{v} views" for v in scale.views)
    yield Case(
        "head phantom",
        MRI,
        f"A slice of the bundled made-up head, {scale.size} x {scale.size}, 8 coils, noise of 1.5 % of the peak;"
        " against the image without noise. Another noise with each mask.",
        "mri-small",
        scale.patterns,
        pose=partial(pose_head, scale.size),
        **phantom,
    )
    yield Case(
        "chest phantom",
        CT,
        f"A slice of the bundled made-up chest, {scale.size} x {scale.size}, parallel beam over half a turn, 1e5"
        " photons a ray, projected on a grid twice as fine; against that truth. Each mask is another noise.",
        "ct-small",
        views,
        pose=partial(pose_chest, scale.size),
        **phantom,
    )
    if data is not None and scale.real:
        yield from real_cases(scale, data, views)


def real_cases(scale: Scale, data: Path, views: tuple[str, ...]) -> Iterator[Case]:
    """Those of which the file is present."""
    real = {"masks": scale.masks, "seeds": 1, "bundled": False}
    measured = "lines left out of a fully sampled measurement; against the image of all of it, its noise included."
    found: list[tuple[Path, Case]] = [
        (
            (path := data / "kspace" / "img_brain_4ch.mat"),
            Case(
                "brain, 4 coils",
                MRI,
                f"Measured: T2 brain, 256 x 256, {measured}",
                "mri-small",
                scale.real_patterns,
                pose=partial(pose_thinned, path, {"axes": "y,x,coil", "domain": "image"}),
                **real,
            ),
        ),
        (
            (path := data / "kspace" / "gre.dat"),
            Case(
                "resolution phantom, 2 coils",
                MRI,
                f"Measured at 3 T: plastic and water, 160 x 160, nothing like a head, {measured}",
                "mri-small",
                scale.real_patterns,
                pose=partial(pose_thinned, path, {}),
                **real,
            ),
        ),
        *(
            (
                data / "volumes" / folder,
                Case(
                    f"{name} slice",
                    CT,
                    f"A real CT slice that no bundled prior was trained on ({name}), projected on a grid twice as fine"
                    " as its 256 x 256 pixels, 1e5 photons a ray; against that slice.",
                    "ct-small",
                    views,
                    1,
                    1,
                    False,
                    partial(pose_slice, data, f"{name} 1"),
                ),
            )
            for name, folder in (("body", "ct_body_dicom"), ("head", "ct_head_dicom"))
        ),
        (
            (path := data / "projections" / "tooth.h5"),
            Case(
                "tooth",
                CT,
                "Measured at a synchrotron, 181 views, 320 x 320 pixels, nothing like what the prior knows; against the"
                " filtered back-projection of all views.",
                "ct-small",
                views[::2],
                1,
                1,
                False,
                partial(pose_tooth, path),
            ),
        ),
    ]
    yield from (case for path, case in found if path.exists())


def pose_head(size: int, sampling: str, mask: int) -> Posed:
    maker = demo_maker("make_demo_scan")
    data = kspace(head_images(size)[HEAD_SLICE : HEAD_SLICE + 1], maker.COILS, (size, size), maker.SEED)
    clean = KSpace(
        data[None, None, :, :, None],
        np.ones((1, 1, 1, 1, size, 1), bool),
        (1, size, size),
        Provenance("head phantom", "simulated"),
        simulated=True,
        noise_std=maker.NOISE / 2**0.5,
    )
    grain = complex_noise(np.random.default_rng((maker.SEED, mask)), clean.data.shape, maker.NOISE)
    scan = clean.with_changes(data=(clean.data + grain).astype(np.complex64))
    source = ScanSource("head phantom", undersample=f"{sampling}:0.08:{mask}")
    problem = drained(
        prepare_kspace(undersampled(scan, source.undersample), None, torch.device("cpu"), Stop())  # type: ignore[arg-type]
    )
    return Posed(scan, source, problem.combine(to_planes(clean, None)))


@cache
def head_images(size: int) -> Array:
    """The images that the demo scan was made of, peak 1; at 256 pixels exactly those."""
    maker = demo_maker("make_demo_scan")
    spacing = (maker.THICKNESS_MM, *(2 * (maker.PIXEL_MM * maker.SIZE / size,)))
    made = head(
        maker.SEED,
        (maker.SLICES, size, size),
        "t2",
        spacing_mm=spacing,
        centre_mm=maker.CENTRE_MM,
        lesions=2,
        jitter=0.05,
    )
    return as_measured(made.image, maker.SEED)


def pose_chest(size: int, sampling: str, mask: int) -> Posed:
    found = chest_slice(size)
    views = int(sampling.split()[0])
    scan = simulate_ct(found, CtSettings(views, photons=PHOTONS, size=size, seed=mask))
    truth = mu_from_hu(resampled(found.volume.array, (size, size)))
    return Posed(scan, ScanSource("chest phantom"), truth)


@cache
def chest_slice(size: int) -> Opened:
    """The slice of the demo chest that has the nodule, in HU, twice as fine as what is to be reconstructed."""
    volume = demo_maker("make_demo_ct").chest(size=size).volume
    one = np.ascontiguousarray(volume.array[CHEST_SLICE : CHEST_SLICE + 1])
    return Opened(Volume(one, "HU", volume.affine, volume.spacing_mm, 1), "", "made up", anatomy="chest")


def pose_thinned(path: Path, how: dict[str, str], sampling: str, mask: int) -> Posed:
    return Posed(opened(path, **how), ScanSource(path.stem, undersample=f"{sampling}:0.08:{mask}"))


def pose_slice(data: Path, name: str, sampling: str, mask: int) -> Posed:
    hu, pixel = slice_of(data, name)
    scan = scan_of(hu, pixel, int(sampling.split()[0]), np.pi)
    truth = hu.reshape(1, hu.shape[0] // 2, 2, hu.shape[1] // 2, 2).mean(axis=(2, 4))
    return Posed(scan, ScanSource(name), mu_from_hu(truth))


def pose_tooth(path: Path, sampling: str, mask: int) -> Posed:
    """One row; the mask shifts the views that are kept."""
    scan = opened(path)
    assert isinstance(scan, Projections)
    count = int(sampling.split()[0])
    kept = (np.arange(count) * scan.views // count + mask) % scan.views
    text = "keep:" + ",".join(str(k) for k in sorted(kept))
    return Posed(scan, ScanSource("tooth", undersample=text, slices=(0, 1), size=320))


@cache
def opened(path: Path, **how: str) -> Scan:
    return open_scan(path, **how)


@cache
def demo_maker(name: str) -> ModuleType:
    """The module that makes a bundled scan; its folder is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
