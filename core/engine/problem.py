"""The equations that a run solves, whatever was measured: the operator of unit norm, the scaled measurement."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Progress
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.operators.linear import LinearOperator
from core.priors.card import ModelCard
from core.scan import Scan

Image = npt.NDArray[Any]
Watch = Callable[[LinearOperator], LinearOperator]


@dataclass(frozen=True)
class Coding:
    """How an image x looks to a prior: (x - base) / scale. note: what to tell the user of it, or ""."""

    base: float
    scale: float
    note: str = ""


class Problem(Protocol):
    """A x = y, ready to solve. operator has unit norm; y is divided by that norm, in the units of the problem.

    norm: of the operator before. names: of each frame of the image. keys: a number for each item of the operator's
    batch that stays the same when fewer are reconstructed. slices: consecutive items that are one volume. shape: of
    the image, (frames, height, width).
    """

    @property
    def operator(self) -> LinearOperator: ...

    @property
    def y(self) -> Tensor: ...

    @property
    def norm(self) -> float: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def keys(self) -> tuple[int, ...]: ...

    @property
    def slices(self) -> int: ...

    @property
    def shape(self) -> tuple[int, int, int]: ...

    @property
    def support(self) -> Tensor:
        """bool, broadcast over the items: where anything was measured."""

    @property
    def lowest(self) -> float | None:
        """No true image is below it; None where there is no such number."""

    def to_image(self, x: Tensor) -> Image:
        """Solved images, (items, a, b), as frames (frame, y, x) in the unit of the result."""

    def deviation(self, x: Tensor) -> npt.NDArray[np.float32]:
        """Real deviations, (items, a, b), as frames in the unit of the result."""

    def iterates(self, method: str, settings: ReconSettings, watch: Watch) -> Iterator[tuple[Tensor, int]]:
        """The iterates of a classical method with how many there will be; the last is its image.

        watch: put around every operator that is applied.
        """

    def warm_start(self, settings: ReconSettings) -> tuple[str, ReconSettings] | None:
        """The classical method that DDS starts from, with its settings, where it is none that every run shows."""

    def coding(self, card: ModelCard, classical: Tensor) -> Coding:
        """How the image is shown to a prior. classical: an image of the problem."""

    def reference(self, whole: Scan, slices: tuple[int, int] | None) -> Image:
        """The image of the scan before anything was left out of it on purpose."""

    def facts(self) -> dict[str, Any]:
        """What the run card tells of the problem."""


@singledispatch
def prepare(
    scan: Scan,
    slices: tuple[int, int] | None,
    device: torch.device,
    stop: Stop,
    settings: ReconSettings | None = None,
) -> Generator[Progress, None, Problem]:
    """Yield the progress of what must be made first; return the Problem. Raises ScanError if the scan forbids it."""
    raise TypeError(type(scan))


def residual(problem: Problem, x: Tensor) -> float:
    """||A x - y|| / ||y|| over all that was measured."""
    gap = torch.linalg.vector_norm(problem.operator.forward(x).sub_(problem.y))
    return float(gap / torch.linalg.vector_norm(problem.y))
