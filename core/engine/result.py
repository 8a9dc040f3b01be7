"""The end of a run: its image as a volume, its figures, its run card."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Finished, Image
from core.engine.job import JobSpec
from core.engine.offers import unit_of
from core.engine.problem import Problem, residual
from core.engine.run_card import make_card
from core.orientation import Affine
from core.priors.card import ModelCard
from core.projections import Projections
from core.scan import KSpace, Scan, Volume

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
    air = -1000.0 if unit_of(scan) == "HU" else 0.0
    metrics = compare(image, problem.reference(whole, job.source.slices), air) if scan.undersampled else {}
    deviations = None if spread is None else problem.deviation(spread)
    outcome = {
        "nfe": 0,
        "samples": 0,
        "network_seconds": 0.0,
        "kept_at": None,
        "notes": [],
        **outcome,
        "spread": None if deviations is None else summary_of_spread(image - air if air else image, deviations),
        "residual": residual(problem, x),
        "metrics": metrics,
        "device": str(problem.y.device),
        "threads": torch.get_num_threads(),
        **problem.facts(),
    }
    inputs = {"scan": scan.provenance.sha256}
    if prior is not None:
        inputs["prior"] = prior.sha256
    card = make_card(job, inputs, outcome)
    affine = _affine_from(scan.picture_affine, job.source.slices)
    spacing = scan.picture_spacing_mm or (1.0, 1.0, 1.0)
    volume = Volume(image, unit_of(scan), affine, spacing, stack_of(scan, image), problem.names, card, deviations)
    if isinstance(scan, Projections):
        volume = replace(volume, mu_water=scan.mu_water)
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


@singledispatch
def stack_of(scan: Scan, image: Image) -> int:
    """How many frames of the image make one stack."""
    return len(image)


@stack_of.register
def _(scan: KSpace, image: Image) -> int:
    return len(image) // (scan.sizes["contrast"] * scan.sizes["repetition"])


def _affine_from(affine: Affine | None, slices: tuple[int, int] | None) -> Affine | None:
    """The affine of a stack of which the first slices were left out."""
    if affine is None or not slices:
        return affine
    moved = affine.copy()
    moved[:3, 3] += affine[:3, 2] * slices[0]
    return moved
