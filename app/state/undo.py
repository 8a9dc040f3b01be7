"""What can be undone: a list of steps, each with its way back and its way forth."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from psygnal import Signal

MOST_STEPS = 200


@dataclass(frozen=True)
class Step:
    """Something that was done. label: what changed, such as "window and level"."""

    label: str
    undo: Callable[[], object]
    redo: Callable[[], object]
    merge_key: Hashable = None


class History:
    """The steps that were done and undone, the latest of each last. Bounded: the oldest steps are forgotten."""

    changed = Signal()

    def __init__(self, most: int = MOST_STEPS) -> None:
        self._most = most
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._open = False
        self._busy = False

    @property
    def undo_label(self) -> str:
        """What `undo` would take back, or ""."""
        return self._done[-1].label if self._done else ""

    @property
    def redo_label(self) -> str:
        """What `redo` would do again, or ""."""
        return self._undone[-1].label if self._undone else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Of all steps that can be undone, the oldest first."""
        return tuple(step.label for step in self._done)

    def push(
        self,
        label: str,
        undo: Callable[[], object],
        redo: Callable[[], object],
        merge_key: Hashable = None,
    ) -> None:
        """Remember what has just been done. What was undone can no longer be redone.

        One with the merge_key of the step before it joins that step, until `seal`: a drag is one step. What happens
        while a step is undone or redone is part of that, and not remembered.
        """
        if self._busy:
            return
        last = self._done[-1] if self._done else None
        if last is not None and self._open and merge_key is not None and merge_key == last.merge_key:
            self._done[-1] = replace(last, label=label, redo=redo)
        else:
            self._done.append(Step(label, undo, redo, merge_key))
            del self._done[: -self._most]
        self._open = True
        self._undone.clear()
        self.changed.emit()

    def seal(self) -> None:
        """The next push is a step of its own."""
        self._open = False

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._done and not self._busy:
            step = self._done.pop()
            self._undone.append(step)
            self._go(step.undo)

    def redo(self) -> None:
        """Do again what was undone last, if there is something."""
        if self._undone and not self._busy:
            step = self._undone.pop()
            self._done.append(step)
            self._go(step.redo)

    def clear(self) -> None:
        """Forget all steps."""
        self._done.clear()
        self._undone.clear()
        self._open = False
        self.changed.emit()

    def _go(self, way: Callable[[], object]) -> None:
        self._open = False
        self._busy = True
        try:
            way()
        finally:
            self._busy = False
            self.changed.emit()
