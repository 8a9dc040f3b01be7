"""The image with its controls: which picture, component, window and level, frame, and the run's warnings."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from app.actions import Actions
from app.state.display import SPREAD
from app.state.naming import picture_name
from app.state.picture import COMPONENTS, Picture
from app.state.runs import Run, Shown
from app.state.session import Session
from app.views.banner import WarningStrip
from app.views.number_edit import NumberEdit, format_number
from app.views.overlay import Overlay
from app.views.slice_view import SliceView
from core.export.spread import caption, samples_of
from core.orientation import edge_letters


class Viewer(QWidget):
    """Shows what the session's display says of what its runs have made."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pixel: tuple[int, int] | None = None
        self._drawn: Shown | None = None
        self.slice_view = SliceView(self)
        self.picture = QComboBox()
        self.picture.setAccessibleName("Picture")
        self.picture.setToolTip("Which picture of this run is shown; C changes to the classical image and back")
        self.picture.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.component = QComboBox()
        self.component.addItems([c.capitalize() for c in COMPONENTS])
        self.component.setAccessibleName("Component")
        self.component.setToolTip("What is drawn of the complex image")
        self.window_edit = NumberEdit("Window")
        self.window_edit.setToolTip("Window: the width of the grey scale. Drag across in the image; Shift is finer.")
        self.level_edit = NumberEdit("Level")
        self.level_edit.setToolTip("Level: the middle of the grey scale. Drag down in the image; Shift is finer.")
        self.frame_slider = QSlider(Qt.Orientation.Horizontal)
        self.frame_slider.setAccessibleName("Frame")
        self.frame_label = QLabel()
        self.caption = QLabel()
        self.warnings = WarningStrip("Warnings of this run")
        self._lay_out(actions)
        self._connect()
        self.refresh()

    def _lay_out(self, actions: Actions) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(8, 4, 8, 4)
        header.setSpacing(6)
        header.addWidget(self.picture)
        header.addWidget(self.component)
        for words, field in (("Window", self.window_edit), ("Level", self.level_edit)):
            label = QLabel(words)
            label.setBuddy(field)
            header.addWidget(label)
            header.addWidget(field)
        for name in ("reset_levels", "fit"):
            header.addWidget(_tool_button(actions, name))
        header.addStretch(1)
        for name in ("classical", "blink"):
            header.addWidget(_tool_button(actions, name))
        self._frames = QWidget()
        frames = QHBoxLayout(self._frames)
        frames.setContentsMargins(8, 2, 8, 4)
        frames.addWidget(self.frame_slider, 1)
        frames.addWidget(self.frame_label)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(header)
        whole.addWidget(self.slice_view, 1)
        whole.addWidget(self._frames)
        whole.addWidget(self.warnings)

    def _connect(self) -> None:
        display, runs = self._session.display, self._session.runs
        self._session.opened.connect(self._opened)
        display.changed.connect(self.refresh)
        runs.told.connect(self.refresh)
        runs.fronted.connect(self.refresh)
        self.picture.activated.connect(lambda i: display.look_at(self.picture.itemData(i)))
        self.component.activated.connect(lambda i: display.set_component(COMPONENTS[i]))
        self.window_edit.entered.connect(lambda w: display.set_levels(w, display.levels.level))
        self.level_edit.entered.connect(lambda lv: display.set_levels(display.levels.window, lv))
        self.frame_slider.valueChanged.connect(display.go_to)
        self.slice_view.scrolled.connect(lambda d: display.go_to(display.frame + d))
        self.slice_view.levels_dragged.connect(display.drag_levels)
        self.slice_view.pointed.connect(self._pointed)

    def _opened(self) -> None:
        self._pixel = None
        self.slice_view.clear()
        self.slice_view.fit()
        self.slice_view.setFocus()

    def refresh(self, *_: object) -> None:
        """Draw what is to be shown now; the plane itself only if it is another one."""
        display = self._session.display
        shown = self._session.runs.shown(display.view)
        if shown is None:
            self._drawn = None
            self.slice_view.clear()
            self._show_controls(None)
            return
        if shown.picture.frames != display.frames:
            display.set_frames(shown.picture.frames)
            return
        if shown.view != display.drawn:
            display.set_drawn(shown.view)
            return
        spread = shown.view == SPREAD
        plane = shown.picture.component("magnitude" if spread else display.component, display.frame)
        known = self._session.scan.spacing_mm if self._session.scan else None
        self._drawn = shown
        self.slice_view.show_plane(plane, display.levels, known[:2] if known else (1.0, 1.0), coloured=spread)
        self._show_controls(shown)
        self._show_words()

    def _show_controls(self, shown: Shown | None) -> None:
        display = self._session.display
        self._show_pictures(shown)
        self.component.setCurrentIndex(COMPONENTS.index(display.component))
        self.window_edit.show_value(display.levels.window)
        self.level_edit.show_value(display.levels.level)
        for control in (self.window_edit, self.level_edit):
            control.setEnabled(shown is not None)
        self.component.setEnabled(shown is not None and shown.view != SPREAD)
        self._frames.setVisible(display.frames > 1)
        with QSignalBlocker(self.frame_slider):
            self.frame_slider.setRange(0, max(display.frames - 1, 0))
            self.frame_slider.setValue(display.frame)
        self.frame_label.setText(f"{display.frame + 1} / {display.frames}")
        self.warnings.show_messages(shown.run.warnings if shown else [])

    def _show_pictures(self, shown: Shown | None) -> None:
        """The pictures of the run that can be chosen."""
        views = {view: picture_name(shown.run.job.settings, view) for view in shown.run.views} if shown else {}
        with QSignalBlocker(self.picture):
            if {self.picture.itemData(i): self.picture.itemText(i) for i in range(self.picture.count())} != views:
                self.picture.clear()
                for view, words in views.items():
                    self.picture.addItem(words, view)
            self.picture.setCurrentIndex(self.picture.findData(shown.view) if shown else -1)
        self.picture.setEnabled(len(views) > 1)

    def _show_words(self) -> None:
        assert self._drawn is not None
        shown, scan, display = self._drawn, self._session.scan, self._session.display
        affine = scan.scan.picture_affine if scan else None
        spread = shown.view == SPREAD
        component = "" if spread or display.component == "magnitude" else display.component
        levels = display.levels
        self.slice_view.set_overlay(
            Overlay(
                title=shown.caption,
                place=tuple(words for words in (component, self._frame_name(shown.run)) if words),
                marks=self._marks(shown),
                levels=f"W {format_number(levels.window)}  L {format_number(levels.level)}",
                cursor=self._cursor_words(shown.picture),
                letters=edge_letters(affine) if affine is not None else None,
                millimetres=scan is not None and scan.spacing_mm is not None,
                colours=(format_number(levels.low), format_number(levels.high)) if spread else None,
            )
        )
        self.slice_view.setAccessibleDescription(shown.caption)

    def _marks(self, shown: Shown) -> tuple[str, ...]:
        """What must not be overlooked in this picture."""
        marks = self._session.scan.marks if self._session.scan else ()
        if shown.run.job.source.undersample:
            marks = (*marks, f"Undersampled on purpose: {shown.run.job.source.undersample}")
        if shown.view == SPREAD and shown.run.volume is not None:
            marks = (*marks, *caption(samples_of(shown.run.volume.card)))
        return marks

    def _frame_name(self, run: Run) -> str:
        frame = self._session.display.frame
        names = run.frame_names
        return names[frame] if 1 < len(names) > frame else ""

    def _pointed(self, pixel: tuple[int, int] | None) -> None:
        self._pixel = pixel
        if self._drawn is not None:
            self._show_words()

    def _cursor_words(self, picture: Picture) -> tuple[str, ...]:
        """Value and place of the pixel under the cursor."""
        if self._pixel is None:
            return ()
        (x, y), (height, width) = self._pixel, picture.size
        if x >= width or y >= height:
            return ()
        value = complex(picture.image[self._session.display.frame, y, x])
        if self._drawn is not None and self._drawn.view == SPREAD:
            return (*self._millimetres(x, y), f"x {x}  y {y}  ± {format_number(value.real)}")
        numbers = (
            f"|{format_number(abs(value))}|  {np.degrees(np.angle(value)):.0f}°" if value == value else "no number"
        )
        return (*self._millimetres(x, y), f"x {x}  y {y}  {numbers}")

    def _millimetres(self, x: int, y: int) -> tuple[str, ...]:
        """Patient position where it is known, else the distance from the middle of the field of view."""
        scan = self._session.scan
        if scan is None:
            return ()
        if scan.scan.picture_affine is not None:
            place = scan.scan.picture_affine @ (x, y, self._session.shown_slice, 1)
            pairs = zip(place[:3], ("LR", "PA", "HF"), strict=True)
            return (" ".join(f"{pair[0 if v >= 0 else 1]} {abs(v):.1f}" for v, pair in pairs) + " mm",)
        if scan.spacing_mm is None:
            return ()
        sx, sy, _ = scan.spacing_mm
        _, ny, nx = scan.scan.picture_shape
        return (f"{(x - nx // 2) * sx:.1f}, {(y - ny // 2) * sy:.1f} mm from the middle",)


def _tool_button(actions: Actions, name: str) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(actions[name])
    button.setAutoRaise(True)
    button.setIconSize(QSize(18, 18))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
