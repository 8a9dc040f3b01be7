"""The stand: what visitors may do there, and the show that goes round and starts over. No Qt, no files."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from psygnal import Signal

from app.words import later

IDLE_S = 90.0
"""So long without a visitor's hand, and everything starts over."""
PATIENCE_S = 600.0
MAP_PATIENCE_S = 60.0
"""So long a stage may wait for the engine; then it counts as failed. The map of what is unseen is passed over then."""
ROUND_S = 8.0
"""The edge between two images goes there and back in this time while nobody holds it."""


@dataclass(frozen=True)
class Policy:
    """What exists at the stand: an action that is not in `actions` is not made at all, so that no key finds it.

    actions: names of app.actions.DEEDS. escape: the keys that end the program. idle_s: see IDLE_S.
    """

    actions: tuple[str, ...] = ("reset_levels", "fit", "zoom_in", "zoom_out", "reconstruct")
    escape: str = "Ctrl+Alt+Shift+Q"
    idle_s: float = IDLE_S

    def allows(self, name: str) -> bool:
        return name in self.actions


class Stage(Enum):
    """Where the show is; the value is the word for it above the image, before it is translated."""

    WELCOME = ""
    MEASURED = later("1  Measured")
    FORMING = later("2  It forms")
    COMPARE = later("3  Compare")
    UNSEEN = later("4  Measured or imagined")
    TROUBLE = "!"


STEPS = (Stage.MEASURED, Stage.FORMING, Stage.COMPARE, Stage.UNSEEN)
"""Of an act, in their order."""

DWELL_S = {
    Stage.WELCOME: 10.0,
    Stage.MEASURED: 7.0,
    Stage.FORMING: 0.0,
    Stage.COMPARE: 2 * ROUND_S,
    Stage.UNSEEN: 10.0,
    Stage.TROUBLE: 8.0,
}
"""Seconds that a stage stays when what it waits for is there and nobody touches anything."""


@dataclass(frozen=True)
class Act:
    """One scan of the show. demo: the bundled scan's name. captions: a sentence for each stage."""

    demo: str
    name: str
    captions: dict[Stage, str]

    def caption(self, stage: Stage) -> str:
        """Before it is translated."""
        return self.captions.get(stage) or CAPTIONS[stage]


CAPTIONS = {
    Stage.WELCOME: later("A scanner measures numbers, not pictures. See how they become an image."),
    Stage.FORMING: later(
        "DDS: a trained network takes noise away, step by step. After every step the image is pulled back to what was"
        " measured."
    ),
    Stage.COMPARE: later("Left of the line the classical image, right of it DDS. Drag the line."),
    Stage.UNSEEN: later(
        "Bright is what the measurement cannot see. The network filled it in there, rightly or wrongly."
    ),
    Stage.TROUBLE: later("That did not work. It starts again by itself in a moment."),
}
ACTS = (
    Act(
        "mri",
        later("MRI: a head"),
        {
            Stage.MEASURED: later(
                "Only a quarter of the lines of this MRI scan was measured, so the patient lies still for a quarter of"
                " the time. This is the classical image of it."
            )
        },
    ),
    Act(
        "ct",
        later("CT: a chest"),
        {
            Stage.MEASURED: later(
                "This chest was X-rayed from 30 directions; a CT scanner uses about a thousand. This is the classical"
                " image of it."
            )
        },
    ),
)


class Show:
    """Goes through the acts for ever. `clock` tells seconds; whoever shows it calls `tick` several times a second.

    Nobody there: a stage that has what it waits for goes on after its time. A visitor: stages wait for `go_on`, and
    after `idle_s` without `touch` everything starts over. changed: another stage or act. restarted: back to the start,
    where nothing a visitor has done is left. ready: what the stage waits for is there.
    """

    changed = Signal()
    restarted = Signal()

    def __init__(
        self, policy: Policy | None = None, acts: tuple[Act, ...] = ACTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.policy = policy or Policy()
        self.acts, self._clock = acts, clock
        self._act = 0
        self._touched: float | None = None
        self.stage, self.ready = Stage.WELCOME, True
        self._since = clock()

    @property
    def act(self) -> Act:
        return self.acts[self._act]

    @property
    def next_act(self) -> Act:
        return self.acts[(self._act + 1) % len(self.acts)]

    @property
    def visited(self) -> bool:
        """A visitor is there."""
        return self._touched is not None

    @property
    def seconds(self) -> float:
        """Since the stage began, or since what it waits for came."""
        return self._clock() - self._since

    @property
    def idle_left(self) -> float | None:
        """Seconds until it starts over, None while nobody is there."""
        return None if self._touched is None else self._touched + self.policy.idle_s - self._clock()

    def tick(self) -> None:
        """Time has passed."""
        left = self.idle_left
        if left is not None and left <= 0:
            self.restart()
        elif not self.ready:
            self._wait()
        elif (not self.visited or self.stage in (Stage.TROUBLE, Stage.FORMING)) and self.seconds >= DWELL_S[self.stage]:
            self.go_on()

    def _wait(self) -> None:
        if self.stage is Stage.UNSEEN and self.seconds > MAP_PATIENCE_S:
            self.go_on()
        elif self.seconds > PATIENCE_S:
            self.fail()

    def touch(self) -> None:
        """A visitor has done something."""
        self._touched = self._clock()

    def go_on(self) -> None:
        """To the next stage; after the last one, and after trouble, to the next act."""
        if self.stage is Stage.WELCOME:
            self._enter(Stage.MEASURED)
        elif self.stage in STEPS[:-1]:
            self._enter(STEPS[STEPS.index(self.stage) + 1])
        elif self.stage is Stage.TROUBLE:
            self._act = (self._act + 1) % len(self.acts)
            self._enter(Stage.WELCOME)
        else:
            self.begin(self.next_act)

    def begin(self, act: Act) -> None:
        """Its first stage; after the last act the start comes in between while nobody is there."""
        welcome = self.acts.index(act) == 0 and not self.visited
        self._act = self.acts.index(act)
        self._enter(Stage.WELCOME if welcome else Stage.MEASURED)

    def form_again(self) -> None:
        """With other settings."""
        self._enter(Stage.FORMING)

    def arrive(self) -> None:
        """What the stage waits for is there."""
        if not self.ready:
            self.ready, self._since = True, self._clock()
            self.changed.emit()

    def fail(self) -> None:
        """Something went wrong in this act."""
        self._enter(Stage.TROUBLE)

    def restart(self) -> None:
        """As it was when the stand was opened."""
        self._act, self._touched = 0, None
        self.restarted.emit()
        self._enter(Stage.WELCOME)

    def _enter(self, stage: Stage) -> None:
        self.stage, self._since = stage, self._clock()
        self.ready = stage in (Stage.WELCOME, Stage.COMPARE, Stage.TROUBLE)
        self.changed.emit()


def edge_at(seconds: float) -> float:
    """Where the edge between two images is, 0.15 to 0.85 of the width, so long after nobody held it any more."""
    return 0.5 + 0.35 * math.sin(2 * math.pi * seconds / ROUND_S)
