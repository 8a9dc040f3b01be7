"""The scan that is to be simulated from an image volume: its form as plain data, and how far the work has come."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from psygnal import Signal

from app.state.notice import Notice
from core.engine.settings import Help
from core.engine.simulated_beams import GEOMETRIES, CtSettings
from core.formats.volume_parts import Opened
from core.operators.masks import MASKS
from core.scan import Volume

MOST_SLICES = 32
"""Slices that are taken unless the user asks for more: the middle ones."""
MOST_PIXELS = 256
"""Pixels a side of a CT image unless the user asks for more."""
WHOLE_LINES = tuple(kind for kind in MASKS if kind.endswith("1d"))
"""The patterns that a 2-D scan can measure."""

_CT: dict[str, Any] = {field.name: field.default for field in CtSettings.__dataclass_fields__.values()}
_ARCS = {"parallel": 180.0, "fan": 360.0, "cone": 360.0}
_BEAMS_FROM_A_POINT = tuple(name for name in GEOMETRIES if name != "parallel")
_ALL_LINES = "none"
_PERCENT = 100.0
_SEED = Help("Seed", "Of all that is random: the same seed makes the same scan.", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class Field:
    """A line of the form. choices: the words that it can be. whole: a whole number.

    none: what stands in the field where its value is None, which is below all others; "" where there is no None.
    where: another field, and its values with which this one counts.
    """

    name: str
    about: Help
    choices: tuple[str, ...] = ()
    whole: bool = True
    none: str = ""
    where: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Plan:
    """The form for one volume, filled in. values: of every field by its name."""

    fields: tuple[Field, ...]
    values: Mapping[str, Any]

    kind: ClassVar[str] = ""
    """What is simulated, in words."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """As the dataclass of settings in core takes them."""

    def with_value(self, name: str, value: Any) -> Plan:
        """One field changed, and what follows from it."""
        changed = {**self.values, name: value}
        if name == "first" and value > changed["last"]:
            changed["last"] = value
        if name == "last" and value < changed["first"]:
            changed["first"] = value
        return replace(self, values=changed)

    def counts(self, asked: Field) -> bool:
        """A field has a meaning with what the others say."""
        return asked.where is None or self.values[asked.where[0]] in asked.where[1]

    @property
    def slices(self) -> tuple[int, int]:
        """First and end, counted from 0."""
        return self.values["first"] - 1, self.values["last"]


class CtPlan(Plan):
    """Becomes core.engine.simulated_beams.CtSettings."""

    kind = "CT scan"

    def with_value(self, name: str, value: Any) -> Plan:
        """Another geometry brings its usual arc, unless the user has chosen another."""
        changed = super().with_value(name, value)
        before = self.values["geometry"]
        if name == "geometry" and self.values["arc_degrees"] == _ARCS[before]:
            return changed.with_value("arc_degrees", _ARCS[value])
        return changed

    def arguments(self) -> dict[str, Any]:
        given = {f.name: self.values[f.name] for f in self.fields if f.name in _CT and self.counts(f)}
        return {**given, "slices": self.slices}


class MriPlan(Plan):
    """Becomes core.engine.simulate_mri.MriSettings."""

    kind = "MRI scan"

    def arguments(self) -> dict[str, Any]:
        told = self.values
        lines = f"{told['pattern']}:{told['acceleration']:g}:{told['acs'] / _PERCENT:g}:{told['seed']}"
        return {
            "coils": told["coils"],
            "undersample": "" if told["pattern"] == _ALL_LINES else lines,
            "noise": told["noise"] / _PERCENT,
            "size": told["size"],
            "slices": self.slices,
            "seed": told["seed"],
        }


def plan_for(found: Opened) -> Plan:
    """The form that suits a volume: CT for Hounsfield units, else MRI."""
    make = {"HU": _ct_plan}.get(found.volume.unit, _mri_plan)
    return make(found.volume)


def about_volume(found: Opened) -> str:
    """Such as "NIfTI, 256 × 256 × 28 voxels of 0.9 × 0.9 × 5 mm, HU"."""
    z, y, x = found.volume.array.shape
    spacing = " × ".join(f"{mm:.3g}" for mm in found.volume.spacing_mm)
    unit = {"HU": "Hounsfield units"}.get(found.volume.unit, "arbitrary units")
    return f"{found.format}, {x} × {y} × {z} voxels of {spacing} mm, in {unit}"


def _ct_plan(volume: Volume) -> Plan:
    where = ("geometry", _BEAMS_FROM_A_POINT)
    fields = (
        Field(
            "geometry", Help("Geometry", "Parallel and fan beams see one slice, a cone all at once."), (*GEOMETRIES,)
        ),
        Field("views", Help("Views", "Directions to look from. Fewer are harder to reconstruct.", low=1, high=2**14)),
        Field("arc_degrees", Help("Arc", "That the views cover.", "degrees", 0.1, 3600), whole=False),
        Field("photons", _PHOTONS, whole=False, none="No noise"),
        Field("size", _size("same place", 4096), none="As the volume"),
        *_slice_fields(volume),
        Field("detectors", Help("Detectors", "Across the whole image.", low=1, high=2**14), none="One for each pixel"),
        Field("source_mm", Help("Source", "From the rotation axis.", "mm", 1, 1e5), whole=False, where=where),
        Field("detector_mm", Help("Detector", "From the rotation axis.", "mm", 0, 1e5), whole=False, where=where),
        Field("seed", _SEED),
    )
    small = max(volume.array.shape[1:]) <= MOST_PIXELS
    values = {**_CT, "views": 60, "arc_degrees": _ARCS[_CT["geometry"]], "photons": 1e5}
    values |= {"size": None if small else MOST_PIXELS, **_middle(volume)}
    return CtPlan(fields, values)


def _mri_plan(volume: Volume) -> Plan:
    side = min(volume.array.shape[1:])
    left_out = ("pattern", WHOLE_LINES)
    fields = (
        Field("coils", Help("Coils", "Around the patient, each with a smooth sensitivity.", low=1, high=256)),
        Field("pattern", Help("Undersample", "Which lines of k-space are measured."), (_ALL_LINES, *WHOLE_LINES)),
        Field("acceleration", _ACCELERATION, whole=False, where=left_out),
        Field("acs", _CENTRE, whole=False, where=left_out),
        Field("noise", Help("Noise", "Standard deviation, of the image's peak.", "%", 0, 100), whole=False),
        Field("size", _size("cut out of k-space", side), none="As the volume"),
        *_slice_fields(volume),
        Field("seed", _SEED),
    )
    values = {"coils": 8, "pattern": "gaussian1d", "acceleration": 4.0, "acs": 8.0, "noise": 1.0, "size": None}
    return MriPlan(fields, {**values, **_middle(volume), "seed": 0})


_PHOTONS = Help("Photons", "Sent along each ray; fewer make more noise.", low=1, high=1e12)
_ACCELERATION = Help("R", "Acceleration: one of so many lines is measured.", low=1, high=64)
_CENTRE = Help("ACS", "Lines in the middle that are all measured.", "%", 1, 50)


def _size(how: str, most: int) -> Help:
    return Help("Image size", f"Of the image to reconstruct, each side; {how}.", "pixels", min(8, most), most)


def _slice_fields(volume: Volume) -> tuple[Field, ...]:
    count = len(volume.array)
    return (
        Field("first", Help("First slice", f"Of {count}, counted from 1.", low=1, high=count)),
        Field("last", Help("Last slice", "More slices take longer.", low=1, high=count)),
    )


def _middle(volume: Volume) -> dict[str, int]:
    count = len(volume.array)
    taken = min(count, MOST_SLICES)
    first = (count - taken) // 2
    return {"first": first + 1, "last": first + taken}


@dataclass(eq=False)
class Simulation:
    """The volume and the plan for it, while there are such; what is being done, and what went wrong.

    doing: in words, or "". share: of the work that is done, None where it cannot be told. stopping: the user has had
    enough, and the work has not ended yet.
    """

    volume: Opened | None = None
    plan: Plan | None = None
    doing: str = ""
    share: float | None = None
    stopping: bool = False
    trouble: Notice | None = field(default=None)

    asked = Signal()
    """A volume has been read, and waits for what is to be made of it."""
    changed = Signal()
    """The plan is another one."""
    working_changed = Signal()
    made = Signal(str)
    """A scan has been written to a path."""

    def ask(self, volume: Opened, plan: Plan) -> None:
        self.volume, self.plan, self.trouble = volume, plan, None
        self.asked.emit()

    def set(self, name: str, value: Any) -> None:
        """Change a field of the plan."""
        if self.plan is not None and self.plan.values[name] != value:
            self.plan = self.plan.with_value(name, value)
            self.changed.emit()

    def go_on(self, words: str, share: float | None) -> None:
        """What is being done now."""
        self.doing, self.share, self.trouble = words, share, None
        self.working_changed.emit()

    def stop(self) -> None:
        self.stopping = True
        self.working_changed.emit()

    def end(self, trouble: Notice | None = None) -> None:
        """Nothing is being done any more."""
        self.doing, self.share, self.stopping, self.trouble = "", None, False, trouble
        self.working_changed.emit()

    def forget(self) -> None:
        """Let go of the volume, which may be large."""
        self.volume = self.plan = None
