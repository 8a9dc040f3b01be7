"""Plain test images: the Shepp-Logan head and the receive fields of a ring of coils."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.errors import JobError

_ELLIPSES = (
    (1.0, 0.69, 0.92, 0.0, 0.0, 0.0),
    (-0.8, 0.6624, 0.874, 0.0, -0.0184, 0.0),
    (-0.2, 0.11, 0.31, 0.22, 0.0, -18.0),
    (-0.2, 0.16, 0.41, -0.22, 0.0, 18.0),
    (0.1, 0.21, 0.25, 0.0, 0.35, 0.0),
    (0.1, 0.046, 0.046, 0.0, 0.1, 0.0),
    (0.1, 0.046, 0.046, 0.0, -0.1, 0.0),
    (0.1, 0.046, 0.023, -0.08, -0.605, 0.0),
    (0.1, 0.023, 0.023, 0.0, -0.606, 0.0),
    (0.1, 0.023, 0.046, 0.06, -0.605, 0.0),
)
"""Value added, half axes x and y, centre x and y, degrees: the variant with more contrast (Toft 1996, thesis,
appendix B) of Shepp and Logan 1974 (doi 10.1109/TNS.1974.6499235)."""

_LOOP_SEGMENTS = 24


def shepp_logan(n: int) -> npt.NDArray[np.float32]:
    """The modified Shepp-Logan head, float32 (n, n), 0 to 1, y downwards."""
    line = (np.arange(n) - (n - 1) / 2) / (n / 2)
    x, y = line[None, :], -line[:, None]
    image = np.zeros((n, n))
    for value, a, b, x0, y0, degrees in _ELLIPSES:
        angle = np.deg2rad(degrees)
        along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
        across = (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
        image += value * ((along / a) ** 2 + (across / b) ** 2 <= 1)
    result: npt.NDArray[np.float32] = np.clip(image, 0, 1).astype(np.float32)
    return result


def coil_maps(coils: int, shape: tuple[int, ...], seed: int = 0) -> npt.NDArray[np.complex64]:
    """Receive fields of loops around a head, complex64 (coils, *shape), unit root-sum-of-squares.

    shape: (ny, nx) or (nz, ny, nx), whose sides are taken as equally long in y and x. Biot-Savart sums over the loop's
    segments give the field (Roemer et al. 1990, doi 10.1002/mrm.1910160203); positions, sizes and phases of the loops
    are random by the seed. Raises JobError where there is no coil or no pixel.
    """
    if coils < 1 or len(shape) not in (2, 3) or min(shape) < 1:
        raise JobError(f"Coil maps of shape {(coils, *shape)} cannot be made.", "", "Use at least one coil and pixel.")
    rng = np.random.default_rng((seed, coils))
    depth, height, width = (1, *shape)[-3:]
    z, y, x = np.meshgrid(_line(depth) * 0.5 * min(depth - 1, 1), _line(height), _line(width), indexing="ij")
    points = np.stack((x, y, z), axis=-1)
    fields = np.empty((coils, depth, height, width), np.complex64)
    for coil in range(coils):
        turn = 2 * np.pi * (coil + rng.uniform(-0.15, 0.15)) / coils
        field = _loop_field(points, turn, rng.uniform(1.6, 1.8), rng.uniform(0.55, 0.8), rng.uniform(-0.3, 0.3))
        fields[coil] = field * np.exp(1j * rng.uniform(0, 2 * np.pi))
    total = np.sqrt(np.sum(np.abs(fields) ** 2, axis=0))
    maps: npt.NDArray[np.complex64] = (fields / total).reshape(coils, *shape).astype(np.complex64)
    return maps


def _line(n: int) -> npt.NDArray[np.float64]:
    return np.asarray((np.arange(n) - (n - 1) / 2) / (n / 2), dtype=np.float64)


def _loop_field(
    points: npt.NDArray[np.float64], turn: float, distance: float, radius: float, height: float
) -> npt.NDArray[np.complex128]:
    """Bx - i By of a current loop that faces the axis from `distance` away at the angle `turn`."""
    outward = np.array([np.cos(turn), np.sin(turn), 0.0])
    tangent = np.array([-np.sin(turn), np.cos(turn), 0.0])
    upward = np.array([0.0, 0.0, 1.0])
    centre = distance * outward + height * upward
    step = 2 * np.pi / _LOOP_SEGMENTS
    field = np.zeros((*points.shape[:-1], 2))
    for angle in np.arange(_LOOP_SEGMENTS) * step:
        place = centre + radius * (np.cos(angle) * tangent + np.sin(angle) * upward)
        current = radius * step * (np.cos(angle) * upward - np.sin(angle) * tangent)
        away = points - place
        cubed = np.sum(away**2, axis=-1) ** 1.5
        field += np.cross(current, away)[..., :2] / cubed[..., None]
    result: npt.NDArray[np.complex128] = field[..., 0] - 1j * field[..., 1]
    return result
