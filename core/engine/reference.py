"""The image that a run is compared with: found, brought onto its grid, and held against its estimates."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core import quality
from core.engine.events import Progress
from core.engine.job import JobSpec
from core.engine.problem import Problem, prepare
from core.engine.reference_grid import Array, Place, on_grid
from core.engine.reference_source import ReferenceSource, hashes_of, require_here
from core.engine.result import placed
from core.engine.stop import Stop
from core.errors import JobError, ScanError
from core.formats.fingerprint import Signature, signature_of
from core.hounsfield import mu_from_hu
from core.scan import Scan, Volume

STAGE = "Reference"
OWN_SCAN = "the scan before its undersampling"

_kept: dict[tuple[Any, ...], list[Volume]] = {}


@dataclass(frozen=True)
class Reference:
    """frames: (frame, y, x), real, on the voxels of the image and in `unit`. name, mask_name: in words.

    mask: what counts of it; None for all. resampled: it lay on another grid. mu_water: where images are in HU but are
    compared in 1/mm, what 0 HU stands for. hashes: see core.engine.reference_source.hashes_of.
    """

    frames: Array = field(repr=False)
    unit: str
    name: str
    mask: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    mask_name: str = ""
    resampled: bool = False
    mu_water: float | None = None
    hashes: dict[str, str] = field(default_factory=dict)

    def figures(self, image: Array) -> dict[str, float]:
        """psnr, ssim, nrmse, hfen and data_range of an image in the unit of the run; see core.quality.compare."""
        ours = image if self.mu_water is None else mu_from_hu(image, self.mu_water)
        if np.iscomplexobj(ours):
            ours = np.abs(ours)
        return quality.compare(ours, self.frames, _air_of(self.unit), self.mask)

    def on_card(self) -> dict[str, Any]:
        """What the run card tells of it. voxels: how many were compared."""
        voxels = self.frames.size if self.mask is None else int(self.mask.sum())
        return {
            "against": self.name,
            "unit": self.unit,
            "mask": self.mask_name,
            "voxels": voxels,
            "resampled": self.resampled,
        }


def reference_of(
    job: JobSpec, scan: Scan, whole: Scan, problem: Problem, stop: Stop
) -> Generator[Progress, None, Reference | None]:
    """Yield the progress; return what the job compares with, None for nothing. It is checked before anything is solved.

    whole: the scan before its undersampling. Raises ScanError or JobError, in words, for a reference or a mask that is
    not there, cannot be read, is empty, or lies on another grid and is not to be resampled.
    """
    source = job.reference
    if not source.use or (source.is_own_scan and not scan.undersampled):
        if source.mask and source.use:
            raise JobError("There is a mask, but nothing to compare with.", "", "Choose a reference, or leave it out.")
        return None
    require_here(source)
    yield Progress(STAGE, 0, 1)
    quality.load()
    image = placed(scan, job.source.slices, _blank(problem.shape), problem.names)
    place = Place(image, _whole_stack(scan, job, image), job.source.slices[0] if job.source.slices else 0)
    hashes = hashes_of(source)
    if source.is_own_scan:
        own = problem.reference(whole, job.source.slices)
        found, name = [Volume(own, image.unit, image.affine, slices=image.slices)], OWN_SCAN
    elif source.image is not None:
        found, name = [source.image], source.name
    else:
        found, name = (yield from _from_file(source, job, stop)), Path(source.path).name
    reference = _fitted(found, image, place, name, source.resample)
    reference = _masked(reference, image, place, source, stop)
    yield Progress(STAGE, 1, 1)
    return Reference(**{**vars(reference), "hashes": hashes})


def _fitted(found: list[Volume], image: Volume, place: Place, name: str, resample: bool) -> Reference:
    """The reference on the grid, in the unit in which both can be told; what it does not cover is masked."""
    held = on_grid(found, place, name if name == OWN_SCAN else f"reference {name}", resample=resample)
    values, unit, theirs, mu_water = held.values, image.unit, found[0].unit, None
    if unit == "HU" and theirs != "HU":
        unit, mu_water = "1/mm", image.mu_water
    elif unit == "1/mm" and theirs == "HU":
        values = mu_from_hu(values.astype(np.float32), image.mu_water)
    covered = np.isfinite(values)
    air = _air_of(unit)
    if not ((values > air) & covered).any():
        raise ScanError(f"The reference {name} is empty where the image is.", "", "Choose another reference.")
    mask = None if covered.all() else covered
    return Reference(np.nan_to_num(values, nan=air), unit, name, mask, "", held.resampled, mu_water)


def _masked(reference: Reference, image: Volume, place: Place, source: ReferenceSource, stop: Stop) -> Reference:
    """The reference with the mask of a file put over it. A mask of one stack counts for each."""
    if not source.mask:
        return reference
    name = Path(source.mask).name
    found = [_inside(volume) for volume in _volumes(source.mask, stop)]
    several = image.slices < len(image.array) and found[0].array.shape[0] == image.slices
    if several:
        found = [_repeated(volume, len(image.array) // image.slices) for volume in found]
    held = on_grid(found, place, f"mask {name}", resample=source.resample)
    mask = np.nan_to_num(held.values) >= 0.5
    if not mask.any():
        raise ScanError(f"The mask {name} is empty where the image is.", "", "Choose another mask, or none.")
    if reference.mask is not None:
        mask &= reference.mask
    air = _air_of(reference.unit)
    if not (reference.frames[mask] > air).any():
        raise ScanError(f"The reference {reference.name} is empty inside the mask {name}.", "", "Choose another mask.")
    return Reference(**{**vars(reference), "mask": mask, "mask_name": name})


def _from_file(source: ReferenceSource, job: JobSpec, stop: Stop) -> Generator[Progress, None, list[Volume]]:
    """A volume in its file's order and as it is viewed; or the image of a fully sampled scan."""
    from core.formats.volumes import reader_of

    path = Path(source.path)
    try:
        reader_of(path)
    except ScanError:
        if not path.exists() and not signature_of(path):
            raise
    else:
        return _volumes(source.path, stop)
    # An array of k-space may be of any suffix; what is claimed as a volume is one.
    signature = signature_of(path)
    key = ("scan", source.path, signature, job.source.axes, job.source.domain, job.source.size, job.source.center)
    if key not in _kept:
        image = yield from _image_of_scan(source.path, job, stop)
        _keep(key, [image])
    return _kept[key]


