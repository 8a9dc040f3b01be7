"""How the images of a modality look in training: their codes, their random contrasts, what is laid over a crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from core.errors import JobError
from core.priors.contrast import ContrastCurves, random_curves

FloatArray = npt.NDArray[np.float32]
CodeArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

CODE_MAX = 1.25
"""The intensity, in units of the 99.5th percentile, that the largest byte of an MR image stands for."""

HU_LOWEST, HU_HIGHEST = -1024, 3071
HU_UNIT = 1000.0
"""A CT prior sees HU / 1000: water is 0, air is -1."""


class Look(Protocol):
    """What training needs to know of a modality.

    scaled: each slice is divided by its own 99.5th percentile. darkest: the least value of a crop; mostly_air: a crop
    with a lower mean shows little.
    """

    @property
    def scaled(self) -> bool: ...

    @property
    def darkest(self) -> float: ...

    @property
    def mostly_air(self) -> float: ...

    def encode(self, array: FloatArray) -> CodeArray:
        """Voxels as the codes that the contrast curves are read by."""
        ...

    def curves(self, rng: np.random.Generator, brain_known: bool) -> ContrastCurves:
        """A random contrast, a value for every code."""
        ...

    def finish(self, image: Tensor, channels: int, rng: np.random.Generator) -> Tensor:
        """(size, size) to (channels, size, size), with what a scanner would lay over it."""
        ...


@dataclass(frozen=True)
class MrLook:
    """MR: a byte for each intensity up to CODE_MAX, contrasts of many sequences, uneven coils, smooth phase."""

    gain: tuple[float, float] = (0.7, 1.3)
    scaled: bool = True
    darkest: float = 0.0
    mostly_air: float = 0.15

    def encode(self, array: FloatArray) -> CodeArray:
        codes: CodeArray = np.rint(np.clip(array / np.float32(CODE_MAX), 0, 1) * 255).astype(np.uint8)
        return codes

    def curves(self, rng: np.random.Generator, brain_known: bool) -> ContrastCurves:
        return random_curves(rng, brain_known)

    def finish(self, image: Tensor, channels: int, rng: np.random.Generator) -> Tensor:
        size = len(image)
        bias = torch.exp(smooth_field(rng, size, 4) * float(rng.uniform(0, 0.25)))
        image = image * bias * float(rng.uniform(*self.gain))
        if channels == 1:
            return image[None]
        phase = random_phase(rng, size)
        return torch.stack((image * phase.cos(), image * phase.sin()))


@dataclass(frozen=True)
class CtLook:
    """CT: Hounsfield units over a thousand, with jittered windows and a little texture."""

    scaled: bool = False
    darkest: float = HU_LOWEST / HU_UNIT
    mostly_air: float = -0.75
    jittered: float = 0.6
    textured: float = 0.4

    def encode(self, array: FloatArray) -> CodeArray:
        codes: CodeArray = np.rint(np.clip(array, HU_LOWEST, HU_HIGHEST) - HU_LOWEST).astype(np.uint16)
        return codes

    def curves(self, rng: np.random.Generator, brain_known: bool) -> ContrastCurves:
        """HU as they are, or stretched and shifted a little between the tissues, soft tissue most of all."""
        codes = np.arange(HU_LOWEST, HU_HIGHEST + 1, dtype=np.float64)
        if rng.random() > self.jittered:
            return ContrastCurves((codes / HU_UNIT).astype(np.float32), None)
        knots = np.array([HU_LOWEST, -850, -500, -150, -60, 0, 50, 120, 300, 700, 1300, HU_HIGHEST], dtype=float)
        spread = np.array([0.15, 0.15, 0.15, 0.2, 0.4, 0.4, 0.4, 0.3, 0.25, 0.2, 0.2])
        steps = np.diff(knots) * np.exp(rng.normal(0, 1, len(spread)) * spread)
        values = np.concatenate(([0.0], np.cumsum(steps)))
        values += rng.normal(0, 15) - np.interp(0.0, knots, values)
        values = np.maximum(values, HU_LOWEST)
        values[0] = HU_LOWEST
        return ContrastCurves((np.interp(codes, knots, values) / HU_UNIT).astype(np.float32), None)

    def finish(self, image: Tensor, channels: int, rng: np.random.Generator) -> Tensor:
        size = len(image)
        if rng.random() < self.textured:
            grain = torch.from_numpy(rng.standard_normal((1, 1, size, size)).astype(np.float32))
            width = int(rng.integers(1, 4))
            grain = functional.avg_pool2d(grain, 2 * width + 1, stride=1, padding=width)[0, 0] * (2 * width + 1)
            image = image + grain * float(rng.uniform(0, 0.02)) * (image > -0.95)
        return image.expand(channels, -1, -1)


def repaint(array: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Random HU for the intensities of an MR volume (1: its 99.5th percentile): air stays air, tissues change places.

    There is far more real anatomy in MR than in CT to learn from here, and edges and textures are alike in both.
    """
    knots = np.array([0.0, 0.05, 0.12, 0.3, 0.5, 0.7, 0.9, 1.25])
    tissue = np.clip(30 + np.cumsum(rng.normal(0, 70, 6)), -150, 350)
    values = np.concatenate(([-1000.0, rng.uniform(-1000, -300)], tissue))
    if rng.random() < 0.5:
        values[-2:] = np.sort(rng.uniform(200, 1400, 2))
    return np.interp(array, knots, values).astype(np.float32)


_LOOKS: dict[str, type[Any]] = {"MR": MrLook, "CT": CtLook}


def look_of(modality: str) -> Look:
    """The look of the modality that a recipe names. Raises JobError for another than MR and CT."""
    if modality not in _LOOKS:
        raise JobError(f"There is no training for the modality {modality!r}.", "", "Use MR or CT.")
    look: Look = _LOOKS[modality]()
    return look


def smooth_field(rng: np.random.Generator, size: int, knots: int) -> Tensor:
    """A smooth random field (size, size) of about unit standard deviation."""
    coarse = torch.from_numpy(rng.standard_normal((1, 1, knots, knots)).astype(np.float32))
    return functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)[0, 0]


def random_phase(rng: np.random.Generator, size: int) -> Tensor:
    """A smooth phase (size, size) in radians: constant, linear, quadratic and irregular parts; sometimes strong."""
    phase = torch.full((size, size), float(rng.uniform(0, 2 * np.pi)))
    kind = rng.random()
    if kind < 0.15:
        return phase
    strength = 2.5 if kind > 0.85 else 1.0
    line = torch.linspace(-1, 1, size)
    slopes = rng.normal(0, 1.0 * strength, 2)
    bends = rng.normal(0, 0.5 * strength, 3)
    y, x = line[:, None], line[None]
    phase = phase + float(slopes[0]) * y + float(slopes[1]) * x
    phase = phase + float(bends[0]) * y * y + float(bends[1]) * x * x + float(bends[2]) * x * y
    return phase + smooth_field(rng, size, 6) * float(rng.uniform(0, 0.6 * strength))
