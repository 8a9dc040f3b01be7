"""How far an image is from a reference: PSNR, SSIM and NRMSE of the magnitude, with the data range named."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def compare(image: Array, reference: Array) -> dict[str, float]:
    """psnr (dB), ssim, nrmse and data_range of |image| against |reference|, both (frame, y, x) in the same unit.

    data_range is the largest magnitude of the reference; neither image is rescaled. ssim is the mean over the frames
    (Wang et al. 2004, doi 10.1109/TIP.2003.819861, Gaussian weights). nrmse is ||a - b|| / ||b||.
    """
    from skimage.metrics import structural_similarity

    ours, theirs = np.abs(image).astype(np.float64), np.abs(reference).astype(np.float64)
    data_range = float(theirs.max())
    error = float(np.sqrt(np.mean((ours - theirs) ** 2)))
    options = {"data_range": data_range, "gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
    ssim = [structural_similarity(a, b, **options) for a, b in zip(ours, theirs, strict=True)]
    return {
        "psnr": float(20 * np.log10(data_range / error)) if error else float("inf"),
        "ssim": float(np.mean(ssim)),
        "nrmse": error / float(np.sqrt(np.mean(theirs**2))),
        "data_range": data_range,
    }
