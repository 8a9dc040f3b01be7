"""Dead leaves: slices of random shapes that cover one another, with the Hounsfield units of tissues.

Images of anything are made of surfaces that hide what lies behind them, of every size (Lee, Mumford and Huang 2001,
doi 10.1023/A:1011109015675). A denoiser that sees endless different ones learns edges instead of one patient by heart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

from core.errors import JobError

FloatArray = npt.NDArray[np.float32]

_TISSUES = (
    (0.10, -1000, 5),
    (0.12, -850, 60),
    (0.22, -100, 20),
    (0.36, 45, 30),
    (0.10, 180, 90),
    (0.06, 450, 200),
    (0.04, 1100, 300),
)
"""How often, mean and standard deviation in HU: air, lung, fat, soft tissue, contrast medium, spongy and dense bone."""

SMALLEST, LARGEST = 2.0, 90.0
"""Radii in pixels; as many shapes of one size as of another in proportion to 1 / radius^3, as in natural images."""
MAX_PIXELS = 50_000_000


def leaves(seed: int, shape: tuple[int, int, int] = (20, 384, 384), shapes: int = 800) -> FloatArray:
    """Slices in HU, float32 (slices, rows, columns), each made of its own random shapes.

    Edges are as soft as a pixel; some shapes carry texture. Raises JobError for a shape without end.
    """
    if min(shape) < 1 or int(np.prod(shape, dtype=object)) > MAX_PIXELS:
        raise JobError(f"Slices of shape {tuple(shape)} cannot be made.", "", "Use a smaller shape.")
    rng = np.random.default_rng((seed, 811))
    return np.stack([_slice(rng, shape[1], shape[2], shapes) for _ in range(shape[0])])


def _slice(rng: np.random.Generator, height: int, width: int, shapes: int) -> FloatArray:
    image = np.full((height, width), _tissue(rng), np.float32)
    bend = [ndi.zoom(rng.normal(0, 5, (7, 7)), (height / 7, width / 7), order=3) for _ in range(2)]
    textures = [_texture(rng, height, width, grain) for grain in (1.0, 2.5, 6.0)]
    radii = (rng.uniform(LARGEST**-2, SMALLEST**-2, shapes)) ** -0.5
    radii[: shapes // 20] = rng.uniform(30, LARGEST, shapes // 20)
    # Large ones first, or nothing small would be seen.
    order = np.sort(radii * np.exp(rng.normal(0, 0.5, shapes)))[::-1]
    for radius in order:
        _lay(image, rng, float(min(radius, LARGEST)), bend, textures)
    return np.maximum(image, np.float32(-1024))


def _lay(
    image: FloatArray, rng: np.random.Generator, radius: float, bend: list[FloatArray], textures: list[FloatArray]
) -> None:
    """Cover a part of the image with a bent ellipse or ring."""
    height, width = image.shape
    centre = rng.uniform((0, 0), (height, width))
    rows, columns = (slice(max(int(c - 1.3 * radius - 12), 0), int(c + 1.3 * radius + 13)) for c in centre)
    y, x = np.ogrid[rows.start : min(rows.stop, height), columns.start : min(columns.stop, width)]
    part = image[rows, columns]
    dy = y - centre[0] + bend[0][rows, columns]
    dx = x - centre[1] + bend[1][rows, columns]
    angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.25, 1.0)
    u = np.cos(angle) * dx + np.sin(angle) * dy
    v = (np.cos(angle) * dy - np.sin(angle) * dx) / ratio
    depth = radius - np.sqrt(u * u + v * v)
    if rng.random() < 0.2:
        depth = np.minimum(depth, max(0.25 * radius, 1.0) - depth)
    cover = np.clip(depth * ratio + 0.5, 0, 1).astype(np.float32)
    value = _tissue(rng) + np.zeros_like(part)
    if rng.random() < 0.35 and value.flat[0] > -950:
        value += textures[rng.integers(len(textures))][rows, columns] * np.float32(rng.exponential(25.0))
    part += cover * (value - part)


def _tissue(rng: np.random.Generator) -> np.float32:
    shares = np.array([share for share, _, _ in _TISSUES])
    _, mean, deviation = _TISSUES[rng.choice(len(_TISSUES), p=shares / shares.sum())]
    return np.float32(max(rng.normal(mean, deviation), -1000.0))


def _texture(rng: np.random.Generator, height: int, width: int, grain: float) -> FloatArray:
    """Band-passed noise of unit standard deviation."""
    noise = rng.standard_normal((height, width))
    band = ndi.gaussian_filter(noise, grain) - ndi.gaussian_filter(noise, 2 * grain)
    result: FloatArray = (band / band.std()).astype(np.float32)
    return result
