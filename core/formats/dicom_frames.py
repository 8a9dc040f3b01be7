"""What the header of a DICOM image tells of each of its frames; who was scanned is left in the file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.dicom_unpack import Bounded
from core.formats.files import DEFLATE

Vector = npt.NDArray[np.float64]

_LARGEST_SIDE = 2**16
_RLE = "1.2.840.10008.1.2.5"
"""RLE is unpacked by pydicom itself, without a library that could crash."""
_RUNS = 64
"""Two bytes of it become 128 at most (PS3.5 G.3)."""
_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
}
"""The functional group in which a multi-frame image keeps each (PS3.3 C.7.6.16.2)."""

_TAGS = [
    *("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "BodyPartExamined", "AcquisitionContrast"),
    *(
        "PhotometricInterpretation",
        "Rows",
        "Columns",
        "NumberOfFrames",
        "SamplesPerPixel",
        "BitsAllocated",
        "PixelPaddingValue",
        "InstanceNumber",
    ),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", *_GROUPS),
]


DARK = "MONOCHROME1"
"""Small numbers are meant to be bright (PS3.3 C.7.6.3.1.2)."""
COLOUR = "colour"
_LOOKS = {
    "MONOCHROME1": DARK,
    "MONOCHROME2": "MONOCHROME2",
    **dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR"), COLOUR),
}


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice in a file.

    series: what it may be stacked with. number: of the frame in its file, from 0. shape: (rows, columns). position:
    LPS mm of the first pixel, row, column: unit vectors of growing column and row index; None where the file does not
    tell them. spacing_mm: (between rows, between columns). apart_mm: distance to the next slice as announced, and
    thickness_mm: of the slice, 0 if unknown. padding: the stored number that stands for no measurement. look: what the
    stored numbers mean, MONOCHROME2, DARK or COLOUR. packed: compressed by a codec that is not to be trusted with
    damaged data. counts: RescaleType, such as "hu", or "" where the file leaves it out.
    """

    file: Path
    series: tuple[Any, ...]
    number: int
    shape: tuple[int, int]
    modality: str
    order: int
    position: Vector | None
    row: Vector | None
    column: Vector | None
    spacing_mm: tuple[float, float]
    spacing_known: bool
    apart_mm: float
    thickness_mm: float
    slope: float
    intercept: float
    padding: int | None
    anatomy: str
    contrast: str
    look: str
    packed: bool
    counts: str = ""


