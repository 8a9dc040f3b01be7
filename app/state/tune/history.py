"""The history of runs as a table: its rows, their order, and how two runs differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.state.naming import METHODS, method_words
from app.state.picture import Picture, Plane
from app.state.runs import GOING_ON, Phase, Run, Runs
from app.state.session import Session
from app.state.tune.cells import reduced
from app.state.tune.figures import FIGURES, OF_REFERENCE, said
from app.state.tune.notes import Notes, when_of
from app.state.tune.spent import seconds_of
from core.engine.job import JobSpec
from core.engine.settings import help_of, used_by
from core.engine.sweep_plan import worded
from core.errors import JobError

COLUMNS = ("name", "method", "prior", "nfe", "seconds", "residual", "psnr", "ssim", "nrmse", "hfen", "note", "when")
HEADINGS = {
    "name": "Name",
    "method": "Method",
    "prior": "Prior",
    "nfe": "NFE",
    "note": "Note",
    "when": "When",
    **FIGURES,
}
EDITABLE = ("name", "note")
THUMBNAIL = 48


@dataclass(frozen=True, eq=False)
class Row:
    """A run as a line of the table. words: by column. keys: what each column is sorted by, None where unknown."""

    run: Run
    words: dict[str, str]
    keys: dict[str, Any]

    @property
    def text(self) -> str:
        """Everything that a filter finds."""
        return " ".join(self.words.values()).lower()


def rows_of(
    runs: Iterable[Run], notes: Notes, sort: str = "when", descending: bool = False, wanted: str = ""
) -> list[Row]:
    """The runs that hold all words of `wanted`, in order; what is not known stands last, whatever the order."""
    parts = wanted.lower().split()
    found = [row for row in (_row(run, notes) for run in runs) if all(part in row.text for part in parts)]
    known = [row for row in found if row.keys[sort] is not None]
    known.sort(key=lambda row: row.keys[sort], reverse=descending)
    return known + [row for row in found if row.keys[sort] is None]


def _row(run: Run, notes: Notes) -> Row:
    settings, note = run.job.settings, notes.of(run)
    dds = run.is_dds
    when = when_of(run, note)
    ended = run.phase not in GOING_ON and run.phase is not Phase.WAITING
    numbers: dict[str, float | None] = {
        "nfe": settings.nfe if dds else None,
        "seconds": seconds_of(run),
        "residual": residual_of(run),
        **{name: run.metrics.get(name) for name in OF_REFERENCE},
    }
    words = {name: said(name, number) for name, number in numbers.items()}
    words |= {
        "name": run.name,
        "method": method_words(settings.method),
        "prior": settings.prior.replace("\\", "/").rsplit("/", 1)[-1] if dds else "",
        "nfe": str(settings.nfe) if dds else "",
        "note": note.words,
        "when": (when.astimezone().strftime("%Y-%m-%d %H:%M") if when else "") if ended else run.phase.value,
    }
    keys: dict[str, Any] = {**{name: words[name].lower() or None for name in words}, **numbers}
    keys["when"] = (when.timestamp() if when else None) if ended else float("inf")
    return Row(run, words, keys)


def residual_of(run: Run) -> float | None:
    """Of the result, from its card, else of its last step."""
    outcome = run.volume.card.get("outcome", {}) if run.volume is not None else {}
    found = outcome.get("residual", run.residuals[-1] if run.residuals else None)
    return float(found) if isinstance(found, (int, float)) else None


def thumbnail_of(picture: Picture) -> Plane:
    """The middle slice of a picture, small."""
    return reduced(picture.component(picture.components[0], picture.frames // 2), THUMBNAIL)


def rename(runs: Runs, run: Run, name: str) -> str:
    """Call a run something else, and tell; "" or the name of another run is refused with the reason, else "" comes."""
    name = " ".join(name.split())[:200]
    if name == run.name:
        return ""
    if not name:
        return "A run needs a name."
    if any(other.name == name for other in runs if other is not run):
        return f"Another run is called {name}."
    run.name = name
    runs.told.emit(run)
    runs.changed.emit()
    return ""


def settings_lines(run: Run) -> dict[str, str]:
    """What decides about a run, its label and its value; undersampling, slices and size where they were chosen."""
    settings, source = run.job.settings, run.job.source
    lines = {help_of(n).label: _worded(n, getattr(settings, n)) for n in used_by(settings.method)}
    if source.slices:
        first, end = source.slices
        lines["Slices"] = str(first + 1) if end - first == 1 else f"{first + 1} to {end}"
    else:
        lines["Slices"] = "all"
    lines["Undersampling"] = source.undersample or "none"
    if source.center is not None:
        lines["Axis of rotation"] = worded(source.center)
    if source.size:
        lines["Image size"] = str(source.size)
    return lines


@dataclass(frozen=True)
class Compared:
    """One setting of two runs; "" where a run has no such setting."""

    label: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        return self.one != self.other


def compared(one: Run, other: Run) -> list[Compared]:
    """The settings of two runs side by side, those that differ first."""
    ours, theirs = settings_lines(one), settings_lines(other)
    found = [Compared(label, ours.get(label, ""), theirs.get(label, "")) for label in dict.fromkeys([*ours, *theirs])]
    return sorted(found, key=lambda line: not line.differs)


def use_settings(session: Session, job: JobSpec) -> None:
    """Choose the settings of a run for the next one. Raises JobError, and changes nothing, where the open scan cannot
    have them. The prior comes first, since it brings defaults of its own."""
    choice, settings = session.choice, job.settings
    if session.scan is None or settings.method not in choice.methods:
        raise JobError(f"{method_words(settings.method)} does not fit the open scan.", "", "Open its scan first.")
    choice.set(prior=settings.prior)
    choice.set(**settings.to_dict())
    choice.set_undersample(job.source.undersample)
    choice.set_center(job.source.center)
    choice.set_size(job.source.size)


def _worded(name: str, value: Any) -> str:
    return METHODS.get(str(value), str(value)) if name == "method" else worded(value)
