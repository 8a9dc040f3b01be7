"""The made-up head as computed tomography sees it: the same anatomy in Hounsfield units, on a head rest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.errors import JobError
from core.priors.phantoms import MAX_VOXELS, SUBPLANE_MM, Head, HeadModel
from core.priors.phantoms_canvas import TISSUES, Canvas
from core.priors.phantoms_shapes import NoiseField, sample

FloatArray = npt.NDArray[np.float32]

HU_OF_HEAD: dict[str, tuple[float, float]] = {
    "air": (-1000, 0),
    "skin": (25, 12),
    "fat": (-92, 8),
    "muscle": (55, 6),
    "bone": (1250, 200),
    "marrow": (380, 110),
    "csf": (8, 2.5),
    "grey": (38, 1.8),
    "white": (29.5, 1.6),
    "deep grey": (38, 1.8),
    "vessel": (46, 5),
    "vitreous": (7, 2.5),
    "lens": (85, 12),
    "dura": (58, 6),
    "lesion": (30, 25),
    "oedema": (22, 2.5),
}
"""Mean and standard deviation over people of each tissue's HU, unenhanced, at about 120 kV."""

ENHANCED_SHARE = 0.3
TEXTURE = (0.0015, 0.0012)


def head_ct(
    seed: int,
    shape: tuple[int, int, int] = (160, 192, 160),
    *,
    spacing_mm: tuple[float, float, float] = (1.2, 1.2, 1.2),
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    lesions: int | None = None,
) -> Head:
    """The head of a seed in HU, float32 (slices, rows, columns), without noise; labels are indices into TISSUES.

    Arguments as those of `phantoms.head`. Every third head or so has contrast medium in its vessels, and most lie in a
    head rest. Raises JobError for a shape without end.
    """
    if min(shape) < 1 or int(np.prod(shape, dtype=object)) > MAX_VOXELS:
        raise JobError(f"A head of shape {tuple(shape)} cannot be made.", "", "Use a smaller shape.")
    model = HeadModel(seed, lesions, sclera="dura")
    extras = _Extras(np.random.default_rng((seed, 90210)))
    depth, height, width = shape
    dz, dy, dx = spacing_mm
    x = ((np.arange(width) - (width - 1) / 2) * dx + centre_mm[0]).astype(np.float32)
    y = ((np.arange(height) - (height - 1) / 2) * dy + centre_mm[1]).astype(np.float32)
    image = np.empty(shape, np.float32)
    labels = np.empty(shape, np.uint8)
    parts = max(round(dz / SUBPLANE_MM), 1)
    for index in range(depth):
        middle = (index - (depth - 1) / 2) * dz + centre_mm[2]
        heights = [middle + ((part + 0.5) / parts - 0.5) * dz for part in range(parts)]
        planes = [model.plane(x, y, z, extras.values, min(dx, dy), TEXTURE) for z in heights]
        image[index] = np.mean([extras.finish(plane, x, y) for plane in planes], axis=0)
        labels[index] = planes[parts // 2].labels
    return Head(image, labels, spacing_mm)


class _Extras:
    """What a CT head adds to the anatomy: HU of the tissues, grain of the bones, head rest."""

    def __init__(self, rng: np.random.Generator) -> None:
        hu = np.array([rng.normal(*HU_OF_HEAD[name]) for name in TISSUES], np.float32)
        hu[TISSUES.index("bone")] = np.clip(hu[TISSUES.index("bone")], 700, 1800)
        hu[TISSUES.index("marrow")] = np.clip(hu[TISSUES.index("marrow")], 100, 600)
        hu[TISSUES.index("csf")] = np.clip(hu[TISSUES.index("csf")], 2, 14)
        if rng.random() < ENHANCED_SHARE:
            hu[TISSUES.index("vessel")] = rng.uniform(90, 320)
            hu[TISSUES.index("dura")] += 20
        self.values: FloatArray = hu + np.float32(1000)
        self.grain = NoiseField(rng, 8, 2)
        self.bone_grain = rng.uniform(0.03, 0.1)
        self.shift = rng.uniform(0, 200, 3).astype(np.float32)
        self.rest = bool(rng.random() < 0.7)
        self.rest_radius = rng.uniform(80, 90)
        self.rest_thick = rng.uniform(1.5, 5.0)
        self.rest_values = (rng.uniform(-250, 150), rng.uniform(-980, -850))
        self.rest_tilt = rng.uniform(-0.15, 0.1)

    def finish(self, plane: Canvas, x: FloatArray, y: FloatArray) -> FloatArray:
        """HU of a painted plane of values that count from -1000."""
        hu: FloatArray = plane.image - np.float32(1000)
        points = [p * np.float32(1.9) + s for p, s in zip(plane.points, self.shift, strict=True)]
        dense = np.clip((hu - 130) / 200, 0, 1) * np.maximum(hu, 0)
        hu += np.float32(self.bone_grain) * dense * sample(self.grain.values, points)
        if self.rest:
            self._head_rest(hu, plane, x, y)
        return hu

    def _head_rest(self, hu: FloatArray, plane: Canvas, x: FloatArray, y: FloatArray) -> None:
        """A padded trough behind the head: foam below the scalp, then a thin shell."""
        z = np.float32(plane.points[2].mean())
        away = np.hypot(x[None], np.minimum(y[:, None] - 12 - np.float32(self.rest_tilt) * z, 200) * 0.93)
        behind = np.clip((y[:, None] - 5) / plane.pixel_mm, 0, 1)
        free = np.clip((-900 - hu) / 60, 0, 1) * behind
        shell = np.clip((self.rest_thick / 2 - np.abs(away - self.rest_radius - 8)) / plane.pixel_mm + 0.5, 0, 1)
        foam = np.clip((4 - np.abs(away - self.rest_radius - 2)) / plane.pixel_mm + 0.5, 0, 1)
        for cover, value in ((foam, self.rest_values[1]), (shell, self.rest_values[0])):
            hu += (cover * free * (np.float32(value) - hu)).astype(np.float32)
