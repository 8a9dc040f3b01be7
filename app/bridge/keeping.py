"""What is kept of a run while it goes on: a checkpoint against a crash, and states to branch from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.bridge.recovery import RUN, Place, claim
from app.state.runs import Run
from core.engine.checkpoint import ENDING, EVERY_S, MOST_BYTES, Checkpoints, read
from core.engine.events import Event, Started, StepDone
from core.engine.kept_states import KeptStates
from core.engine.state import State


@dataclass
class Keeping:
    """Of all runs of a window. folder: for checkpoints. every: seconds between two writings.

    held: by run, the state to begin with, or the place of its checkpoint. Runs are told apart by their id().
    """

    folder: Path
    states: KeptStates = field(default_factory=KeptStates)
    every: float = EVERY_S
    most_bytes: int = MOST_BYTES
    held: dict[int, State | Place] = field(default_factory=dict)

    @contextmanager
    def watch(self, run: Run) -> Iterator[RunKeeper]:
        """For the thread that pulls the run. What was kept against a crash is deleted in the end, however it ends."""
        keeper = RunKeeper(self, run, self.held.pop(id(run), None))
        try:
            yield keeper
        finally:
            keeper.end()

    def forget_others(self, runs: Iterable[Run]) -> None:
        """Of all but these runs nothing can branch, or go on, any more."""
        there = {id(run) for run in runs}
        for gone in self.states.runs - there:
            self.states.forget(gone)
        for gone in self.held.keys() - there:
            waiting = self.held.pop(gone)
            if isinstance(waiting, Place):
                waiting.discard()


class RunKeeper:
    """Of one run. held: see Keeping."""

    def __init__(self, keeping: Keeping, run: Run, held: State | Place | None) -> None:
        self._keeping, self._run, self._held = keeping, run, held
        self._place = held if isinstance(held, Place) else None
        self._writer: Checkpoints | None = None
        self._hopeless = not run.is_dds
        if not self._hopeless:
            # The place is claimed when there is something to write.
            path = self._place.file if self._place is not None else keeping.folder / f"{RUN}{ENDING}"
            self._writer = Checkpoints(path, keeping.every, keeping.most_bytes)

    def begin(self) -> State | None:
        """The state to go on from; reads a checkpoint. Raises JobError where it is damaged."""
        if not isinstance(self._held, Place):
            return self._held
        state = read(self._held.file)
        self._run.residuals = list(state.residuals)  # before any event of the run, so that nobody else writes there
        return state

    def take(self, event: Event) -> str:
        """Look at an event before the next one is asked for; what there is to tell the user, or ""."""
        if isinstance(event, Started):
            self._keeping.states.forget(id(self._run))  # of a run that was begun again
        if not isinstance(event, StepDone) or self._writer is None:
            return ""
        try:
            self._keeping.states.take(id(self._run), event)
        except (MemoryError, RuntimeError) as error:
            _require_shortage(error)
            self._keeping.states.forget(id(self._run))
        if self._hopeless or not self._writer.due:
            return ""
        if self._place is None:
            try:
                self._place = claim(self._keeping.folder, RUN, ENDING)
            except OSError as error:
                self._hopeless = True
                return f"This run is not kept against a crash: {error.strerror or error}."
            self._writer.path = self._place.file
        return self._writer.take(event)

    @property
    def wants_noisy(self) -> bool:
        return self._keeping.states.most_bytes > 0

    def end(self) -> None:
        """The run is over."""
        if self._place is not None:
            self._place.discard()


def _require_shortage(error: Exception) -> None:
    """Raise an error again that is not one of memory: steps to branch from are kept only where there is room."""
    from core.engine.memory import is_out_of_memory

    if not is_out_of_memory(error):
        raise error
