"""From a recipe's sources to prepared volumes: read, cut, scale, clean and find the brain; kept for the next time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from core.errors import JobError
from core.priors.brain import brain_share
from core.priors.dataset import MR, PreparedVolume, prepare, split
from core.priors.looks import HU_HIGHEST, HU_LOWEST, Look, repaint
from core.priors.made_up import axes_of, made_up, spacing_of
from core.priors.recipe import SourceRecipe
from core.priors.volumes import read_volume

FloatArray = npt.NDArray[np.float32]
Stored = tuple[FloatArray, FloatArray | None]

_SEARCH_VOXELS = 3
_FILTER_STRENGTH = 0.7


@dataclass
class Collection:
    """What is learned from, each volume with its weight, and what is held out."""

    training: list[PreparedVolume] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    held_out: list[PreparedVolume] = field(default_factory=list)


def collect(sources: tuple[SourceRecipe, ...], cache: Path, ready: Collection, look: Look = MR) -> Iterator[str]:
    """Prepare the sources one after another; yields what is being done, in words.

    ready: is filled. cache: a folder in which costly preparations are kept. look: of the modality that is trained.
    Raises ScanError for a file that cannot be learned from and JobError where there is no source.
    """
    if not sources or sum(max(source.weight, 0) for source in sources) <= 0:
        raise JobError("There is nothing to train on.", "The recipe names no source.", "Give files or phantom:head.")
    for source in sources:
        if source.kind == "volume":
            yield f"preparing {Path(source.path).name}"
            training, held_out = _volume(source, cache, look)
            ready.training.append(training)
            ready.weights.append(source.weight)
            ready.held_out.extend(held_out)
            continue
        for index in range(source.count):
            yield f"making {source.kind.removeprefix('phantom:')} {index + 1} of {source.count}"
            ready.training.append(_phantom(source.kind, source.seed + index, cache, look))
            ready.weights.append(source.weight / source.count)
    made_up = next((source for source in sources if source.kind != "volume"), None)
    if made_up is not None and not ready.held_out:
        yield "making a phantom to validate on"
        ready.held_out.append(_phantom(made_up.kind, made_up.seed + made_up.count, cache, look))


def _phantom(kind: str, seed: int, cache: Path, look: Look) -> PreparedVolume:
    file = cache / f"{kind.removeprefix('phantom:')}-{seed}.safetensors"
    stored = _load(file)
    if stored is None:
        stored = _save(file, *made_up(kind, seed))
    return prepare(stored[0], stored[1], spacing_of(kind), f"{kind} {seed}", axes_of(kind), look)


def _volume(source: SourceRecipe, cache: Path, look: Look) -> tuple[PreparedVolume, tuple[PreparedVolume, ...]]:
    path = Path(source.path)
    volume = read_volume(path)
    scaled = look.scaled or bool(source.repaint)
    told = [scaled, source.path, source.box, source.denoise, source.brain, path.stat().st_size, path.stat().st_mtime]
    file = cache / f"volume-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}.safetensors"
    stored = _load(file)
    if stored is None and scaled:
        stored = _save(file, *clean(np.abs(volume.array).astype(np.float32), volume.spacing_mm, source))
    elif stored is None:
        stored = _save(file, clean_ct(np.real(volume.array).astype(np.float32), source), None)
    if source.repaint:
        stored = repaint(stored[0], np.random.default_rng(source.repaint)), None
    return split(stored[0], stored[1], volume.spacing_mm, source.name or path.name, look)


def clean(
    array: FloatArray, spacing: tuple[float, float, float], source: SourceRecipe
) -> tuple[FloatArray, FloatArray | None]:
    """(intensities scaled so that the 99.5th percentile of what is not air is 1, share of brain or None), (z, y, x).

    The source's own noise is taken away where the recipe says so: what a denoiser is to learn must be clean.
    """
    signal = array[array > 0.02 * array.max()]
    scaled = array / np.float32(np.percentile(signal, 99.5))
    if source.box is not None:
        scaled = scaled[tuple(slice(*ends) for ends in source.box)]
    if source.denoise:
        scaled = _denoised(scaled)
    return scaled, brain_share(scaled, spacing) if source.brain else None


def clean_ct(array: FloatArray, source: SourceRecipe) -> FloatArray:
    """HU (z, y, x) within the range of CT, cut to the source's box, its noise taken away where the recipe says so."""
    array = np.clip(array, HU_LOWEST, HU_HIGHEST)
    if source.box is not None:
        array = array[tuple(slice(*ends) for ends in source.box)]
    return _denoised(array, between=(-20.0, 120.0)) if source.denoise else array


def _denoised(array: FloatArray, between: tuple[float, float] = (0.6, 0.9)) -> FloatArray:
    """Non-local means (Buades et al. 2005) in three dimensions, or slice by slice where there are few slices."""
    from skimage.restoration import denoise_nl_means

    sigma = noise_level(array, between)
    if sigma == 0:
        return array
    options = {
        "patch_size": 3,
        "patch_distance": _SEARCH_VOXELS,
        "h": _FILTER_STRENGTH * sigma,
        "sigma": sigma,
        "fast_mode": True,
    }
    if len(array) >= 40:
        return np.asarray(denoise_nl_means(array, **options), dtype=np.float32)
    return np.stack([np.asarray(denoise_nl_means(plane, **options), dtype=np.float32) for plane in array])


def noise_level(array: FloatArray, between: tuple[float, float] = (0.6, 0.9)) -> float:
    """Standard deviation of the noise inside even tissue of such intensities, from what a small mean takes away."""
    import scipy.ndimage as ndi

    low, high = between
    size = 3 if min(array.shape) >= 3 else (1, 3, 3)
    inside = ndi.binary_opening((array > low) & (array < high), np.ones((1, 3, 3)))
    even = ndi.binary_erosion(inside, np.ones(np.broadcast_to(size, 3)), iterations=2)
    if even.sum() < 200:
        even = inside if inside.sum() >= 200 else array > array.min() + 0.1 * np.ptp(array)
    rough = (array - ndi.uniform_filter(array, size))[even]
    return float(np.median(np.abs(rough)) / 0.6745)


def _load(file: Path) -> Stored | None:
    if not file.is_file():
        return None
    stored = load_file(file)
    inside = stored["inside"].astype(np.float32) if "inside" in stored else None
    return stored["array"].astype(np.float32), inside


def _save(file: Path, array: FloatArray, inside: FloatArray | None) -> Stored:
    """Keep arrays; returns them as they will be read again, so that a resumed training sees the same numbers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = {"array": np.ascontiguousarray(array, dtype=np.float16)}
    if inside is not None:
        parts["inside"] = np.ascontiguousarray(inside, dtype=np.float16)
    partial = file.with_suffix(".partial")
    save_file(parts, partial)
    partial.replace(file)
    share = parts["inside"].astype(np.float32) if "inside" in parts else None
    return parts["array"].astype(np.float32), share
