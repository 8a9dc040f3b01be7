"""What CT lets a user choose of a run: which views to use, where the axis of rotation is, and the image's size."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

from app import theme
from app.state.measured import axis_column
from app.state.naming import ordinal
from app.views.setting_rows import QuietWheel, set_columns
from app.views.size_edit import SizeEdit
from app.words import tr
from core.errors import ScanError
from core.operators.thinning import chosen_views
from core.projections import Projections

STEPS = (2, 3, 4, 6, 8)
NUMBER, ARC = "views", "arc"
FEW = 30
SIZES = 8, 8192
"""Pixels a side that an image may have."""
SAME = 5e-4
"""Columns that are too little to tell two axes apart."""


class CtForm(QWidget):
    """Emits `views_edited` with the text of core.operators.thinning, or "" for all views, and `center_edited` with the
    detector column of the axis, or None for the one that was found. `size_edited` has pixels a side,
    or 0 for those of the scan."""

    views_edited = Signal(str)
    center_edited = Signal(object)
    size_edited = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scan: Projections | None = None
        self._found = 0.0
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("Views to use"))
        self.kind.setToolTip(tr("Leave out measured views, to compare with the full scan. The image is marked."))
        self.number = QSpinBox()
        self.number.setAccessibleName(tr("Number of views"))
        self.number.setToolTip(tr("So many views, evenly spread"))
        self.start, self.end = _angle(tr("Arc from")), _angle(tr("Arc to"))
        self.kept = QLabel()
        theme.mute(self.kept)
        self.center = QDoubleSpinBox()
        self.center.setDecimals(2)
        self.center.setSingleStep(0.25)
        self.center.setAccessibleName(tr("Rotation axis (column)"))
        self.center.setToolTip(
            tr("The detector column, counted from 0, on which the axis of rotation falls. A wrong one doubles edges.")
        )
        self.reset_button = QToolButton()
        self.reset_button.setAutoRaise(True)
        self.reset_button.setIconSize(QSize(14, 14))
        self.reset_button.setIcon(theme.icon("reset"))
        self.reset_button.setToolTip(tr("The axis as it was found"))
        self.reset_button.setAccessibleName(tr("Reset the rotation axis"))
        self.image_size = SizeEdit(*SIZES)
        self.image_size.setAccessibleName(tr("Image size"))
        self.image_size.setToolTip(
            tr(
                "Pixels a side, {low} to {high}, over the same field of view. Empty: as the scan says.",
                low=SIZES[0],
                high=SIZES[1],
            )
        )
        self._lay_out()
        for field in (self.number, self.start, self.end):
            field.setKeyboardTracking(False)
            field.valueChanged.connect(self._edit)
        self.kind.activated.connect(self._choose)
        self.center.setKeyboardTracking(False)
        self.center.valueChanged.connect(self._edit_center)
        self.image_size.entered.connect(self.size_edited)
        self.reset_button.clicked.connect(lambda: self.center_edited.emit(None))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        set_columns(grid)
        self._wheel = QuietWheel(self)
        self._rows: dict[QWidget, QLabel] = {}
        for words, field in (
            (tr("Views"), self.kind),
            (tr("Arc from"), self.start),
            (tr("Arc to"), self.end),
            (tr("Number"), self.number),
            ("", self.kept),
            (tr("Rotation axis"), self.center),
            (tr("Image size"), self.image_size),
        ):
            label = QLabel(words)
            label.setBuddy(field)
            label.setToolTip(field.toolTip())
            line = grid.rowCount()
            grid.addWidget(label, line, 0)
            grid.addWidget(field, line, 1)
            self._rows[field] = label
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.installEventFilter(self._wheel)
        grid.addWidget(self.reset_button, grid.rowCount() - 2, 2)

    def draw_icons(self) -> None:
        """Icon and muted words in the colours of the theme."""
        self.reset_button.setIcon(theme.icon("reset"))
        theme.mute(self.kept)

    def show_scan(self, scan: Projections) -> None:
        """Another scan: all of its views, and the axis that was found."""
        if scan is self._scan:
            return
        self._scan, self._found = scan, axis_column(scan.geometry)
        with QSignalBlocker(self.kind), QSignalBlocker(self.number), QSignalBlocker(self.center):
            self.kind.clear()
            self.kind.addItem(tr("All {views}", views=scan.views), "")
            for step in STEPS:
                if step < scan.views:
                    self.kind.addItem(tr("Every {ordinal}", ordinal=ordinal(str(step))), f"every:{step}")
            self.kind.addItem(tr("A number of views"), NUMBER)
            self.kind.addItem(tr("Part of the arc"), ARC)
            self.number.setRange(1, scan.views)
            self.number.setValue(min(FEW, scan.views))
            _, height, width = scan.picture_shape
            self.image_size.setPlaceholderText(tr("As the scan, {width} × {height}", width=width, height=height))
            self.center.setRange(-float(scan.columns), 2.0 * scan.columns)
        self._show_fields()

    def text(self) -> str:
        """As ScanSource.undersample takes it."""
        kind = self.kind.currentData()
        number = f"views:{self.number.value()}"
        if kind == NUMBER:
            return number
        if kind == ARC:
            arc = f"arc:{self.start.value():g}:{self.end.value():g}"
            return f"{arc}+{number}" if self.number.value() else arc
        return kind or ""

    def show_values(self, text: str, center: float | None, size: int) -> None:
        """Show none left out, or keep the fields as they are if they say the same; axis and size."""
        if text != self.text() and not text:
            with QSignalBlocker(self.kind):
                self.kind.setCurrentIndex(0)
            self._show_fields()
        with QSignalBlocker(self.center):
            self.center.setValue(self._found if center is None else center)
        self.reset_button.setEnabled(center is not None)
        self.image_size.show_value(size)
        self._show_kept()

    def show_views(self, shown: bool) -> None:
        """Whether views may be left out."""
        self.kind.setVisible(shown)
        self._rows[self.kind].setVisible(shown)
        self._show_fields()

    def _choose(self, *_: object) -> None:
        """Another kind of choice begins with all of the arc's views, or with few of all."""
        self._show_fields()
        views = self._scan.views if self._scan else 1
        with QSignalBlocker(self.number):
            self.number.setValue(0 if self.kind.currentData() == ARC else min(FEW, views))
        self._edit()

    def _edit(self, *_: object) -> None:
        self._show_fields()
        self.views_edited.emit(self.text())

    def _edit_center(self, column: float) -> None:
        self.center_edited.emit(None if abs(column - self._found) < SAME else column)

    def _show_fields(self) -> None:
        """Only those that the kind of choice needs. Beside an arc, the least number stands for all of it."""
        kind = self.kind.currentData() if not self.kind.isHidden() else ""
        with QSignalBlocker(self.number):
            self.number.setSpecialValueText(tr("All of them") if kind == ARC else "")
            self.number.setMinimum(0 if kind == ARC else 1)
        for field, needed in ((self.number, kind in (NUMBER, ARC)), (self.start, kind == ARC), (self.end, kind == ARC)):
            field.setVisible(needed)
            self._rows[field].setVisible(needed)
        self._show_kept()

    def _show_kept(self) -> None:
        """How many views are left."""
        words = ""
        if self._scan is not None and self.text():
            try:
                words = tr(
                    "{count} of {views} views used",
                    count=len(chosen_views(self._scan, self.text())),
                    views=self._scan.views,
                )
            except ScanError as error:
                words = error.why or error.what
        self.kept.setText(words)
        for widget in (self.kept, self._rows[self.kept]):
            widget.setVisible(bool(words) and not self.kind.isHidden())


def _angle(name: str) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(0.0, 360.0)
    spin.setDecimals(1)
    spin.setSingleStep(5.0)
    spin.setSuffix("°")
    spin.setValue(0.0 if name == "Arc from" else 90.0)
    spin.setAccessibleName(name)
    spin.setToolTip(tr("Degrees from the first view, 0 to 360; the end is left out"))
    return spin
