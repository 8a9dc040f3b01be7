"""What speaks against trusting an image, in sentences for the window, the report and the export."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.engine.settings import LAST_TIMESTEP
from core.engine.trust.agreement import signal_of
from core.engine.trust.ensemble import Ensemble
from core.engine.trust.local import bright_of, object_mask
from core.engine.trust.residual import Residual
from core.engine.trust.support import Support

DISAGREE, DISAGREE_SHARE = 0.1, 0.05
"""Samples disagree strongly where their standard deviation is above a tenth of the image's bright parts; it is said
when that is so in more than a twentieth of the object."""
LITTLE, LITTLE_SHARE = 0.5, 0.1
"""There is little support below a half; it is said when that is so in more than a tenth of where there is signal."""

SHARED_START = (
    "All samples start from the classical image and share its errors: they are too sure of themselves. Samples that"
    " start from noise (start timestep 999) tell better how sure the image is."
)
"""The 5-95 % bands of 8 samples held the truth in 70 and 52 % of a brain (R = 6) and a body (30 views) with the start
that the bundled priors recommend, and in 88 and 86 % from noise (tests.benchmarks.trust)."""


def doubts(
    residual: Residual | None = None,
    misfits: Sequence[str] = (),
    ensemble: Ensemble | None = None,
    support: Support | None = None,
) -> tuple[str, ...]:
    """Sentences about what is known, none where nothing speaks against the image.

    misfits: of core.priors.fit.misfit, which join as they are.
    """
    found: list[str] = []
    if residual is not None:
        found += _of_residual(residual)
    found += misfits
    if ensemble is not None:
        found += _of_ensemble(ensemble)
    if support is not None:
        found += _of_support(support)
    return tuple(found)


def disagreement(ensemble: Ensemble) -> float:
    """The share of the object where the samples disagree strongly, from 0 to 1."""
    inside = object_mask(ensemble.mean)
    bright = bright_of(signal_of(ensemble.mean))
    return float(np.mean(ensemble.deviation.array[inside] > DISAGREE * bright)) if inside.any() else 0.0


def little_support(support: Support) -> float:
    """The share of where there is signal that has little support, from 0 to 1."""
    known = support.support.array[np.isfinite(support.support.array)]
    return float(np.mean(known < LITTLE)) if known.size else 0.0


def _of_residual(residual: Residual) -> list[str]:
    if residual.verdict in ("consistent", "unknown"):
        return []  # that nothing is known speaks neither for nor against the image
    said = [residual.sentence]
    if residual.verdict == "worse" and not residual.whiteness.white:
        said.append(residual.whiteness.sentence)
    return said


def _of_ensemble(ensemble: Ensemble) -> list[str]:
    said = [SHARED_START] if _starts_alike(ensemble) else []
    share = disagreement(ensemble)
    if share <= DISAGREE_SHARE:
        return said
    return [
        *said,
        f"The {ensemble.count} samples disagree strongly in {100 * share:.0f} % of the object: their standard deviation"
        f" there is above {100 * DISAGREE:.0f} % of the image's bright parts.",
    ]


def _starts_alike(ensemble: Ensemble) -> bool:
    settings = ensemble.mean.card.get("job", {}).get("settings", {})
    return bool(settings.get("t_start", LAST_TIMESTEP) < LAST_TIMESTEP)


def _of_support(support: Support) -> list[str]:
    share = little_support(support)
    if share <= LITTLE_SHARE:
        return []
    return [
        f"In {100 * share:.0f} % of the object the measurement supports less than half of the image; the rest is the"
        " prior's."
    ]
