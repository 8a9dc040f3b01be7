"""The pictures with their controls: which picture, window and level, frame, and the run's warnings."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.actions import Actions
from app.state.runs import Run, Shown
from app.state.session import Session
from app.views.banner import WarningStrip
from app.views.planes_view import PlanesView
from app.views.viewer_bar import ViewerBar
from app.words import tr


class Viewer(QWidget):
    """Shows what the session's display says of what its runs have made, or of what was measured."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.more_warnings: Callable[[Run], tuple[str, ...]] = lambda run: ()
        self.bar = ViewerBar(session, actions)
        self.planes = PlanesView(session)
        self.slice_view = self.planes.slice_view
        self.picture, self.component = self.bar.picture, self.bar.component
        self.window_edit, self.level_edit = self.bar.window_edit, self.bar.level_edit
        self.frame_slider = QSlider(Qt.Orientation.Horizontal)
        self.frame_slider.setAccessibleName(tr("Frame"))
        self.frame_label = QLabel()
        self.warnings = WarningStrip(tr("Warnings of this run"))
        self._lay_out()
        display, runs = session.display, session.runs
        session.opened.connect(self._opened)
        display.changed.connect(self.refresh)
        runs.told.connect(self.refresh)
        runs.fronted.connect(self.refresh)
        session.choice.changed.connect(self.refresh)
        self.frame_slider.valueChanged.connect(display.go_to)
        self.refresh()

    def _lay_out(self) -> None:
        self._frames = QWidget()
        frames = QHBoxLayout(self._frames)
        frames.setContentsMargins(8, 2, 8, 4)
        frames.addWidget(self.frame_slider, 1)
        frames.addWidget(self.frame_label)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        whole.addWidget(self.planes, 1)
        whole.addWidget(self._frames)
        whole.addWidget(self.warnings)

    def _opened(self) -> None:
        self.planes.start_over()
        self.refresh()
        self.slice_view.setFocus()

    def refresh(self, *_: object) -> None:
        """Draw what is to be shown now."""
        display = self._session.display
        shown = self._session.shown()
        if shown is None:
            self.planes.show_nothing()
            self._show_controls(None)
            return
        frames = shown.picture.frames
        if (shown.view, shown.family, frames) != (display.drawn, display.family, display.frames):
            display.set_drawn(shown.view, shown.family, frames)
            return
        self.planes.show_picture(shown)
        self._show_controls(shown)

    def _show_controls(self, shown: Shown | None) -> None:
        display = self._session.display
        self.bar.refresh(shown)
        self._frames.setVisible(display.frames > 1)
        with QSignalBlocker(self.frame_slider):
            self.frame_slider.setRange(0, max(display.frames - 1, 0))
            self.frame_slider.setValue(display.frame)
        self.frame_label.setText(f"{display.frame + 1} / {display.frames}")
        run = shown.run if shown else None
        self.warnings.show_messages([*run.warnings, *self.more_warnings(run)] if run else [])
