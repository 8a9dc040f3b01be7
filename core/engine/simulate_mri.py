"""An MRI scan of an image volume that no scanner made: coils that see it, k-space, lines left out, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.engine.simulated_volume import check_size, cut_slices, lean_degrees
from core.errors import JobError
from core.formats.files import require_memory
from core.formats.volume_parts import Opened
from core.operators.masks import BoolArray, parse_undersampling, sampling_mask
from core.orientation import Affine
from core.priors.phantoms_simple import coil_maps
from core.provenance import Provenance
from core.scan import KSpace, Volume

ComplexArray = npt.NDArray[np.complex64]

NOISE_SAMPLES = 512
_MOST_COILS = 256
_WHOLE_LINES = "1d"


@dataclass(frozen=True)
class MriSettings:
    """What is simulated.

    undersample: KIND:R[:ACS[:SEED]] of whole lines, "" for all of them. noise: standard deviation of the complex noise
    as a share of the image's peak. size: pixels along both sides of the image to reconstruct, by default the volume's,
    and not more than that. slices: first and end, counted from 0. seed: of coils, phase and noise.
    """

    coils: int
    undersample: str = ""
    noise: float = 0.0
    size: int | None = None
    slices: tuple[int, int] | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class SimulatedMri:
    """A scan, and what the coils hear without signal: complex64 (coils, samples), or None where there is no noise."""

    scan: KSpace
    noise: ComplexArray | None


def simulate_mri(found: Opened, settings: MriSettings) -> SimulatedMri:
    """The 2-D multi-slice scan of a volume, peak 1, its readout along x, marked as simulated.

    A real volume gets a smooth phase, as real images have one; a complex one keeps its own. A smaller matrix is cut
    out of k-space, as a scanner that measures less does. Raises JobError for settings that make no scan, ScanError
    where the memory does not suffice.
    """
    _check(settings)
    volume = cut_slices(found.volume, settings.slices)
    shape = volume.array.shape[1], volume.array.shape[2]
    new = (settings.size, settings.size) if settings.size else shape
    if new[0] > shape[0] or new[1] > shape[1]:
        raise JobError(
            f"An image of {new[1]} x {new[0]} pixels cannot be measured.",
            f"The volume has {shape[1]} x {shape[0]}, and no finer detail.",
            "Choose a smaller size.",
        )
    mask = _lines(settings.undersample, new)
    _require_memory(len(volume.array), settings.coils, shape, new)
    data = kspace(as_measured(volume.array, settings.seed), settings.coils, new, settings.seed)
    rng = np.random.default_rng((settings.seed, 1))
    silence = None
    if settings.noise > 0:
        silence = complex_noise(rng, (settings.coils, NOISE_SAMPLES), settings.noise)
        for each in data:
            each += complex_noise(rng, each.shape, settings.noise)
    data = np.where(mask, data, np.complex64(0))
    affine = None if volume.affine is None else affine_of_cut(volume.affine, shape, new)
    x, y, z = volume.spacing_mm
    scan = KSpace(
        data[None, None, :, :, None],
        mask[None, None, None, None],
        (1, *new),
        Provenance(found.path, "simulated", done=_notes(found, volume)),
        field_of_view_mm=(x * shape[1], y * shape[0], z),
        affine=affine,
        simulated=True,
        noise_std=settings.noise / 2**0.5 if settings.noise > 0 else None,
        contrast=found.contrast,
        anatomy=found.anatomy,
    )
    return SimulatedMri(scan, silence)


def as_measured(array: npt.NDArray[np.float32] | ComplexArray, seed: int) -> ComplexArray:
    """Complex images (slices, y, x) of peak 1; magnitudes get a smooth phase. Raises JobError for an empty one."""
    magnitude = np.abs(array) if np.iscomplexobj(array) else np.maximum(array - min(float(array.min()), 0.0), 0)
    peak = float(magnitude.max())
    if peak <= 0:
        raise JobError("The chosen slices are empty.", "", "Choose others.")
    if np.iscomplexobj(array):
        return np.asarray(array / np.float32(peak), dtype=np.complex64)
    turn = np.exp(1j * smooth_phase(array.shape[-2:], seed))
    return np.asarray(magnitude / peak * turn, dtype=np.complex64)


def smooth_phase(shape: tuple[int, ...], seed: int) -> npt.NDArray[np.float64]:
    """Radians (y, x): a few random hills on a slope and a bow, as shim and echo times leave them."""
    import scipy.ndimage as ndi

    rng = np.random.default_rng(seed)
    hills = ndi.zoom(rng.standard_normal((4, 4)), (shape[0] / 4, shape[1] / 4), order=3) * 0.5
    y, x = (np.linspace(-1, 1, n) for n in shape)
    return np.asarray(hills + 0.8 * x[None] - 0.5 * y[:, None] ** 2)


def kspace(images: ComplexArray, coils: int, cut: tuple[int, int], seed: int) -> ComplexArray:
    """(slices, coils, ky, kx), k = 0 at n // 2, without noise: the middle `cut` lines and samples of the whole.

    Unitary, and scaled so that the image of what was cut keeps its numbers.
    """
    maps, axes = coil_maps(coils, images.shape[1:], seed), (-2, -1)
    rows, columns = (slice(n // 2 - c // 2, n // 2 - c // 2 + c) for n, c in zip(images.shape[1:], cut, strict=True))
    scale = np.float32(np.sqrt(cut[0] * cut[1] / (images.shape[1] * images.shape[2])))
    data = np.empty((len(images), coils, *cut), dtype=np.complex64)
    for image, into in zip(images, data, strict=True):
        spectrum = np.fft.fftn(np.fft.ifftshift(image * maps, axes=axes), axes=axes, norm="ortho")
        into[:] = np.fft.fftshift(spectrum, axes=axes)[:, rows, columns] * scale
    return data


def complex_noise(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> ComplexArray:
    """Complex normal numbers of that standard deviation, half of the variance in each part."""
    parts = rng.standard_normal((2, *shape)) * (deviation / np.sqrt(2))
    return np.asarray(parts[0] + 1j * parts[1], dtype=np.complex64)


def affine_of_cut(affine: Affine, old: tuple[int, int], new: tuple[int, int]) -> Affine:
    """The affine after k-space was cut to (rows, columns): larger voxels about the one at n // 2, which stays."""
    steps = np.eye(4)
    for axis in (0, 1):
        before, after = old[1 - axis], new[1 - axis]
        steps[axis, axis] = before / after
        steps[axis, 3] = before // 2 - (before / after) * (after // 2)
    moved: Affine = affine @ steps
    return moved


