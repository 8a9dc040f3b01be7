"""The image with its controls: component, window and level, frame, classical or DDS, and the run's warnings."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from app.actions import Actions
from app.state.picture import COMPONENTS, Picture
from app.state.runs import Run
from app.state.session import Session
from app.views.banner import WarningStrip
from app.views.number_edit import NumberEdit, format_number
from app.views.overlay import Overlay
from app.views.slice_view import SliceView
from core.orientation import edge_letters


class Viewer(QWidget):
    """Shows what the session's display says of what its runs have made."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pixel: tuple[int, int] | None = None
        self._drawn: tuple[Run, Picture, str] | None = None
        self.slice_view = SliceView(self)
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
        self.warnings = WarningStrip()
        self._lay_out(actions)
        self._connect()
        self.refresh()

    def _lay_out(self, actions: Actions) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(8, 4, 8, 4)
        header.setSpacing(6)
        for words, field in (("", self.component), ("Window", self.window_edit), ("Level", self.level_edit)):
            if words:
                label = QLabel(words)
                label.setBuddy(field)
                header.addWidget(label)
            header.addWidget(field)
        for name in ("reset_levels", "fit"):
            header.addWidget(_tool_button(actions, name))
        header.addStretch(1)
        compare = _tool_button(actions, "classical")
        compare.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        header.addWidget(compare)
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
        shown = self._session.runs.shown(display.classical_in_front)
        if shown is None:
            self._drawn = None
            self.slice_view.clear()
            self._show_controls(None)
            return
        run, picture = shown[:2]
        if picture.frames != display.frames:
            display.set_frames(picture.frames)
            return
        plane = picture.component(display.component, display.frame)
        known = self._session.scan.spacing_mm if self._session.scan else None
        self._drawn = shown
        self.slice_view.show_plane(plane, display.levels, known[:2] if known else (1.0, 1.0))
        self._show_controls(run)
        self._show_words()

    def _show_controls(self, run: Run | None) -> None:
        display = self._session.display
        self.component.setCurrentIndex(COMPONENTS.index(display.component))
        self.window_edit.show_value(display.levels.window)
        self.level_edit.show_value(display.levels.level)
        for control in (self.component, self.window_edit, self.level_edit):
            control.setEnabled(run is not None)
        self._frames.setVisible(display.frames > 1)
        self.frame_slider.blockSignals(True)
        self.frame_slider.setRange(0, max(display.frames - 1, 0))
        self.frame_slider.setValue(display.frame)
        self.frame_slider.blockSignals(False)
        self.frame_label.setText(f"{display.frame + 1} / {display.frames}")
        self.warnings.show_messages(run.warnings if run else [])

    def _show_words(self) -> None:
        assert self._drawn is not None
        run, picture, caption = self._drawn
        scan = self._session.scan
        display = self._session.display
        affine = scan.scan.picture_affine if scan else None
        marks = scan.marks if scan else ()
        if run.job.source.undersample:
            marks = (*marks, f"Undersampled on purpose: {run.job.source.undersample}")
        component = "" if display.component == "magnitude" else display.component
        levels = display.levels
        self.slice_view.set_overlay(
            Overlay(
                title=caption,
                place=tuple(words for words in (component, self._frame_name(run)) if words),
                marks=marks,
                levels=f"W {format_number(levels.window)}  L {format_number(levels.level)}",
                cursor=self._cursor_words(picture),
                letters=edge_letters(affine) if affine is not None else None,
                millimetres=scan is not None and scan.spacing_mm is not None,
            )
        )
        self.slice_view.setAccessibleDescription(caption)

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
