"""A plane being painted with tissues: their signals, and which tissue lies where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Points = tuple[FloatArray, FloatArray, FloatArray]

TISSUES = (
    "air",
    "skin",
    "fat",
    "muscle",
    "bone",
    "marrow",
    "csf",
    "grey",
    "white",
    "deep grey",
    "vessel",
    "vitreous",
    "lens",
    "dura",
    "lesion",
    "oedema",
)

BRAIN_TISSUES = ("csf", "grey", "white", "deep grey", "vessel", "dura", "lesion", "oedema")

CONTRASTS: dict[str, tuple[float, ...]] = {
    "t1": (0.01, 0.5, 0.95, 0.45, 0.06, 0.6, 0.12, 0.5, 0.78, 0.58, 0.3, 0.15, 0.4, 0.35, 0.4, 0.55),
    "t2": (0.01, 0.3, 0.5, 0.2, 0.04, 0.3, 1.0, 0.47, 0.34, 0.38, 0.08, 1.0, 0.15, 0.12, 0.85, 0.6),
    "pd": (0.01, 0.6, 0.8, 0.6, 0.1, 0.6, 0.85, 0.9, 0.7, 0.78, 0.15, 0.85, 0.5, 0.3, 0.95, 0.9),
    "flair": (0.01, 0.4, 0.65, 0.3, 0.05, 0.45, 0.1, 0.65, 0.5, 0.55, 0.1, 0.12, 0.2, 0.2, 0.95, 0.9),
}
"""Signal of each tissue, in the order of TISSUES; about 1 is the brightest."""


class Canvas:
    """Image and labels of one plane. Each coat covers by how deep its shape is, over one pixel."""

    def __init__(self, points: Points, values: FloatArray, pixel_mm: float) -> None:
        self.points = points
        self.values = values
        self.pixel_mm = np.float32(pixel_mm)
        self.image: FloatArray = np.full(points[0].shape, values[0], np.float32)
        self.labels: npt.NDArray[np.uint8] = np.zeros(points[0].shape, np.uint8)

    def paint(self, tissue: str, inside_mm: FloatArray) -> None:
        """Cover with a tissue where the signed distance (positive inside) says so."""
        index = TISSUES.index(tissue)
        cover = np.clip(inside_mm / self.pixel_mm + np.float32(0.5), 0, 1)
        self.image += cover * (self.values[index] - self.image)
        self.labels[cover > 0.5] = index

    def stamp(self, tissue: str, strings: list[FloatArray]) -> None:
        """Paint strings of balls (n, 4: x, y, z, radius in mm), each where it meets the plane."""
        z = self.points[2]
        balls = np.concatenate(strings)
        low, high = float(z.min()) - self.pixel_mm, float(z.max()) + self.pixel_mm
        for ball in balls[(balls[:, 2] > low - balls[:, 3]) & (balls[:, 2] < high + balls[:, 3])]:
            self._stamp_ball(TISSUES.index(tissue), *(float(v) for v in ball))

    def _stamp_ball(self, index: int, bx: float, by: float, bz: float, radius: float) -> None:
        x, y, z = self.points
        across = np.array([[x[-1, 0] - x[0, 0], x[0, -1] - x[0, 0]], [y[-1, 0] - y[0, 0], y[0, -1] - y[0, 0]]])
        shape = np.array(x.shape)
        across /= np.maximum(shape - 1, 1)
        row, column = np.linalg.solve(across, (bx - x[0, 0], by - y[0, 0])) if shape.min() > 1 else (0.0, 0.0)
        reach = 2 * radius / self.pixel_mm + 3
        rows, columns = (slice(max(int(c - reach), 0), max(int(c + reach) + 2, 0)) for c in (row, column))
        box = (rows, columns)
        away = np.sqrt((x[box] - bx) ** 2 + (y[box] - by) ** 2 + (z[box] - bz) ** 2)
        cover = np.clip((radius - away) / self.pixel_mm + np.float32(0.5), 0, 1)
        self.image[box] += cover * (self.values[index] - self.image[box])
        self.labels[box][cover > 0.5] = index