def _lines(undersample: str, shape: tuple[int, int]) -> BoolArray:
    """(ny, 1)."""
    if not undersample:
        return np.ones((shape[0], 1), dtype=bool)
    pattern = parse_undersampling(undersample)
    if not pattern.kind.endswith(_WHOLE_LINES):
        raise JobError(
            f"The pattern {pattern.kind} cannot be simulated.",
            "A readout of a 2-D scan measures a whole line.",
            "Choose a pattern of whole lines, such as gaussian1d.",
        )
    return sampling_mask(pattern, *shape)


def _require_memory(slices: int, coils: int, old: tuple[int, int], new: tuple[int, int]) -> None:
    needed = 24.0 * slices * coils * new[0] * new[1] + 64.0 * coils * old[0] * old[1]
    require_memory(needed, "The simulated scan")


def _notes(found: Opened, volume: Volume) -> tuple[str, ...]:
    notes = [*found.notes, "Simulated: no scanner made this."]
    lean = lean_degrees(volume.affine)
    if lean:
        notes.append(f"The slices lean by {lean:.1f} degrees against their stack; each was measured in its own plane.")
    if volume.unit == "HU":
        notes.append("Hounsfield units were taken as signal, from the lowest value up.")
    return tuple(notes)


def _check(settings: MriSettings) -> None:
    check_size(settings.size)
    if not 1 <= settings.coils <= _MOST_COILS:
        raise JobError(f"{settings.coils} coils cannot be made.", "", f"Choose from 1 to {_MOST_COILS}.")
    if not 0 <= settings.noise <= 1:
        raise JobError(f"Noise of {settings.noise:g} is out of range.", "", "Choose a share of the peak, 0 to 1.")
    if settings.seed < 0:
        raise JobError(f"The seed {settings.seed} is negative.", "", "Choose 0 or more.")
