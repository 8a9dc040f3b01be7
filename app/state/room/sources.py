"""Makes items of what is open: volumes of files, and the runs of a scan with their classical images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.state.display import RESULT, SPREAD
from app.state.naming import public_name
from app.state.picture import Levels
from app.state.room.drawing import symmetric
from app.state.room.item import Item, Kind, Values
from app.state.runs import Run, Shown
from app.state.session import OpenScan
from app.state.windows import NamedWindow, windows_for
from app.words import later, tr
from core.formats.volume_parts import Opened
from core.orientation import Affine
from core.scan import Volume
from core.viewing.histogram import percentiles
from core.viewing.onto import difference

DARKEST, BRIGHTEST = 0.5, 99.5
"""Percentiles between which an image without a usual window is shown."""


_NAMELESS = later("volume")


def item_of_volume(found: Opened, key: str = "") -> Item:
    """An item of a file's volume; complex images by their magnitude."""
    volume = found.volume
    values = np.abs(volume.array) if np.iscomplexobj(volume.array) else volume.array
    windows = tuple(NamedWindow(name, width, level) for name, width, level in found.windows)
    return Item(
        key or f"file {found.path}",
        public_name(Path(found.path).name, found.identity, tr(_NAMELESS)),
        Kind.VOLUME,
        _stacks(values, volume.slices),
        _affine(volume.affine, volume.spacing_mm),
        volume.affine is not None,
        volume.unit,
        _offered(values, volume.unit, windows),
        windows,
        origin=found,
    )


def item_of_run(scan: OpenScan, shown: Shown, family: str, offered: Levels) -> Item:
    """An item of a picture that a run has made.

    family: the key of the scan. offered: the grey scale that the other workspace offers for it.
    """
    run, picture = shown.run, shown.picture
    assert run is not None
    name, _, state = shown.caption.partition(" — ")
    affine, spacing = scan.affine_of(shown), scan.spacing_of(shown) or (1.0, 1.0, 1.0)
    first, end = run.job.source.slices or (0, scan.stack)
    count = end - first if picture.frames % (end - first) == 0 else picture.frames
    return Item(
        key_of(shown, family),
        name,
        _kind(shown),
        _stacks(picture.values, count),
        _from_slice(_affine(affine, spacing), first),
        affine is not None,
        picture.unit,
        offered,
        marks=scan.marks_of(shown),
        state="" if state == "result" else state,
        moments=_moments(run, count),
        final=not run.going_on,
        spaced=scan.spacing_of(shown) is not None,
        origin=run,
    )


def key_of(shown: Shown, family: str) -> str:
    """Who the item of a picture is: classical images are shared by all runs over the same data."""
    assert shown.run is not None
    whose = shown.run.job.source if _kind(shown) is Kind.CLASSICAL else id(shown.run)
    return f"{family}/{hash(whose)}/{shown.view}"


def _kind(shown: Shown) -> Kind:
    return {RESULT: Kind.RESULT, SPREAD: Kind.SPREAD}.get(shown.view, Kind.CLASSICAL)


def _moments(run: Run, slices: int) -> tuple[str, ...]:
    """What tells the stacks of a run apart: the names of their first frames."""
    return run.frame_names[::slices] if len(run.frame_names) > slices else ()


def _stacks(values: Values, slices: int) -> Values:
    count = slices if slices and len(values) % slices == 0 else len(values)
    return values.reshape(-1, count, *values.shape[1:])


def _affine(affine: Affine | None, spacing: tuple[float, float, float]) -> Affine:
    return np.diag([*spacing, 1.0]) if affine is None else affine


def _from_slice(affine: Affine, first: int) -> Affine:
    moved = affine.copy()
    moved[:3, 3] += first * affine[:3, 2]
    return moved


def _offered(values: npt.NDArray[np.generic], unit: str, windows: tuple[NamedWindow, ...]) -> Levels:
    named = (*windows, *windows_for(unit))
    if named:
        return Levels.of_window(named[0].window, named[0].level)
    low, high = (float(v) for v in percentiles(values, (DARKEST, BRIGHTEST)))
    return Levels(low, high if high > low else low + 1.0)


def volume_of(item: Item) -> Volume:
    """An item as exports take it; the result of a run as it was made, complex and with its run card."""
    if isinstance(item.origin, Run) and item.kind is Kind.RESULT and item.origin.volume is not None:
        return item.origin.volume
    frames = item.stacks.reshape(-1, *item.stacks.shape[2:])
    card = item.origin.volume.card if isinstance(item.origin, Run) and item.origin.volume else {}
    affine = item.affine if item.placed else None
    return Volume(frames, item.unit, affine, item.spacing_mm, item.shape[0], item.moments, card)


def difference_item(one: Item, other: Item) -> Item:
    """One volume minus another on the first one's grid, at their first moments. Takes seconds for large volumes."""
    values = difference(one.stack(0), one.affine, other.stack(0), other.affine)
    return Item(
        f"difference {one.key} - {other.key}",
        f"{one.name} minus {other.name}",
        Kind.DIFFERENCE,
        values[None],
        one.affine,
        one.placed,
        one.unit,
        symmetric(one.offered),
        marks=tuple(dict.fromkeys((*one.marks, *other.marks))),
        spaced=one.spaced,
        origin=one.origin,
    )
