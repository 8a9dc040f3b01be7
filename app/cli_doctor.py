"""The command doctor: what of this machine the program can use, and what to do where it cannot."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click


@click.command()
def doctor() -> None:
    """Check this machine: Python, Qt, torch and CUDA, memory, priors, write access."""
    healthy = True
    for name, check in CHECKS.items():
        try:
            good, found, advice = check()
        except Exception as error:
            good, found, advice = False, f"{type(error).__name__}: {error}", "Install the program again."
        healthy &= good
        click.echo(f"{'ok  ' if good else 'FAIL'} {name + ':':<14} {found}")
        if advice:
            click.echo(f"     {'':<14} {advice}")
    sys.exit(0 if healthy else 1)


Finding = tuple[bool, str, str]


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    return good, platform.python_version(), "" if good else "Install Python 3.11 or newer."


def _qt() -> Finding:
    version = importlib.metadata.version("PySide6-Essentials")
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    needs_screen = sys.platform.startswith("linux") and not screen
    advice = "There is no display here: start it from a desktop, or under xvfb-run." if needs_screen else ""
    return True, f"PySide6 {version}, display {screen or 'none' if needs_screen else screen or 'native'}", advice


def _torch() -> Finding:
    import torch

    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return True, f"{torch.__version__}, {torch.get_num_threads()} threads, CUDA {cuda}", ""


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available / 2**30
    good = free > 2
    return good, f"{free:.1f} GiB free", "" if good else "Close other programs: a run needs about 2 GiB."


def _priors() -> Finding:
    from core.priors import load_prior
    from core.priors.catalogue import list_priors

    entries = list_priors()
    for entry in entries:
        load_prior(entry.path)
    names = ", ".join(entry.path.stem for entry in entries)
    return bool(entries), names or "none", "" if entries else "Install the program again, or give --prior a file."


def _plugins() -> Finding:
    """What other packages add. One of no use is told and leaves the machine healthy: the program does without."""
    from core.engine.methods import METHODS
    from core.formats.plugged import FORMATS
    from core.operators.plugged import OPERATORS
    from core.priors.plugged import PRIORS, plugged_cards

    plugged_cards()
    found = [plugin for group in (FORMATS, OPERATORS, PRIORS, METHODS) for plugin in group.survey()]
    used = [f"{plugin.kind} {plugin.name} ({plugin.package})" for plugin in found if not plugin.trouble]
    return True, ", ".join(used) or "none", " ".join(plugin.words for plugin in found if plugin.trouble)


def _write_access() -> Finding:
    from core.priors.catalogue import user_folder

    folder = user_folder()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return False, f"{existing}: {error.strerror}", f"Allow writing to {existing}."
    return True, str(Path(folder)), ""


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": _python,
    "Window": _qt,
    "torch": _torch,
    "memory": _memory,
    "priors": _priors,
    "plug-ins": _plugins,
    "data folder": _write_access,
}
