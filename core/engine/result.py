"""The end of a run: its image as a volume, its figures, its run card."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Finished, Image
from core.engine.job import JobSpec
from core.engine.problem import Problem, residual
from core.engine.run_card import make_card
from core.operators.planes import to_planes
from core.orientation import Affine
from core.priors.card import ModelCard
from core.scan import Scan, Volume

_FOREGROUND = 0.1


def finished(
    job: JobSpec,
    scan: Scan,
    whole: Scan,
    problem: Problem,
    x: Tensor,
    spread: Tensor | None,
    prior: ModelCard | None,
    outcome: dict[str, Any],
) -> Finished:
    """The last event of a run that ends with the image x, (planes, a, b).

    whole: the scan before an undersampling on purpose, which the image is compared with then. spread: of the samples.
    outcome: what is known of the run so far; the figures of the image join it on the run card.
    """
    from core.quality import compare

    image = problem.to_image(x)
    metrics = compare(image, problem.combine(to_planes(whole, job.source.slices))) if scan.undersampled else {}
    deviations = _frames(problem, spread)
    outcome = {
        "nfe": 0,
        "samples": 0,
        "network_seconds": 0.0,
        "kept_at": None,
        "notes": [],
        **outcome,
        "spread": None if deviations is None else summary_of_spread(image, deviations),
        "residual": residual(problem, x),
        "metrics": metrics,
        "device": str(problem.y.device),
        "threads": torch.get_num_threads(),
        "coils_compressed": problem.compression is not None,
        "operator_norm": problem.norm,
    }
    inputs = {"scan": scan.provenance.sha256}
    if prior is not None:
        inputs["prior"] = prior.sha256
    card = make_card(job, inputs, outcome)
    affine = _affine_from(scan.picture_affine, job.source.slices)
    stack = len(image) // (scan.sizes["contrast"] * scan.sizes["repetition"])
    spacing = scan.picture_spacing_mm or (1.0, 1.0, 1.0)
    volume = Volume(image, "a.u.", affine, spacing, stack, problem.planes.names, card, deviations)
    return Finished(volume, outcome["kept_at"], metrics)


def summary_of_spread(image: Image, spread: npt.NDArray[np.float32]) -> dict[str, float]:
    """median: of the spread where the magnitude is above a tenth of the image's bright parts (its 99.5th percentile).

    relative: the same as a share of those bright parts.
    """
    magnitude = np.abs(image)
    bright = float(np.percentile(magnitude, 99.5))
    inside = magnitude > _FOREGROUND * bright
    median = float(np.median(spread[inside])) if inside.any() else 0.0
    return {"median": median, "relative": median / bright if bright else 0.0}


def _frames(problem: Problem, spread: Tensor | None) -> npt.NDArray[np.float32] | None:
    if spread is None:
        return None
    frames: npt.NDArray[np.float32] = np.ascontiguousarray(problem.to_image(spread).real)
    return frames


def _affine_from(affine: Affine | None, slices: tuple[int, int] | None) -> Affine | None:
    """The affine of a stack of which the first slices were left out."""
    if affine is None or not slices:
        return affine
    moved = affine.copy()
    moved[:3, 3] += affine[:3, 2] * slices[0]
    return moved
