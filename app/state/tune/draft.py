"""A sweep as it is written down: which settings, which values, and how many cells come of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.state.choice import Choice
from app.state.session import OpenScan
from core.engine.settings import ReconSettings, choices_of, help_of, type_of
from core.engine.settings_text import SOURCE_TYPES, values_of
from core.engine.sweep_plan import MOST_CELLS, Axis
from core.errors import JobError, UserError
from core.projections import Projections

EXAMPLES: dict[str, str] = {
    "nfe": "10, 20, 50",
    "cg_steps": "1:9:2",
    "gamma": "1e-1:1e1:log5",
    "lam": "1e-4:1e-2:log5",
    "rho": "0, 1, 10",
    "eta": "0:1:0.25",
    "seed": "0:4:1",
    "samples": "1, 2, 4",
    "t_start": "200, 500, 999",
    "iterations": "10, 30, 100",
    "admm_steps": "1, 2, 4",
    "undersample": "gaussian1d:4; gaussian1d:8",
    "size": "128, 256",
}
_FOLLOWING = {"method": ("lam", "iterations"), "gamma_rule": ("gamma",)}
"""What takes its usual value again where a setting is varied."""


@dataclass(frozen=True)
class Draft:
    """One or two lines, (name of a setting or "", its values as text); the second may have no name."""

    lines: tuple[tuple[str, str], ...] = (("", ""),)
    only_this_slice: bool = True

    def to_dict(self) -> dict[str, Any]:
        """For a project."""
        return {"lines": [list(line) for line in self.lines], "only_this_slice": self.only_this_slice}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Draft:
        """The inverse. Raises KeyError, TypeError or ValueError for what is not a draft."""
        lines = tuple((name, text) for name, text in said["lines"])
        if not 1 <= len(lines) <= 2 or not all(isinstance(word, str) for line in lines for word in line):
            raise ValueError("draft")
        return cls(lines, bool(said["only_this_slice"]))


@dataclass(frozen=True)
class Wanted:
    """What a draft means. trouble: why it cannot be done, in words, or ""; then there are no axes."""

    axes: tuple[Axis, ...] = ()
    trouble: str = ""

    @property
    def cells(self) -> int:
        """How many there are; 0 where it cannot be done."""
        return math.prod(len(axis.values) for axis in self.axes) if self.axes else 0


@dataclass(frozen=True)
class Offer:
    """A setting that can be varied. choices: the words that it can be, where it is one of a few."""

    name: str
    label: str
    about: str
    example: str
    choices: tuple[str, ...] = field(default=())


def offers(opened: OpenScan, choice: Choice) -> list[Offer]:
    """What the chosen method uses on a scan, then what can be varied of the scan itself."""
    found = [_offer(name, choice) for name in choice.used]
    if opened.fully_sampled or isinstance(opened.scan, Projections):
        found.append(
            Offer(
                "undersample", "Undersampling", "On purpose: the full scan is the reference.", EXAMPLES["undersample"]
            )
        )
    if isinstance(opened.scan, Projections):
        found.append(Offer("size", "Image size", "Pixels a side.", EXAMPLES["size"]))
        found.append(Offer("center", "Axis of rotation", "Detector column.", "127, 127.5, 128"))
    return found


def read(draft: Draft) -> Wanted:
    """The axes of a draft, each value within its range; an empty draft has neither axes nor trouble."""
    lines = [(name, text) for name, text in draft.lines if name]
    names = [name for name, _ in lines]
    if not lines or any(not text.strip() for _, text in lines):
        return Wanted()
    if len(set(names)) != len(names):
        return Wanted(trouble="Both lines are the same setting.")
    try:
        axes = tuple(Axis(name, _checked(name, text)) for name, text in lines)
    except UserError as error:
        return Wanted(trouble=str(error))
    wanted = Wanted(axes)
    if wanted.cells > MOST_CELLS:
        return Wanted(trouble=f"{wanted.cells} cells are too many. The most is {MOST_CELLS}.")
    return wanted


def given_of(settings: ReconSettings, axes: tuple[Axis, ...], used: tuple[str, ...]) -> dict[str, Any]:
    """The settings that stay the same in every cell."""
    varied = {axis.name for axis in axes}
    left_out = varied | {name for axis in varied for name in _FOLLOWING.get(axis, ())}
    return {name: getattr(settings, name) for name in used if name not in left_out}


def _checked(name: str, text: str) -> tuple[Any, ...]:
    values = values_of(name, text)
    if name not in SOURCE_TYPES:
        for value in values:
            ReconSettings().replace(**{name: value})
    elif name == "size" and not all(0 <= value <= 4096 for value in values):
        raise JobError("Image size must be from 0 to 4096.")
    return values


def _offer(name: str, choice: Choice) -> Offer:
    about = help_of(name)
    words = choices_of(name)
    if name == "method":
        words = choice.methods
    elif name == "prior":
        words = tuple(prior.name for prior in choice.suitable_priors)
    elif type_of(name) is bool:
        words = ("true", "false")
    example = EXAMPLES.get(name) or ", ".join(words[:3])
    return Offer(name, about.label, about.text, example, words)
