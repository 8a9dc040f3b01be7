"""A job in words that make it again: a command line, a Python script, a settings file. Only what is not the default.

Of the patient nothing is told: of the scan only where its file is.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from core.engine.job import JobSpec, ScanSource
from core.engine.presets import default_prior, settings_for, usual
from core.engine.settings import ReconSettings, used_by

IMAGE = "image.npy"
_NEVER_USUAL = ("prior", "lam")
"""What depends on the kind of scan, and so is always told where the scan is not known."""


def as_command(job: JobSpec, out: str = IMAGE) -> str:
    """The command that makes the same image, quoted for the shell of this system; a comment before it if it cannot.

    It cannot where a run was kept on its way, or is told how many threads to use or samples to draw at once.
    """
    source = job.source
    words = ["dds-viewer", "recon", str(Path(source.path).absolute()), "--out", out]
    for name, value in _told(job).items():
        option = name.replace("_", "-")
        words += [f"--{'' if value else 'no-'}{option}"] if isinstance(value, bool) else [f"--{option}", _plain(value)]
    for name, value in _of_source(source).items():
        words += [f"--{name}={value}"]
    line = subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
    return f"{_unsaid(job)}{line}"


def as_python(job: JobSpec) -> str:
    """A script that does the same job and prints what became of it."""
    source = [repr(str(Path(job.source.path).absolute()))]
    source += [f"{f.name}={getattr(job.source, f.name)!r}" for f in fields(ScanSource)[1:] if _differs(job.source, f)]
    chosen, usual_ones = job.settings, ReconSettings()
    told = [n for n in used_by(chosen.method) if getattr(chosen, n) != getattr(usual_ones, n)]
    settings = [f"{name}={getattr(chosen, name)!r}" for name in told]
    more = [f"    {name}={getattr(job, name)!r},\n" for name in _OF_THE_RUN if getattr(job, name) != _OF_THE_RUN[name]]
    return (
        "from core.engine.by_hand import finish\n"
        "from core.engine.job import JobSpec, ScanSource\n"
        "from core.engine.settings import ReconSettings\n\n"
        "job = JobSpec(\n"
        f"    ScanSource({', '.join(source)}),\n"
        f"    ReconSettings({', '.join(settings)}),\n"
        f"{''.join(more)})\n"
        "finished = finish(job)\n"
        "volume = finished.volume\n"
        'print(volume.array.shape, volume.unit, finished.card["outcome"]["residual"])\n'
    )


def as_yaml(job: JobSpec) -> str:
    """The settings as a file for sweeps and batches (core.engine.settings_text); the scan's path is a comment in it."""
    import yaml

    said = {**_told(job), **_of_source(job.source)}
    body = yaml.safe_dump(said, sort_keys=False, allow_unicode=True) if said else ""
    path = json.dumps(str(Path(job.source.path).absolute()), ensure_ascii=False)
    return f"# scan: {path}\n{_unsaid(job)}{body}"


_OF_THE_RUN: dict[str, Any] = {"threads": 0, "keep_at": None, "keep_image": "", "samples_at_once": 0}


def _told(job: JobSpec) -> dict[str, Any]:
    """The settings that must be given for the command line to arrive at those of the job.

    What it takes for the rest depends on what is given (a prior brings its own, a rule its gamma), so that this goes on
    until nothing differs.
    """
    target = job.settings
    used = used_by(target.method)
    begun = {} if job.scan is None else {"prior": default_prior(job.scan), **usual(job.scan, target.method)}
    known = () if job.scan is not None else _NEVER_USUAL
    given = {n: getattr(target, n) for n in used if n in known or (n == "method" and target.method != "dds")}
    if "prior" in used and target.prior != begun.get("prior"):
        given["prior"] = target.prior
    while True:
        found = settings_for(**{**begun, **given})
        differing = {n: getattr(target, n) for n in used if getattr(found, n) != getattr(target, n)}
        if not differing.keys() - given.keys():
            return {name: given[name] for name in used if name in given}
        given |= differing


def _of_source(source: ScanSource) -> dict[str, Any]:
    """What is said of the scan, by the names of the options and of the settings file; slices as text."""
    said = {f.name: getattr(source, f.name) for f in fields(ScanSource)[1:] if _differs(source, f)}
    if source.slices is not None:
        said["slices"] = f"{source.slices[0]}:{source.slices[1]}"
    return said


def _differs(source: ScanSource, field: Any) -> bool:
    return bool(getattr(source, field.name) != field.default)


def _unsaid(job: JobSpec) -> str:
    """A comment for what only a run card or a script can say."""
    parts = [f"{name} {value!r}" for name in _OF_THE_RUN if (value := getattr(job, name)) != _OF_THE_RUN[name]]
    return f"# not said here: {', '.join(parts)}; the run card says it\n" if parts else ""


def _plain(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)
