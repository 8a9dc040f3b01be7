"""Coil maps from the fully sampled centre of k-space (ESPIRiT), and coil compression.

Uecker et al. 2014 (doi 10.1002/mrm.24751). Written here because it has to take well under a second per slice: the
pixel-wise matrices come from the kernels' autocorrelation in one small transform, and their leading eigenvectors from
repeated squaring.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from core.errors import ScanError

Complex64Array = npt.NDArray[np.complex64]

MAX_COILS = 12
GRID = 128
"""Points along each side at which maps are computed; they are smooth, and in between they are interpolated."""

_SQUARINGS = 6


def espirit(
    calibration: Tensor,
    shape: tuple[int, int],
    *,
    kernel: int = 6,
    threshold: float = 0.02,
    crop: float = 0.8,
) -> Tensor:
    """Coil maps (coils, ny, nx) complex64 of unit root-sum-of-squares, zero where no coil sees the object.

    There the eigenvalue is less than `crop` of the largest. calibration: complex (coils, cy, cx), the centre of k-space
    with k = 0 at c // 2. threshold: singular values below this share of the largest are noise. The phase is that of the
    strongest virtual coil. Raises ScanError when the centre is too small.
    """
    coils, cy, cx = calibration.shape
    size_y, size_x = (min(kernel, (c + 1) // 2) for c in (cy, cx))
    if min(cy, cx) < 4:
        raise ScanError(
            f"The fully sampled centre of k-space is too small: {cy} x {cx}.",
            "Coil maps need about 12 lines measured without gaps around k = 0 (at least 4).",
            "Use a scan with calibration lines, or a larger ACS.",
        )
    patches = calibration.unfold(1, size_y, 1).unfold(2, size_x, 1)
    patches = patches.permute(1, 2, 0, 3, 4).flatten(0, 1).flatten(1)
    energies, vectors = torch.linalg.eigh(patches.mH @ patches)
    signal = vectors[:, energies > threshold**2 * energies[-1]]
    projector = (signal @ signal.mH).reshape(coils, size_y, size_x, coils, size_y, size_x)
    grid = (min(shape[0], GRID), min(shape[1], GRID))
    grams = _pixel_grams(_sum_lags(projector), shape, grid) / (size_y * size_x)
    eigenvectors, values = _leading_eigenvectors(grams)
    coarse = _align_phase(eigenvectors, calibration).T.reshape(coils, *grid)
    maps, seen = _refine(coarse, shape), _refine(values.reshape(1, *grid), shape)
    size: Tensor = torch.linalg.vector_norm(maps, dim=0)
    maps = maps / size.clamp(min=1e-20)
    return maps * (seen > crop * values.max())


def _sum_lags(projector: Tensor) -> Tensor:
    """Sum the entries (c, k, d, k') of equal k - k': (d, c, 2 size_y - 1, 2 size_x - 1), lag 0 in the middle."""
    coils, size_y, size_x = projector.shape[:3]
    lags = torch.zeros(coils, coils, 2 * size_y - 1, 2 * size_x - 1, dtype=projector.dtype)
    for y in range(size_y):
        for x in range(size_x):
            block = projector[:, :, :, :, y, x]
            lags[:, :, size_y - 1 - y : 2 * size_y - 1 - y, size_x - 1 - x : 2 * size_x - 1 - x] += block.permute(
                3, 0, 1, 2
            )
    return lags


def _pixel_grams(lags: Tensor, shape: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Transform the lags to a grid over the image: a Hermitian matrix for each point, (points, coils, coils)."""
    coils = lags.shape[0]
    waves_y, waves_x = (
        _waves(lags.shape[2 + i], n, points) for i, (n, points) in enumerate(zip(shape, grid, strict=True))
    )
    image = waves_y @ lags @ waves_x.T
    return image.reshape(coils, coils, -1).permute(2, 0, 1).contiguous()


def _waves(lags: int, n: int, points: int) -> Tensor:
    """exp(-2 pi i lag x / n) for centred lags and points from the first to the last of n pixels, (points, lags)."""
    x = torch.linspace(0, n - 1, points, dtype=torch.float64) - n // 2
    lag = torch.arange(lags, dtype=torch.float64) - lags // 2
    angle = -2 * torch.pi / n * x[:, None] * lag
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)


def _leading_eigenvectors(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Unit eigenvectors (pixels, coils) of the largest eigenvalues (pixels,) of Hermitian positive matrices."""
    power = matrices
    for _ in range(_SQUARINGS):
        trace = power.diagonal(dim1=-2, dim2=-1).real.sum(-1).clamp(min=1e-20)
        power = power / trace[:, None, None]
        power = power @ power
    strongest = power.diagonal(dim1=-2, dim2=-1).real.argmax(dim=-1)
    vectors = torch.take_along_dim(power, strongest[:, None, None], dim=2)[..., 0]
    vectors = vectors / torch.linalg.vector_norm(vectors, dim=-1, keepdim=True).clamp(min=1e-20)
    values = torch.sum(vectors.conj() * (matrices @ vectors[..., None])[..., 0], dim=-1).real
    return vectors, values


def _refine(coarse: Tensor, shape: tuple[int, int]) -> Tensor:
    """Bicubic interpolation of (channels, points, points), real or complex, to the image."""
    real = torch.view_as_real(coarse).movedim(-1, 0) if coarse.is_complex() else coarse[None]
    if coarse.shape[1:] != shape:
        real = functional.interpolate(real, size=shape, mode="bicubic", align_corners=True)
    return torch.complex(*real) if coarse.is_complex() else real[0]


def _align_phase(vectors: Tensor, calibration: Tensor) -> Tensor:
    """Turn each pixel's vector so that the strongest virtual coil of the calibration sees it with phase 0."""
    principal = torch.linalg.svd(calibration.flatten(1), full_matrices=False)[0][:, 0]
    seen = vectors @ principal.conj()
    return vectors * torch.exp(-1j * seen.angle())[:, None]


def compression_matrix(calibration: Complex64Array, coils: int = MAX_COILS) -> Complex64Array:
    """The (coils, all coils) matrix to the strongest virtual coils, by principal components of (coils, a, b).

    Huang et al. 2008 (doi 10.1016/j.mri.2007.04.010).
    """
    samples = calibration.reshape(len(calibration), -1)
    _, vectors = np.linalg.eigh(samples @ samples.conj().T)
    strongest: Complex64Array = vectors[:, ::-1][:, :coils].conj().T.astype(np.complex64)
    return strongest
