"""The counters that scanners write on a readout, as Siemens defined them and ISMRMRD took them over."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.formats.encoding import Integers
from core.scan import BoolArray


def combined(slow: npt.NDArray[Any], fast: npt.NDArray[Any]) -> Integers:
    """Two counters as one, numbered from 0 without gaps."""
    both = slow.astype(np.int64) * 2**16 + fast.astype(np.int64)
    return np.unique(both, return_inverse=True)[1].astype(np.int64)


def echo_range(
    samples: int, centre: npt.NDArray[Any], before: npt.NDArray[Any], after: npt.NDArray[Any], reverse: BoolArray
) -> tuple[Integers, Integers, Integers]:
    """Sample with k = 0 and range [first, last) of good samples, in the order of k.

    centre is counted as stored. In a reversed line it becomes samples - 1 - centre; but where the echo is symmetric,
    k = 0 stays at samples // 2, as scanners sample a symmetric echo on the same grid in both directions.
    """
    c, pre, post = (a.astype(np.int64) for a in (centre, before, after))
    middle = samples // 2
    symmetric = (c == middle) | (c == samples - 1 - middle)
    place = np.where(reverse, np.where(symmetric, middle, samples - 1 - c), c)
    first = np.where(reverse, post, pre)
    last = samples - np.where(reverse, pre, post)
    return place, first, np.maximum(last, first)


def folds(phases: npt.NDArray[Any], sets: npt.NDArray[Any]) -> list[str]:
    """Sentences on the counters that have no axis of their own and vary."""
    sentences = []
    if len(np.unique(phases)) > 1:
        sentences.append(f"{len(np.unique(phases))} cardiac phases put on the axis of the repetitions.")
    if len(np.unique(sets)) > 1:
        sentences.append(f"{len(np.unique(sets))} sets put on the axis of the contrasts.")
    return sentences
