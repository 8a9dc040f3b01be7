"""Small pictures of volumes: the slice in the middle, in grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.formats.dicom_about import header_of, windows_of
from core.formats.dicom_frames import COLOUR, DARK, Frame
from core.formats.dicom_pixels import pixels_of
from core.formats.files import require_memory
from core.formats.in_words import in_words
from core.formats.volume_parts import Opened, as_viewed
from core.formats.whole_numbers import rescaled
from core.orientation import Affine, spacing_of
from core.scan import Volume

Thumbnail = npt.NDArray[np.uint8]

SIDE = 96
MOST_BYTES = 2**28
"""No file is read further than this for a small picture."""
_SHARES = (1.0, 99.0)


def of_frame(frame: Frame, spacing_mm: tuple[float, float]) -> Thumbnail:
    """uint8 (rows, columns) of one DICOM frame, by its first window. spacing_mm: (between rows, between columns).

    Raises ScanError.
    """
    with in_words(frame.file):
        require_memory(16.0 * frame.shape[0] * frame.shape[1], frame.file.name)
        _, pixels = next(iter(pixels_of([frame])))
        values = rescaled(pixels, frame.slope, frame.intercept).astype(np.float32)
        windows = () if frame.look == COLOUR else windows_of(header_of(frame), frame.number)
        ends = _ends(values)
        if windows:
            _, width, level = windows[0]
            ends = level - width / 2, level + width / 2
        grey = _grey(values, ends)
        return _shrunk(255 - grey if frame.look == DARK and frame.modality != "CT" else grey, spacing_mm)


def of_slice(values: npt.NDArray[Any], affine: Affine | None, spacing_mm: tuple[float, float, float]) -> Thumbnail:
    """uint8 (rows, columns) of one slice (y, x), turned as core.formats.volume_parts.as_viewed turns its volume."""
    values = np.asarray(np.abs(values) if np.iscomplexobj(values) else values, dtype=np.float32)
    seen = as_viewed(Opened(Volume(values[None], affine=affine, spacing_mm=spacing_mm), "", ""))
    x, y, _ = spacing_mm if affine is None else spacing_of(affine)
    values = seen.volume.array[0]
    return _shrunk(_grey(values, _ends(values)), (y, x))


def _ends(values: npt.NDArray[Any]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, _SHARES)
    return float(low), float(high)


def _grey(values: npt.NDArray[Any], ends: tuple[float, float]) -> Thumbnail:
    low, high = ends
    shares = np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.nan_to_num(shares).astype(np.uint8)


def _shrunk(grey: Thumbnail, spacing_mm: tuple[float, float]) -> Thumbnail:
    """At most SIDE pixels along the longer side, its pixels square."""
    from PIL import Image

    extents = [n * s for n, s in zip(grey.shape, spacing_mm, strict=True)]
    height, width = (max(1, round(SIDE * extent / max(extents))) for extent in extents)
    small = Image.fromarray(np.ascontiguousarray(grey)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8)