def frames_of(file: Path) -> list[Frame]:
    """The frames of a DICOM image; none for a file that is no DICOM or no image. Raises ScanError for a damaged one."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with Bounded(file) as held:
            header = pydicom.dcmread(held, stop_before_pixels=True, specific_tags=_TAGS)
    except (InvalidDicomError, IsADirectoryError):
        return []
    except Exception as error:
        raise _damaged(file, f"{type(error).__name__}: {error}") from error
    if "Rows" not in header or "Columns" not in header:
        kind = header.file_meta.get("MediaStorageSOPClassUID")
        if kind is None or "Image Storage" in kind.name:
            raise _damaged(file, "its header ends too soon")
        return []
    try:
        return list(_frames(file, header))
    except (TypeError, ValueError, IndexError, AttributeError, KeyError) as error:
        raise _damaged(file, f"{type(error).__name__}: {error}") from error


def _frames(file: Path, header: Any) -> Iterator[Frame]:
    count = int(header.get("NumberOfFrames") or 1)
    _check_size(file, header, count)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups is not None and len(groups) != count:
        raise ValueError(f"{count} frames, {len(groups)} of them described")
    shared = (header.get("SharedFunctionalGroupsSequence") or [None])[0]
    for number in range(count):
        own = None if groups is None else groups[number]
        # A plain multi-frame image gives one position for all of its frames, which is none.
        yield _frame(file, header, number, (own, shared, header if count == 1 or groups else None))


def _check_size(file: Path, header: Any, count: int) -> None:
    """Raise ScanError for more pixels than the file can hold."""
    rows, columns, bits = int(header.Rows), int(header.Columns), int(header.get("BitsAllocated") or 8)
    held = file.stat().st_size
    packed = header.file_meta.get("TransferSyntaxUID")
    needed = count * rows * columns * bits / 8
    if packed is not None and (packed.is_compressed or packed.is_deflated):
        needed = needed / _RUNS if packed == _RLE else count if packed.is_compressed else needed / DEFLATE
    sides = 0 < rows <= _LARGEST_SIDE and 0 < columns <= _LARGEST_SIDE
    if not sides or count < 1 or needed > held:
        raise _damaged(file, f"it announces {count} x {rows} x {columns} pixels and holds {held} bytes")


def _look(file: Path, header: Any) -> str:
    """What the stored numbers mean. Raises ScanError where that is not known."""
    name = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    look, samples = _LOOKS.get(name), int(header.get("SamplesPerPixel") or 1)
    if look is None or samples != (3 if look == COLOUR and name != "PALETTE COLOR" else 1):
        raise ScanError(
            f"The pixels of {file.name} cannot be read.",
            f"It says that {samples} numbers for each pixel mean {name[:40]}.",
            "Export the series in shades of grey.",
        )
    return look


def _frame(file: Path, header: Any, number: int, places: tuple[Any, ...]) -> Frame:
    position = _numbers(_told(places, "ImagePositionPatient"), 3)
    direction = _numbers(_told(places, "ImageOrientationPatient"), 6)
    row, column = (None, None) if direction is None else _directions(direction)
    spacing = _numbers(_told((*places, header), "PixelSpacing"), 2)
    known = spacing is not None and bool((spacing != 0).all())
    y, x = (abs(float(spacing[0])), abs(float(spacing[1]))) if spacing is not None and known else (1.0, 1.0)
    apart, thick = (
        abs(_number(_told((*places, header), name), 0.0)) for name in ("SpacingBetweenSlices", "SliceThickness")
    )
    look, syntax = _look(file, header), header.file_meta.get("TransferSyntaxUID")
    shape = int(header.Rows), int(header.Columns)
    facing = None if row is None or column is None else tuple(np.round(np.concatenate((row, column)), 2) + 0.0)
    padding = header.get("PixelPaddingValue")
    return Frame(
        file,
        (_series_key(header), *shape, facing, look),
        number,
        shape,
        str(header.get("Modality") or ""),
        int(header.get("InstanceNumber") or 0),
        position,
        row,
        column,
        (y, x),
        known,
        apart,
        thick,
        _number(_told((*places, header), "RescaleSlope"), 1.0),
        _number(_told((*places, header), "RescaleIntercept"), 0.0),
        padding if isinstance(padding, int) else None,
        _words(header.get("BodyPartExamined")),
        _words(header.get("AcquisitionContrast")),
        look,
        syntax is not None and syntax.is_compressed and syntax != _RLE,
        _words(_told((*places, header), "RescaleType")),
    )


def _series_key(header: Any) -> str:
    """Tells series and patients apart without keeping who they are."""
    told = "|".join(str(header.get(name, "")) for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID"))
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


def _told(places: tuple[Any, ...], name: str) -> Any:
    """A value from the first place that has it, inside its functional group where there is one."""
    for place in places:
        if place is None:
            continue
        group = place.get(_GROUPS[name])
        value = (group[0] if group else place).get(name)
        if value is not None:
            return value
    return None


def _numbers(value: Any, count: int) -> Vector | None:
    if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != count:
        return None
    numbers = np.array([float(v) for v in value], dtype=np.float64)
    return numbers if np.isfinite(numbers).all() else None


def _number(value: Any, default: float) -> float:
    number = default if value is None else float(value)
    return number if math.isfinite(number) else default


def _directions(direction: Vector) -> tuple[Vector | None, Vector | None]:
    """Unit vectors along a row and down a column; None where they are none, or not at right angles."""
    row, column = direction[:3], direction[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(row @ column) > 0.01:
        return None, None
    return row / lengths[0], column / lengths[1]


def _words(value: Any) -> str:
    """A coded word in small letters; anything else that someone typed in is dropped."""
    text = str(value or "").strip().lower()
    return text if len(text) <= 16 and all(c.isalnum() or c in " _-" for c in text) else ""


def _damaged(file: Path, detail: str) -> ScanError:
    return ScanError(
        f"{file.name} is damaged or cut off.", " ".join(detail.split())[:160], "Copy it again from its source."
    )
