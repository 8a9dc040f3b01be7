"""Makes items for the viewing room of what a study has found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from app.state.naming import classical_caption
from app.state.picture import Levels
from app.state.room.item import Item, Kind, Values
from app.state.room.room import Room
from app.state.room.sources import item_of_run
from app.state.runs import Run
from app.state.session import OpenScan
from app.state.trust.found import Found
from app.state.trust.study import NAMES, Part
from app.words import later, tr
from core.viewing.histogram import percentiles

SUPPORT = Kind.SUPPORT
KINDS = {
    Part.UNSEEN: SUPPORT,
    Part.SUPPORT: SUPPORT,
    Part.UNCERTAINTY: Kind.SPREAD,
    Part.DIFFERENCE: Kind.DIFFERENCE,
}
MARKS = {
    Part.UNSEEN: later("What the measurement cannot see: filled in by the prior"),
    Part.SUPPORT: later("Share that the measurement can see: 0 none, 1 all"),
    Part.RESIDUAL: later("Residual, log10 of its magnitude: no image"),
}
"""What must stand in a picture of each; of the others their kind tells it."""
_BRIGHT = 99.5


def base_of(scan: OpenScan, run: Run, room: Room) -> Item | None:
    """The item of a run's image, which lends its place to what is found; None while it has no picture.

    Its family is that of the scan's other items.
    """
    shown = run.shown()
    made = (item.family for item in room if isinstance(item.origin, Run) and item.kind in (Kind.CLASSICAL, Kind.RESULT))
    family = next(made, "scan")
    return None if shown is None else item_of_run(scan, shown, family, Levels(0.0, 1.0))


def image_in(room: Room, run: Run) -> Item | None:
    """The room's item of a run's own image."""
    return next((item for item in room if is_image_of(item, run)), None)


def is_image_of(item: Item, run: Run) -> bool:
    """Classical images are shared by the runs over the same data, and are that of the one that made nothing else."""
    if not isinstance(item.origin, Run) or item.kind is not Kind.CLASSICAL:
        return item.origin is run and item.kind is Kind.RESULT
    same = item.origin.job.source == run.job.source
    return same and run.is_quick and item.name == classical_caption(run.job.settings.method)


def run_of(item: Item | None, runs: Iterable[Run]) -> Run | None:
    """Whose trust an item is about: the run whose image it is, or of which it tells something."""
    if item is None or item.kind is not Kind.CLASSICAL:
        return next((run for run in runs if item is not None and item.origin is run), None)
    return next((run for run in runs if is_image_of(item, run)), None)


def key_of(base: Item, run: Run, part: Part) -> str:
    """Who the item of a part is. A residual lies elsewhere and has another scale, so it has a family of its own."""
    return f"residual {id(run)}" if part is Part.RESIDUAL else f"{base.family}/trust {id(run)}/{part.value}"


def items_of(found: Found, base: Item, run: Run, seeds: int) -> dict[Part, Item]:
    """An item of everything that was found. Costs some passes over the voxels."""
    made = {part: _map_item(part, volume.array, volume.unit, base, run) for part, volume in found.maps.items()}
    if Part.UNCERTAINTY in made:
        name = tr("{run}, uncertainty of {seeds} seeds", run=run.name, seeds=seeds)
        made[Part.UNCERTAINTY] = replace(made[Part.UNCERTAINTY], name=name)
    if found.picture is not None:
        made[Part.RESIDUAL] = _residual_item(found.picture, base, run)
    return made


def _map_item(part: Part, frames: Values, unit: str, base: Item, run: Run) -> Item:
    return replace(
        base,
        key=key_of(base, run, part),
        name=f"{run.name}, {tr(NAMES[part])}",
        kind=KINDS[part],
        stacks=frames.reshape(base.stacks.shape),
        unit=unit,
        offered=_offered(part, frames),
        marks=_marks(base, part),
        state="",
        final=True,
    )


def _residual_item(picture: Values, base: Item, run: Run) -> Item:
    """Drawn as a square, since a sinogram of few views would be a line."""
    height, width = picture.shape[-2:]
    return Item(
        key_of(base, run, Part.RESIDUAL),
        f"{run.name}, {tr(NAMES[Part.RESIDUAL])}",
        Kind.VOLUME,
        picture,
        np.diag([1.0, width / height, 1.0, 1.0]),
        False,
        "a.u.",
        _between(picture, 0.5, 99.9),
        marks=_marks(base, Part.RESIDUAL),
        spaced=False,
        origin=run,
    )


def _marks(base: Item, part: Part) -> tuple[str, ...]:
    return (*base.marks, tr(MARKS[part])) if part in MARKS else base.marks


def _offered(part: Part, frames: Values) -> Levels:
    if part is Part.SUPPORT:
        return Levels(0.0, 1.0)
    reach = _between(np.abs(frames), 0.0, _BRIGHT).high
    reach = reach if reach > 0 else 1.0
    return Levels(-reach, reach) if part is Part.DIFFERENCE else Levels(0.0, reach)


def _between(values: Values, low: float, high: float) -> Levels:
    """Between two percentiles, as far as there are numbers."""
    first, last = (float(v) for v in percentiles(values, (low, high)))
    if not (np.isfinite(first) and np.isfinite(last)):
        return Levels(0.0, 1.0)
    return Levels(first, last if last > first else first + 1.0)
