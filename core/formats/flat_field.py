"""From counts to line integrals: dark and flat field, the logarithm, and detector pixels that cannot be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import require_memory

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.generic]

_DEAD = 0.05
_FAINTEST = 1e-6
_NORMALISED = 2.0
_FEWEST_VIEWS = 16
_MOST_STUCK = 0.05
_AIR = 0.03


@dataclass(frozen=True, eq=False)
class Corrected:
    """Line integrals and what was done to get them.

    integrals: float32 (row, view, column). valid: bool, broadcast over integrals, or None where all can be trusted.
    """

    integrals: FloatArray = field(repr=False)
    valid: BoolArray | None = field(default=None, repr=False)
    done: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()


def line_integrals(counts: Counts, white: Counts | None, dark: Counts | None, *, as_meant: bool = False) -> Corrected:
    """-log((counts - dark) / (white - dark)), Beer's law; Kak and Slaney 1988, section 4.1.

    counts: (view, row, column). white: counts without an object, dark: without a beam; (n, row, column), of which the
    mean is taken, or None. Dead columns, stuck or saturated pixels and intensities of 0 or below are filled from their
    neighbours and called not valid. as_meant: this program wrote the counts, so that no faint or unchanging one is
    doubted, and any number of them may be 0. Raises ScanError where hardly any intensity is above 0.
    """
    views, rows, columns = counts.shape
    require_memory(3.0 * 4.0 * counts.size, "The scan")
    level = np.zeros((rows, columns)) if dark is None else _mean(dark, (rows, columns), "dark field")
    odd: list[str] = []
    lit = _flat(counts, white, (rows, columns), level, odd)
    dead = ~(lit > _DEAD * np.median(lit[lit > 0]))
    faintest = float(np.finfo(np.float32).tiny) if as_meant else _FAINTEST
    full = float(np.iinfo(counts.dtype.str).max) if counts.dtype.kind in "iu" else np.inf
    integrals = np.empty((rows, views, columns), dtype=np.float32)
    bad = np.zeros(integrals.shape, dtype=np.bool_)
    tally = _Tally()
    for row in range(rows):
        seen = np.asarray(counts[:, row], dtype=np.float64)
        through = (seen - level[row]) / np.where(dead[row], 1.0, lit[row])
        if not as_meant:
            dead[row] |= _stuck(seen, through)
        nothing, saturated = (through <= 0) & ~dead[row], (seen >= full) & ~dead[row]
        tally.nothing += int(nothing.sum())
        tally.saturated += int(saturated.sum())
        bad[row] = dead[row] | nothing | saturated
        integrals[row] = _filled(-np.log(np.maximum(through, faintest)), bad[row])
    done = [] if dark is None else ["Dark field subtracted."]
    done += ["Divided by the flat field and the logarithm taken."] if white is not None else ["Logarithm taken."]
    tally.dead = int(dead.sum())
    _require_light(tally.nothing / integrals.size, as_meant)
    _tell(tally, integrals.size, rows * columns, done, odd)
    return Corrected(integrals, _compact(bad), tuple(done), tuple(odd))


@dataclass
class _Tally:
    nothing: int = 0
    saturated: int = 0
    dead: int = 0


def _mean(frames: Counts, shape: tuple[int, int], what: str) -> npt.NDArray[np.float64]:
    """The mean over the frames (n, row, column); one frame may come without its first axis."""
    stack = frames[None] if frames.ndim == 2 else frames
    if stack.ndim != 3 or stack.shape[1:] != shape or len(stack) == 0:
        raise ScanError(
            f"The {what} does not fit the projections.",
            f"It has shape {frames.shape}, a projection {shape}.",
            "Export the scan again.",
        )
    mean: npt.NDArray[np.float64] = stack.mean(axis=0, dtype=np.float64)
    if not np.isfinite(mean).all():
        raise ScanError(f"The {what} holds NaN or infinite numbers.", "", "Export the scan again.")
    return mean


def _flat(
    counts: Counts,
    white: Counts | None,
    shape: tuple[int, int],
    level: npt.NDArray[np.float64],
    odd: list[str],
) -> npt.NDArray[np.float64]:
    """What arrives without an object, above the dark level, (row, column). Raises ScanError where nothing does."""
    if white is None:
        brightest = float(np.max(counts)) - float(level.mean())
        if brightest <= _NORMALISED:
            odd.append("There is no flat field; the intensities were taken to be divided by it already.")
            return np.ones(shape)
        odd.append("There is no flat field; the brightest intensity was taken for the beam without an object.")
        return np.full(shape, max(brightest, 0.0))
    lit = _mean(white, shape, "flat field") - level
    if not (lit > 0).any():
        raise ScanError(
            "The flat field is no brighter than the dark field.",
            "No beam was on when it was taken, or the two were exchanged.",
            "Check the flat and dark fields.",
        )
    if lit.size > 1 and np.ptp(lit) == 0:
        odd.append("The flat field is the same everywhere: it corrects no detector.")
    return lit


def _stuck(seen: npt.NDArray[np.float64], through: npt.NDArray[np.float64]) -> BoolArray:
    """Columns that say the same in every view while the others do not, and do not just see air. (views, columns)."""
    still: BoolArray = (np.ptp(seen, axis=0) == 0) & (np.abs(through[0] - 1) > _AIR)
    if len(seen) < _FEWEST_VIEWS or still.mean() > _MOST_STUCK:
        return np.zeros_like(still)
    return still


def _filled(row: npt.NDArray[np.float64], bad: BoolArray) -> npt.NDArray[np.float64]:
    """Values (views, columns), the bad ones drawn as lines between their neighbours along the detector."""
    place = np.arange(row.shape[1])
    for view in np.flatnonzero(bad.any(axis=1)):
        wrong = bad[view]
        row[view, wrong] = 0.0 if wrong.all() else np.interp(place[wrong], place[~wrong], row[view, ~wrong])
    return row


def _compact(bad: BoolArray) -> BoolArray | None:
    """The valid pixels, for all views at once where these are alike."""
    if not bad.any():
        return None
    alike = bool((bad == bad[:, :1]).all())
    return ~(bad[:, :1] if alike else bad)


def _require_light(dark_share: float, as_meant: bool) -> None:
    if dark_share == 1 or (dark_share > 0.5 and not as_meant):
        raise ScanError(
            "Most intensities are 0 or below.",
            f"{dark_share:.0%} of them have no logarithm: they may be line integrals already.",
            "Check what the file holds, and its flat and dark fields.",
        )


def _tell(tally: _Tally, size: int, pixels: int, done: list[str], odd: list[str]) -> None:
    if tally.nothing:
        share = tally.nothing / size
        odd.append(f"{tally.nothing} intensities ({share:.2g} of all) are 0 or below: not trusted.")
    if tally.saturated:
        odd.append(f"{tally.saturated} intensities are saturated: not trusted.")
    if tally.dead:
        odd.append(f"{tally.dead} of {pixels} detector pixels are dead: not trusted.")
    if tally.nothing or tally.saturated or tally.dead:
        done.append("What is not trusted was filled from its neighbours.")
