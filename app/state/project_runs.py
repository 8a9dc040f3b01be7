"""Runs that have ended, as plain data with their images aside, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.picture import Picture
from app.state.runs import Phase, Run
from core.engine.job import JobSpec
from core.errors import JobError, UserError
from core.orientation import Affine
from core.scan import Scan, Volume

ENDED = (Phase.FINISHED, Phase.KEPT, Phase.FAILED)
MOST_WORDS = 100_000
"""Sentences, names and numbers in one list of a run."""

Array = npt.NDArray[Any]
Refer = Callable[[Array], str]
"""Gives an array its name in the file."""

_IMAGES = "The image of {name} could not be read: {why}"


def is_kept(run: Run) -> bool:
    """It has ended, and there is something to see of it."""
    return run.phase in ENDED and bool(run.views)


def run_record(run: Run, refer: Refer) -> dict[str, Any]:
    """What `runs_from` makes the run of again: values for JSON, and the names of arrays."""
    error = run.error
    return {
        "name": run.name,
        "job": run.job.to_dict(),
        "phase": run.phase.name,
        "device": run.device,
        "frame_names": list(run.frame_names),
        "step": run.step,
        "steps": run.steps,
        "timestep": run.timestep,
        "residuals": list(run.residuals),
        "network_seconds": run.network_seconds,
        "solver_seconds": run.solver_seconds,
        "warnings": list(run.warnings),
        "notes": list(run.notes),
        "kept_at": run.kept_at,
        "metrics": dict(run.metrics),
        "reference": run.reference,
        "quality": [list(point) for point in run.quality],
        "error": None if error is None else [error.what, error.why, error.try_this],
        "result_step": run.result_step,
        "result": _picture_record(run.result, refer),
        "spread": _picture_record(run.spread, refer),
        "classical": {method: _picture_record(picture, refer) for method, picture in run.classical.items()},
        "volume": None if run.volume is None else _volume_record(run.volume, refer),
    }


class RunReader:
    """Makes runs of their records. For any thread: it costs as much as making their pictures.

    arrays: by name, those that could be read. damaged: why others could not. scan, path: of the open scan, which the
    runs are of; None, and then they keep the path that they had. Pictures that were shared are shared again. missing:
    what could not be read, one sentence each.
    """

    def __init__(
        self, arrays: Mapping[str, Array], damaged: Mapping[str, str], scan: Scan | None, path: str | None
    ) -> None:
        self._arrays, self._damaged, self._scan, self._path = arrays, damaged, scan, path
        self._pictures: dict[tuple[str, str], Picture] = {}
        self.missing: list[str] = []

    def runs_from(self, records: Any) -> Iterator[tuple[int, Run]]:
        """The runs of a list of records, with their places in it."""
        if not isinstance(records, list):
            self.missing.append("The list of runs could not be read.")
            return
        for place, record in enumerate(records):
            try:
                run = self._run(record)
            except _TROUBLE:
                self.missing.append(f"Run {place + 1} could not be read.")
                continue
            if run.views:
                yield place, run
            else:
                self.missing.append(f"{run.name} has no image any more and was left out.")

    def _run(self, record: Mapping[str, Any]) -> Run:
        job = JobSpec.from_dict(record["job"])
        source = job.source if self._path is None else replace(job.source, path=self._path)
        run = Run(replace(job, source=source, scan=self._scan), _word(record["name"]))
        run.phase = Phase[record["phase"]]
        if run.phase not in ENDED:
            raise ValueError("a run that has not ended")
        run.device, run.frame_names = _word(record["device"]), tuple(_words(record["frame_names"]))
        run.step, run.steps, run.result_step = (_count(record[name]) for name in ("step", "steps", "result_step"))
        run.timestep, run.kept_at = (_count_or_none(record[name]) for name in ("timestep", "kept_at"))
        run.residuals = [float(value) for value in _short(record["residuals"], MOST_WORDS)]
        run.network_seconds, run.solver_seconds = (_seconds(record[f"{name}_seconds"]) for name in _SPENT)
        run.warnings, run.notes = _words(record["warnings"]), _words(record["notes"])
        run.metrics = {_word(name): float(value) for name, value in dict(record["metrics"]).items()}
        run.reference = _word(record.get("reference", ""))
        run.quality = [(_count(s), float(v)) for s, v in _short(record.get("quality", []), MOST_WORDS)]
        run.error = _error(record["error"])
        run.saved = True
        self._fill(run, record)
        return run

    def _fill(self, run: Run, record: Mapping[str, Any]) -> None:
        """The images. One that is missing is told and leaves the others."""
        run.result = self._picture(record["result"], run.name)
        run.spread = self._picture(record["spread"], f"the spread of {run.name}")
        for method, said in dict(record["classical"]).items():
            picture = self._picture(said, f"the {_word(method)} of {run.name}")
            if picture is not None:
                run.classical[_word(method)] = picture
        said = record["volume"]
        if said is not None:
            run.volume = self._volume(said, run.name)
        if run.volume is not None and run.result is None and not run.classical:
            run.result = Picture(run.volume.array, run.volume.unit)
        if run.volume is None and run.phase is not Phase.FAILED:
            run.phase, run.error = Phase.FAILED, JobError("Its result could not be read from the project.")

    def _picture(self, said: Any, name: str) -> Picture | None:
        if said is None:
            return None
        image, unit = _word(said["image"]), _word(said["unit"])
        if (image, unit) not in self._pictures:
            array = self._array(image, name)
            if array is None:
                return None
            self._pictures[image, unit] = Picture(array, unit)
        return self._pictures[image, unit]

    def _volume(self, said: Mapping[str, Any], name: str) -> Volume | None:
        array = self._array(_word(said["array"]), "")
        if array is None:
            return None
        spread = None if said["spread"] is None else self._array(_word(said["spread"]), "")
        if spread is not None and (spread.dtype != np.float32 or spread.shape != array.shape):
            spread = None
        x, y, z = (float(value) for value in said["spacing_mm"])
        slices, card = _count(said["slices"]), said["card"]
        if not all(0 < value < math.inf for value in (x, y, z, said["mu_water"])) or not isinstance(card, dict):
            raise ValueError("volume")
        if slices < 1 or len(array) % slices:
            raise ValueError("slices")
        return Volume(
            array,
            _word(said["unit"]),
            _affine(said["affine"]),
            (x, y, z),
            slices,
            tuple(_words(said["frame_names"])),
            card,
            spread,
            float(said["mu_water"]),
        )

    def _array(self, image: str, name: str) -> Array | None:
        """A stack of frames; where there is none, and it has a name for a person, that is told."""
        array = self._arrays.get(image)
        if array is not None and array.ndim == 3:
            return array
        if name:
            self.missing.append(_IMAGES.format(name=name, why=self._damaged.get(image, "It is not in the file.")))
        return None


_SPENT = ("network", "solver")
_TROUBLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, UserError)


def _picture_record(picture: Picture | None, refer: Refer) -> dict[str, Any] | None:
    return None if picture is None else {"image": refer(picture.image), "unit": picture.unit}


def _volume_record(volume: Volume, refer: Refer) -> dict[str, Any]:
    return {
        "array": refer(volume.array),
        "unit": volume.unit,
        "affine": None if volume.affine is None else volume.affine.tolist(),
        "spacing_mm": list(volume.spacing_mm),
        "slices": volume.slices,
        "frame_names": list(volume.frame_names),
        "card": volume.card,
        "spread": None if volume.spread is None else refer(volume.spread),
        "mu_water": volume.mu_water,
    }


def _affine(rows: Any) -> Affine | None:
    if rows is None:
        return None
    affine = np.asarray(rows, dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or np.linalg.det(affine[:3, :3]) == 0:
        raise ValueError("affine")
    return affine


def _error(said: Any) -> UserError | None:
    if said is None:
        return None
    what, why, try_this = _words(said)
    return JobError(what, why, try_this)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _words(values: Any) -> list[str]:
    return [_word(value) for value in _short(values, MOST_WORDS)]


def _short(values: Any, most: int) -> list[Any]:
    if not isinstance(values, list) or len(values) > most:
        raise TypeError("no list")
    return values


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise TypeError("no count")
    return value


def _count_or_none(value: Any) -> int | None:
    return None if value is None else _count(value)


def _seconds(value: Any) -> float:
    if not 0 <= float(value) < math.inf:
        raise ValueError("no time")
    return float(value)
