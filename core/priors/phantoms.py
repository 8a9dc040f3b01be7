"""A made-up head: anatomy that looks like a head, random in everything by its seed, with the contrasts of MRI.

Coordinates are patient millimetres from the middle of the brain: x left, y posterior, z head (LPS). Every structure is
a signed distance in mm, painted over what lies below it with an edge as soft as a pixel, so that partial volume comes
by itself. Sizes follow common adult anatomy; nothing is taken from any person's scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.errors import JobError
from core.priors.phantoms_brain import BrainModel
from core.priors.phantoms_canvas import CONTRASTS, TISSUES, Canvas, Points
from core.priors.phantoms_shapes import NoiseField, chain, ellipsoid, union
from core.priors.phantoms_simple import coil_maps, shepp_logan

__all__ = ["CONTRASTS", "TISSUES", "Head", "HeadModel", "coil_maps", "head", "shepp_logan"]

FloatArray = npt.NDArray[np.float32]
LabelArray = npt.NDArray[np.uint8]

MAX_VOXELS = 200_000_000
SUBPLANE_MM = 1.0


@dataclass(frozen=True)
class Head:
    """A made-up head. image: float32 (z, y, x), about 0 to 1. labels: uint8, indices into TISSUES.

    Indices grow towards the patient's left (x), back (y) and head (z); spacing_mm is (z, y, x).
    """

    image: FloatArray
    labels: LabelArray
    spacing_mm: tuple[float, float, float]


def head(
    seed: int,
    shape: tuple[int, int, int] = (160, 192, 160),
    contrast: str = "t2",
    *,
    spacing_mm: tuple[float, float, float] = (1.2, 1.2, 1.2),
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    lesions: int | None = None,
    jitter: float = 0.1,
) -> Head:
    """The head of a seed, (slices, rows, columns) around centre_mm (x, y, z) in patient millimetres.

    contrast: "t1", "t2", "pd" or "flair"; jitter: standard deviation of the tissues' relative signal. lesions: how many
    (None: none to three by chance). Thick slices are averaged from planes 1 mm apart. Raises JobError for another
    contrast or a shape without end.
    """
    if contrast not in CONTRASTS:
        raise JobError(f"There is no contrast {contrast!r}.", "", f"Use one of {', '.join(CONTRASTS)}.")
    if min(shape) < 1 or int(np.prod(shape, dtype=object)) > MAX_VOXELS:
        raise JobError(f"A head of shape {tuple(shape)} cannot be made.", "", "Use a smaller shape.")
    model = HeadModel(seed, lesions)
    values = model.signals(contrast, jitter)
    depth, height, width = shape
    dz, dy, dx = spacing_mm
    x = ((np.arange(width) - (width - 1) / 2) * dx + centre_mm[0]).astype(np.float32)
    y = ((np.arange(height) - (height - 1) / 2) * dy + centre_mm[1]).astype(np.float32)
    image = np.empty(shape, np.float32)
    labels = np.empty(shape, np.uint8)
    parts = max(round(dz / SUBPLANE_MM), 1)
    for index in range(depth):
        middle = (index - (depth - 1) / 2) * dz + centre_mm[2]
        planes = [
            model.plane(x, y, middle + ((part + 0.5) / parts - 0.5) * dz, values, min(dx, dy)) for part in range(parts)
        ]
        image[index] = np.mean([plane.image for plane in planes], axis=0)
        labels[index] = planes[parts // 2].labels
    return Head(image, labels, spacing_mm)


@dataclass
class HeadModel:
    """All that is random in a head: drawn once from the seed, then evaluated plane by plane.

    sclera: the tissue whose signal the coat of the eye has; as dark as bone in MRI, not in CT.
    """

    seed: int
    lesions: int | None = None
    sclera: str = "bone"
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng = np.random.default_rng((self.seed, 4711))
        self.tilt = np.deg2rad(rng.normal(0, 2.5, 3))
        self.coarse = NoiseField(rng, 120, 2)
        self.fine = NoiseField(rng, 26, 2)
        self.grain = NoiseField(rng, 10, 2)
        self.skull_mm = rng.uniform(5.0, 7.5)
        self.gap_mm = rng.uniform(1.0, 2.5)
        self.fat_mm = rng.uniform(2.5, 5.5)
        self.eye = rng.uniform(11.0, 12.5)
        self.brain = BrainModel(rng, self.coarse, self.fine)
        self.spots = self._draw_lesions()

    def signals(self, contrast: str, jitter: float) -> FloatArray:
        """The signal of each tissue for this head, CONTRASTS with random relative changes."""
        rng = np.random.default_rng((self.seed, list(CONTRASTS).index(contrast)))
        return (np.array(CONTRASTS[contrast]) * np.exp(rng.normal(0, jitter, len(TISSUES)))).astype(np.float32)

    def plane(
        self,
        x: FloatArray,
        y: FloatArray,
        z: float,
        values: FloatArray,
        pixel_mm: float,
        texture: tuple[float, float] = (0.025, 0.015),
    ) -> Canvas:
        """One axial plane at height z, painted with the given signals. texture: relative, its coarse and fine part."""
        points = self._points(x, y, z)
        canvas = Canvas(points, values, pixel_mm)
        brain = self.brain
        cavity = brain.cavity(points) + np.float32(self.gap_mm)
        body = self._soft_tissue(canvas, points, cavity)
        self._face(canvas, points, body)
        thickness = np.float32(self.skull_mm) + 0.7 * self.coarse.at(points)
        canvas.paint("bone", cavity + thickness)
        canvas.paint("marrow", np.minimum(cavity + thickness - 1.5, -cavity - 1.5) + 0.3 * self.grain.at(points))
        canvas.paint("csf", cavity)
        brain.paint(canvas, points)
        for centre, radius, tissue in self.spots:
            bumps = 1.2 * self.fine.at(points)
            canvas.paint(tissue, np.minimum(ellipsoid(points, centre, radius) + bumps, brain.depth(points) - 1))
        canvas.image *= 1 + texture[0] * self.coarse.at(points) + texture[1] * self.grain.at(points)
        np.maximum(canvas.image, 0, out=canvas.image)
        return canvas

    def _points(self, x: FloatArray, y: FloatArray, z: float) -> Points:
        """Points of the plane in the head's own axes, which are tilted a little against the patient's."""
        yy, xx = np.meshgrid(y, x, indexing="ij")
        zz = np.full_like(xx, z)
        for (first, second), angle in zip(((0, 1), (0, 2), (1, 2)), self.tilt, strict=True):
            both = [xx, yy, zz]
            a, b = both[first], both[second]
            both[first] = np.float32(np.cos(angle)) * a - np.float32(np.sin(angle)) * b
            both[second] = np.float32(np.sin(angle)) * a + np.float32(np.cos(angle)) * b
            xx, yy, zz = both
        return xx, yy, zz

    def _soft_tissue(self, canvas: Canvas, points: Points, cavity: FloatArray) -> FloatArray:
        """Skin, fat and muscle around the skull and in the face and neck; the depth below the skin."""
        x, y, z = points
        scalp = np.float32(self.skull_mm + self.fat_mm + 3.5) + 0.5 * self.coarse.at(points)
        face = chain(points, [(0, -38, -30, 46), (0, -44, -75, 40), (0, -40, -105, 34)])
        neck = chain(points, [(0, 12, -40, 55), (0, 22, -80, 56), (0, 25, -160, 58)])
        cheeks = [chain(points, [(s * 26, -56, -30, 31), (s * 26, -56, -60, 30)]) for s in (-1, 1)]
        nose = chain(points, [(0, -88, -30, 7), (0, -100, -55, 11)])
        body = union(cavity + scalp, face + 4, neck + 2, *cheeks, nose, softness=14)
        temples = 4.5 * np.exp(-(((y + 28) / 24) ** 2) - ((z + 8) / 30) ** 2) * (np.abs(x) > 30)
        canvas.paint("skin", body)
        canvas.paint("fat", body - 1.8)
        inner = body - np.float32(self.fat_mm + 1.0) + temples
        canvas.paint("muscle", inner + 0.6 * self.fine.at(points))
        strands = np.minimum(self.fine.at(points) * 2.5 - 1.6, body - 6)
        canvas.paint("fat", np.where(cavity < -self.skull_mm - 4, strands, -5).astype(np.float32))
        return body

    def _face(self, canvas: Canvas, points: Points, body: FloatArray) -> None:
        """Facial bone, sinuses, orbits with eyes."""
        bumps = 1.5 * self.fine.at(points)
        canvas.paint("bone", chain(points, [(-30, -68, -45, 10), (0, -76, -62, 12), (30, -68, -45, 10)]) + bumps)
        canvas.paint("marrow", chain(points, [(-30, -68, -45, 7), (0, -76, -62, 9), (30, -68, -45, 7)]) + bumps)
        for side in (-1, 1):
            canvas.paint("air", ellipsoid(points, (side * 27, -58, -58), (13, 15, 15)) + bumps)
            canvas.paint("bone", ellipsoid(points, (side * 62, 22, -42), (10, 14, 14)) + bumps)
            canvas.paint(
                "air", np.minimum(ellipsoid(points, (side * 62, 24, -42), (8, 11, 11)), 3 * self.grain.at(points))
            )
            orbit = chain(points, [(side * 33, -78, -35, 16), (side * 20, -45, -30, 8)])
            canvas.paint("bone", orbit + 1.5)
            canvas.paint("fat", orbit)
            for dx, dz in ((12, 0), (-11, 0), (0, 10), (0, -10)):
                knots = [
                    (side * 32 + dx, -74, -35 + dz, 2.0),
                    (side * 31 + dx, -64, -35 + dz, 2.6),
                    (side * 19, -46, -30, 1.5),
                ]
                canvas.paint("muscle", chain(points, knots))
            canvas.paint("white", chain(points, [(side * 32, -66, -35, 2), (side * 18, -40, -29, 2)]))
            eye = (side * 32.0, -77.0, -35.0)
            canvas.paint(self.sclera, ellipsoid(points, eye, (self.eye + 1,) * 3))
            canvas.paint("vitreous", ellipsoid(points, eye, (self.eye,) * 3))
            canvas.paint("lens", ellipsoid(points, (eye[0], eye[1] - 8.5, eye[2]), (4.5, 2.2, 4.5)))
        canvas.paint("air", ellipsoid(points, (0, -62, -40), (11, 22, 16)) + bumps)
        canvas.paint(
            "skin", np.minimum(ellipsoid(points, (0, -62, -40), (11, 22, 16)), 1.2 - np.abs(points[0] - bumps))
        )
        canvas.paint("air", np.minimum(ellipsoid(points, (4, -84, -12), (16, 5, 9)) + bumps, body - 7))

    def _draw_lesions(self) -> list[tuple[tuple[float, ...], tuple[float, ...], str]]:
        """(centre, radii, tissue), all on one side of the head."""
        rng = self.rng
        count = int(rng.integers(0, 4)) if self.lesions is None else self.lesions
        side = rng.choice((-1.0, 1.0))
        spots: list[tuple[tuple[float, ...], tuple[float, ...], str]] = []
        for _ in range(count):
            centre = (side * rng.uniform(22, 40), rng.uniform(-35, 40), rng.uniform(12, 32))
            size = rng.uniform(3.5, 8)
            radii = tuple(float(size * r) for r in rng.uniform(0.7, 1.3, 3))
            spots.append((centre, tuple(r * 1.7 for r in radii), "oedema"))
            spots.append((centre, radii, "lesion"))
        return spots
