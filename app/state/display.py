"""How the image is looked at: which picture, frame and point, component, window and level, layout."""

from __future__ import annotations

from psygnal import Signal

from app.state.kinds import QUICK
from app.state.picture import COMPONENTS, Levels

RESULT, SPREAD = "result", "spread"
SINOGRAM, PROJECTIONS = "sinogram", "projections"
VIEWS = (RESULT, SPREAD, *reversed(QUICK), SINOGRAM, PROJECTIONS)
"""The pictures that can be asked for; where a run has not got one, its result is shown."""
OWN_SCALE = (SPREAD, SINOGRAM, PROJECTIONS)
"""Pictures whose numbers are not those of the image."""

SLICE, PLANES = "slice", "planes"
LAYOUTS = (SLICE, PLANES)
"""One slice, or three planes with a rendering."""

NARROWEST = 1e-4
"""The narrowest window, as a share of the one that was offered."""


class Display:
    """The one way in which all images of a scan are shown, so that they can be compared.

    view: the picture that is asked for, one of VIEWS; drawn: the one that there was to show. `offered` are the
    levels of the classical image, and of the pictures that have a scale of their own. They hold until the user sets
    levels; those then stay, whatever is shown, until the user resets them or another scan is opened.
    frame: of the picture on view; family: the pictures that share it (a projection is no slice). point: (x, y) of the
    pixel where the three planes meet, None for the middle.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.layout = SLICE
        self._clear((), COMPONENTS)

    def _clear(self, on_the_way: tuple[str, ...], components: tuple[str, ...]) -> None:
        self.components = components
        self.component = components[0]
        self.frame = 0
        self.frames = 0
        self.family = RESULT
        self._frame_of: dict[str, int] = {}
        self.point: tuple[int, int] | None = None
        self.view = self.drawn = RESULT
        self._classical = on_the_way[-1] if on_the_way else QUICK[1]
        self.offered: dict[str, Levels] = {}
        self._set: dict[str, Levels] = {}

    @property
    def classical_in_front(self) -> bool:
        """A classical image is asked for in place of the result."""
        return self.view in QUICK

    @property
    def frame_of_image(self) -> int:
        """The frame of the image, whatever is on view."""
        image = self.family not in (SINOGRAM, PROJECTIONS)
        return self.frame if image else self._frame_of.get(RESULT, 0)

    @property
    def scale(self) -> str:
        """Whose levels hold: those of the picture that is drawn if it has its own, else those of the component."""
        return self.drawn if self.drawn in OWN_SCALE else self.component

    @property
    def levels(self) -> Levels:
        """Levels of what is shown."""
        return self._set.get(self.scale) or self.offered.get(self.scale) or Levels(0.0, 1.0)

    @property
    def user_levels(self) -> dict[str, Levels]:
        """By scale, the levels that the user has set."""
        return dict(self._set)

    def restore(self, levels: dict[str, Levels], component: str, layout: str) -> None:
        """Back to levels that the user had set, a component that there still is, a layout."""
        self._set = dict(levels)
        if component in self.components:
            self.component = component
        self.layout = layout
        self.changed.emit()

    @property
    def touched(self) -> bool:
        """The user has set the levels of what is shown."""
        return self.scale in self._set

    def start_over(
        self, on_the_way: tuple[str, ...] = (), components: tuple[str, ...] = COMPONENTS, frame: int = 0
    ) -> None:
        """Another scan: this frame, first component, no levels yet. on_the_way: its classical methods."""
        self._clear(on_the_way, components)
        self.frame = frame
        self.changed.emit()

    def offer_levels(self, levels: dict[str, Levels]) -> None:
        """Levels of a classical image or of another scale; they show where the user has set none."""
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

    def go_to_point(self, x: int, y: int, frame: int) -> None:
        """Let the three planes meet in a voxel of the picture that is drawn."""
        self.point = (x, y)
        self.go_to(frame)

    def look_at(self, view: str) -> None:
        """Ask for another picture, one of VIEWS."""
        self.view = view
        if view in QUICK:
            self._classical = view
        self.changed.emit()

    def put_classical_in_front(self, front: bool) -> None:
        """Ask for the classical image that was looked at last, or for the result."""
        self.look_at(self._classical if front else RESULT)

    def set_layout(self, layout: str) -> None:
        self.layout = layout
        self.changed.emit()

    def set_drawn(self, view: str, family: str = RESULT, frames: int | None = None) -> None:
        """Which picture there was to show, with which it shares its frame, and how many frames it has."""
        count = self.frames if frames is None else frames
        if (view, family, count) == (self.drawn, self.family, self.frames):
            return
        if family != self.family:
            self._frame_of[self.family] = self.frame
            self.frame, self.family = self._frame_of.get(family, 0), family
        self.drawn = view
        self.set_frames(count)
