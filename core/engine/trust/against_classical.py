"""What the prior changed: the image less the classical image of the same measurement."""

from __future__ import annotations

from collections.abc import Generator

import torch

from core.engine.classical import as_usual
from core.engine.events import Progress
from core.engine.offers import quick_methods
from core.engine.stop import Stop
from core.engine.trust.local import shown
from core.engine.trust.posed import Posed, map_of
from core.engine.watch import WatchedOperator
from core.operators.linear import LinearOperator
from core.scan import Volume

DIFFERENCE_SHOWS = (
    "The image less the classical image of the same measurement, signed, in the image's unit;"
    " it holds the artefacts that were removed as well as the detail that was added."
)
STAGE = "Classical image"


@torch.no_grad()
def difference_to_classical(posed: Posed, stop: Stop | None = None) -> Generator[Progress, None, tuple[Volume, Volume]]:
    """Yield the progress; return (difference, classical image), the difference float32 (frame, y, x).

    The classical image is the last that every run shows on its way: CG-SENSE, filtered back-projection, or Feldkamp's.
    Of complex images the magnitudes are compared. Raises Halt when it is stopped.
    """
    stop = stop or Stop()

    def watch(operator: LinearOperator) -> LinearOperator:
        return WatchedOperator(operator, stop)

    method = quick_methods(posed.scan)[-1]
    x = posed.x
    for k, (iterate, total) in enumerate(posed.problem.iterates(method, as_usual(posed.job.settings), watch)):
        yield Progress(STAGE, k, total)
        x = iterate
    volume, image = posed.volume, posed.problem.to_image(x)
    difference = shown(volume) - shown(volume, image)
    classical = map_of(volume, image, volume.unit, method, "The classical image, made of the measurement alone.")
    return map_of(volume, difference, volume.unit, "difference to classical", DIFFERENCE_SHOWS), classical
