"""The worker's loop over a run: pull an event, post it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from app.bridge.mailbox import Mailbox
from app.state.picture import Levels, Picture
from app.state.runs import Run
from core.engine.events import ClassicalImage, Event, Failed, Finished, Image, Paused, StepDone
from core.engine.job import JobSpec
from core.engine.offers import unit_of
from core.engine.stop import Stop
from core.errors import JobError


class Listener:
    """What the window does with the news of a run; called in the window's thread."""

    def event(self, run: Run, event: Event) -> None:
        """An event, without its arrays except for the final volume."""

    def classical(self, run: Run, method: str, picture: Picture, levels: dict[str, Levels]) -> None:
        """A classical image and the grey scale that suits it."""

    def result(self, run: Run, picture: Picture, step: int) -> None:
        """A denoised estimate, or the final image (step 0)."""

    def spread(self, run: Run, picture: Picture, levels: Levels) -> None:
        """The standard deviation of the samples and the scale that suits it."""


def pull(run: Run, events: Callable[[JobSpec, Stop], Iterator[Event]], mailbox: Mailbox, listener: Listener) -> None:
    """Do a run to its end. Everything that costs time is done here, in the worker's thread."""
    last: type[Event] = Event
    try:
        for event in events(run.job, run.stop):
            if isinstance(event, Paused) and last is Paused:
                continue
            last = type(event)
            if isinstance(event, ClassicalImage):
                _post_classical(run, event, mailbox, listener)
            elif isinstance(event, StepDone):
                _post_result(run, event.estimate(), event.step, mailbox, listener)
            elif isinstance(event, Finished):
                _post_final(run, event, mailbox, listener)
            mailbox.post(partial(listener.event, run, _light(event)))
    except Exception as error:
        traceback.print_exc()
        failed = Failed(JobError("The run broke down.", f"{type(error).__name__}: {error}", "Try other settings."))
        mailbox.post(partial(listener.event, run, failed))


def _light(event: Event) -> Event:
    """The event without what must not, or need not, outlive it."""
    if isinstance(event, StepDone):
        return replace(event, estimate=_gone)
    if isinstance(event, ClassicalImage):
        return replace(event, image=event.image[:0])
    return event


def _gone() -> Image:
    raise RuntimeError("The estimate can be had only while the run waits at its step.")


def _post_classical(run: Run, event: ClassicalImage, mailbox: Mailbox, listener: Listener) -> None:
    """A classical image on the way, or what the classical method that was asked for has made."""
    if event.method not in run.on_the_way:
        _post_result(run, event.image, 0, mailbox, listener)
        return
    picture = _picture(run, event.image)
    slot = (run, event.method)
    mailbox.post(partial(listener.classical, run, event.method, picture, picture.levels()), slot)


def _post_result(run: Run, image: Image, step: int, mailbox: Mailbox, listener: Listener) -> None:
    mailbox.post(partial(listener.result, run, _picture(run, image), step), (run, "result"))


def _picture(run: Run, image: Image) -> Picture:
    return Picture(image, unit_of(run.job.scan) if run.job.scan is not None else "a.u.")


def _post_final(run: Run, event: Finished, mailbox: Mailbox, listener: Listener) -> None:
    """The final image, unless it was shown on the way; and the spread of the samples.

    A method that iterates may have been stopped before its own image: then a simpler one was kept, and is called so.
    """
    kept = event.card.get("outcome", {}).get("kept_image", "")
    if not run.is_quick and kept not in run.on_the_way:
        _post_result(run, event.volume.array, 0, mailbox, listener)
    if event.volume.spread is not None:
        picture = _picture(run, event.volume.spread)
        levels = picture.brightness()
        mailbox.post(partial(listener.spread, run, picture, levels), (run, "spread"))
