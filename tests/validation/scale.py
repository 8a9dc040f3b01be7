"""How much a validation does: sizes, repetitions, and the cost points."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much of each.

    size: pixels along a side of the phantoms. nfe: network evaluations of DDS. patterns, views: of MRI and CT. masks:
    of MRI, and draws of the noise of the phantom of CT. seeds: of the phantoms; all else, and more than `long`
    evaluations, has one. weights: factors on the offered weight of a penalty, tried for the best one on the first mask.
    paper: presets of DDS from pure noise. real, costs: whether these parts are made.
    """

    size: int = 256
    nfe: tuple[int, ...] = (10, 20, 50)
    seeds: int = 3
    long: int = 20
    masks: int = 2
    patterns: tuple[str, ...] = ("gaussian1d:4", "gaussian1d:6", "gaussian1d:8", "equispaced1d:4", "equispaced1d:8")
    real_patterns: tuple[str, ...] = ("gaussian1d:4", "gaussian1d:8", "equispaced1d:4")
    views: tuple[int, ...] = (20, 30, 60)
    weights: tuple[float, ...] = (0.25, 0.5, 2.0, 4.0)
    paper: tuple[str, ...] = ("Paper 20", "Paper 50")
    real: bool = True
    costs: bool = True


FULL = Scale()
QUICK = Scale(
    nfe=(10, 20),
    seeds=1,
    masks=1,
    patterns=("gaussian1d:4",),
    views=(30,),
    weights=(),
    paper=("Paper 20",),
    real=False,
    costs=False,
)
"""The bundled phantoms alone, in a minute."""
