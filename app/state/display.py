"""How the image is looked at: which picture of a run, frame, component, window and level."""

from __future__ import annotations

from psygnal import Signal

from app.state.naming import ON_THE_WAY
from app.state.picture import COMPONENTS, Levels

RESULT, SPREAD = "result", "spread"
VIEWS = (RESULT, SPREAD, *reversed(ON_THE_WAY))
"""The pictures of a run that can be asked for; where a run has not got one, its result is shown."""

NARROWEST = 1e-4
"""The narrowest window, as a share of the one that was offered."""


class Display:
    """The one way in which all images of a scan are shown, so that they can be compared.

    view: the picture that is asked for, one of VIEWS; drawn: the one that the run in front had. `offered` are the
    levels of the classical image, and of the first spread, which has a scale of its own. They hold until the user sets
    levels; those then stay, whatever is shown, until the user resets them or another scan is opened.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.component = COMPONENTS[0]
        self.frame = 0
        self.frames = 0
        self.view = self.drawn = RESULT
        self._classical = ON_THE_WAY[-1]
        self.offered: dict[str, Levels] = {}
        self._set: dict[str, Levels] = {}

    @property
    def classical_in_front(self) -> bool:
        """A classical image is asked for in place of the result."""
        return self.view in ON_THE_WAY

    @property
    def scale(self) -> str:
        """Whose levels hold: those of the spread if it is drawn, else those of the component."""
        return SPREAD if self.drawn == SPREAD else self.component

    @property
    def levels(self) -> Levels:
        """Levels of what is shown."""
        return self._set.get(self.scale) or self.offered.get(self.scale) or Levels(0.0, 1.0)

    @property
    def touched(self) -> bool:
        """The user has set the levels of what is shown."""
        return self.scale in self._set

    def start_over(self) -> None:
        """Another scan: first frame, magnitude, no levels yet."""
        self._clear()
        self.changed.emit()

    def offer_levels(self, levels: dict[str, Levels]) -> None:
        """Levels of a classical image or a spread; they show where the user has set none."""
        self.offered = {**self.offered, **levels}
        self.changed.emit()

    def set_levels(self, window: float, level: float) -> None:
        """Levels that the user wants for what is shown."""
        offered = self.offered.get(self.scale)
        narrowest = NARROWEST * offered.window if offered else 1e-12
        self._set[self.scale] = Levels.of_window(max(window, narrowest), level)
        self.changed.emit()

    def drag_levels(self, across: float, down: float) -> None:
        """Change window and level by shares of the offered window."""
        offered = self.offered.get(self.scale, Levels(0.0, 1.0))
        now = self.levels
        self.set_levels(now.window + across * offered.window, now.level + down * offered.window)

    def reset_levels(self) -> None:
        """Back to the offered levels, for everything."""
        self._set.clear()
        self.changed.emit()

    def set_component(self, name: str) -> None:
        self.component = name
        self.changed.emit()

    def set_frames(self, count: int, frame: int | None = None) -> None:
        """How many frames there are now; go to `frame`, or stay as near as possible."""
        self.frames = count
        self.go_to(self.frame if frame is None else frame)

    def go_to(self, frame: int) -> None:
        """Show a frame, the nearest one that exists."""
        self.frame = min(max(frame, 0), max(self.frames - 1, 0))
        self.changed.emit()

    def look_at(self, view: str) -> None:
        """Ask for another picture of the run in front, one of VIEWS."""
        self.view = view
        if view in ON_THE_WAY:
            self._classical = view
        self.changed.emit()

    def put_classical_in_front(self, front: bool) -> None:
        """Ask for the classical image that was looked at last, or for the result."""
        self.look_at(self._classical if front else RESULT)

    def set_drawn(self, view: str) -> None:
        """Which picture the run in front had to show."""
        if view != self.drawn:
            self.drawn = view
            self.changed.emit()
