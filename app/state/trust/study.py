"""What can be asked about how far an image can be trusted, in the words of the window."""

from __future__ import annotations

from enum import Enum

from app.words import later


class Study(Enum):
    """A question about the image of a run; the value tells it apart in keys. VERDICT is asked without being told to."""

    VERDICT = "verdict"
    SUPPORT = "support"
    UNCERTAINTY = "uncertainty"
    DIFFERENCE = "difference"
    RESIDUAL = "residual"


class Part(Enum):
    """What a study makes; the value tells it apart in keys."""

    SUPPORT = "support"
    UNSEEN = "unseen"
    UNCERTAINTY = "uncertainty"
    DIFFERENCE = "difference"
    RESIDUAL = "residual"


STUDIES = {
    Study.SUPPORT: later("Where the measurement says nothing"),
    Study.UNCERTAINTY: later("Uncertainty"),
    Study.DIFFERENCE: later("Difference to the classical image"),
    Study.RESIDUAL: later("Residual"),
}
"""What the buttons say."""

PARTS = {
    Study.SUPPORT: (Part.UNSEEN, Part.SUPPORT),
    Study.UNCERTAINTY: (Part.UNCERTAINTY,),
    Study.DIFFERENCE: (Part.DIFFERENCE,),
    Study.RESIDUAL: (Part.RESIDUAL,),
}
"""What each makes, the most telling first."""

NAMES = {
    Part.UNSEEN: later("unseen part"),
    Part.SUPPORT: later("measured support"),
    Part.UNCERTAINTY: later("uncertainty"),
    Part.DIFFERENCE: later("difference to classical"),
    Part.RESIDUAL: later("residual"),
}

SHOWS = {
    Part.UNSEEN: later(
        "Local strength of the part of the image that the measurement cannot see, in the image's unit;"
        " it is what the prior filled in, right or wrong."
    ),
    Part.SUPPORT: later(
        "Share of the image's local energy that the measurement can see, from 0 (all from the prior) to 1 (all"
        " measured); it does not show whether the image is right."
    ),
    Part.UNCERTAINTY: later(
        "Standard deviation of the samples in each pixel, in the image's unit: where the prior had to guess;"
        " an error that all samples share does not show."
    ),
    Part.DIFFERENCE: later(
        "The image less the classical image of the same measurement, signed, in the image's unit;"
        " it holds the artefacts that were removed as well as the detail that was added."
    ),
    Part.RESIDUAL: later(
        "The measurement of the image less the measurement that was made; where both agree only noise is left, and"
        " structure means that something does not fit."
    ),
}
"""As core.engine.trust says it, here where translations find it and without what computes: a test compares them."""

LEAST_SEEDS, SEEDS, MOST_SEEDS = 2, 8, 64
"""Of the samples that show the uncertainty."""
