"""A volume without symmetry, and the ways in which it can lie in the patient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.orientation import Affine, affine_from_directions
from core.scan import Volume

SHAPE = 5, 20, 24
CARD = {
    "format": 1,
    "created": "2021-03-04T05:06:07+00:00",
    "job": {
        "source": {"path": "/data/Doe_Jane/4711.h5"},
        "settings": {"method": "dds", "nfe": 20, "prior": "/home/Ann Other/p.safetensors"},
    },
    "outcome": {"notes": ["Read from /data/Doe_Jane/4711.h5 of DOE.", "Plain."]},
}


def turned(degrees: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def placed(kind: str) -> Affine:
    spacing = (1.0, 1.0, 1.0) if kind == "even" else (0.7, 1.3, 3.3)
    axes = np.eye(3) if kind in ("even", "anisotropic", "sheared", "left-handed") else turned((11.3, -23.7, 37.1))
    affine = affine_from_directions(*axes.T, spacing, (3.21, -4.56, 78.9), SHAPE)
    if "sheared" in kind:
        affine[:3, 2] += 0.4 * affine[:3, 1]
    if kind == "left-handed":
        affine[:3, 2] = -affine[:3, 2]
    if kind == "sagittal":
        affine = affine_from_directions((0, 1, 0), (0, 0, -1), (-1, 0, 0), spacing, (3, 4, 5), SHAPE)
    return affine


def block() -> np.ndarray:
    """A dim body with one bright block away from every middle, and a ramp that no flip keeps, float32 SHAPE."""
    z, y, x = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    body = 0.2 + 0.01 * x + 0.02 * y + 0.05 * z
    body[3:, 2:6, 15:22] += 2.0
    return body.astype(np.float32)


@pytest.fixture
def build() -> Callable[..., Volume]:
    """build("oblique", unit="HU", ...): the block in a place, as MR or CT."""

    def made(kind: str = "anisotropic", unit: str = "a.u.", **changes: object) -> Volume:
        values = -1000 + 700 * block() + 0.3 if unit == "HU" else block()
        values = block() * 0.01 if unit == "1/mm" else values
        told = {"affine": placed(kind), "slices": SHAPE[0], "card": CARD, **changes}
        return Volume(values.astype(np.float32), unit, spacing_mm=(0.7, 1.3, 3.3), **told)

    return made
