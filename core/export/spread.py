"""How the spread of the samples is shown, on the screen and in files: its colours, and what it says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_ANCHORS = (
    (0.00, (0, 0, 0)),
    (0.20, (38, 18, 92)),
    (0.40, (112, 24, 124)),
    (0.60, (190, 52, 92)),
    (0.78, (240, 122, 44)),
    (0.92, (252, 206, 92)),
    (1.00, (255, 252, 220)),
)
"""Black over violet and orange to near white. Each is lighter than the one before, so that it reads in grey too."""


def colours() -> npt.NDArray[np.uint8]:
    """The colour of each of 256 levels, (256, 3) red, green and blue."""
    places = [place for place, _ in _ANCHORS]
    steps = np.linspace(0, 1, 256)
    channels = [np.interp(steps, places, [colour[c] for _, colour in _ANCHORS]) for c in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def caption(samples: int) -> tuple[str, str]:
    """What every picture of a spread must say, in two sentences."""
    return (
        f"Standard deviation of {samples} samples: where the prior had to guess.",
        "Not a confidence interval.",
    )


def samples_of(card: dict[str, Any]) -> int:
    """Of how many samples the result with this run card is the mean; 1 where the card does not say."""
    outcome = card.get("outcome", {}).get("samples")
    return int(outcome or card.get("job", {}).get("settings", {}).get("samples", 1))
