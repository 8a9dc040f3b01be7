"""What of this machine the program can use, and what to do about each fault. No widget; everything heavy is late."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import core

if TYPE_CHECKING:
    from core.priors.catalogue import Entry, Unreadable

Stopped = Callable[[], bool]

_LEAST_MEMORY_GIB, _LEAST_DISK_GIB, _ENOUGH_DISK_GIB = 2.0, 0.2, 2.0
_LEAST_TEXTURE = 512
_LIBRARIES = ("numpy", "scipy", "h5py", "pydicom", "ismrmrd", "nibabel", "vtk", "pyqtgraph", "safetensors", "dask")
_AGAIN = "Install the program again."


class Level(Enum):
    """FAULT hinders: the program, or all of one of its parts, does not work. NOTE is to be known."""

    OK = "ok"
    NOTE = "note"
    FAULT = "FAIL"


@dataclass(frozen=True)
class Finding:
    """name: what was looked at. found: what is there. advice: what to do, "" where nothing is to be done."""

    name: str
    level: Level
    found: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"level": self.level.name.lower()}


def examine(stopped: Stopped = lambda: False) -> Iterator[Finding]:
    """One finding after the other; ends early when `stopped` says so. A check that fails is a fault, and is told."""
    for name, check in CHECKS.items():
        if stopped():
            return
        try:
            yield from check(stopped)
        except Exception as error:
            yield Finding(name, Level.FAULT, f"{type(error).__name__}: {error}", _AGAIN)


def _finding(name: str, good: bool, found: str, advice: str, bad: Level = Level.FAULT) -> Finding:
    return Finding(name, Level.OK if good else bad, found, "" if good else advice)


def _python(_: Stopped) -> Iterator[Finding]:
    bits = 64 if sys.maxsize > 2**32 else 32
    good = sys.version_info >= (3, 11) and bits == 64
    said = f"{platform.python_version()}, {bits} bit, {platform.system()} {platform.release()}"
    yield Finding("program", Level.OK, f"DDS Viewer {core.__version__}")
    yield _finding("Python", good, said, "Install a 64-bit Python 3.11 or newer.")


def _window(stopped: Stopped) -> Iterator[Finding]:
    """Qt, its platform, fonts and OpenGL, asked in a process of its own: a driver may end the one that asks."""
    import PySide6

    from app.bridge.machine_probe import ask

    version = PySide6.__version__
    drawn = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in drawn):
        advice = "There is no display here: start it from a desktop, or under xvfb-run. Commands work without."
        yield Finding("window", Level.NOTE, f"PySide6 {version}, no display", advice)
        return
    told = ask(stopped)
    if "platform" not in told:
        advice = (
            f"No window can be opened. Install the desktop's libraries that Qt needs (libxcb, libegl), or: {_AGAIN}"
        )
        yield Finding("window", Level.FAULT, f"PySide6 {version}, {told.get('trouble', 'no answer')}", advice)
        return
    yield Finding("window", Level.OK, f"PySide6 {version}, platform {told['platform']}, screen {told['screen']}")
    families = int(told["fonts"])
    yield _finding("fonts", families > 0, f"{families} families, text in {told['font'] or 'none'}", _FONTS)
    yield _graphics(told)


_FONTS = "No letters can be drawn: install fonts, such as the package fonts-dejavu."


def _graphics(told: dict[str, str]) -> Finding:
    if "renderer" not in told:
        why = told.get("trouble", "it has none")
        advice = "Slices work, 3-D does not: update the driver of the graphics card, or install Mesa (libgl1)."
        return Finding("OpenGL", Level.NOTE, f"not usable: {why}", advice)
    largest = int(told["largest"])
    found = f"{told['renderer']}, OpenGL {told['version']}, volumes up to {largest} a side"
    advice = "Volumes are shown reduced in 3-D: update the driver of the graphics card."
    return _finding("OpenGL", largest >= _LEAST_TEXTURE, found, advice, Level.NOTE)


def _torch(_: Stopped) -> Iterator[Finding]:
    import torch

    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    yield Finding("torch", Level.OK, f"{torch.__version__}, {torch.get_num_threads()} threads, CUDA {cuda}")


def _libraries(_: Stopped) -> Iterator[Finding]:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            # A program that was frozen has the code, and often not what is told of it.
            (found if importlib.util.find_spec(name) else missing).append(name)
    said = ", ".join(found) + (f"; missing: {', '.join(missing)}" if missing else "")
    yield _finding("libraries", not missing, said, _AGAIN)


def _memory(_: Stopped) -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    free = memory.available / 2**30
    said = f"{free:.1f} GiB free of {memory.total / 2**30:.1f}"
    yield _finding("memory", free > _LEAST_MEMORY_GIB, said, "Close other programs: a run needs about 2 GiB.")


def _priors(stopped: Stopped) -> Iterator[Finding]:
    """Every weight is read through: a prior whose hash is not the one on its card is not used."""
    from core.priors.catalogue import survey_priors

    sound, faults, notes = [], [], []
    for found in survey_priors():
        if stopped():
            return
        trouble = _trouble_of(found)
        if not trouble:
            sound.append(found.path.stem)
        else:
            (faults if found.bundled else notes).append(trouble)
    said = ", ".join(sound) or "none"
    if faults or not sound:
        yield Finding("priors", Level.FAULT, said, " ".join([*faults, *notes, _AGAIN]))
    else:
        yield _finding("priors", not notes, f"{said}, as on their cards", " ".join(notes), Level.NOTE)


def _trouble_of(found: Entry | Unreadable) -> str:
    from core.errors import PriorError
    from core.priors.catalogue import Unreadable
    from core.priors.registry import verify_weights

    if isinstance(found, Unreadable):
        return str(found.trouble)
    if found.package:
        return ""
    if not found.card.sha256:
        return f"The card of {found.path.stem} tells no hash: add it again."
    try:
        verify_weights(found.card, found.path)
    except PriorError as error:
        return str(error)
    return ""


def _plugins(_: Stopped) -> Iterator[Finding]:
    """What other packages add. One of no use is told and leaves the machine healthy: the program does without."""
    from core.engine.methods import METHODS
    from core.formats.plugged import FORMATS
    from core.operators.plugged import OPERATORS
    from core.plugins import troubles
    from core.priors.plugged import PRIORS, plugged_cards

    plugged_cards()
    found = [plugin for group in (FORMATS, OPERATORS, PRIORS, METHODS) for plugin in group.survey()]
    used = [f"{plugin.kind} {plugin.name} ({plugin.package})" for plugin in found if not plugin.trouble]
    wrong = " ".join(troubles())
    yield _finding("plug-ins", not wrong, ", ".join(used) or "none", wrong, Level.NOTE)


def _folders(_: Stopped) -> Iterator[Finding]:
    """Where the program keeps things: can it be written to, and is there room."""
    from app.state.crash_report import crash_folder
    from core.operators.matrix_cache import folder as cache_folder
    from core.priors.catalogue import user_folder

    for name, folder in (("data", user_folder()), ("cache", cache_folder()), ("state", crash_folder().parent)):
        yield _folder(f"{name} folder", folder)


def _folder(name: str, folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
        free = shutil.disk_usage(existing).free / 2**30
    except OSError as error:
        return Finding(name, Level.FAULT, f"{existing}: {error.strerror}", f"Allow writing to {existing}.")
    said = f"{folder}, {free:.1f} GiB free"
    if free < _LEAST_DISK_GIB:
        return Finding(name, Level.FAULT, said, "Make room on this disk: nothing can be kept.")
    return _finding(name, free >= _ENOUGH_DISK_GIB, said, "Make room on this disk.", Level.NOTE)


CHECKS: dict[str, Callable[[Stopped], Iterator[Finding]]] = {
    "Python": _python,
    "window": _window,
    "torch": _torch,
    "libraries": _libraries,
    "memory": _memory,
    "priors": _priors,
    "plug-ins": _plugins,
    "folders": _folders,
}
