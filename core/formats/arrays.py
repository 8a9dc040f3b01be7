"""Plain arrays (.npy, .npz, .mat) of k-space or coil images, their axes named or with only one sensible reading."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from core.errors import ScanError
from core.formats import axes as axis_names
from core.formats.array_files import Array, Variable, kind_of, loaded, variables
from core.formats.axes import AxesGuess, parse_axes, split_variable
from core.formats.files import sha256_of
from core.formats.named_array import Named, scan_of
from core.scan import KSpace, Provenance

NAMES_ITS_AXES = False

ANGLES = ("angles", "theta", "projectionangles")
"""Names of arrays that hold the angles of CT projections, in small letters."""

KINDS = {"npy": "NumPy array", "npz": "NumPy archive", "mat5": "MATLAB 5 file", "mat73": "MATLAB 7.3 file"}


def claims(path: Path) -> bool:
    """A NumPy or MATLAB file."""
    return kind_of(path) != ""


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> KSpace:
    """The scan in an array. axes: see core.formats.open_scan; "" only where `guess` is sure. Raises ScanError."""
    name, names = split_variable(axes)
    variable = choose(path, name)
    array = loaded(variable)
    done = [f"Variable {variable.name} read."] if variable.name else []
    if not names:
        names = _sure_guess(array, variable, domain)
        done.append(f"Axes taken to be {names}.")
    array, names = _without_single_axes(array, names)
    axes_of = parse_axes(names, array.shape, domain)
    if "complex" in axes_of:
        array, axes_of = _joined(array, axes_of)
    provenance = Provenance(str(path), KINDS[kind_of(path)], sha256_of(path), done=tuple(done))
    return scan_of(Named(array, axes_of, domain), provenance)


def guess(path: Path) -> AxesGuess:
    """What the axes of the file's array seem to be. Raises ScanError when there is no single array."""
    variable = choose(path, "")
    return axis_names.guess(loaded(variable), variable.name, angle_counts(variables(path)))


def guess_all(path: Path) -> tuple[AxesGuess, ...]:
    """A guess for each of the file's arrays that have two axes or more. Raises ScanError when there is none."""
    listed = variables(path)
    usable = _candidates(listed)
    if not usable:
        return (guess(path),)
    return tuple(axis_names.guess(loaded(v), v.name, angle_counts(listed)) for v in usable)


def angle_counts(listed: list[Variable]) -> tuple[int, ...]:
    """How many numbers each array of projection angles holds."""
    return tuple(math.prod(v.shape) for v in listed if is_angles(v))


def is_angles(variable: Variable) -> bool:
    """The array is named as one of projection angles, and has one axis that is longer than 1."""
    return variable.usable and variable.name.lower() in ANGLES and sum(n > 1 for n in variable.shape) == 1


def _candidates(listed: list[Variable]) -> list[Variable]:
    """The arrays of numbers that are longer than 1 along two axes or more."""
    return [v for v in listed if v.usable and sum(n > 1 for n in v.shape) >= 2]


def choose(path: Path, name: str) -> Variable:
    """The variable of that name, or the only numeric one with two axes or more. Raises ScanError."""
    listed = variables(path)
    usable = _candidates(listed)
    if name:
        found = next((v for v in listed if v.name == name), None)
        if found is None:
            raise ScanError(f"{path.name} has no array {name}.", _listing(listed), "Name one of them.")
        if not found.usable:
            raise ScanError(f"{name} is not an array of numbers.", _listing(listed), "Name another one.")
        return found
    if len(usable) == 1:
        return usable[0]
    if not usable:
        why = "It holds Python objects, which are not loaded: they could run code." if _pickled(listed) else ""
        raise ScanError(
            f"{path.name} holds no array of numbers with two axes or more.",
            why or _listing(listed),
            "Save the k-space as a plain numeric array.",
        )
    raise ScanError(
        f"{path.name} holds several arrays.",
        _listing(usable),
        f"Say which one before the axes, for example --axes {usable[0].name}:coil,ky,kx.",
    )


def _pickled(listed: list[Variable]) -> bool:
    return len(listed) == 1 and not listed[0].usable and listed[0].name == ""


def _listing(listed: list[Variable]) -> str:
    words = [f"{v.name or 'the array'} {list(v.shape)}" for v in listed[:8]]
    return f"It holds {', '.join(words)}." if words else "It is empty."


def _sure_guess(array: Array, variable: Variable, domain: str) -> str:
    """The guessed axes if nothing else fits; else a ScanError that shows the guess."""
    found = axis_names.guess(array, variable.name)
    if found.axes and found.sure and found.domain == domain:
        return found.axes
    shape = f"The array {variable.name} has shape".replace("  ", " ") + f" {list(found.shape)}."
    if not found.axes:
        raise ScanError("The axes of the array must be named.", f"{shape} {found.why}", "Say --axes coil,ky,kx or so.")
    extra = " --domain image" if found.domain == "image" else ""
    raise ScanError(
        "The axes of the array must be named.",
        f"{shape} They may be {found.axes} ({found.domain}). {found.why}",
        f"If that is right, say --axes {found.axes}{extra}.",
    )


def _without_single_axes(array: Array, names: str) -> tuple[Array, str]:
    """Drop axes of length 1 if only then the names fit."""
    count = len(names.split(","))
    if array.ndim != count and sum(n > 1 for n in array.shape) == count:
        return array.squeeze(), names
    return array, names


def _joined(array: Array, names: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    """Real and imaginary parts on an axis of their own as complex numbers."""
    parts = np.moveaxis(array, names.index("complex"), 0)
    if parts.dtype.kind not in "fiu":
        raise ScanError("The axis complex is not needed.", f"The array is {parts.dtype} already.", "Leave it out.")
    real, imaginary = (np.asarray(p, dtype=np.float64) for p in parts)
    return np.asarray(real + 1j * imaginary), tuple(n for n in names if n != "complex")
