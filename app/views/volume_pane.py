"""The pane of the rendering: mouse, presets, views, words; and a sentence where nothing can be rendered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.state.display import SPREAD, Display
from app.state.rendering import MOVING, SETTLED, ReducedStack, coarser_if_short, reduced, volume_presets
from app.state.runs import Shown
from app.state.session import Stack
from app.views.gestures import ZOOM_STEP
from app.views.overlay import Overlay, draw_overlay
from app.views.room_solid_aside import NO_GL, Aside, load_vtk
from app.views.room_solid_bar import side_button
from app.views.room_solid_frames import MOST_PIXELS, REST_MS
from app.views.room_solid_words import edge_letters, words_of
from app.words import tr
from core.orientation import Affine

if TYPE_CHECKING:
    from app.views.volume3d import VolumeRenderer

LETTERS = "APLRHF"
TURN = 0.5
"""Degrees a pixel of a drag."""
COARSE_SHARE = 0.4
"""Of the pixels along a side, while it is moved."""


class VolumePane(QWidget):
    """Left drag turns, wheel or right drag zooms, a double click or a letter looks from there again.

    trouble: why nothing can be rendered, in a sentence, or "".
    """

    def __init__(self, display: Display, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self.trouble = ""
        self.overlay = Overlay()
        self._renderer: VolumeRenderer | None = None
        self._aside = Aside(self)
        self._stack: ReducedStack | None = None
        self._affine: Affine | None = None
        self._placed = np.eye(4)
        self._of: tuple[object, ...] = ()
        self._wanted: Callable[[], tuple[ReducedStack, Affine | None, Affine]] | None = None
        self._stale = self._preparing = self._reducing = self._spread = False
        self._looks_from = ""
        self._image = QImage()
        self._unit = ""
        self._marks: tuple[str, ...] = ()
        self._drag_from = QPointF()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._render)
        self._lay_out()
        self.setAccessibleName(tr("Rendering"))
        self.setMinimumSize(QSize(120, 100))

    def _lay_out(self) -> None:
        self.preset = QComboBox()
        self.preset.setAccessibleName(tr("Rendering preset"))
        self.preset.setToolTip(tr("What is rendered, and how"))
        self.preset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.preset.activated.connect(self._recolour)
        self.buttons: dict[str, QToolButton] = {}
        self.bar = QWidget(self)
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(6, 6, 6, 0)
        row.setSpacing(1)
        row.addWidget(self.preset)
        row.addStretch(1)
        for name in LETTERS:
            self.buttons[name] = side_button(name, self.look_from, flat=False)
            row.addWidget(self.buttons[name])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.bar)
        whole.addStretch(1)

    @property
    def rendered(self) -> QImage:
        """What was rendered last, without words; null where nothing was."""
        return self._image

    def forget(self) -> None:
        """Another scan: look at it from the front."""
        self._of, self._stack, self._looks_from = (), None, ""
        self._wanted, self._reducing = None, False
        self._aside.forget("stack")
        self._image, self._spread = QImage(), False
        self.update()

    def release(self) -> None:
        """Give back what belongs to OpenGL, before the window goes."""
        self._aside.close()
        self._rest.stop()
        self.forget()
        if self._renderer is not None:
            self._renderer.release()
            self._renderer = None
        self.trouble = self.trouble or "The window is closed."

    def show_stack(self, shown: Shown, stack: Stack, affine: Affine | None, marks: tuple[str, ...]) -> None:
        """Render a stack of a picture, if it is another one than before. Costs nothing until the pane is painted."""
        self._marks = marks
        passing = shown.run is not None and shown.run.going_on
        self._spread = shown.view == SPREAD
        if self._spread:
            self.update()
            return
        key = (shown.picture, stack.first_frame, passing)
        if key == self._of:
            return
        self._of = key
        self._unit = shown.picture.unit
        values, most = shown.picture.values, MOVING if passing else SETTLED
        placed = np.diag([*stack.spacing_mm, 1.0]) if affine is None else affine
        first, count = stack.first_frame, stack.size[2]
        self._wanted = lambda: (
            coarser_if_short(lambda side: reduced(values, first, count, side).work_out(), most),
            affine,
            placed,
        )
        names = [preset.name for preset in volume_presets(self._unit)]
        if [self.preset.itemText(i) for i in range(self.preset.count())] != names:
            with QSignalBlocker(self.preset):
                self.preset.clear()
                self.preset.addItems(names)
        for button in self.buttons.values():
            button.setVisible(affine is not None)
        self.update()

    def look_from(self, side: str = "A") -> None:
        """Look at the whole stack from a side of the patient."""
        self._looks_from = side
        if self._renderer is not None:
            self._renderer.look_from(side)
            self._fit()
            self._render()

    def _prepare(self) -> None:
        """Load VTK, once, when the pane is first looked at; in a thread of its own."""
        if QGuiApplication.platformName() in NO_GL:
            self._make_renderer(RuntimeError(tr("There is no OpenGL on this screen.")))
        else:
            self._aside.ask("VTK", load_vtk, lambda _: self._make_renderer(), self._make_renderer)

    def _make_renderer(self, error: Exception | None = None) -> None:
        """In the window's thread, to which all of OpenGL belongs. error: what loading VTK has said."""
        if self._renderer is not None or self.trouble:
            return
        try:
            if error is not None:
                raise error
            from app.views.volume3d import VolumeRenderer

            self._renderer = VolumeRenderer()
        except Exception as error:  # whatever the driver says costs this pane, not the program
            self.trouble = tr("The volume cannot be rendered here. {error}", error=words_of(error))
        self._stale = True
        self.update()

    def _reduce(self) -> None:
        """Beside the window, one at a time: an estimate is shown before the one after the next is begun."""
        work, self._wanted, self._reducing = self._wanted, None, True
        if work is not None:
            self._aside.ask("stack", lambda _: work(), self._take_stack, self._fail)

    def _take_stack(self, made: tuple[ReducedStack, Affine | None, Affine]) -> None:
        self._stack, self._affine, self._placed = made
        self._reducing, self._stale = False, True
        self.update()

    def _fail(self, error: Exception) -> None:
        self._renderer, self.trouble = None, tr("The rendering failed. {error}", error=words_of(error))
        self.update()

    def _recolour(self) -> None:
        self._colour()
        self._render()

    def _colour(self) -> None:
        preset = volume_presets(self._unit)[max(self.preset.currentIndex(), 0)]
        levels = self._display.offered.get(self._display.components[0]) or self._display.levels
        if self._renderer is not None:
            self._renderer.colour(preset.placed(levels), mip=preset.mip, shade=preset.shade)

    def _place(self) -> None:
        """Bring the stack into the room; the camera stays where it is."""
        self._stale = False
        if self._renderer is None or self._stack is None:
            return
        try:
            self._renderer.show_stack(self._stack, self._placed)
        except Exception as error:  # as above
            self._fail(error)
            return
        if not self._looks_from:
            self._looks_from = "A"
            self._renderer.look_from("A")
            self._renderer.turn(25, 12)
            self._fit()
        self._colour()
        self._render()

    def _fit(self) -> None:
        if self._renderer is not None:
            # Over the bar stand the controls and under it the words.
            self._renderer.fit(self.width() / max(self.height() - self.bar.height(), 1))

    def _render(self, *, coarse: bool = False) -> None:
        """coarse: while it is moved; the fine picture comes when it rests."""
        self._rest.stop()
        if self._renderer is None or self._stack is None:
            return
        ratio = min(self.devicePixelRatioF(), MOST_PIXELS / max(self.width(), self.height(), 1))
        if coarse:
            ratio *= COARSE_SHARE
            self._rest.start(REST_MS)
        width, height = max(round(self.width() * ratio), 2), max(round(self.height() * ratio), 2)
        try:
            drawn = self._renderer.picture(width, height, coarse=coarse)
        except Exception as error:  # as above
            self._fail(error)
        else:
            self._image = QImage(drawn.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor("black"))
        if self._renderer is None and not self.trouble and not self._preparing:
            self._preparing = True
            QTimer.singleShot(0, self, self._prepare)
        if self._wanted is not None and not self._reducing and not self.trouble:
            self._reduce()
        if self._stale:
            self._place()
        if not self._image.isNull() and not self._spread:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)
        painter.setPen(QColor("#e8edf2"))
        self.overlay = self._words()
        if self.words_in_the_middle:
            room = self.rect().adjusted(16, 40, -16, -24)
            painter.drawText(
                room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.words_in_the_middle
            )
        below = QRectF(self.rect()).adjusted(0, self.bar.height(), 0, 0)
        draw_overlay(painter, below, self.overlay, 1.0, self.font())

    @property
    def words_in_the_middle(self) -> str:
        """Why there is no picture, or ""."""
        if self.trouble:
            return self.trouble
        if self._renderer is None:
            return tr("Preparing the rendering …")
        return tr("The spread is not rendered.") if self._spread else ""

    def _words(self) -> Overlay:
        """Which side of the patient is at which edge, how coarse the grid is, and what it is not for."""
        seen = self._renderer is not None and self._stack is not None and not self._spread
        letters = None
        if seen and self._affine is not None:
            assert self._renderer is not None
            letters = edge_letters(self._renderer.screen_axes())
        coarse = self._stack.words if seen and self._stack is not None else ()
        return Overlay(
            title="3-D" if seen else "",
            marks=self._marks if seen else (),
            cursor=coarse,
            letters=letters,
            of_patient=seen,
        )

    def resizeEvent(self, event: object) -> None:
        self._render()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        moved, self._drag_from = event.position() - self._drag_from, event.position()
        if self._renderer is None:
            return
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._renderer.turn(TURN * moved.x(), TURN * moved.y())
            self._render(coarse=True)
        elif event.buttons() & Qt.MouseButton.RightButton:
            self._renderer.zoom(1 - 0.01 * moved.y())
            self._render(coarse=True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.look_from()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._renderer is not None:
            self._renderer.zoom(ZOOM_STEP ** event.angleDelta().y())
            self._render(coarse=True)
        event.accept()