def _image_of_scan(path: str, job: JobSpec, stop: Stop) -> Generator[Progress, None, Volume]:
    """What all of a scan's measurement gives: coils combined, or filtered back-projection."""
    import torch

    from core.engine.scan_source import as_asked
    from core.formats import open_scan

    scan = as_asked(open_scan(path, axes=job.source.axes, domain=job.source.domain), job.source)
    if not scan.fully_sampled:
        raise ScanError(
            f"The reference {Path(path).name} is not fully sampled.",
            "What was not measured is not known.",
            "Choose a fully sampled scan, or an image volume.",
        )
    problem = yield from prepare(scan, None, torch.device("cpu"), stop)
    return placed(scan, None, problem.reference(scan, None), problem.names)


def _volumes(path: str, stop: Stop) -> list[Volume]:
    """A volume as its file stores it and, where that is another order, as it is viewed. The last ones are kept."""
    from core.formats.in_words import in_words
    from core.formats.volume_parts import as_viewed
    from core.formats.volumes import reader_of, telling

    key: tuple[str, str, Signature] = ("volume", path, signature_of(Path(path)))
    if key not in _kept:
        with telling(lambda *_: stop.check()) as told, in_words(Path(path)):
            reader = reader_of(Path(path))
            stored = reader.read(Path(path), told)
        viewed = stored if reader.STORED_AS_VIEWED else as_viewed(stored)
        volumes = [stored.volume] if viewed is stored else [stored.volume, viewed.volume]
        _keep(key, volumes)
    return _kept[key]


def _keep(key: tuple[Any, ...], volumes: list[Volume]) -> None:
    """A reference and a mask at most: the cells of a sweep need the same ones again."""
    while len(_kept) > 1:
        _kept.pop(next(iter(_kept)))
    _kept[key] = volumes


def _inside(volume: Volume) -> Volume:
    """1 where it is not 0."""
    inside = (np.nan_to_num(volume.array) != 0).astype(np.float32)
    return Volume(inside, volume.unit, volume.affine, volume.spacing_mm, volume.slices)


def _repeated(volume: Volume, times: int) -> Volume:
    return Volume(np.tile(volume.array, (times, 1, 1)), volume.unit, None, volume.spacing_mm, volume.slices)


def _whole_stack(scan: Scan, job: JobSpec, image: Volume) -> Volume | None:
    """The stack of which the job takes some slices; None where it takes all, or has several stacks."""
    from core.engine.offers import slices_in

    if not job.source.slices or image.slices != len(image.array):
        return None
    return placed(scan, None, _blank((slices_in(scan), *image.array.shape[1:])), ())


def _blank(shape: tuple[int, int, int]) -> Array:
    """Voxels that take no memory."""
    return np.broadcast_to(np.float32(0), shape)


def _air_of(unit: str) -> float:
    return -1000.0 if unit == "HU" else 0.0
