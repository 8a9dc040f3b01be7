"""CT files that the tests write: exact line integrals of an object without symmetry, as counts."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from core.errors import ScanError
from core.formats import open_scan
from core.geometry import ConeBeam, FanBeam, Geometry, ParallelBeam, evenly_spread
from core.projections import Projections

ELLIPSOIDS = (
    # centre (x, y, z), radii (x, y, z) in mm, attenuation in 1/mm
    ((1.0, -2.0, 0.0), (20.0, 15.0, 60.0), 0.02),
    ((8.0, 3.0, 1.0), (5.0, 3.0, 30.0), 0.03),
    ((-9.0, -6.0, -1.0), (3.0, 4.0, 20.0), -0.015),
)
FLAT = 4000.0
DARK = 100.0


def rays(geometry: Geometry, rows: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(a point, the direction) of every ray, (row, view, column, 3), as core.geometry tells them."""
    if isinstance(geometry, ConeBeam):
        r = (np.arange(geometry.rows) - (geometry.rows - 1) / 2)[:, None, None, None]
        c = (np.arange(geometry.columns) - (geometry.columns - 1) / 2)[None, None, :, None]
        pixel = geometry.detector_mm[None, :, None] + c * geometry.column_mm[None, :, None]
        pixel = pixel + r * geometry.row_mm[None, :, None]
        source = np.broadcast_to(geometry.source_mm[None, :, None], pixel.shape)
        return source, pixel - source
    t, zero = geometry.angles[:, None], np.zeros((geometry.views, geometry.detectors))
    across, along = (np.cos(t), np.sin(t)), (-np.sin(t), np.cos(t))
    distance = geometry.detector_mm if isinstance(geometry, FanBeam) else 0.0
    pixel = np.stack(
        [geometry.bins_mm * a + distance * b for a, b in zip(across, along, strict=True)] + [zero], axis=-1
    )
    direction = np.broadcast_to(np.stack([b + zero for b in along] + [zero], axis=-1), pixel.shape)
    if isinstance(geometry, FanBeam):
        source = np.stack([-geometry.source_mm * b + zero for b in along] + [zero], axis=-1)
        pixel, direction = source, pixel - source
    heights = (np.arange(rows) - (rows - 1) / 2)[:, None, None, None] * np.array([0, 0, 1.0])
    return pixel[None] + heights * 2, np.broadcast_to(direction, (rows, *direction.shape))


def integrals(geometry: Geometry, rows: int = 1, ellipsoids: Any = ELLIPSOIDS) -> np.ndarray:
    """Exact line integrals (row, view, column)."""
    origin, direction = rays(geometry, rows)
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    total = np.zeros(origin.shape[:-1])
    for centre, radii, value in ellipsoids:
        o, d = (origin - centre) / np.array(radii), direction / np.array(radii)
        a, b, c = (d * d).sum(-1), (o * d).sum(-1), (o * o).sum(-1) - 1
        total += value * 2 * np.sqrt(np.maximum(b * b - a * c, 0)) / a
    return total


def parallel(views: int = 90, columns: int = 96, offset_mm: float = 0.0, arc: float = np.pi) -> ParallelBeam:
    return ParallelBeam(evenly_spread(views, arc), columns, 0.5, offset_mm)


