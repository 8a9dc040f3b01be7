"""The worker's loop over a run: pull an event, post it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import NoReturn

from app.bridge.keeping import Keeping, RunKeeper
from app.bridge.mailbox import Mailbox
from app.state.crash_report import report_of
from app.state.picture import Levels, Picture, Plane
from app.state.runs import Run
from core.engine.events import ClassicalImage, Event, Failed, Finished, Image, Noted, Paused, StepDone
from core.engine.offers import unit_of
from core.errors import JobError, UserError


class Listener:
    """What the window does with the news of a run; called in the window's thread."""

    def event(self, run: Run, event: Event) -> None:
        """An event, without its arrays except for the final volume."""

    def classical(self, run: Run, method: str, picture: Picture, levels: dict[str, Levels]) -> None:
        """A classical image and the grey scale that suits it."""

    def result(self, run: Run, picture: Picture, step: int, noisy: Plane | None = None) -> None:
        """A denoised estimate, or the final image (step 0). noisy: the values of what the sampler goes on with, where
        that is kept."""

    def spread(self, run: Run, picture: Picture, levels: Levels) -> None:
        """The standard deviation of the samples and the scale that suits it."""


def pull(
    run: Run,
    events: Callable[..., Iterator[Event]],
    mailbox: Mailbox,
    listener: Listener,
    keeping: Keeping | None = None,
) -> None:
    """Do a run to its end. Everything that costs time is done here, in the worker's thread.

    events: of a job and a stop, and of the state that the run goes on from where there is one. keeping: what is kept of
    it meanwhile.
    """
    with keeping.watch(run) if keeping is not None else nullcontext() as keeper:
        _pull(run, events, mailbox, listener, keeper)


def _pull(
    run: Run, events: Callable[..., Iterator[Event]], mailbox: Mailbox, listener: Listener, keeper: RunKeeper | None
) -> None:
    last: type[Event] = Event
    short = False
    try:
        for event in _events(run, events, keeper):
            if isinstance(event, Paused) and last is Paused:
                continue
            last = type(event)
            trouble = keeper.take(event) if keeper is not None else ""
            if trouble:
                mailbox.post(partial(listener.event, run, Noted(trouble)))
            if not _showed(run, event, mailbox, listener, keeper) and not short:
                short = True
                mailbox.post(partial(listener.event, run, Noted("The memory was short: not every step was shown.")))
            mailbox.post(partial(listener.event, run, _light(event)))
    except Exception as error:
        print(report_of(error).text, file=sys.stderr)
        failed = Failed(JobError("The run broke down.", f"{type(error).__name__}: {error}", "Try other settings."))
        mailbox.post(partial(listener.event, run, failed))


def _showed(run: Run, event: Event, mailbox: Mailbox, listener: Listener, keeper: RunKeeper | None) -> bool:
    """Post the pictures of an event; False where the memory is too short for them. The run goes on without."""
    try:
        if isinstance(event, ClassicalImage):
            _post_classical(run, event, mailbox, listener)
        elif isinstance(event, StepDone):
            noisy = event.noisy() if keeper is not None and keeper.wants_noisy else None
            _post_result(run, event.estimate(), event.step, mailbox, listener, noisy)
        elif isinstance(event, Finished):
            _post_final(run, event, mailbox, listener)
    except (MemoryError, RuntimeError) as error:
        from core.engine.memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        return False
    return True


def _events(run: Run, events: Callable[..., Iterator[Event]], keeper: RunKeeper | None) -> Iterator[Event]:
    """Those of the run, from the state that it goes on from."""
    try:
        held = keeper.begin() if keeper is not None else None
    except UserError as error:
        yield Failed(error)
        return
    yield from events(run.job, run.stop) if held is None else events(run.job, run.stop, held)


def _light(event: Event) -> Event:
    """The event without what must not, or need not, outlive it."""
    if isinstance(event, StepDone):
        return replace(event, estimate=_gone, noisy=_gone, state=_gone)
    if isinstance(event, ClassicalImage):
        return replace(event, image=event.image[:0])
    return event


def _gone() -> NoReturn:
    raise RuntimeError("The estimate can be had only while the run waits at its step.")


def _post_classical(run: Run, event: ClassicalImage, mailbox: Mailbox, listener: Listener) -> None:
    """A classical image on the way, or what the classical method that was asked for has made."""
    if event.method not in run.on_the_way:
        _post_result(run, event.image, 0, mailbox, listener)
        return
    picture = _picture(run, event.image)
    slot = (run, event.method)
    mailbox.post(partial(listener.classical, run, event.method, picture, picture.levels()), slot)


def _post_result(
    run: Run, image: Image, step: int, mailbox: Mailbox, listener: Listener, noisy: Image | None = None
) -> None:
    beside = () if noisy is None else (_picture(run, noisy).values,)
    mailbox.post(partial(listener.result, run, _picture(run, image), step, *beside), (run, "result"))


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
