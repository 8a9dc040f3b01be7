"""The words over the pictures: what is shown, where it lies, what stands under the cursor."""

from __future__ import annotations

import numpy as np

from app.state.display import SPREAD
from app.state.picture import Levels, Picture
from app.state.planes import Section, Voxel
from app.state.runs import Shown
from app.state.session import OpenScan, Session, Stack
from app.views.number_edit import format_number
from app.views.overlay import Overlay
from core.export.spread import caption, samples_of
from core.orientation import edge_letters

Pixel = tuple[int, int]


def overlay_of(session: Session, shown: Shown, pixel: Pixel | None) -> Overlay:
    """Over the frame on view. pixel: (x, y) under the cursor."""
    scan, display, levels = session.scan, session.display, session.display.levels
    spread = shown.view == SPREAD
    component = "" if shown.run is None or spread or display.component in _PLAIN else display.component
    affine = scan.affine_of(shown) if scan and shown.run else None
    return Overlay(
        title=shown.caption,
        place=tuple(words for words in (component, frame_name(session, shown)) if words),
        marks=_marks(scan, shown),
        levels=_levels_words(levels, shown.picture.unit),
        cursor=() if pixel is None else _cursor_words(session, shown, pixel),
        letters=edge_letters(affine) if affine is not None else None,
        millimetres=_in_millimetres(scan, shown),
        colours=(format_number(levels.low), format_number(levels.high)) if spread else None,
        of_patient=shown.run is not None,
    )


def plane_overlay(session: Session, shown: Shown, stack: Stack, section: Section, pixel: Pixel | None) -> Overlay:
    """Over one of the planes across the slices."""
    scan = session.scan
    affine = scan.affine_of(shown) if scan else None
    index, count = stack.at[section.fixed], stack.size[section.fixed]
    cursor: tuple[str, ...] = ()
    if pixel is not None:
        x, y, z = section.voxel_of(pixel, index, stack.size)
        cursor = _place_and_value(session, shown, (x, y, z), stack.first_frame + z, stack.first_slice + z)
    return Overlay(
        title=section.name(affine),
        place=(f"{index + 1} / {count}",),
        marks=_marks(scan, shown),
        cursor=cursor,
        letters=section.letters(affine) if affine is not None else None,
        millimetres=_in_millimetres(scan, shown),
    )


def frame_name(session: Session, shown: Shown) -> str:
    """Such as "slice 3" or "view 12 of 180"; "" where there is but one."""
    frame = session.display.frame
    if shown.run is None:
        word = session.scan.measured[shown.view].frame_word if session.scan else ""
        return f"{word} {frame + 1} of {shown.picture.frames}" if shown.picture.frames > 1 else ""
    names = shown.run.frame_names
    return names[frame] if 1 < len(names) > frame else ""


def _marks(scan: OpenScan | None, shown: Shown) -> tuple[str, ...]:
    """What must not be overlooked in this picture."""
    marks = scan.marks_of(shown) if scan else ()
    if shown.view == SPREAD and shown.run is not None and shown.run.volume is not None:
        marks = (*marks, *caption(samples_of(shown.run.volume.card)))
    return marks


def _levels_words(levels: Levels, unit: str) -> str:
    words = f"W {format_number(levels.window)}  L {format_number(levels.level)}"
    return f"{words} {unit}" if unit in _WRITTEN else words


def _in_millimetres(scan: OpenScan | None, shown: Shown) -> bool:
    if scan is None:
        return False
    return scan.spacing_mm is not None if shown.run else scan.measured[shown.view].millimetres


def _cursor_words(session: Session, shown: Shown, pixel: Pixel) -> tuple[str, ...]:
    """Value and place of the pixel under the cursor."""
    (x, y), (height, width) = pixel, shown.picture.size
    if x >= width or y >= height:
        return ()
    frame = session.display.frame
    if shown.run is None:
        return (f"column {x}  row {y}  {format_number(float(shown.picture.image[frame, y, x]))}",)
    return _place_and_value(session, shown, (x, y, frame), frame, session.shown_slice)


def _place_and_value(session: Session, shown: Shown, voxel: Voxel, frame: int, slice_: int) -> tuple[str, ...]:
    x, y, _ = voxel
    where = _millimetres(session.scan, shown, (x, y, slice_))
    return (*where, f"x {x}  y {y}  {_value_words(shown.picture, shown.view, (frame, y, x))}")


def _value_words(picture: Picture, view: str, at: tuple[int, int, int]) -> str:
    value = complex(picture.image[at])
    unit = f" {picture.unit}" if picture.unit in _WRITTEN else ""
    if value != value:
        return "no number"
    if view == SPREAD:
        return f"± {format_number(value.real)}{unit}"
    if not picture.is_complex:
        return f"{format_number(value.real)}{unit}"
    return f"|{format_number(abs(value))}|  {np.degrees(np.angle(value)):.0f}°"


def _millimetres(scan: OpenScan | None, shown: Shown, voxel: Voxel) -> tuple[str, ...]:
    """Patient position where it is known, else the distance from the middle of the field of view."""
    if scan is None:
        return ()
    (x, y, slice_), affine, spacing = voxel, scan.affine_of(shown), scan.spacing_of(shown)
    if affine is not None:
        place = affine @ (x, y, slice_, 1)
        pairs = zip(place[:3], ("LR", "PA", "HF"), strict=True)
        return (" ".join(f"{pair[0 if v >= 0 else 1]} {abs(v):.1f}" for v, pair in pairs) + " mm",)
    if spacing is None:
        return ()
    sx, sy, _ = spacing
    ny, nx = shown.picture.size
    return (f"{(x - nx // 2) * sx:.1f}, {(y - ny // 2) * sy:.1f} mm from the middle",)


_WRITTEN = ("HU", "1/mm")
"""Units that say something; arbitrary ones go without saying."""
_PLAIN = ("magnitude", "value")
"""Components that go without saying."""
