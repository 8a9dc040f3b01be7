"""Methods that plug-ins bring, beside DDS and the classical ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import JobError, UserError
from core.plugins import FAULTS, Group, in_short
from core.scan import Scan

if TYPE_CHECKING:
    from torch import Tensor

    from core.engine.settings import ReconSettings
    from core.engine.stop import Stop
    from core.operators.linear import LinearOperator


class MethodPlugin(Protocol):
    """What an entry point of "dds_viewer.methods" names: a module, an object, or a class without arguments.

    label: what a person calls it. uses: the names of the settings that it uses, such as ("iterations", "lam").
    """

    label: str
    uses: tuple[str, ...]

    def fits(self, scan: Scan) -> bool:
        """The method can reconstruct the scan. Cheap."""

    def steps(self, settings: ReconSettings) -> int:
        """How many images `iterates` yields at most; more are not waited for."""

    def iterates(self, operator: LinearOperator, y: Tensor, settings: ReconSettings, stop: Stop) -> Iterator[Tensor]:
        """Images (operator.domain_shape), the last of which is the result, of A x = y with an operator of unit norm.

        y: operator.range_shape, in the units of the problem (see core.engine.problem). Each application of the operator
        looks at `stop`; in long work without one, call stop.check(). Gradients are off: use torch.enable_grad().
        """


def _built_in() -> Collection[str]:
    from core.engine.settings import ALL

    return ALL


METHODS = Group("dds_viewer.methods", "method", ("label", "uses", "fits", "steps", "iterates"), _built_in)


def known_methods() -> tuple[str, ...]:
    """The names of all methods, those of plug-ins last. No plug-in is imported for it."""
    return (*_built_in(), *METHODS.names())


def plugged_methods(scan: Scan) -> tuple[str, ...]:
    """The methods of plug-ins that fit a scan."""
    return tuple(name for name in METHODS.names() if _fits(name, scan))


def label_of(method: str) -> str:
    """What a person calls a plug-in's method; its name where there is no such plug-in."""
    plugin = METHODS.load(method)
    return method if plugin is None else str(plugin.label)


def settings_used(method: str) -> tuple[str, ...]:
    """The names of the settings that a plug-in's method uses."""
    plugin = METHODS.load(method)
    try:
        return () if plugin is None else ("method", "device", *plugin.uses)
    except FAULTS as error:
        METHODS.failed(method, error)
        return ()


def plugged_iterates(
    method: str, operator: LinearOperator, y: Tensor, settings: ReconSettings, stop: Stop
) -> Iterator[tuple[Tensor, int]]:
    """The iterates of a plug-in's method with how many there will be. Raises JobError where it fails, Halt as asked."""
    from core.engine.memory import is_out_of_memory
    from core.engine.stop import Halt

    plugin, count = METHODS.load(method), 0
    try:
        total = max(int(plugin.steps(settings)), 1)
        for x in islice(plugin.iterates(operator, y, settings, stop), total):
            stop.check()
            yield _checked(x, operator), total
            count += 1
        if not count:
            raise ValueError("it gave no image")
    except (Halt, UserError, MemoryError):
        raise
    except FAULTS as error:
        if is_out_of_memory(error):
            raise
        raise JobError(
            f"The method {method} broke down after {count} steps.",
            f"{in_short(error)}.",
            f"Update or remove {METHODS.package_of(method)}, or choose another method.",
        ) from error


def _checked(x: Any, operator: LinearOperator) -> Tensor:
    """Raises ValueError or TypeError for anything but a finite image of the problem."""
    import torch

    if not isinstance(x, torch.Tensor) or tuple(x.shape) != tuple(operator.domain_shape):
        found = f"shape {tuple(x.shape)}" if isinstance(x, torch.Tensor) else type(x).__name__
        raise TypeError(f"it gave {found} and no image of shape {tuple(operator.domain_shape)}")
    if not bool(torch.isfinite(x).all()):
        raise ValueError("its image holds NaN or infinite numbers")
    if x.is_complex() and not operator.dtype.is_complex:
        raise TypeError("it gave complex numbers for a real image")
    return x.detach().to(operator.device, operator.dtype)


def _fits(name: str, scan: Scan) -> bool:
    plugin = METHODS.load(name)
    if plugin is None:
        return False
    try:
        return bool(plugin.fits(scan))
    except FAULTS as error:
        METHODS.failed(name, error)
        return False
