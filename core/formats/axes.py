"""Names for the axes of a plain array: what a user may write, and what an array's axes seem to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

DOMAINS = ("kspace", "image")

PROJECTION_AXES = ("row", "view", "column")
"""The axes of an array of CT projections, in the order of core.projections."""

AXIS_NAMES = (
    *("contrast", "repetition", "slice", "average", "coil", "kz", "ky", "kx", "z", "y", "x", "complex"),
    *PROJECTION_AXES,
)
"""All names of an axis. x, y, z are for coil images; complex has length 2, real and imaginary part; row, view and
column are for CT projections."""

_ALIASES = {
    "coils": "coil",
    "channel": "coil",
    "channels": "coil",
    "slices": "slice",
    "repetitions": "repetition",
    "rep": "repetition",
    "time": "repetition",
    "frame": "repetition",
    "contrasts": "contrast",
    "echo": "contrast",
    "averages": "average",
    "avg": "average",
    "ri": "complex",
    "views": "view",
    "angle": "view",
    "angles": "view",
    "projection": "view",
    "projections": "view",
    "rows": "row",
    "columns": "column",
    "detector": "column",
    "detectors": "column",
}

Plane = npt.NDArray[np.complex128]

_MOST_COILS = 128
_CLEARLY = 4
_LEAST_SIDE = 16


@dataclass(frozen=True)
class AxesGuess:
    """What the axes of an array seem to be.

    variable: its name in the file, or "". shape: of the array. axes: names for `open_scan`, or "" when nothing fits.
    domain: "kspace" or "image"; "kspace" for CT projections, to which it means nothing. sure: nothing else fits as
    well. why: the reasons, in words.
    """

    variable: str
    shape: tuple[int, ...]
    axes: str
    domain: str
    sure: bool
    why: str


def split_variable(axes: str) -> tuple[str, str]:
    """ "img:y,x,coil" is the variable img and its axes "y,x,coil"; without a colon the variable is ""."""
    variable, colon, names = axes.rpartition(":")
    return (variable.strip(), names.strip()) if colon else ("", axes.strip())


def names_views(axes: str) -> bool:
    """The named axes are those of CT projections."""
    names = split_variable(axes)[1].split(",")
    return any(_ALIASES.get(n.strip().lower(), n.strip().lower()) == "view" for n in names)


def parse_axes(axes: str, shape: tuple[int, ...], domain: str) -> tuple[str, ...]:
    """One name for every axis of an array of `shape`. Raises ScanError if the names do not fit."""
    names = tuple(_canonical(part) for part in axes.split(",")) if axes else ()
    if "view" in names:
        names = tuple("row" if n == "slice" else n for n in names)
    if len(names) != len(shape):
        raise ScanError(
            "The named axes do not fit the array.",
            f"There are {len(names)} names ({axes or 'none'}) for {len(shape)} axes of lengths {list(shape)}.",
            "Name every axis in the order of the file, for example --axes coil,ky,kx.",
        )
    if "view" in names:
        _check_views(names)
        return names
    strange = next((n for n in names if n in PROJECTION_AXES), "")
    if strange:
        raise ScanError(
            f"The axis {strange} is one of CT projections, which have views.",
            f"The axes are {', '.join(names)}.",
            "Name an axis view, or name the axes of k-space.",
        )
    images = {"x", "y", "z"} & set(names)
    if domain == "kspace" and images:
        raise ScanError(
            f"The axis {sorted(images)[0]} is one of images, but the array is to be read as k-space.",
            "",
            "Say --domain image if it holds coil images, else name the axes kx, ky, kz.",
        )
    if domain == "image":
        names = tuple({"x": "kx", "y": "ky", "z": "kz"}.get(n, n) for n in names)
    else:
        names = tuple(names)
    _check_names(names, shape)
    return names


def _canonical(part: str) -> str:
    name = part.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in AXIS_NAMES:
        raise ScanError(f"{part.strip()!r} is not the name of an axis.", "", f"Use {', '.join(AXIS_NAMES)}.")
    return name


def _check_views(names: tuple[str, ...]) -> None:
    _check_doubled(names)
    strange = next((n for n in names if n not in PROJECTION_AXES), "")
    if strange:
        raise ScanError(
            f"CT projections have no axis {strange}.",
            f"The axes are {', '.join(names)}.",
            f"Use {', '.join(PROJECTION_AXES)}.",
        )
    if "column" not in names:
        raise ScanError("No axis is named column.", f"The axes are {', '.join(names)}.", "Name view and column.")


def _check_doubled(names: tuple[str, ...]) -> None:
    doubled = next((n for n in names if names.count(n) > 1), "")
    if doubled:
        raise ScanError(f"The axis {doubled} is named twice.", f"The axes are {', '.join(names)}.", "Name each once.")


def _check_names(names: tuple[str, ...], shape: tuple[int, ...]) -> None:
    _check_doubled(names)
    absent = [n for n in ("ky", "kx") if n not in names]
    if absent:
        raise ScanError(
            f"No axis is named {absent[0]}.",
            f"The axes are {', '.join(names)}.",
            "An image needs ky and kx (y and x for coil images).",
        )
    if "complex" in names and shape[names.index("complex")] != 2:
        raise ScanError(
            "The axis complex must have length 2.", f"The array has shape {list(shape)}.", "Check the order."
        )


def guess(array: npt.NDArray[np.generic], variable: str = "", angles: tuple[int, ...] = ()) -> AxesGuess:
    """Name the axes of a numeric array by their lengths and by where its energy lies.

    angles: lengths of the arrays of angles in the same file; a real array with one axis of such a length holds views.
    """
    shape = array.shape
    views = [i for i, n in enumerate(shape) if n in angles]
    if array.dtype.kind in "fiu" and views and len(shape) in (2, 3):
        return _projections(shape, views, variable)
    names, sure, why = _by_lengths(shape)
    if not names:
        return AxesGuess(variable, shape, "", "kspace", False, why)
    plane = _plane(array, names)
    domain, domain_sure, domain_why = _domain(plane)
    if domain == "kspace":
        names = _lines_along_kx(names, plane)
    else:
        names = tuple({"kx": "x", "ky": "y", "kz": "z"}.get(n, n) for n in names)
    return AxesGuess(variable, shape, ",".join(names), domain, sure and domain_sure, f"{why} {domain_why}")


def _projections(shape: tuple[int, ...], views: list[int], variable: str) -> AxesGuess:
    """Of an array beside which there are angles: what is left is rows, then columns."""
    names = ["row", "column"] if len(shape) == 3 else ["column"]
    names.insert(views[0], "view")
    why = f"The file holds {shape[views[0]]} angles, as many as axis {views[0] + 1} is long: CT projections."
    return AxesGuess(variable, shape, ",".join(names), "kspace", len(views) == 1, why)


def _by_lengths(shape: tuple[int, ...]) -> tuple[tuple[str, ...], bool, str]:
    """(names, sure, why), with k-space names for the two image axes."""
    long = [i for i, n in enumerate(shape) if n >= _LEAST_SIDE]
    if len(shape) < 2 or len(long) < 2:
        return (), False, "It has no two axes long enough for an image."
    image = sorted(sorted(range(len(shape)), key=lambda i: (-shape[i], i))[:2])
    rest = [i for i in range(len(shape)) if i not in image]
    names = [""] * len(shape)
    names[image[0]], names[image[1]] = "ky", "kx"
    if not rest:
        return tuple(names), True, "Two axes: one coil."
    clear = max(shape[i] for i in rest) * 2 <= min(shape[i] for i in image)
    if len(rest) == 1 and shape[rest[0]] <= _MOST_COILS:
        names[rest[0]] = "coil"
        return tuple(names), clear, f"The short axis of length {shape[rest[0]]} is taken for the coils."
    if len(rest) == 2:
        coil = min(rest, key=lambda i: abs(i - image[0]))
        other = next(i for i in rest if i != coil)
        names[coil], names[other] = "coil", "slice"
        why = f"Axes of lengths {shape[coil]} and {shape[other]} could be coils, slices, repetitions or contrasts."
        return tuple(names), clear and shape[other] == 1, why
    return (), False, f"{len(rest)} axes beside the image cannot be told apart."


def _plane(array: npt.NDArray[np.generic], names: tuple[str, ...]) -> Plane:
    """The plane (ky, kx) of the strongest coil, at the middle of every other axis."""
    index: list[int | slice] = [slice(None)] * array.ndim
    for axis, name in enumerate(names):
        if name not in ("ky", "kx", "coil"):
            index[axis] = array.shape[axis] // 2
    left = [n for n, i in zip(names, index, strict=True) if isinstance(i, slice)]
    part = np.moveaxis(np.asarray(array[tuple(index)]), [left.index("ky"), left.index("kx")], [-2, -1])
    planes = part.reshape(-1, *part.shape[-2:]).astype(np.complex128)
    return np.asarray(planes[np.abs(planes).sum(axis=(1, 2)).argmax()])


def _domain(plane: Plane) -> tuple[str, bool, str]:
    """(domain, sure, why). k-space gathers its energy in the middle far more than its Fourier transform does."""
    energy = np.square(np.abs(plane))
    transformed = np.square(np.abs(np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(plane)))))
    here, there = centre_share(energy), centre_share(transformed)
    told = f"The middle holds {here:.0%} of the energy, and {there:.0%} after a Fourier transform"
    if in_the_corner(energy):
        return "kspace", False, "The energy lies in the corners, as in k-space that has not been shifted."
    if here > there:
        return "kspace", here > _CLEARLY * there, f"{told}, as in k-space."
    return "image", there > _CLEARLY * here, f"{told}, as in images."


def centre_share(energy: npt.NDArray[np.float64]) -> float:
    """Share of the energy within the middle tenth of both axes."""
    total = float(energy.sum())
    windows = tuple(slice(n // 2 - max(n // 20, 1), n // 2 + max(n // 20, 1)) for n in energy.shape)
    return float(energy[windows].sum()) / total if total > 0 else 0.0


def in_the_corner(energy: npt.NDArray[np.float64]) -> bool:
    """k = 0 plainly lies in the corner, where FFT routines leave it, and not in the middle."""
    corner = centre_share(np.fft.fftshift(energy))
    return corner > 0.15 and corner > _CLEARLY * centre_share(energy)


def _lines_along_kx(names: tuple[str, ...], plane: Plane) -> tuple[str, ...]:
    """Swap ky and kx if whole lines are missing along the second of them: the readout is never undersampled."""
    rows, columns = (plane != 0).any(axis=1), (plane != 0).any(axis=0)
    if rows.all() and columns.mean() < 0.9:
        return tuple({"ky": "kx", "kx": "ky"}.get(n, n) for n in names)
    return names
