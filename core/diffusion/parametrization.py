"""What a network predicts, turned into the denoised estimate and the noise.

With x = a x0 + s e: a network may predict e ("eps"), x0 ("x0"), or v = a e - s x0 ("v", Salimans and Ho 2022,
arXiv 2202.00512, section 4).
"""

from __future__ import annotations

from torch import Tensor

from core.errors import PriorError


def denoised_and_noise(kind: str, prediction: Tensor, x: Tensor, a: float, s: float) -> tuple[Tensor, Tensor]:
    """(x0, e) from a prediction at the noisy image x with levels a and s; for "eps" the first is Tweedie's formula.

    prediction and x: the same shape and dtype. Raises PriorError for another kind, and for "v" off the variance-
    preserving circle, where it is not defined.
    """
    if kind == "eps":
        return (x - s * prediction) / a, prediction
    if kind == "x0":
        return prediction, (x - a * prediction) / s
    if kind == "v":
        if abs(a * a + s * s - 1) > 1e-6:
            raise PriorError("A v-prediction needs a variance-preserving schedule.", f"a^2 + s^2 = {a * a + s * s:g}.")
        return a * x - s * prediction, s * x + a * prediction
    raise PriorError(f"The parametrization {kind!r} is not known.", "", "Use eps, v or x0.")
