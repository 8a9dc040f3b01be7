"""The support map: for each pixel how much of the image there A can see, and what lies beyond it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import torch

from core.engine.events import Progress
from core.engine.stop import Stop
from core.engine.trust.local import FOREGROUND, FloatArray, Frames, Window, bright_of, energy_of, mean_within
from core.engine.trust.posed import Posed, linear_frames, map_of, parts
from core.engine.trust.row_space import DAMPING, ITERATIONS, SYSTEMS_AT_ONCE, TOLERANCE, seen_part
from core.engine.watch import WatchedOperator
from core.scan import Volume

SUPPORT_SHOWS = (
    "Share of the image's local energy that the measurement can see, from 0 (all from the prior) to 1 (all measured);"
    " it does not show whether the image is right."
)
UNSEEN_SHOWS = (
    "Local strength of the part of the image that the measurement cannot see, in the image's unit;"
    " it is what the prior filled in, right or wrong."
)
SEEN_SHOWS = (
    "The part of the image that the measurement can see, which is the image of least norm with the same measurement;"
    " it is no image of the object by itself."
)

STAGE = "Support map"


@dataclass(frozen=True, eq=False)
class Support:
    """What of an image is supported by its measurement; each a volume in the image's place.

    support: float32 from 0 to 1, no unit, NaN where there is no signal. unseen: float32, local root mean square of
    x - x_R in the image's unit. seen: x_R itself, like the image.
    """

    support: Volume = field(repr=False)
    unseen: Volume = field(repr=False)
    seen: Volume = field(repr=False)

    @property
    def median(self) -> float:
        """Of the support where there is signal; NaN where there is none."""
        known = self.support.array[np.isfinite(self.support.array)]
        return float(np.median(known)) if known.size else float("nan")


@torch.no_grad()
def support_of(
    posed: Posed,
    window: Window | None = None,
    *,
    damping: float = DAMPING,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
    stop: Stop | None = None,
) -> Generator[Progress, None, Support]:
    """Yield the progress by slices; return the support of a run's image.

    x_R is the projection of the image onto the row space of A (see row_space.seen_part, with its damping), at most
    SYSTEMS_AT_ONCE slices at a time. Energies are means in the window: |x_R|^2 / (|x_R|^2 + |x - x_R|^2). Raises Halt
    when it is stopped.
    """
    stop = stop or Stop()
    problem, x = posed.problem, posed.x
    seen = torch.zeros_like(x)
    for part, operator in parts(problem, SYSTEMS_AT_ONCE):
        yield Progress(STAGE, part.start, len(x))
        seen[part] = seen_part(WatchedOperator(operator, stop), x[part], damping, iterations, tolerance)
    volume = posed.volume
    seen_frames, unseen_frames = linear_frames(problem, seen), linear_frames(problem, x - seen)
    support, unseen = shares(seen_frames, unseen_frames, (window or Window()).sigmas(volume.spacing_mm))
    yield Progress(STAGE, len(x), len(x))
    return Support(
        map_of(volume, support, "", "support", SUPPORT_SHOWS),
        map_of(volume, unseen, volume.unit, "unseen", UNSEEN_SHOWS),
        map_of(volume, problem.to_image(seen), volume.unit, "seen", SEEN_SHOWS),
    )


def shares(seen: Frames, unseen: Frames, sigmas: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """(support, unseen) of two parts of an image, all (frame, y, x); see Support.

    There is signal where the local root mean square of the whole is above a tenth of the image's bright parts.
    """
    least = (FOREGROUND * bright_of(np.abs(seen + unseen))) ** 2
    support, strength = (np.full(seen.shape, np.nan, dtype=np.float32) for _ in range(2))
    for k, (a, b) in enumerate(zip(seen, unseen, strict=True)):
        known, rest, whole = (np.maximum(mean_within(energy_of(each), sigmas), 0) for each in (a, b, a + b))
        np.divide(known, known + rest, out=support[k], where=(whole > least) & (known + rest > 0))
        strength[k] = np.sqrt(rest)
    return support, strength
