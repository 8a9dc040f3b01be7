"""What can be done with a scan: the methods that its kind and geometry allow, and the settings that they use."""

from __future__ import annotations

from functools import singledispatch

from core.engine.methods import plugged_methods
from core.engine.settings import ALL, used_by
from core.geometry import ConeBeam
from core.projections import Projections
from core.scan import KSpace, Scan

_MRI = ("dds", "cg-sense", "l1-wavelet", "tv", "zero-filled")
_FLAT = ("dds", "fbp", "tv", "cgls", "sirt")
_CONE = ("dds", "fdk", "tv", "cgls", "sirt")
_CT_ONLY = ("filter", "weight", "nonnegative", "iterations")
_TIES = ("rho", "admm_steps", "along")
_MRI_ONLY = ("gamma_rule",)


def methods_for(scan: Scan) -> tuple[str, ...]:
    """The methods that a scan can be reconstructed with, by their names in the settings, DDS first, plug-ins' last."""
    return (*built_in_methods(scan), *plugged_methods(scan))


@singledispatch
def built_in_methods(scan: Scan) -> tuple[str, ...]:
    """Those that came with the program."""
    raise TypeError(type(scan))


@built_in_methods.register
def _(scan: KSpace) -> tuple[str, ...]:
    return _MRI


@built_in_methods.register
def _(scan: Projections) -> tuple[str, ...]:
    return _CONE if isinstance(scan.geometry, ConeBeam) else _FLAT


@singledispatch
def quick_methods(scan: Scan) -> tuple[str, ...]:
    """The classical methods whose images every run makes on its way, simplest first."""
    raise TypeError(type(scan))


@quick_methods.register
def _(scan: KSpace) -> tuple[str, ...]:
    return ("zero-filled", "cg-sense")


@quick_methods.register
def _(scan: Projections) -> tuple[str, ...]:
    return ("fdk",) if isinstance(scan.geometry, ConeBeam) else ("fbp",)


@singledispatch
def slices_in(scan: Scan) -> int:
    """How many slices one stack of the image has."""
    raise TypeError(type(scan))


@slices_in.register
def _(scan: KSpace) -> int:
    return scan.sizes["kz"] if scan.is_3d else scan.sizes["slice"]


@slices_in.register
def _(scan: Projections) -> int:
    return scan.grid.shape[0]


@singledispatch
def unit_of(scan: Scan) -> str:
    """The unit of the image of a scan, as in core.scan.Volume."""
    raise TypeError(type(scan))


@unit_of.register
def _(scan: KSpace) -> str:
    return "a.u."


@unit_of.register
def _(scan: Projections) -> str:
    return "HU" if scan.hounsfield else "1/mm"


def settings_of(method: str, scan: Scan) -> tuple[str, ...]:
    """The names of the settings that a method uses on a scan."""
    if method not in ALL:
        return used_by(method)
    left_out = _CT_ONLY if isinstance(scan, KSpace) else _MRI_ONLY
    left_out = left_out if slices_in(scan) > 1 else (*left_out, *_TIES)
    return tuple(name for name in used_by(method) if name not in left_out)
