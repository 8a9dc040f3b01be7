"""Operators that plug-ins bring: other measurement models of a scan, for scripts and for methods of plug-ins."""

from __future__ import annotations

from typing import Protocol

import torch

from core.errors import JobError
from core.operators.linear import LinearOperator, dot_test
from core.plugins import FAULTS, Group, in_short
from core.scan import Scan

LARGEST_GAP = 1e-3
"""Of the dot test: ten times what single precision leaves of a long sum."""


class OperatorPlugin(Protocol):
    """What an entry point of "dds_viewer.operators" names: a module, an object, or a class without arguments.

    The program's own methods keep its own operators: none is replaced behind the user's back.
    """

    def fits(self, scan: Scan) -> bool:
        """The scan can be modelled. Cheap."""

    def operator(self, scan: Scan, device: torch.device) -> LinearOperator:
        """The measurement model of a scan, with its true adjoint."""


OPERATORS = Group(
    "dds_viewer.operators", "operator", ("fits", "operator"), lambda: ("sense", "parallel", "fan", "cone")
)


def operators_for(scan: Scan) -> tuple[str, ...]:
    """The names of the operators of plug-ins that fit a scan."""
    return tuple(name for name in OPERATORS.names() if _fits(name, scan))


def operator_named(name: str, scan: Scan, device: torch.device | str = "cpu") -> LinearOperator:
    """An operator of a plug-in, which has passed the dot test. Raises JobError where it does not exist, fit or pass."""
    if not _fits(name, scan):
        offered = ", ".join(operators_for(scan)) or "none"
        raise JobError(f"There is no operator {name!r} for this scan.", "", f"Plug-ins offer {offered}.")
    try:
        operator: LinearOperator = OPERATORS.load(name).operator(scan, torch.device(device))
        gap = dot_test(operator)
    except JobError:
        raise
    except FAULTS as error:
        raise JobError(f"The operator {name} could not be made.", in_short(error) + ".", _how(name)) from error
    if not gap < LARGEST_GAP:
        raise JobError(
            f"The operator {name} has no true adjoint.",
            f"<A x, y> and <x, A* y> differ by {gap:.2g} of their size; up to {LARGEST_GAP:g} is rounding.",
            _how(name),
        )
    return operator


def _fits(name: str, scan: Scan) -> bool:
    plugin = OPERATORS.load(name)
    if plugin is None:
        return False
    try:
        return bool(plugin.fits(scan))
    except FAULTS as error:
        OPERATORS.failed(name, error)
        return False


def _how(name: str) -> str:
    return f"Update or remove {OPERATORS.package_of(name)}."
