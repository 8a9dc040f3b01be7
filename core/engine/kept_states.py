"""States of runs that are kept in memory, to branch from, within a bound."""

from __future__ import annotations

import threading

from core.engine.events import StepDone
from core.engine.state import State


class KeptStates:
    """For any thread. most_bytes: of all states together; 0 keeps none.

    Where space runs out the runs that ended longest ago lose theirs first, then every second one of the run that goes
    on is let go of. Whoever branches from a step that is not here walks to it again.
    """

    def __init__(self, most_bytes: int = 0) -> None:
        self._lock = threading.Lock()
        self._most = most_bytes
        self._states: dict[int, dict[int, State]] = {}
        self._every: dict[int, int] = {}

    @property
    def most_bytes(self) -> int:
        return self._most

    @most_bytes.setter
    def most_bytes(self, most: int) -> None:
        with self._lock:
            self._most = most
            for whose in list(self._states):
                self._make_space(whose)

    @property
    def nbytes(self) -> int:
        return sum(state.nbytes for states in list(self._states.values()) for state in list(states.values()))

    def take(self, whose: int, event: StepDone) -> None:
        """Keep the state after a step, if it is one that is kept. whose: a number for the run."""
        if not self._most or (event.step - 1) % self._every.setdefault(whose, 1):
            return
        state = event.state()
        if state is None or not state.noisy:
            return
        with self._lock:
            states = self._states.pop(whose, {})  # to be the last one in the order
            states[event.step] = state.under_way()
            self._states[whose] = states
            self._make_space(whose)

    def at(self, whose: int, step: int) -> State | None:
        """The state of a run after a step, if it is held."""
        with self._lock:
            return self._states.get(whose, {}).get(step)

    def steps(self, whose: int) -> tuple[int, ...]:
        """After which steps of a run there is one."""
        with self._lock:
            return tuple(self._states.get(whose, ()))

    @property
    def runs(self) -> set[int]:
        """Of which there is one."""
        with self._lock:
            return set(self._states)

    def forget(self, whose: int) -> None:
        """The run is gone."""
        with self._lock:
            self._states.pop(whose, None)
            self._every.pop(whose, None)

    def _make_space(self, whose: int) -> None:
        for other in [key for key in self._states if key != whose]:
            if self.nbytes <= self._most:
                return
            del self._states[other]
        states = self._states[whose]
        while states and self.nbytes > self._most:
            if len(states) == 1:
                states.clear()
                return
            every = self._every[whose] = 2 * self._every.get(whose, 1)
            for step in [step for step in states if (step - 1) % every]:
                del states[step]
