"""How far an image is from a reference: PSNR, SSIM and NRMSE, with the data range named."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def compare(image: Array, reference: Array, air: float = 0.0) -> dict[str, float]:
    """psnr (dB), ssim, nrmse and data_range of an image against a reference, both (frame, y, x) in the same unit.

    Complex images are compared by their magnitude, real ones as they are, counted from `air` (-1000 for HU).
    data_range is the largest value of the reference; neither image is rescaled. ssim is the mean over the frames
    (Wang et al. 2004, doi 10.1109/TIP.2003.819861, Gaussian weights). nrmse is ||a - b|| / ||b||.
    """
    from skimage.metrics import structural_similarity

    ours, theirs = (np.abs(each) if np.iscomplexobj(each) else each - air for each in (image, reference))
    data_range = float(theirs.max())
    options = {"data_range": data_range, "gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5}
    squares, energy, ssim = 0.0, 0.0, []
    for a, b in zip(ours, theirs, strict=True):
        a, b = a.astype(np.float64), b.astype(np.float64)
        squares += float(np.sum((a - b) ** 2))
        energy += float(np.sum(b**2))
        ssim.append(structural_similarity(a, b, **options))
    error = float(np.sqrt(squares / theirs.size))
    return {
        "psnr": float(20 * np.log10(data_range / error)) if error else float("inf"),
        "ssim": float(np.mean(ssim)),
        "nrmse": float(np.sqrt(squares / energy)),
        "data_range": data_range,
    }
