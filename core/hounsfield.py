"""Hounsfield units and linear attenuation, one conversion and its inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

MU_WATER = 0.01928
"""Attenuation of water in 1/mm at 70 keV and 1 g/cm3 (NIST XCOM: 0.2059 cm2/g at 60 keV, 0.1837 at 80)."""

Number = TypeVar("Number", float, npt.NDArray[Any], "Tensor")


def mu_from_hu(hu: Number, mu_water: float = MU_WATER) -> Number:
    """Attenuation in 1/mm of Hounsfield units, of numbers, arrays and tensors alike: air (-1000 HU) is 0."""
    return mu_water * (1 + hu / 1000)


def hu_from_mu(mu: Number, mu_water: float = MU_WATER) -> Number:
    """Hounsfield units of an attenuation in 1/mm; the inverse of `mu_from_hu`."""
    return 1000 * (mu / mu_water - 1)
