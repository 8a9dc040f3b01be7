"""Fan-beam sinograms of the Helsinki Tomography Challenge 2022 (Meaney et al., doi 10.5281/zenodo.6984868), .mat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.angles import DEGREES, radians_of
from core.formats.array_files import kind_of
from core.formats.astra import fan_as_ours
from core.formats.ct_scan import Placing, scan_of
from core.formats.files import require_memory, sha256_of
from core.formats.flat_field import Corrected
from core.formats.hdf5 import open_hdf5, stored_of
from core.formats.mat5 import contents_of, variables_of
from core.geometry import FanBeam, Grid
from core.projections import Projections
from core.provenance import Provenance

NAMES_ITS_AXES = True

_STRUCTS = ("CtDataFull", "CtDataLimited")
_SIDE = 512
_NEEDED = ("distanceSourceOrigin", "distanceSourceDetector", "pixelSizePost", "angles")

Values = Callable[[str], Any]
"""A field of the struct's parameters by its name, None where there is none."""


def claims(path: Path) -> bool:
    """A MATLAB file with the challenge's struct."""
    kind = kind_of(path)
    if kind == "mat5":
        return any(name in _STRUCTS for name, _, _ in contents_of(path))
    if kind == "mat73":
        with open_hdf5(path) as file:
            return any(name in file and "sinogram" in file[name] for name in _STRUCTS)
    return False


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> Projections:
    """The scan as a fan beam on a flat detector: line integrals of one slice, the axis in the middle.

    The image has 512 x 512 pixels of the size that the file calls effective, in the orientation of the challenge's own
    reconstructions. Raises ScanError.
    """
    sinogram, parameter = _mat5(path) if kind_of(path) == "mat5" else _mat73(path)
    if sinogram.ndim != 2 or 0 in sinogram.shape or sinogram.dtype.kind not in "fiu":
        raise ScanError(
            "The sinogram is no array of views and columns.", f"Its shape is {sinogram.shape}.", "Copy the file again."
        )
    absent = [name for name in _NEEDED if parameter(name) is None]
    if absent:
        raise ScanError("The file does not tell its geometry.", f"{', '.join(absent)} is missing.", "Copy it again.")
    source, whole, pitch = (_number(parameter, name) for name in _NEEDED[:3])
    count = parameter("numDetectorsPost")
    if count is not None and int(_number(parameter, "numDetectorsPost")) != sinogram.shape[1]:
        raise ScanError(
            "The sinogram does not match its detector.",
            f"It has {sinogram.shape[1]} columns, the detector {_number(parameter, 'numDetectorsPost'):g}.",
            "Copy the file again.",
        )
    angles, odd = radians_of(parameter("angles"), DEGREES, len(sinogram))
    geometry, data = fan_as_ours(
        FanBeam(angles, sinogram.shape[1], pitch, source, whole - source),
        np.asarray(sinogram, dtype=np.float32)[None],
    )
    pixel = pitch / geometry.magnification
    told = Provenance(
        str(path),
        "Helsinki Tomography Challenge 2022",
        sha256_of(path),
        done=("Line integrals as the file holds them; columns reversed, so that y runs downwards.",),
        not_understood=tuple(odd),
    )
    grid = Grid((1, _SIDE, _SIDE), (pixel, pixel, pixel))
    return scan_of(Corrected(data), geometry, told, Placing(rings=False, grid=grid))


def _number(parameter: Values, name: str) -> float:
    value = np.asarray(parameter(name)).ravel()
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise ScanError(f"The file's {name} is no number.", "", "Copy the file again.")
    return float(value[0])


def _mat5(path: Path) -> tuple[Any, Values]:
    held = variables_of(path, _STRUCTS, struct_as_record=False, squeeze_me=True)
    struct = next(held[name] for name in _STRUCTS if name in held)
    parameters = getattr(struct, "parameters", None)
    sinogram = np.atleast_2d(np.asarray(getattr(struct, "sinogram", np.empty(0))))
    return sinogram, lambda name: getattr(parameters, name, None)


def _mat73(path: Path) -> tuple[Any, Values]:
    """MATLAB 7.3 keeps a struct as a group, and arrays with their axes in reverse."""
    import h5py

    with open_hdf5(path) as file:
        struct = next(file[name] for name in _STRUCTS if name in file)
        stored = struct["sinogram"]
        require_memory(16.0 * float(np.prod(stored.shape, dtype=np.float64)), "The scan")
        sinogram = stored_of(stored).T
        parameters = struct.get("parameters", {})
        found = {
            name: np.asarray(item[()])
            for name, item in parameters.items()
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and item.size < 2**20
        }
    return sinogram, found.get
