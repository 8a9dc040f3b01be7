"""Does one task, here or on a worker: its run, its figures, its small picture."""

from __future__ import annotations

import base64
import io
import math
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.engine.events import Failed, Finished, StepDone
from core.engine.run_card import NOTICE
from core.engine.runner import run
from core.engine.stop import Stop
from core.engine.tasks import Task, TaskEvent, TaskFailed, TaskResult, TaskStarted, TaskStep, Thumbnail
from core.errors import JobError, UserError
from core.formats.thumbnails import of_slice
from core.scan import Volume

FORMAT = 1
PREVIEW_S = 1.0
"""Between two small pictures of a run on its way."""


@dataclass
class Here:
    """A Workplace: this process, one task after the other."""

    def work(self, tasks: Iterable[Task | TaskEvent], stop: Stop) -> Generator[TaskEvent, None, None]:
        """See core.engine.tasks.Workplace."""
        for task in tasks:
            if stop.ending:
                return
            if isinstance(task, TaskEvent):
                yield task
                continue
            yield TaskStarted(task)
            with closing(worked(task, stop)) as events:
                yield from events


def worked(task: Task, stop: Stop) -> Generator[TaskStep | TaskResult | TaskFailed, None, None]:
    """Do a task; nothing comes at the end when it was stopped. Whatever goes wrong is told, never raised."""
    try:
        yield from _worked(task, stop)
    except UserError as error:
        yield TaskFailed(task, error)
    except Exception as error:  # The others must go on, whatever is wrong with this one.
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        yield TaskFailed(task, JobError("The run ended by a mistake of the program.", why, "Report it."))


def _worked(task: Task, stop: Stop) -> Generator[TaskStep | TaskResult | TaskFailed, None, None]:
    shown = time.monotonic()
    with closing(run(task.job, stop)) as events:  # type: ignore[type-var]
        for event in events:
            if isinstance(event, StepDone):
                preview = None
                if time.monotonic() - shown >= PREVIEW_S:
                    preview, shown = _middle(event.estimate()), time.monotonic()
                yield TaskStep(task, event.step, event.total, event.residual, event.seconds_left, preview)
            elif isinstance(event, Failed):
                yield TaskFailed(task, event.error)
            elif isinstance(event, Finished) and event.kept_at is None:
                yield TaskResult(task, record_of(task, event), event.volume if task.keep_image else None)


def record_of(task: Task, done: Finished) -> dict[str, Any]:
    """All that is known of a finished task but its image, ready for JSON.

    Keys: digest, values (of what is varied), seconds, residual, metrics (psnr in dB, ssim, nrmse, hfen and their
    data_range; empty without a reference, and without what is infinite), reference (what was compared with, and within
    which mask), unit, thumbnail (a PNG in base64), card (the run card), notice, format.
    """
    outcome = done.card["outcome"]
    against = outcome.get("reference", {})
    mask = f", inside {against['mask']}" if against.get("mask") else ""
    return {
        "format": FORMAT,
        "notice": NOTICE,
        "digest": task.digest,
        "name": task.name,
        "values": task.values,
        "seconds": float(outcome["seconds"]),
        "residual": float(outcome["residual"]),
        "metrics": {k: float(v) for k, v in done.metrics.items() if math.isfinite(v)},
        "reference": against.get("against", "") + mask,
        "unit": against.get("unit") or done.volume.unit,
        "thumbnail": base64.b64encode(png_of(_thumbnail(done.volume))).decode("ascii"),
        "card": done.card,
    }


def png_of(picture: Thumbnail) -> bytes:
    """A grey picture, uint8 (rows, columns), as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _thumbnail(volume: Volume) -> Thumbnail:
    stack = volume.array[: volume.slices]
    return of_slice(stack[len(stack) // 2], volume.affine, volume.spacing_mm)


def _middle(image: Any) -> Thumbnail:
    return of_slice(np.asarray(image[len(image) // 2]), None, (1.0, 1.0, 1.0))
