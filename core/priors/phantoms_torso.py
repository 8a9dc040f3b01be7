"""A made-up chest and abdomen in Hounsfield units, random in everything by its seed.

Coordinates are patient millimetres from the middle of the trunk at the height of the diaphragm: x left, y posterior,
z head (LPS). As in the head, every structure is a signed distance painted over what lies below it, with an edge as soft
as a pixel. Sizes follow common adult anatomy; nothing is taken from any person's scan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import JobError
from core.priors.phantoms_organs import ORGANS, Organs
from core.priors.phantoms_shapes import NoiseField, chain, ellipsoid

FloatArray = npt.NDArray[np.float32]
Points = tuple[FloatArray, FloatArray, FloatArray]

MAX_VOXELS = 200_000_000
HEIGHTS = {"chest": 85.0, "abdomen": -75.0, "both": 0.0}
"""Height of the middle of each part above the diaphragm, mm."""


@dataclass(frozen=True)
class Torso:
    """A made-up trunk. image: float32 HU (z, y, x). labels: uint8, indices into ORGANS. spacing_mm: (z, y, x).

    Indices grow towards the patient's left (x), back (y) and head (z).
    """

    image: FloatArray
    labels: npt.NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]


def torso(
    seed: int,
    shape: tuple[int, int, int] = (160, 220, 300),
    *,
    spacing_mm: tuple[float, float, float] = (2.0, 1.4, 1.4),
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    part: str = "both",
) -> Torso:
    """The trunk of a seed, (slices, rows, columns) around centre_mm (x, y, z) from the middle of its part.

    part: "chest", "abdomen" or "both". Without noise. Raises JobError for another part or a shape without end.
    """
    if part not in HEIGHTS:
        raise JobError(f"There is no part {part!r}.", "", f"Use one of {', '.join(HEIGHTS)}.")
    if min(shape) < 1 or int(np.prod(shape, dtype=object)) > MAX_VOXELS:
        raise JobError(f"A trunk of shape {tuple(shape)} cannot be made.", "", "Use a smaller shape.")
    model = _Trunk(seed)
    depth, height, width = shape
    dz, dy, dx = spacing_mm
    x = ((np.arange(width) - (width - 1) / 2) * dx + centre_mm[0]).astype(np.float32)
    y = ((np.arange(height) - (height - 1) / 2) * dy + centre_mm[1]).astype(np.float32)
    z = (np.arange(depth) - (depth - 1) / 2) * dz + centre_mm[2] + HEIGHTS[part]
    planes = [model.plane(x, y, float(level), min(dx, dy)) for level in z]
    return Torso(np.stack([p.image for p in planes]), np.stack([p.labels for p in planes]), spacing_mm)


class Sheet:
    """Image in HU and labels of one plane being painted."""

    def __init__(self, points: Points, pixel_mm: float) -> None:
        self.points, self.pixel_mm = points, np.float32(pixel_mm)
        self.image: FloatArray = np.full(points[0].shape, -1000, np.float32)
        self.labels: npt.NDArray[np.uint8] = np.zeros(points[0].shape, np.uint8)

    def paint(self, organ: str, hu: float | FloatArray, inside_mm: FloatArray) -> None:
        """Cover with an organ where the signed distance (positive inside) says so."""
        cover = np.clip(inside_mm / self.pixel_mm + np.float32(0.5), 0, 1)
        self.image += cover * (np.asarray(hu, np.float32) - self.image)
        self.labels[cover > 0.5] = ORGANS.index(organ)


class _Trunk:
    """Wall and skeleton of the trunk; the organs inside have a class of their own."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 271828))
        self.coarse, self.fine, self.grain = (NoiseField(rng, mm, 2) for mm in (90, 24, 8))
        self.half = rng.uniform(140, 185), rng.uniform(92, 122)
        self.square = rng.uniform(2.1, 2.6)
        self.fat = rng.uniform(5, 30)
        self.wall = rng.uniform(14, 20)
        self.rib_pitch = rng.uniform(24, 29)
        self.rib_tilt = rng.uniform(0.35, 0.6)
        self.rib_shift = rng.uniform(0, 25)
        self.bone = rng.uniform(500, 1100), rng.uniform(120, 280)
        self.fat_hu, self.muscle_hu = rng.normal(-100, 8), rng.normal(55, 7)
        self.spine_y = self.half[1] - self.fat - rng.uniform(42, 48)
        self.texture = rng.uniform(2, 9, 2)
        self.table = rng.uniform(6, 25), rng.uniform(250, 900), rng.random() < 0.8
        self.organs = Organs(rng, self.half, self.spine_y, self.coarse, self.fine)

    def plane(self, x: FloatArray, y: FloatArray, z: float, pixel_mm: float) -> Sheet:
        """One axial plane at height z."""
        yy, xx = np.meshgrid(y, x, indexing="ij")
        points = xx, yy, np.full_like(xx, z)
        sheet = Sheet(points, pixel_mm)
        body = self._body(points)
        if self.table[2]:
            self._table(sheet)
        sheet.paint("skin", self.muscle_hu - 20, body)
        sheet.paint("fat", self.fat_hu, body - 1.8)
        under = body - np.float32(self.fat) + 2.5 * self.coarse.at(points)
        sheet.paint("muscle", self.muscle_hu, under)
        strands = np.minimum(self.fine.at(points) * 3 - 3.2, under - 3)
        sheet.paint("fat", self.fat_hu, strands)
        cavity = under - np.float32(self.wall)
        sheet.paint("fat", self.fat_hu + 6 * self.fine.at(points), cavity)
        self.organs.paint(sheet, cavity)
        self._ribs(sheet, under)
        self._spine(sheet)
        grain = self.texture[0] * self.fine.at(points) + self.texture[1] * self.grain.at(points)
        sheet.image += np.where(sheet.image > -300, grain, 0).astype(np.float32)
        return sheet

    def _body(self, points: Points) -> FloatArray:
        """Depth below the skin."""
        x, y, z = points
        a, b = self.half
        waist = 1 - 0.05 * np.exp(-(((z + 60) / 60) ** 2))
        scaled = (np.abs(x / (a * waist)) ** self.square + np.abs(y / (b * waist)) ** self.square) ** (1 / self.square)
        length = np.hypot(x, y)
        depth = length * (1 / np.maximum(scaled, 1e-2) - 1)
        crease = 6 * np.exp(-((x / 14) ** 2)) * (y > 0)
        smooth: FloatArray = (np.where(scaled < 0.02, b, depth) - crease + 2 * self.coarse.at(points)).astype(
            np.float32
        )
        return smooth

    def _ribs(self, sheet: Sheet, under: FloatArray) -> None:
        """Oblique arcs in the wall, lower in front, from the spine to the sternum; cortex around marrow."""
        x, y, z = sheet.points
        forward = (self.spine_y - y) / (self.spine_y + self.half[1])
        phase = (z + self.rib_shift + self.rib_tilt * 95 * forward) / self.rib_pitch
        apart = (phase - np.round(phase)) * self.rib_pitch
        depth = under - 9
        rib = 5.2 - np.sqrt(depth**2 + (apart / 1.25) ** 2)
        present = np.clip((z + 75 + 60 * forward) / 8, 0, 1) * (np.abs(x) > 14)
        sheet.paint("bone", self.bone[0], np.where(present > 0.5, rib, -9).astype(np.float32))
        sheet.paint("marrow", self.bone[1], np.where(present > 0.5, rib - 1.6, -9).astype(np.float32))
        front = -self.half[1] + self.fat + 9
        for organ, hu, less in (("bone", self.bone[0] * 0.8, 0.0), ("marrow", self.bone[1], 1.6)):
            sternum = np.minimum(17 - less - np.abs(x), 5.5 - less - np.abs(y - front))
            sheet.paint(organ, hu, np.minimum(sternum, z - 10))

    def _spine(self, sheet: Sheet) -> None:
        """Vertebrae with discs between, canal, arch and processes."""
        x, y, z = sheet.points
        centre = float(self.spine_y)
        flat = x, y, np.zeros_like(z)
        body = np.minimum(ellipsoid(flat, (0, centre, 0), (22, 17, 1e3)), 60)
        within = np.abs((z + self.rib_shift) / 31 - np.round((z + self.rib_shift) / 31)) * 31
        sheet.paint("muscle", 75, body)
        bone: FloatArray = np.minimum(body, 12.5 - within).astype(np.float32)
        arch = chain(flat, [(-16, centre + 20, 0, 5), (0, centre + 33, 0, 5), (16, centre + 20, 0, 5)])
        sides = chain(
            flat, [(-42, centre + 24, 0, 4), (-16, centre + 18, 0, 6), (16, centre + 18, 0, 6), (42, centre + 24, 0, 4)]
        )
        spike = chain(flat, [(0, centre + 32, 0, 4.5), (0, centre + 52, 0, 3.5)])
        rest: FloatArray = np.maximum(np.maximum(arch, spike), np.minimum(sides, 9 - within)).astype(np.float32)
        for part in (bone, rest):
            sheet.paint("bone", self.bone[0], part)
            sheet.paint("marrow", self.bone[1] + 35 * self.grain.at(sheet.points), part - 1.7)
        canal = ellipsoid(flat, (0, centre + 23, 0), (10, 8, 1e3))
        sheet.paint("fat", 5, canal)
        sheet.paint("muscle", 38, canal - 3)

    def _table(self, sheet: Sheet) -> None:
        """The scanner's table: a thin bowed shell with foam inside."""
        x, y, _ = sheet.points
        gap, radius, _ = self.table
        sag = (np.sqrt(np.maximum(radius**2 - x**2, 0)) - radius) * 0.6
        bow = (y - (self.half[1] + gap + sag)).astype(np.float32)
        inside: FloatArray = np.minimum(bow, 25 - bow).astype(np.float32)
        sheet.paint("table", -880, inside)
        sheet.paint("table", -150, (1.2 - np.abs(inside)).astype(np.float32))
