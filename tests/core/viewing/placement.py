"""A phantom without symmetry, and the ways in which a volume may lie in the patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from hypothesis import strategies as st

SHAPE = (11, 14, 17)
BLOCK = np.array([1.0, -1.0, 1.0])
"""Where the bright block lies from the middle of the volume, in LPS: left, front, head."""


def turned(degrees_x: float, degrees_y: float) -> np.ndarray:
    """(3, 3), first about the L axis, then about the P axis."""
    a, b = np.deg2rad([degrees_x, degrees_y])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return about_y @ about_x


def placed(steps: np.ndarray, middle: tuple[float, ...] = (12.0, -7.0, 33.0), shape: tuple = SHAPE) -> np.ndarray:
    """The affine with these columns, mm per index x, y, z, and the middle of the volume there."""
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = np.array(middle) - steps @ ((np.array(shape[::-1]) - 1) / 2)
    return affine


SPACING = np.diag([0.7, 1.3, 5.0])
SHEAR = np.array([[1.0, 0, 0], [0, 1.0, 0.35], [0, 0, 1.0]])
"""A gantry tilted by 19 degrees: slices are stacked askew."""

AFFINES = {
    "identity": placed(np.eye(3)),
    "permuted": placed(np.eye(3)[:, [2, 0, 1]]),
    "flipped": placed(np.diag([-1.0, 1.0, -1.0])),
    "left-handed": placed(np.diag([1.0, 1.0, -1.0])),
    "oblique": placed(turned(20, -20)),
    "anisotropic": placed(SPACING),
    "anisotropic, permuted and flipped": placed(np.eye(3)[:, [1, 2, 0]] @ np.diag([-0.7, 1.3, -5.0])),
    "anisotropic and oblique": placed(turned(-20, 20) @ SPACING),
    "sheared": placed(SHEAR @ SPACING),
    "sheared, oblique and flipped": placed(turned(10, 5) @ SHEAR @ np.diag([0.7, -1.3, 5.0])),
}


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Any order, sense and size of the voxels, turned by up to 20 degrees about two axes, sometimes sheared."""
    order = np.eye(3)[:, draw(st.sampled_from(list(permutations(range(3)))))]
    signs = np.diag(draw(st.sampled_from(list(product((-1.0, 1.0), repeat=3)))))
    sides = np.diag([draw(st.floats(0.3, 6.0)) for _ in range(3)])
    angle = st.floats(-20, 20)
    shear = np.eye(3)
    shear[1, 2] = draw(st.sampled_from([0.0, 0.0, -0.15, 0.1]))
    return placed(turned(draw(angle), draw(angle)) @ order @ signs @ shear @ sides)


def block_of(affine: np.ndarray, shape: tuple = SHAPE) -> tuple[np.ndarray, np.ndarray]:
    """(values float32 (z, y, x), LPS mm of its brightest voxel): a block to the left, the front and the head, of 1000,
    its middle 2000, over a slow ramp that differs along all axes."""
    sizes = np.array(shape[::-1])
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    # One voxel axis after the other, whichever side of it lies more towards the place.
    towards = np.sign(steps.T @ BLOCK)
    x, y, z = ((sizes - 1) / 2 + towards * np.ceil(sizes / 4)).astype(int)
    values = np.fromfunction(lambda k, j, i: i + 2 * j + 3 * k, shape, dtype=np.float32).astype(np.float32)
    values[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2] = 1000
    values[z, y, x] = 2000
    return values, (affine @ [x, y, z, 1])[:3]
