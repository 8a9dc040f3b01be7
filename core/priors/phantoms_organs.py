"""The organs of a made-up trunk: lungs with their vessels, heart, great vessels, liver, kidneys, bowel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.priors.phantoms_shapes import NoiseField, chain, ellipsoid, union

if TYPE_CHECKING:
    from core.priors.phantoms_torso import Sheet

FloatArray = npt.NDArray[np.float32]
Points = tuple[FloatArray, FloatArray, FloatArray]

ORGANS = (
    "air", "skin", "fat", "muscle", "bone", "marrow", "lung", "vessel", "airway", "heart", "liver", "spleen", "kidney",
    "stomach", "bowel", "gas", "lesion", "table",
)  # fmt: skip

MURRAY = 2 ** (-1 / 3)
"""How much thinner both branches of a vessel are (Murray 1926, doi 10.1073/pnas.12.3.207)."""


class Organs:
    """All that is random inside a trunk; distances in mm, positive inside."""

    def __init__(
        self, rng: np.random.Generator, half: tuple[float, float], spine_y: float, coarse: NoiseField, fine: NoiseField
    ) -> None:
        self.coarse, self.fine, self.half, self.spine_y = coarse, fine, half, spine_y
        self.bowel = NoiseField(rng, 34, 0.3)
        self.filling = NoiseField(rng, 60, 2)
        self.blood = rng.uniform(35, 55) if rng.random() < 0.4 else rng.uniform(90, 380)
        self.soft = {
            name: rng.normal(hu, 6) for name, hu in (("heart", 70), ("liver", 70), ("spleen", 75), ("kidney", 45))
        }
        self.soft["kidney"] += 0.5 * (self.blood - 40)
        self.lung_hu, self.lung_grain = rng.uniform(-890, -790), rng.uniform(8, 35)
        self.dome = rng.uniform(-8, 8, 2)
        self.heart_at = (rng.uniform(18, 30), rng.uniform(-38, -22), rng.uniform(32, 45))
        self.heart_size = rng.uniform(0.85, 1.2)
        self.gas_level = rng.uniform(-40, 0)
        self.jitter = rng.normal(0, 3, 30)
        self.airways = _tree(rng, (0, 18, 82), (-1, 0.1, -0.4), 6.5, 5) + _tree(
            rng, (0, 18, 82), (1, 0.1, -0.4), 6.5, 5
        )
        hila = [
            ((side * 28.0, 8.0, 60.0), (float(side), y, z))
            for side in (-1, 1)
            for y, z in ((0, 0.6), (0.5, -0.7), (-0.6, 0))
        ]
        self.lung_vessels = [s for at, way in hila for s in _tree(rng, at, way, rng.uniform(4.5, 6.5), 10)]
        ways = ((-1.0, 0.2, 0.1), (-0.4, -0.8, 0.2), (-0.7, 0.6, -0.3))
        self.liver_vessels = [s for way in ways for s in _tree(rng, (-35.0, 5.0, -25.0), way, 5.0, 6)]
        self.spots = [
            (rng.uniform((-110, -50, -90), (-30, 40, -10)).tolist(), rng.uniform(3, 14), rng.uniform(-60, 60))
            for _ in range(rng.integers(0, 4))
        ]
        self.nodules = [
            (rng.uniform((-110, -60, 10), (110, 60, 150)).tolist(), rng.uniform(2, 9))
            for _ in range(rng.integers(0, 5))
        ]

    def paint(self, sheet: Sheet, cavity: FloatArray) -> None:
        """Paint what lies in the cavity of the trunk, depth below its wall in mm."""
        dome = self._above_diaphragm(sheet.points)
        self._abdomen(sheet, np.minimum(cavity - 2, -dome - 3))
        self._chest(sheet, np.minimum(cavity, dome))
        self._great_vessels(sheet)

    def _above_diaphragm(self, points: Points) -> FloatArray:
        """Height above the two domes of the diaphragm."""
        x, y, z = points
        right = np.exp(-(((x + 70) / 62) ** 2) - ((y + 5) / 70) ** 2) * (38 + self.dome[0])
        left = np.exp(-(((x - 75) / 60) ** 2) - ((y + 5) / 70) ** 2) * (26 + self.dome[1])
        result: FloatArray = (z - right - left + 22 + 1.5 * self.coarse.at(points)).astype(np.float32)
        return result

    def _chest(self, sheet: Sheet, inside: FloatArray) -> None:
        points = sheet.points
        x, y, z = points
        apex = inside.copy()
        np.minimum(apex, 175 - z - 0.25 * np.abs(x), out=apex)
        middle = 24 + 9 * np.exp(-(((z - 75) / 30) ** 2)) + 12 * np.exp(-(((y - self.spine_y) / 24) ** 2))
        lungs = np.minimum(apex, np.abs(x) - middle)
        heart = self._heart(points)
        lungs = np.minimum(lungs, -heart - 1.5)
        lungs = np.minimum(lungs, -(ellipsoid(points, (0, self.spine_y, float(z.flat[0])), (27, 22, 1e3))))
        hu = self.lung_hu + 0.45 * y + self.lung_grain * self.fine.at(points)
        sheet.paint("lung", hu, lungs)
        self._strings(sheet, "vessel", self.blood * 0.9, self.lung_vessels, lungs)
        for centre, radius in self.nodules:
            sheet.paint(
                "lesion", 30, np.minimum(ellipsoid(points, centre, (radius,) * 3) + self.fine.at(points), lungs)
            )
        fat = np.minimum(heart + 5, inside)
        sheet.paint("fat", -95, fat)
        sheet.paint("heart", self.soft["heart"], np.minimum(heart, inside + 6))
        cx, cy, cz = self.heart_at
        for ox, oy, oz, r in ((16, 4, -12, 19), (-18, -12, -8, 21), (6, 18, 12, 20), (-22, 6, 12, 19)):
            chamber = ellipsoid(points, (cx + ox, cy + oy, cz + oz), (r * self.heart_size, r * 0.85, r * 1.15))
            sheet.paint("vessel", self.blood, np.minimum(chamber + self.fine.at(points), heart - 5))
        trachea = chain(points, [(0, 16, 82, 8), (0, 10, 130, 8), (0, 2, 260, 8)])
        sheet.paint("airway", 20, trachea + 1.5)
        sheet.paint("airway", -990, trachea)
        self._strings(sheet, "airway", -950, self.airways, np.maximum(lungs, 30 - np.abs(x)))

    def _heart(self, points: Points) -> FloatArray:
        x, y, z = points
        turned = (0.85 * x + 0.45 * y, 0.85 * y - 0.45 * x, z)
        cx, cy, cz = self.heart_at
        centre = (0.85 * cx + 0.45 * cy, 0.85 * cy - 0.45 * cx, cz)
        return ellipsoid(turned, centre, tuple(r * self.heart_size for r in (58, 42, 50))) + 1.5 * self.coarse.at(
            points
        )

    def _great_vessels(self, sheet: Sheet) -> None:
        points, j, back = sheet.points, self.jitter, self.spine_y
        aorta = [(14, back - 24, -260, 9), (18, back - 26, -40, 10.5), (24, back - 18, 60, 11.5)]
        aorta += [(24, back - 16, 108, 12), (8, -8 + j[0], 124, 13), (-12, -22, 100, 14), (-4, -18, 62, 14)]
        cava = [(-18, back - 24, -260, 10), (-22, back - 30, -60, 11), (-24, -4, 20, 11)]
        upper = [(-26, -8, 62, 9), (-26, -8, 150, 8)]
        trunk = [(6, -30, 68, 13), (14, -12, 84, 12), (30, 4, 72, 9)]
        for knots in (aorta, cava, upper, trunk):
            tube = chain(points, knots)
            sheet.paint("muscle", 45, tube + 1.3)
            sheet.paint("vessel", self.blood, tube)
        sheet.paint("muscle", 40, chain(points, [(6, back - 30, -10, 6), (4, back - 34, 200, 6)]))

    def _abdomen(self, sheet: Sheet, inside: FloatArray) -> None:
        points = sheet.points
        _, y, z = points
        self._bowel(sheet, np.minimum(inside, np.minimum(-30 - z, 25 - y)))
        for side in (-1, 1):
            psoas = chain(points, [(side * 32, self.spine_y - 4, -60, 10), (side * 48, self.spine_y - 12, -240, 22)])
            sheet.paint("muscle", 58, psoas)
            kidney = ellipsoid(points, (side * 62, self.spine_y - 22, -95 + self.jitter[1 + side]), (27, 24, 54))
            sheet.paint("fat", -105, np.minimum(kidney + 9, inside))
            sheet.paint("kidney", self.soft["kidney"], np.minimum(kidney, inside))
            pelvis = ellipsoid(points, (side * 50, self.spine_y - 24, -95), (13, 8, 24))
            sheet.paint("fat", -60 + 4 * self.jitter[4], np.minimum(pelvis + 2 * self.fine.at(points), kidney))
        bag, outlet = ellipsoid(points, (62, -12, -28), (38, 40, 46)), ellipsoid(points, (20, -40, -62), (42, 24, 24))
        stomach = np.minimum(union(bag, outlet, softness=14), inside)
        sheet.paint("stomach", 45, stomach)
        sheet.paint("stomach", 15 + 30 * self.filling.at(points), stomach - 4)
        sheet.paint("gas", -980, np.minimum(stomach - 4, self.gas_level - y))
        spleen = ellipsoid(points, (98, 34, -22), (27, 44, 50)) + 1.5 * self.coarse.at(points)
        sheet.paint("spleen", self.soft["spleen"] + 0.25 * (self.blood - 40), np.minimum(spleen, inside))
        liver = union(
            ellipsoid(points, (-72, 0, -38), (82, 78, 78)), ellipsoid(points, (10, -38, -18), (62, 38, 36)), softness=20
        )
        liver = np.minimum(liver + 2 * self.coarse.at(points), inside)
        sheet.paint("liver", self.soft["liver"], liver)
        self._strings(sheet, "vessel", self.soft["liver"] + 0.5 * (self.blood - 50), self.liver_vessels, liver)
        for centre, radius, apart in self.spots:
            spot = ellipsoid(points, centre, (radius, radius * 0.9, radius)) + self.fine.at(points)
            sheet.paint("lesion", self.soft["liver"] + apart, np.minimum(spot, liver))
        sheet.paint("bowel", 8, np.minimum(ellipsoid(points, (-38, -30, -70), (14, 16, 26)), inside))

    def _bowel(self, sheet: Sheet, where: FloatArray) -> None:
        """Winding loops: wall, and content of fluid, food or gas."""
        loops = self.bowel.at(sheet.points)
        filling = self.filling.at(sheet.points)
        wall = np.minimum((loops - 0.2) * 6, where)
        sheet.paint("bowel", 40, wall)
        content = np.where(filling > 0.9, -900, 20 + 40 * np.clip(filling, -1, 0.9)).astype(np.float32)
        sheet.paint("bowel", content, wall - 2.5)
        sheet.labels[(wall > 2.5) & (filling > 0.9)] = ORGANS.index("gas")

    @staticmethod
    def _strings(sheet: Sheet, organ: str, hu: float, strings: list[FloatArray], within: FloatArray) -> None:
        """Paint the tubes of a tree that come near the plane, inside of something only."""
        z = float(sheet.points[2].flat[0])
        near = [s for s in strings if min(s[0, 2], s[-1, 2]) - 8 < z < max(s[0, 2], s[-1, 2]) + 8]
        for string in near:
            reach = float(string[:, 3].max()) + 4
            x, y = sheet.points[0][0], sheet.points[1][:, 0]
            columns = np.flatnonzero((x > string[:, 0].min() - reach) & (x < string[:, 0].max() + reach))
            rows = np.flatnonzero((y > string[:, 1].min() - reach) & (y < string[:, 1].max() + reach))
            if not len(rows) or not len(columns):
                continue
            box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            points = tuple(p[box] for p in sheet.points)
            cover = np.clip(
                np.minimum(chain(points, string.tolist()), within[box]) / sheet.pixel_mm + np.float32(0.5), 0, 1
            )
            sheet.image[box] += cover * (np.float32(hu) - sheet.image[box])
            sheet.labels[box][cover > 0.5] = ORGANS.index(organ)


def _tree(
    rng: np.random.Generator,
    start: tuple[float, float, float],
    way: tuple[float, float, float],
    radius: float,
    generations: int,
) -> list[FloatArray]:
    """A branching tree: strings of (x, y, z, radius) in mm; each branch splits in two that are thinner and shorter."""
    todo = [(np.array(start), np.array(way) / np.linalg.norm(way), radius, generations)]
    strings: list[FloatArray] = []
    while todo:
        at, heading, thick, left = todo.pop()
        length = thick * rng.uniform(3, 6) + 5
        bend = heading + rng.normal(0, 0.18, 3)
        half, end = at + heading * length / 2, at + (heading + bend) / 2 * length
        knots = [(*at, thick), (*half, thick * 0.93), (*end, thick * 0.86)]
        strings.append(np.array(knots, np.float32))
        if left > 1 and thick > 0.45:
            across = np.cross(bend, rng.normal(0, 1, 3))
            across /= np.linalg.norm(across) + 1e-6
            share = rng.uniform(0.35, 0.65)
            for side, part in ((1, share), (-1, 1 - share)):
                turned = bend + side * across * rng.uniform(0.45, 0.85)
                todo.append(
                    (end, turned / np.linalg.norm(turned), thick * MURRAY * (0.6 + 0.8 * part) ** (1 / 3), left - 1)
                )
    return strings
