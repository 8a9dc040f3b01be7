"""What is to be swept: one or two settings and their values, as they are typed."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from app import theme
from app.state.session import Session
from app.state.tune.draft import Draft, Offer, offers
from app.views.heading import ElidedLabel
from app.words import tr

LIKELY = ("nfe", "gamma", "lam", "iterations", "cg_steps", "filter")
"""What is offered first, where the method uses it."""


class AxisRow:
    """A setting to choose and a field for its values. What was typed for a setting comes back with it."""

    def __init__(self, title: str, optional: bool) -> None:
        self.optional = optional
        self.title = QLabel(title)
        self.setting = QComboBox()
        self.setting.setAccessibleName(tr("Setting to vary"))
        self.setting.setMinimumContentsLength(14)
        self.values = QLineEdit()
        self.values.setAccessibleName(tr("Values"))
        self.values.setClearButtonEnabled(True)
        self.title.setBuddy(self.setting)
        self._typed: dict[str, str] = {}
        self._offers: dict[str, Offer] = {}

    @property
    def name(self) -> str:
        """Of the setting, "" for none."""
        return str(self.setting.currentData() or "")

    @property
    def line(self) -> tuple[str, str]:
        return self.name, self.values.text()

    def offer(self, found: list[Offer], usual: str) -> None:
        """What can be chosen now; what was chosen stays if it can."""
        kept = self.name if self.setting.count() else usual
        self._offers = {each.name: each for each in found}
        with QSignalBlocker(self.setting):
            self.setting.clear()
            if self.optional:
                self.setting.addItem(tr("nothing else"), "")
            for each in found:
                self.setting.addItem(tr(each.label), each.name)
            place = self.setting.findData(kept)
            self.setting.setCurrentIndex(place if place >= 0 else max(self.setting.findData(usual), 0))
        self.follow()

    def follow(self) -> None:
        """Another setting was chosen: show what was typed for it, or an example."""
        found = self._offers.get(self.name)
        text = self._typed.get(self.name, found.example if found else "")
        if text != self.values.text():
            with QSignalBlocker(self.values):
                self.values.setText(text)
        self.values.setEnabled(found is not None)
        choices = ", ".join(found.choices) if found and found.choices else ""
        how = choices or tr("Lists and ranges: 5, 10, 20 or 1:9:2 or 1e-4:1e-2:log5")
        self.values.setToolTip(f"{tr(found.about)}\n{how}" if found else "")
        self.values.setPlaceholderText(how if found else "")

    def remember(self) -> None:
        """What has been typed."""
        if self.name:
            self._typed[self.name] = self.values.text()

    def put(self, name: str, text: str) -> None:
        """Show a line of a draft."""
        self._typed[name] = text
        place = self.setting.findData(name)
        if place >= 0:
            with QSignalBlocker(self.setting):
                self.setting.setCurrentIndex(place)
            self.follow()


class SweepForm(QWidget):
    """changed: the draft is another one; entered: Return was pressed."""

    changed = Signal()
    entered = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.rows = (AxisRow(tr("Vary"), False), AxisRow(tr("and"), True))
        self.only_this_slice = QCheckBox(tr("Only the slice on view"))
        self.only_this_slice.setToolTip(tr("Reconstruct one slice in each cell, not all"))
        self.only_this_slice.setChecked(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        for place, row in enumerate(self.rows):
            for column, widget in enumerate((row.title, row.setting, row.values)):
                grid.addWidget(widget, 0, 3 * place + column)
            grid.setColumnStretch(3 * place + 2, 1)
            row.setting.currentIndexChanged.connect(lambda _, row=row: self._choose(row))
            row.values.textChanged.connect(lambda _, row=row: self._type(row))
            row.values.returnPressed.connect(self.entered)
        grid.addWidget(self.only_this_slice, 0, 6)
        self.against = ElidedLabel()
        theme.mute(self.against)
        grid.addWidget(self.against, 1, 0, 1, 7)
        self.only_this_slice.toggled.connect(lambda _: self.changed.emit())
        session.choice.changed.connect(self.refresh)
        session.choice.offers_changed.connect(self.refresh)
        session.opened.connect(self.refresh)
        session.reference.changed.connect(self._show_reference)
        self.refresh()

    @property
    def draft(self) -> Draft:
        """What stands here."""
        first, second = (row.line for row in self.rows)
        return Draft((first, second) if second[0] else (first,), self.only_this_slice.isChecked())

    def put(self, draft: Draft) -> None:
        """Show a draft; settings that are not offered are left as they were."""
        for row, (name, text) in zip(self.rows, (*draft.lines, ("", "")), strict=False):
            row.put(name, text)
        self.only_this_slice.setChecked(draft.only_this_slice)
        self.changed.emit()

    def refresh(self) -> None:
        """What can be varied with the settings chosen now."""
        opened = self._session.scan
        found = offers(opened, self._session.choice) if opened is not None else []
        names = [each.name for each in found]
        likely = [name for name in LIKELY if name in names]
        self.rows[0].offer(found, likely[0] if likely else "")
        self.rows[1].offer(found, "")
        one_by_one = opened is not None and opened.slices > 1
        self.only_this_slice.setVisible(one_by_one)
        self.setEnabled(opened is not None)
        self._show_reference()
        self.changed.emit()

    def _show_reference(self) -> None:
        """What the cells are compared with."""
        words = self._session.reference.words(self._session.choice.undersample)
        said = tr("Compared with {reference}", reference=words) if words else ""
        self.against.setText(said)
        self.against.setVisible(bool(said))

    def _choose(self, row: AxisRow) -> None:
        row.follow()
        self.changed.emit()

    def _type(self, row: AxisRow) -> None:
        row.remember()
        self.changed.emit()
