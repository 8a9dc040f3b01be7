"""How the image is looked at: frame, component, window and level, and whether the classical image is in front."""

from __future__ import annotations

from psygnal import Signal

from app.state.picture import COMPONENTS, Levels

NARROWEST = 1e-4
"""The narrowest window, as a share of the one that was offered."""


class Display:
    """The one way in which all images of a scan are shown, so that they can be compared.

    `offered` are the levels of the classical image. They hold until the user sets levels; those then stay, whatever
    is shown, until the user resets them or another scan is opened.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.component = COMPONENTS[0]
        self.frame = 0
        self.frames = 0
        self.classical_in_front = False
        self.offered: dict[str, Levels] = {}
        self._set: dict[str, Levels] = {}

    @property
    def levels(self) -> Levels:
        """Levels of the component that is shown."""
        return self._set.get(self.component) or self.offered.get(self.component) or Levels(0.0, 1.0)

    @property
    def touched(self) -> bool:
        """The user has set the levels of the component that is shown."""
        return self.component in self._set

    def start_over(self) -> None:
        """Another scan: first frame, magnitude, no levels yet."""
        self._clear()
        self.changed.emit()

    def offer_levels(self, levels: dict[str, Levels]) -> None:
        """Levels of a classical image; they show where the user has set none."""
        self.offered = levels
        self.changed.emit()

    def set_levels(self, window: float, level: float) -> None:
        """Levels that the user wants for the component that is shown."""
        offered = self.offered.get(self.component)
        narrowest = NARROWEST * offered.window if offered else 1e-12
        self._set[self.component] = Levels.of_window(max(window, narrowest), level)
        self.changed.emit()

    def drag_levels(self, across: float, down: float) -> None:
        """Change window and level by shares of the offered window."""
        offered = self.offered.get(self.component, Levels(0.0, 1.0))
        now = self.levels
        self.set_levels(now.window + across * offered.window, now.level + down * offered.window)

    def reset_levels(self) -> None:
        """Back to the offered levels, for every component."""
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

    def put_classical_in_front(self, front: bool) -> None:
        self.classical_in_front = front
        self.changed.emit()
