"""The run card: everything that is needed to make a result again, and what it was measured to be."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

import core
from core.engine.job import JobSpec
from core.engine.methods import METHODS
from core.errors import JobError

FORMAT = 1
NOTICE = "Research use only. Not for diagnosis."

_DECISIVE = ("device", "precision", "compiled", "planes_at_once", "left")
"""What a machine chose for itself, or came to on the way, and what the numbers depend on."""


def versions() -> dict[str, str]:
    """What computed: program, torch, numpy, Python and the processor."""
    return {
        "dds-viewer": core.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }


def make_card(job: JobSpec, inputs: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    """The card of a finished run as a plain dict, ready for JSON.

    inputs: hashes of scan and prior. outcome: what was measured (seconds, residual, nfe, kept_at, warnings, metrics).
    """
    return {
        "format": FORMAT,
        "notice": NOTICE,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": job.to_dict(),
        "inputs": inputs,
        "versions": versions() | _of_plugins(job),
        "outcome": outcome,
    }


def _of_plugins(job: JobSpec) -> dict[str, str]:
    package = METHODS.package_of(job.settings.method)
    return {"method": package} if package else {}


def read_run_card(path: Path) -> dict[str, Any]:
    """A card from its file. Raises JobError if it is not one."""
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise JobError(f"The run card {path.name} cannot be read.", str(error), "Choose a run card.") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or "job" not in card:
        raise JobError(f"{path.name} is not a run card of this program.", "", "Choose a file ending in .card.json.")
    return card


def job_from_card(card: dict[str, Any]) -> JobSpec:
    """The job that a card describes, ending where a kept run was kept, on as many threads, in the same groups.

    Raises JobError.
    """
    try:
        job = JobSpec.from_dict(card["job"])
        outcome = card.get("outcome", {})
        return replace(
            job,
            keep_at=outcome.get("kept_at"),
            keep_image=str(outcome.get("kept_image", "")),
            threads=int(outcome.get("threads", job.threads)),
            samples_at_once=int(outcome.get("samples_at_once") or job.samples_at_once),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise JobError("The run card cannot be read.", f"Something is missing or wrong: {error}.") from error


def changed_versions(before: dict[str, str]) -> list[str]:
    """What computes now, where it is not what computed before, in words."""
    now = versions()
    return [f"{name}: was {text}, is {now[name]}" for name, text in before.items() if now.get(name, text) != text]


def differences(card: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What is not the same as when a card was made, in words; then the image may differ too."""
    changed = []
    for part in ("inputs", "versions"):
        before, after = card.get(part, {}), now.get(part, {})
        changed += [
            f"{part[:-1]} {key}: was {before.get(key)}, is {after.get(key)}"
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        ]
    before, after = card.get("outcome", {}), now.get("outcome", {})
    changed += [
        f"{key}: was {before[key]}, is {after.get(key)}"
        for key in _DECISIVE
        if before.get(key) is not None and before[key] != after.get(key)
    ]
    return changed
