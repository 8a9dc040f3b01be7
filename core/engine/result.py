"""The end of a run: its image as a volume, its figures, its run card."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Finished, Image
from core.engine.job import JobSpec
from core.engine.offers import unit_of
from core.engine.problem import Problem, residual
from core.engine.run_card import make_card
from core.errors import JobError
from core.orientation import Affine
from core.priors.card import ModelCard
from core.projections import Projections
from core.scan import KSpace, Scan, Volume

if TYPE_CHECKING:
    from core.engine.reference import Reference

_FOREGROUND = 0.1


def finished(
    job: JobSpec,
    scan: Scan,
    reference: Reference | None,
    problem: Problem,
    x: Tensor,
    spread: Tensor | None,
    prior: ModelCard | None,
    outcome: dict[str, Any],
) -> Finished:
    """The last event of a run that ends with the image x, (planes, a, b).

    reference: what the image is compared with. spread: of the samples. outcome: what is known of the run so far; the
    figures of the image join it on the run card. Raises JobError for an image that is none.
    """
    image = problem.to_image(x)
    if not np.isfinite(image).all():
        raise JobError(
            "The run broke down.",
            "Its image holds NaN or infinite numbers.",
            "Try fewer iterations or another weight, and check that the scan is whole.",
        )
    air = -1000.0 if unit_of(scan) == "HU" else 0.0
    metrics = reference.figures(image) if reference is not None else {}
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
        "metrics": {name: value if math.isfinite(value) else None for name, value in metrics.items()},
        **({} if reference is None else {"reference": reference.on_card()}),
        "device": str(problem.y.device),
        "threads": torch.get_num_threads(),
        **problem.facts(),
    }
    inputs = inputs_of(scan, prior) | ({} if reference is None else reference.hashes)
    card = make_card(job, inputs, outcome)
    volume = placed(scan, job.source.slices, image, problem.names)
    return Finished(replace(volume, card=card, spread=deviations), outcome["kept_at"], metrics)


def placed(scan: Scan, slices: tuple[int, int] | None, image: Image, names: tuple[str, ...]) -> Volume:
    """An image of a scan as a volume, where the scan lies. slices: that it has, None for all. names: of its frames."""
    affine = _affine_from(scan.picture_affine, slices)
    spacing = scan.picture_spacing_mm or (1.0, 1.0, 1.0)
    volume = Volume(image, unit_of(scan), affine, spacing, stack_of(scan, image), names)
    return replace(volume, mu_water=scan.mu_water) if isinstance(scan, Projections) else volume


def inputs_of(scan: Scan, prior: ModelCard | None) -> dict[str, str]:
    """Hashes of what a run is made of."""
    return {"scan": scan.provenance.sha256} | ({} if prior is None else {"prior": prior.sha256})


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
