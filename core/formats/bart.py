"""BART's .cfl and .hdr (Berkeley Advanced Reconstruction Toolbox; its README, "Data format")."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import check_beside, head_of, require_memory, sha256_of
from core.formats.named_array import Named, scan_of
from core.scan import KSpace, Provenance

NAMES_ITS_AXES = False

DIMS = (
    "READ",
    "PHS1",
    "PHS2",
    "COIL",
    "MAPS",
    "TE",
    "COEFF",
    "COEFF2",
    "ITER",
    "CSHIFT",
    "TIME",
    "TIME2",
    "LEVEL",
    "SLICE",
    "AVG",
    "BATCH",
)
"""BART's sixteen dimensions, the fastest in memory first."""

_AXES = {0: "kx", 1: "ky", 2: "kz", 3: "coil", 13: "slice", 14: "average"}
_CONTRASTS = (5, 9)
_REPETITIONS = (10, 11, 15)
_UNKNOWN = (4, 6, 7, 8, 12)
_LONGEST_HEADER = 2**20


def claims(path: Path) -> bool:
    """A .cfl, or a .hdr that begins as BART's do."""
    suffix = path.suffix.lower()
    return suffix == ".cfl" or (suffix == ".hdr" and head_of(path, 12).startswith(b"# Dimensions"))


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> KSpace:
    """The scan of a .cfl with its .hdr; either may be named. Raises ScanError."""
    if axes:
        raise ScanError("A BART file's axes cannot be named.", "Their order is fixed.", "Leave out --axes.")
    header, numbers = path.with_suffix(".hdr"), path.with_suffix(".cfl")
    for part in (header, numbers):
        if not part.is_file():
            raise ScanError(
                f"{part.name} is missing.",
                f"BART stores a scan in two files, {header.name} and {numbers.name}.",
                "Copy both into the same folder.",
            )
        if part != path:
            check_beside(part, path.parent)
    text = head_of(header, _LONGEST_HEADER).decode("utf-8", "replace")
    dims = _dims(text, header.name)
    size = numbers.stat().st_size
    if math.prod(dims) * 8 != size:
        raise ScanError(
            f"{header.name} and {numbers.name} do not belong together.",
            f"The header announces {math.prod(dims) * 8} bytes ({' x '.join(map(str, dims))}), the file has {size}.",
            "Copy both files again from their source.",
        )
    require_memory(float(size), numbers.name)
    # Read, not mapped: a mapped file that is cut off or written over takes the program, or the image, with it.
    array = np.fromfile(numbers, dtype="<c8", count=math.prod(dims)).reshape(dims, order="F")
    command = _section(text, "Command")
    simulated = command.split()[:1] == ["phantom"] or command.startswith("bart phantom")
    provenance = Provenance(str(path), "BART", sha256_of(numbers), sequence="", not_understood=())
    scan = _folded(array, domain, provenance)
    if simulated:
        told = scan.provenance.__dict__ | {"done": (*scan.provenance.done, "Simulated by BART's phantom tool.")}
        scan = scan.with_changes(simulated=True, provenance=Provenance(**told))
    return scan


def _section(text: str, name: str) -> str:
    """The line that follows "# name" in a header."""
    lines = [line.strip() for line in text.splitlines()]
    marker = f"# {name}"
    return lines[lines.index(marker) + 1] if marker in lines[:-1] else ""


def _dims(text: str, name: str) -> tuple[int, ...]:
    """The sixteen lengths. Raises ScanError."""
    words = _section(text, "Dimensions").split()
    if not words or not all(w.isascii() and w.isdigit() and len(w) < 16 for w in words):
        raise ScanError(f"{name} is not a BART header.", "It does not list the dimensions.", "Copy it again.")
    dims = tuple(int(w) for w in words)
    if any(d != 1 for d in dims[len(DIMS) :]):
        raise ScanError(f"{name} has more than sixteen dimensions.", "", "Check that it is a BART file.")
    if 0 in dims:
        axis = DIMS[dims.index(0)]
        raise ScanError(f"The scan is empty along {axis}.", f"Its lengths are {list(dims)}.", "Export it again.")
    return (dims + (1,) * len(DIMS))[: len(DIMS)]


def _folded(array: npt.NDArray[np.complex64], domain: str, provenance: Provenance) -> KSpace:
    """Name the dimensions, folding those of one kind into one axis."""
    dims = array.shape
    for axis in _UNKNOWN:
        if dims[axis] > 1:
            raise ScanError(
                f"The BART file has {dims[axis]} entries along {DIMS[axis]}, which no scan has.",
                "It may hold coil maps, a subspace or intermediate results rather than k-space.",
                "Open the k-space file.",
            )
    if dims[0] == 1 and domain == "kspace":
        _refuse_spokes(array)
    order = [*_AXES, *_CONTRASTS, *_REPETITIONS]
    moved = array.transpose([*order, *_UNKNOWN])
    contrasts, repetitions = (math.prod(dims[i] for i in part) for part in (_CONTRASTS, _REPETITIONS))
    shape = [dims[i] for i in _AXES] + [contrasts, repetitions]
    folded = [DIMS[i] for part in (_CONTRASTS, _REPETITIONS) for i in part[1:] if dims[i] > 1]
    done = tuple(f"The dimension {name} was folded into the repetitions or contrasts." for name in folded)
    told = Provenance(**provenance.__dict__ | {"done": done})
    return scan_of(Named(moved.reshape(shape), [*_AXES.values(), "contrast", "repetition"], domain), told)


def _refuse_spokes(array: npt.NDArray[np.complex64]) -> None:
    """Raise ScanError for samples along spokes or spirals, which BART stores as 1 x samples x spokes.

    Cartesian phase encodings (ky, kz) have most energy near the centre of kz; spokes all have about the same.
    """
    samples, spokes = array.shape[1:3]
    if samples == 1 or spokes == 1:
        return
    energy = np.square(np.abs(array.reshape(samples, spokes, -1)).astype(np.float64)).sum(axis=(0, 2))
    if energy.max() < 3 * np.median(energy):
        raise ScanError(
            "This looks like a non-Cartesian scan, which is not supported.",
            f"Its dimensions are 1 x {samples} x {spokes}, as for {spokes} spokes or interleaves.",
            "Grid it to Cartesian k-space first.",
        )
