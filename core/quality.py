"""How far an image is from a reference: PSNR, SSIM, NRMSE and HFEN, with the data range named."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
Float64Array = npt.NDArray[np.float64]

FIGURES = ("psnr", "ssim", "nrmse", "hfen")
SIGMA = 1.5
"""Pixels: of the windows of SSIM, and of the Laplacian of HFEN."""

_LOG_RADIUS = 7
_SSIM_SIDE = 11


def compare(image: Array, reference: Array, air: float = 0.0, mask: BoolArray | None = None) -> dict[str, float]:
    """psnr (dB), ssim, nrmse, hfen and data_range of an image against a reference, (frame, y, x) in the same unit.

    Complex images are compared by their magnitude, real ones as they are, counted from `air` (-1000 for HU).
    data_range is the largest value of the reference; neither image is rescaled. ssim is the mean over the frames
    (Wang et al. 2004, doi 10.1109/TIP.2003.819861, Gaussian weights), NaN for frames smaller than its window of 11
    pixels. nrmse is ||a - b|| / ||b||. hfen is the same of both images after a Laplacian of a Gaussian of 1.5 pixels
    with 15 x 15 coefficients, frame by frame (Ravishankar and Bresler 2011, doi 10.1109/TMI.2010.2090538; here
    divided by the norm of the reference).

    mask: of the same shape; only what is True in it counts, data_range included. Windows and filters reach beyond it.
    Raises ScanError for a mask that is empty or of another shape, and for a reference without a value above air.
    """
    inside = None if mask is None else checked_mask(mask, reference.shape)
    data_range = _largest(reference, air, inside)
    squares, energy, edges, edge_energy, count = 0.0, 0.0, 0.0, 0.0, 0
    similar, places = 0.0, 0
    for k, (ours, theirs) in enumerate(zip(image, reference, strict=True)):
        within = None if inside is None else inside[k]
        if within is not None and not within.any():
            continue
        a, b = counted(ours, air), counted(theirs, air)
        squares += _energy(a - b, within)
        energy += _energy(b, within)
        edges += _energy(_laplacian(a - b), within)
        edge_energy += _energy(_laplacian(b), within)
        count += a.size if within is None else int(within.sum())
        total, seen = _similarity(a, b, data_range, within)
        similar, places = similar + total, places + seen
    error = float(np.sqrt(squares / count))
    return {
        "psnr": float(20 * np.log10(data_range / error)) if error else float("inf"),
        "ssim": similar / places if places else float("nan"),
        "nrmse": float(np.sqrt(squares / energy)),
        "hfen": float(np.sqrt(edges / edge_energy)) if edge_energy else float("nan"),
        "data_range": data_range,
    }


def load() -> None:
    """Import what `compare` needs, so that the first comparison takes no longer than the others."""
    import scipy.ndimage  # noqa: F401
    import skimage.metrics  # noqa: F401


def counted(frame: Array, air: float) -> Float64Array:
    """What is compared of a frame: its magnitude where it is complex, else its values above air."""
    values = np.abs(frame) if np.iscomplexobj(frame) else frame
    return values.astype(np.float64) - (0.0 if np.iscomplexobj(frame) else air)


def checked_mask(mask: Array, shape: tuple[int, ...]) -> BoolArray:
    """The mask as bool. Raises ScanError for one that is empty or of another shape."""
    if mask.shape != tuple(shape):
        raise ScanError(
            "The mask does not fit the image.",
            f"It has {_voxels(mask.shape)} voxels, the image {_voxels(shape)}.",
            "Choose a mask on the image's grid.",
        )
    inside = mask.astype(bool, copy=False)
    if not inside.any():
        raise ScanError("The mask is empty.", "No voxel of the image lies inside.", "Choose another mask, or none.")
    return inside


def _voxels(shape: tuple[int, ...]) -> str:
    """Columns first, as people count them."""
    return " x ".join(str(n) for n in reversed(shape))


def _largest(reference: Array, air: float, inside: BoolArray | None) -> float:
    """The data range. Raises ScanError where it is not above 0."""
    found = 0.0
    for k, frame in enumerate(reference):
        values = counted(frame, air) if inside is None else counted(frame, air)[inside[k]]
        found = max(found, float(values.max(initial=0.0)))
    if found > 0 and np.isfinite(found):
        return found
    where = "" if inside is None else " inside the mask"
    raise ScanError(f"The reference is empty{where}.", "It has no value above 0 there.", "Choose another reference.")


def _energy(values: Float64Array, within: BoolArray | None) -> float:
    return float(np.sum(np.square(values if within is None else values[within])))


def _laplacian(frame: Float64Array) -> Float64Array:
    from scipy.ndimage import gaussian_laplace

    found: Float64Array = gaussian_laplace(frame, SIGMA, truncate=_LOG_RADIUS / SIGMA)
    return found


def _similarity(a: Float64Array, b: Float64Array, data_range: float, within: BoolArray | None) -> tuple[float, int]:
    """The sum of what counts of the SSIM map, and of how many places; of a whole frame its mean, which counts once."""
    from skimage.metrics import structural_similarity

    if min(a.shape) < _SSIM_SIDE:
        return 0.0, 0
    options = {"data_range": data_range, "gaussian_weights": True, "use_sample_covariance": False, "sigma": SIGMA}
    if within is None:
        return float(structural_similarity(a, b, **options)), 1
    _, similar = structural_similarity(a, b, full=True, **options)
    return float(similar[within].sum()), int(within.sum())
