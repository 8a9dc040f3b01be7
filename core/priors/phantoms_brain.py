"""The brain of a made-up head: folded cortex, white matter, deep nuclei, ventricles, cerebellum, vessels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.priors.phantoms_canvas import Canvas, Points
from core.priors.phantoms_shapes import NoiseField, Sheets, chain, ellipsoid, once_per_plane, union

FloatArray = npt.NDArray[np.float32]

FOLD_RADIUS_MM = 62.0
FOLD_RADIAL = 0.8
"""Folds follow the rays from the middle: 1 would make them the same at every depth, 0 would let them run anywhere."""


class BrainModel:
    """All that is random in a brain; distances in mm, positive inside."""

    def __init__(self, rng: np.random.Generator, coarse: NoiseField, fine: NoiseField) -> None:
        self.coarse, self.fine = coarse, fine
        self.radii = np.array([68.0, 84.0, 66.0]) * rng.normal(1, 0.035, 3)
        self.taper = rng.uniform(0.06, 0.16)
        self.folds = Sheets(rng, rng.uniform(24, 29))
        self.small_folds = Sheets(rng, rng.uniform(17, 20))
        self.waves = NoiseField(rng, 50, 2)
        self.folia = Sheets(rng, 9.0)
        self.fold_depth = rng.uniform(17, 24)
        self.cortex = rng.uniform(2.6, 3.4)
        self.fluid = rng.uniform(0.2, 0.8)
        self.midline = rng.normal(0, 1.0)
        self.swell = rng.uniform(0.75, 1.35)
        self.jitter = rng.normal(0, 1.0, 24)
        self.vessels = [self._walk(rng) for _ in range(46)]

    @once_per_plane
    def cerebrum(self, points: Points) -> FloatArray:
        """Depth below the smooth hull of both hemispheres."""
        x, y, z = points
        a, b, c = self.radii.astype(np.float32)
        narrowing = 1 - np.float32(self.taper) * np.clip(-y / b, -0.4, 1.2)
        scaled = np.sqrt((np.abs(x) / (a * narrowing)) ** 2.2 + (np.abs(y) / b) ** 2.2 + (np.abs(z) / c) ** 2.1)
        length = np.sqrt(x * x + y * y + z * z)
        hull = length * (1 / np.maximum(scaled, 1e-2) ** 0.93 - 1)
        temporal = np.exp(-(((np.abs(x) - 40) / 22) ** 2) - ((y + 5) / 32) ** 2)
        floor = -24 - 24 * temporal + 0.06 * y
        smooth: FloatArray = -union(-hull, -(z - floor), softness=8) + 1.2 * self.coarse.at(points)
        return smooth.astype(np.float32)

    @once_per_plane
    def cerebellum(self, points: Points) -> FloatArray:
        sides = [ellipsoid(points, (s * 22, 46, -44), (28, 25, 21)) for s in (-1, 1)]
        return union(*sides, ellipsoid(points, (0, 46, -40), (12, 22, 20)), softness=6)

    @once_per_plane
    def stem(self, points: Points) -> FloatArray:
        return union(
            chain(points, [(0, 4, -8, 13), (0, 8, -22, 13), (0, 20, -62, 8), (0, 24, -150, 6.5)]),
            ellipsoid(points, (0, 4, -30), (16, 12, 13)),
            softness=5,
        )

    def cavity(self, points: Points) -> FloatArray:
        """Depth inside all that the skull holds."""
        return union(self.cerebrum(points), self.cerebellum(points) + 2, self.stem(points) + 3, softness=8)

    def depth(self, points: Points) -> FloatArray:
        """Depth below cortex and ventricles: how far inside white matter a point lies, roughly."""
        result: FloatArray = np.minimum(self._below_fluid(points) - np.float32(self.cortex), -self.ventricles(points))
        return result

    def paint(self, canvas: Canvas, points: Points) -> None:
        below = self._below_fluid(points)
        canvas.paint("grey", below)
        cortex = np.float32(self.cortex) + 0.45 * self.fine.at(points)
        canvas.paint("white", below - cortex)
        self._deep_grey(canvas, points)
        ventricles = self.ventricles(points)
        canvas.paint("csf", ventricles)
        self._cisterns(canvas, points)
        self._behind(canvas, points)
        for side in (-1, 1):
            plexus = chain(points, [(side * 13, 24, 12, 2.2), (side * 20, 33, 8, 2.8)]) + self.fine.at(points)
            canvas.paint("grey", np.minimum(plexus, ventricles - 1))
        _, y, z = points
        falx = np.minimum(0.55 - np.abs(self._from_midline(points)), -self._callosal(y, z) - 6)
        canvas.paint("dura", np.minimum(falx, self.cerebrum(points) + 1))
        self._veins(canvas, points)
        canvas.stamp("vessel", self.vessels)

    @once_per_plane
    def ventricles(self, points: Points) -> FloatArray:
        """Lateral, third and fourth ventricles."""
        s, j = float(self.swell), self.jitter
        parts = []
        for side, k in ((-1, 0), (1, 6)):
            body = [
                (side * (15 + j[k]), -34 + j[k + 1], 4, 3 * s),
                (side * 10, -24, 9, 5 * s),
                (side * 7.5, -4, 15, 5.2 * s),
                (side * (13 + j[k + 2]), 20, 13, 6 * s),
                (side * 24, 34 + j[k + 3], 6, 6.4 * s),
                (side * (26 + j[k + 4]), 54 + 3 * j[k + 5], 3, 1.4 * s),
            ]
            horn = [(side * 24, 34, 6, 4.2 * s), (side * 31, 18, -14, 2.2 * s), (side * 28, 0, -20, 1.6 * s)]
            parts += [chain(points, body), chain(points, horn)]
        x = points[0]
        third = np.minimum(1.6 * s - np.abs(x - self.midline), ellipsoid(points, (0, 2, -2), (9, 15, 9)))
        fourth = ellipsoid(points, (0, 26, -38), (7 * s, 5, 9))
        return union(*parts, third, fourth, softness=2) + 0.5 * self.fine.at(points)

    @once_per_plane
    def _below_fluid(self, points: Points) -> FloatArray:
        """Distance to the nearest fluid of surface, folds or fissures, inside the hemispheres."""
        _, y, z = points
        hull = self.cerebrum(points)
        folds = self._folded(points, self.folds, hull, np.float32(self.fold_depth) + 6 * self.waves.at(points))
        small = self._folded(points, self.small_folds, hull, np.float32(5) + 5 * self.waves.at(points))
        middle = np.hypot(self._from_midline(points), np.maximum(self._callosal(y, z), 0))
        sylvian = self._sylvian(points, self.waves.at(points))
        fluid = np.float32(self.fluid) * (1 + 0.6 * self.waves.at(points))
        nearest = np.minimum(np.minimum(folds, small + 0.2), np.minimum(middle, sylvian - 0.4))
        result: FloatArray = np.minimum(hull, nearest - np.maximum(fluid, 0.1))
        return result

    def _folded(self, points: Points, sheets: Sheets, hull: FloatArray, reach: FloatArray) -> FloatArray:
        """Distance to the sulci: sheets along the rays, ending `reach` mm below the hull."""
        x, y, z = points
        length = np.maximum(np.sqrt(x * x + y * y + z * z), 8)
        shrink = (FOLD_RADIUS_MM / length) ** np.float32(FOLD_RADIAL)
        warp = 5 * self.waves.at(points)
        side = np.where(x > self.midline, np.float32(71), np.float32(0))
        along = sheets.distance((x * shrink + warp + side, y * shrink - warp, z * shrink + warp))
        result: FloatArray = np.hypot(along / shrink, np.maximum(hull - reach, 0)).astype(np.float32)
        return result

    def _from_midline(self, points: Points) -> FloatArray:
        x, y, z = points
        bend: FloatArray = x - np.float32(self.midline) - 1.5 * self.waves.at((x * 0, y, z))
        return bend

    @staticmethod
    def _callosal(y: FloatArray, z: FloatArray) -> FloatArray:
        """Depth inside the region around the corpus callosum where the hemispheres are joined."""
        scaled = np.sqrt(((y - 4) / 38) ** 2 + ((z + 2) / 27) ** 2)
        result: FloatArray = ((1 - scaled) * 30).astype(np.float32)
        return result

    @staticmethod
    def _sylvian(points: Points, bend: FloatArray) -> FloatArray:
        """Distance to the lateral fissure of the nearer side."""
        x, y, z = points
        sheet = (z + 12 - 0.7 * (y + 20)) * np.float32(0.82) + 3 * bend
        beyond = np.maximum(np.maximum(36 + 3 * bend - np.abs(x), y - 24), -30 - y)
        result: FloatArray = np.hypot(sheet, np.maximum(beyond, 0)).astype(np.float32)
        return result

    def _deep_grey(self, canvas: Canvas, points: Points) -> None:
        j, bumps = self.jitter, 0.6 * self.fine.at(points)
        for side, k in ((-1, 12), (1, 18)):
            canvas.paint("deep grey", ellipsoid(points, (side * 10.5, 8 + j[k], 3), (8, 13, 8.5)) + bumps)
            canvas.paint("deep grey", ellipsoid(points, (side * 14, -20 + j[k + 1], 8), (5, 9, 9)) + bumps)
            canvas.paint("deep grey", ellipsoid(points, (side * (25 + j[k + 2]), -5, 2), (5, 15, 10)) + bumps)
            canvas.paint("white", ellipsoid(points, (side * 18.5, -2, 1), (3.2, 9, 6)) + bumps)

    def _cisterns(self, canvas: Canvas, points: Points) -> None:
        canvas.paint("csf", ellipsoid(points, (0, -12, -22), (14, 10, 7)) + self.fine.at(points))
        canvas.paint("csf", ellipsoid(points, (0, 26, -14), (12, 6, 6)) + self.fine.at(points))

    def _behind(self, canvas: Canvas, points: Points) -> None:
        """Cerebellum with its leaves, and the brain stem."""
        depth = self.cerebellum(points)
        x, y, z = points
        leaves = self.folia.distance((x * 0.2, y * 1.3, z * 1.6)) + 0.2
        below = np.minimum(depth, np.hypot(leaves, np.maximum(depth - 11, 0)) - 0.3)
        canvas.paint("grey", np.minimum(below, depth))
        canvas.paint("white", np.minimum(below - 1.5, depth - 3))
        stem = np.minimum(self.stem(points), -self.ventricles(points))
        canvas.paint("white", stem)

    def _veins(self, canvas: Canvas, points: Points) -> None:
        """Superior sagittal and transverse sinuses."""
        _, y, z = points
        hull = self.cerebrum(points)
        sagittal = np.minimum(3.6 - np.hypot(self._from_midline(points), hull + 0.5), z + 10)
        canvas.paint("vessel", np.where(self._callosal(y, z) < -5, sagittal, -5).astype(np.float32))
        canvas.paint("vessel", chain(points, [(-48, 52, -24, 3.5), (0, 76, -16, 3.5), (48, 52, -24, 3.5)]))
        canvas.paint("vessel", chain(points, [(0, -9, -22, 1.6), (0, -8, -50, 1.8)]))
        for side in (-1, 1):
            canvas.paint(
                "vessel",
                chain(points, [(side * 2, -14, -20, 1.6), (side * 16, -16, -20, 1.7), (side * 34, -16, -10, 1.3)]),
            )

    def _walk(self, rng: np.random.Generator) -> FloatArray:
        """A winding vessel on the surface of the brain: balls (x, y, z, radius) along it."""
        radius = rng.uniform(0.5, 1.4)
        start = rng.normal(0, 1, 3) * (1, 1, 0.8) + (0, 0, 0.35)
        heading = rng.normal(0, 1, 3)
        place = start / np.linalg.norm(start)
        balls = []
        for _ in range(int(rng.integers(25, 90))):
            heading += rng.normal(0, 0.35, 3)
            heading -= (heading @ place) * place
            heading /= np.linalg.norm(heading)
            place = place + 0.013 * heading
            place /= np.linalg.norm(place)
            depth = 1 - 0.004 * rng.random()
            radius = max(radius * 0.99, 0.4)
            balls.append((*(place * self.radii * depth), radius))
        return np.array(balls, np.float32)
