"""Plain arrays (.npy, .npz, .mat) of CT projections, as the ASTRA toolbox and scikit-image use them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import ScanError
from core.formats.angles import RADIANS, FloatArray, radians_of
from core.formats.array_files import Array, Variable, kind_of, loaded, variables
from core.formats.arrays import KINDS, angle_counts, choose, is_angles
from core.formats.astra import fan_as_ours, parallel_as_ours
from core.formats.axes import PROJECTION_AXES, guess, parse_axes, split_variable
from core.formats.ct_scan import Placing, require_views, scan_of
from core.formats.files import require_memory, sha256_of
from core.formats.flat_field import Corrected
from core.geometry import FanBeam, ParallelBeam, evenly_spread
from core.projections import Projections
from core.provenance import Provenance

NAMES_ITS_AXES = False

_ASTRA = "projectionangles"
_NUMBERS = ("pixel_mm", "source_mm", "detector_mm", "centre")


def claims(path: Path) -> bool:
    """An array file that holds angles, and real numbers with an axis as long: only projections have these."""
    if kind_of(path) == "":
        return False
    listed = variables(path)
    counts = angle_counts(listed)
    fitting = [v for v in listed if v.usable and len(v.shape) in (2, 3) and set(counts) & set(v.shape)]
    fitting = [v for v in fitting if not is_angles(v)]
    if len(fitting) != 1:
        return False
    return loaded(fitting[0]).dtype.kind in "fiu" if fitting[0].real is None else fitting[0].real


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> Projections:
    """The scan: line integrals, their axes named row, view and column in any order, or told by the file's angles.

    Angles come from an array named angles, theta or ProjectionAngles in the same file, in radians unless they are too
    large for that, else views are spread evenly over half a turn. Numbers named pixel_mm, source_mm and detector_mm
    (distances from the axis) and centre (the axis's column) are used where they are there; with the distances the beam
    is a fan. Raises ScanError.
    """
    listed = variables(path)
    name, names = split_variable(axes)
    variable = choose(path, name) if name or names else _only(path, listed)
    array = loaded(variable)
    names = names or guess(array, variable.name, angle_counts(listed)).axes
    data = _ordered(array, names)
    numbers = {v.name: _number(v) for v in listed if v.name in _NUMBERS}
    done = [f"Variable {variable.name} read."] if variable.name else []
    done.append(f"Axes {names}; the numbers were taken to be line integrals.")
    angles, astra, odd = _angles(listed, data.shape[1])
    pitch = numbers.get("pixel_mm", 1.0)
    if "pixel_mm" not in numbers:
        odd.append("The file does not say the size of its pixels; 1 mm was assumed, so attenuations are per pixel.")
    centre = numbers.get("centre")
    geometry: ParallelBeam | FanBeam = ParallelBeam(angles, data.shape[2], pitch)
    if "source_mm" in numbers and "detector_mm" in numbers:
        geometry = FanBeam(angles, data.shape[2], pitch, numbers["source_mm"], numbers["detector_mm"])
    if astra and isinstance(geometry, FanBeam):
        geometry, data = fan_as_ours(geometry, data)
        centre = None if centre is None else data.shape[2] - 1 - centre
    elif astra and isinstance(geometry, ParallelBeam):
        geometry = parallel_as_ours(geometry)
    done += ["Angles counted as the ASTRA toolbox does, counter-clockwise."] if astra else []
    told = Provenance(str(path), KINDS[kind_of(path)], sha256_of(path), done=tuple(done), not_understood=tuple(odd))
    return scan_of(Corrected(data), geometry, told, Placing(rings=False, centre=centre, middle_first=True))


def _only(path: Path, listed: list[Variable]) -> Variable:
    """The one array that has an axis as long as the angles."""
    counts = set(angle_counts(listed))
    found = [v for v in listed if v.usable and len(v.shape) in (2, 3) and counts & set(v.shape) and not is_angles(v)]
    return found[0] if len(found) == 1 else choose(path, "")


def _ordered(array: Array, names: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """float32 (row, view, column)."""
    if array.dtype.kind not in "fiu":
        raise ScanError(
            "Projections are real numbers.", f"The array is {array.dtype}.", "Name the axes of k-space, or another one."
        )
    if array.ndim != len(names.split(",")) and sum(n > 1 for n in array.shape) == len(names.split(",")):
        array = array.squeeze()
    axes = parse_axes(names, array.shape, "kspace")
    require_memory(3.0 * 4.0 * array.size, "The array")
    present = [n for n in PROJECTION_AXES if n in axes]
    moved = array.transpose([axes.index(n) for n in present])
    sizes = dict(zip(present, moved.shape, strict=True))
    require_views(tuple(sizes.get(n, 1) for n in PROJECTION_AXES))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(moved, dtype=np.float32).reshape([sizes.get(n, 1) for n in PROJECTION_AXES])


def _angles(listed: list[Variable], views: int) -> tuple[FloatArray, bool, list[str]]:
    """(radians, counted as ASTRA does, sentences on what is not sure)."""
    found = next((v for v in listed if is_angles(v)), None)
    if found is None:
        return evenly_spread(views), False, ["The file holds no angles; the views were spread evenly over half a turn."]
    values = np.asarray(loaded(found)).ravel()
    if values.dtype.kind not in "fiu":
        raise ScanError("The angles are no numbers.", f"{found.name} is {values.dtype}.", "Save them as real numbers.")
    astra = found.name.lower() == _ASTRA
    angles, odd = radians_of(values, RADIANS if astra else "", views)
    return angles, astra, odd


def _number(variable: Variable) -> float:
    value = np.asarray(loaded(variable)).ravel()
    if value.size != 1 or value.dtype.kind not in "fiu" or not np.isfinite(value[0]):
        raise ScanError(f"{variable.name} is no number.", f"Its shape is {variable.shape}.", "Save one number.")
    return float(value[0])
