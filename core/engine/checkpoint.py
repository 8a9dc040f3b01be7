"""Checkpoints of runs on disk: a file from which a run goes on after the program or the machine has gone down."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.engine.events import Event, StepDone
from core.engine.job import JobSpec
from core.engine.state import State
from core.errors import JobError, UserError
from core.formats.files import require_memory

if TYPE_CHECKING:
    from torch import Tensor

ENDING = ".ddsrun"
FORMAT = "dds-viewer checkpoint 1"
EVERY_S = 60.0
MOST_BYTES = 8 * 2**30
LEAST_REST = 10
"""Times that writing took, before it is done again: it never takes more than a tenth of a run."""

_MOST_SAMPLES = 64
_PARTS = ("noisy", "forming", "finished", "ties")


class Checkpoints:
    """Writes the state of one run into one file, now and then, in the thread that pulls the run.

    every: seconds between the end of one writing and the next; 0 for after each step. most_bytes: of the file; a run
    whose state is larger is not kept. A disk that fails never ends the run: `take` tells of it, once.
    clock: in seconds.
    """

    def __init__(
        self,
        path: Path,
        every: float = EVERY_S,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path, self.every, self.most_bytes = path, every, most_bytes
        self._clock = clock
        self._next = clock() + every
        self._told = False

    @property
    def due(self) -> bool:
        """The next step will be written."""
        return self._clock() >= self._next

    def take(self, event: Event) -> str:
        """Look at an event of the run, before the next one is asked for; what there is to tell, or ""."""
        if not isinstance(event, StepDone) or not self.due:
            return ""
        begun = self._clock()
        try:
            state = event.state()
            if state is not None and state.nbytes > self.most_bytes:
                raise OSError(f"it would take {state.nbytes / 2**30:.1f} GiB")
            if state is not None:
                write(state, self.path)
            trouble = ""
        except (OSError, MemoryError) as error:
            trouble = f"This run is not kept against a crash: {getattr(error, 'strerror', None) or error}."
        ended = self._clock()
        self._next = ended + (max(self.every, LEAST_REST * (ended - begun)) if self.every else 0.0)
        if not trouble or self._told:
            return ""
        self._told = True
        return trouble

    def discard(self) -> None:
        """The run is over: its file is not needed any more."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def write(state: State, path: Path) -> None:
    """Write a state whole or not at all; it is on the disk when this returns. Raises OSError."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {}
    for part in _PARTS:
        for k, image in enumerate(getattr(state, part)):
            plain = torch.view_as_real(image) if image.is_complex() else image
            tensors[f"{part}.{k}"] = plain.clone(memory_format=torch.contiguous_format)
    about = json.dumps(_about(state), sort_keys=True)
    part_path = path.with_name(f".{path.name}.part")
    try:
        save_file(tensors, part_path, {"format": FORMAT, "about": about, "sha256": _print_of(about, tensors)})
        with part_path.open("rb+") as file:
            os.fsync(file.fileno())
        part_path.chmod(0o600)
        os.replace(part_path, path)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    finally:
        with suppress(OSError):
            part_path.unlink(missing_ok=True)


def read(path: Path) -> State:
    """The state in a file that `write` has made. Raises JobError for anything else, and where it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        require_memory(path.stat().st_size, path.name)
        with safe_open(path, "pt") as file:
            about, print_ = _header(file.metadata() or {}, path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (SafetensorError, MemoryError, RuntimeError, ValueError, TypeError) as error:
        raise _unreadable(path, "It is cut off, damaged, or something else.") from error
    if _print_of(about, tensors) != print_:
        raise _unreadable(path, "It is damaged.")
    try:
        return _state(json.loads(about), tensors)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, f"Something is missing or wrong: {error}.") from error


def summary(path: Path) -> dict[str, Any]:
    """What a checkpoint tells of itself, without its images: job, done, length, total. Raises JobError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            about, _ = _header(file.metadata() or {}, path)
        found: dict[str, Any] = json.loads(about)
        JobSpec.from_dict(found["job"])
        int(found["done"]), int(found["total"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path, "It is cut off, damaged, or something else.") from error
    return found


def _header(metadata: Mapping[str, str], path: Path) -> tuple[str, str]:
    if metadata.get("format") != FORMAT:
        raise _unreadable(path, "It is of something else, or of another version of this program.")
    return metadata.get("about", ""), metadata.get("sha256", "")


def _about(state: State) -> dict[str, Any]:
    from core.engine.run_card import versions

    return {
        "job": state.job.to_dict(),
        "done": state.done,
        "length": state.length,
        "total": state.total,
        "complex": any(image.is_complex() for image in state.tensors),
        "planes_at_once": state.planes_at_once,
        "inputs": state.inputs,
        "residuals": [r if math.isfinite(r) else None for r in state.residuals],
        "left": {str(k): text for k, text in state.left.items()},
        "versions": versions(),
    }


def _state(about: dict[str, Any], tensors: dict[str, Tensor]) -> State:
    """Raises KeyError, ValueError or TypeError for what no run can have left."""
    import torch

    images = {name: torch.view_as_complex(t) if about["complex"] else t for name, t in tensors.items()}
    parts = {
        part: tuple(images[f"{part}.{k}"] for k in range(_MOST_SAMPLES) if f"{part}.{k}" in images) for part in _PARTS
    }
    residuals = tuple(math.nan if r is None else float(r) for r in about["residuals"])
    left = {int(k): str(text) for k, text in about["left"].items()}
    inputs = {str(k): str(text) for k, text in about["inputs"].items()}
    state = State(
        JobSpec.from_dict(about["job"]),
        int(about["done"]),
        int(about["length"]),
        **parts,
        planes_at_once=int(about["planes_at_once"]),
        inputs=inputs,
        residuals=residuals,
        left=left,
        versions={str(k): str(text) for k, text in about["versions"].items()},
    )
    if state.length < 1 or state.done < 1 or len(state.noisy) != len(state.forming) or state.planes_at_once < 1:
        raise ValueError("the counts do not fit")
    if bool(state.step) != bool(state.noisy) or len(state.ties) not in (0, len(state.noisy)) or not state.tensors:
        raise ValueError("images are missing")
    return state


def _print_of(about: str, tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.numpy().data)
    return found.hexdigest()


def _unreadable(path: Path, why: str) -> UserError:
    return JobError(f"The checkpoint {path.name} cannot be read.", why, "Start the run again.")