def counts(data: np.ndarray, noise: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(views, whites, darks), each (n, row, column), of line integrals; the flat field falls off to the sides."""
    rows, _, columns = data.shape
    gain = FLAT * (1 - 0.3 * np.linspace(-1, 1, columns) ** 2) * np.linspace(1, 0.9, rows)[:, None]
    seen = gain[:, None] * np.exp(-data)
    rng = np.random.default_rng(0)
    views = (rng.poisson(seen) if noise else seen) + DARK
    white = np.stack([gain + DARK + d for d in (-5.0, 5.0)])
    dark = np.stack([np.full((rows, columns), DARK + d) for d in (-3.0, 3.0)])
    return np.moveaxis(views, 0, 1).astype(np.float32), white.astype(np.float32), dark.astype(np.float32)


def write_exchange(
    path: Path,
    data: np.ndarray,
    theta: Any = None,
    units: str = "degrees",
    white: Any = True,
    dark: Any = True,
    noise: bool = False,
    pixel_m: float = 0.5e-3,
    **compression: Any,
) -> Path:
    """A Data Exchange file of line integrals (row, view, column); white, dark: arrays, True for made-up ones, None."""
    views, whites, darks = counts(data, noise)
    with h5py.File(path, "w") as file:
        file.create_dataset("exchange/data", data=views, **compression)
        for name, given, made in (("data_white", white, whites), ("data_dark", dark, darks)):
            if given is not None:
                file[f"exchange/{name}"] = made if given is True else given
        if theta is not None:
            file["exchange/theta"] = theta
            file["exchange/theta"].attrs["units"] = units
        if pixel_m:
            for axis in "xy":
                file[f"measurement/instrument/detector/pixel_size_{axis}"] = pixel_m
                file[f"measurement/instrument/detector/pixel_size_{axis}"].attrs["units"] = "m"
    return path


def write_nxtomo(path: Path, data: np.ndarray, angles: np.ndarray, units: str = "degree", **fields: Any) -> Path:
    """An NXtomo file: two flats, two darks, then the views. fields: replace image_key or rotation_angle."""
    views, whites, darks = counts(data)
    frames = np.concatenate((whites, darks, views))
    keys = np.repeat([1, 2, 0], [len(whites), len(darks), len(views)])
    turned = np.concatenate((np.zeros(len(whites) + len(darks)), angles))
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry0000")
        entry["definition"] = "NXtomo"
        detector = entry.create_group("instrument/detector")
        detector["data"] = frames
        detector["image_key"] = fields.get("image_key", keys)
        angle = fields.get("rotation_angle", turned)
        if angle is not None:
            entry["sample/rotation_angle"] = angle
            entry["sample/rotation_angle"].attrs["units"] = units
        for axis in "xy":
            detector[f"{axis}_pixel_size"] = 500.0
            detector[f"{axis}_pixel_size"].attrs["units"] = "um"
    return path


def write_tiffs(folder: Path, data: np.ndarray, toml: str, what: str = "counts") -> Path:
    """A folder of TIFF pictures with a geometry.toml."""
    import tifffile

    folder.mkdir(exist_ok=True)
    views, whites, darks = counts(data)
    if what == "attenuation":
        views = np.moveaxis(data, 0, 1).astype(np.float32)
    for number, picture in enumerate(views):
        tifffile.imwrite(folder / f"view_{number:04}.tif", picture)
    for name, pictures in (("flat", whites), ("dark", darks)):
        (folder / name).mkdir(exist_ok=True)
        for number, picture in enumerate(pictures):
            tifffile.imwrite(folder / name / f"{name}_{number}.tif", picture)
    (folder / "geometry.toml").write_text(toml)
    return folder


def write_mha(path: Path, array: np.ndarray, spacing: Any, origin: Any, compress: bool = False) -> Path:
    """A MetaImage of an array (z, y, x)."""
    kinds = {"f4": "MET_FLOAT", "u2": "MET_USHORT", "f8": "MET_DOUBLE"}
    raw = np.ascontiguousarray(array).tobytes()
    stored = zlib.compress(raw) if compress else raw
    lines = [
        "ObjectType = Image",
        f"NDims = {array.ndim}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        f"CompressedData = {compress}",
        *([f"CompressedDataSize = {len(stored)}"] if compress else []),
        f"Offset = {' '.join(map(str, origin))}",
        f"ElementSpacing = {' '.join(map(str, spacing))}",
        f"DimSize = {' '.join(map(str, array.shape[::-1]))}",
        f"ElementType = {kinds[array.dtype.str[1:]]}",
        "ElementDataFile = LOCAL",
    ]
    path.write_bytes(("\n".join(lines) + "\n").encode() + stored)
    return path


def opens_or_tells(path: Path, **how: str) -> bool:
    """open_scan gives projections, or an error with all its sentences."""
    try:
        return isinstance(open_scan(path, **how), Projections)
    except ScanError as error:
        return bool(error.what.endswith(".") and error.try_this) and "Traceback" not in str(error)


def write_rtk_xml(path: Path, views: list[dict[str, float]], version: int = 3, **constant: float) -> Path:
    """RTK's geometry: constant parameters first, then those of each view."""
    tags = "".join(f"  <{k}>{v}</{k}>\n" for k, v in constant.items())
    for view in views:
        tags += "  <Projection>\n" + "".join(f"    <{k}>{v}</{k}>\n" for k, v in view.items()) + "  </Projection>\n"
    head = '<?xml version="1.0"?>\n<!DOCTYPE RTKGEOMETRY>\n'
    path.write_text(f'{head}<RTKThreeDCircularGeometry version="{version}">\n{tags}</RTKThreeDCircularGeometry>\n')
    return path
