"""A question about an image in the trust panel: its button, what its answer shows, and what to do with that."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from app import theme
from app.state.room.item import Item
from app.state.trust.study import LEAST_SEEDS, MOST_SEEDS, NAMES, PARTS, SEEDS, SHOWS, STUDIES, Part, Study
from app.views.heading import ElidedLabel
from app.words import tr

_AROUND = 18
"""Pixels of a button besides its words."""


class Answer(QWidget):
    """One thing that was found. Emits `shown` to show it, `laid` to lay it over the image or to take it off again."""

    shown = Signal()
    laid = Signal(bool)

    def __init__(self, part: Part, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = tr(NAMES[part])
        self.name = ElidedLabel(words[:1].upper() + words[1:])
        self.show_button = QPushButton(tr("Show"))
        self.show_button.setToolTip(tr("Show it in the active pane"))
        self.show_button.setAccessibleName(tr("Show {name}", name=words))
        self.show_button.clicked.connect(self.shown)
        self.lay_button = QPushButton(tr("Lay over"))
        self.lay_button.setToolTip(tr("Blend it over the image in the active pane, or take it off again"))
        self.lay_button.setAccessibleName(tr("Lay {name} over the image", name=words))
        self.lay_button.setCheckable(True)
        self.lay_button.clicked.connect(self.laid)
        self.lay_button.toggled.connect(self._name_it)
        self._name_it(False)
        self.lay_button.setVisible(part is not Part.RESIDUAL)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.name, 1)
        row.addWidget(self.show_button)
        row.addWidget(self.lay_button)
        for button in (self.show_button, self.lay_button):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._fit()

    def _name_it(self, over: bool) -> None:
        self.lay_button.setText(tr("Take off") if over else tr("Lay over"))

    def _fit(self) -> None:
        """Buttons as narrow as their words, so that the name has room."""
        letters = self.fontMetrics()
        self.show_button.setFixedWidth(letters.horizontalAdvance(tr("Show")) + _AROUND)
        words = (tr("Lay over"), tr("Take off"))
        self.lay_button.setFixedWidth(max(letters.horizontalAdvance(w) for w in words) + _AROUND)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        super().changeEvent(event)


class StudyBlock(QWidget):
    """Emits `asked` with the number of seeds, 0 where there are none; `shown` and `laid` of what was found."""

    asked = Signal(int)
    shown = Signal(object)
    laid = Signal(object, bool)

    def __init__(self, study: Study, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.study = study
        self.button = QPushButton(tr(STUDIES[study]))
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.button.clicked.connect(self._ask)
        self.seeds = QSpinBox()
        self.seeds.setRange(LEAST_SEEDS, MOST_SEEDS)
        self.seeds.setValue(SEEDS)
        self.seeds.setAccessibleName(tr("Number of seeds"))
        self.seeds.setToolTip(tr("So many runs with other seeds are made; more tell better and take longer"))
        self.seeds.setSuffix(tr(" seeds"))
        self.seeds.setVisible(study is Study.UNCERTAINTY)
        self.words = words_label("\n".join(tr(SHOWS[part]) for part in PARTS[study]))
        theme.mute(self.words)
        self.where = words_label()
        self.where.hide()
        self.told = words_label()
        self.told.hide()
        self.answers = {part: Answer(part) for part in PARTS[study]}
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.button, 1)
        top.addWidget(self.seeds)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.words)
        column.addWidget(self.where)
        column.addWidget(self.told)
        for part, answer in self.answers.items():
            answer.shown.connect(partial(self.shown.emit, part))
            answer.laid.connect(partial(self.laid.emit, part))
            answer.hide()
            column.addWidget(answer)

    def _ask(self) -> None:
        self.asked.emit(self.seeds.value() if self.study is Study.UNCERTAINTY else 0)

    def refresh(
        self, *, may_ask: bool, why_not: str, found: dict[Part, Item], over: str, told: str, where: str = ""
    ) -> None:
        """found: what the room holds. over: key of what lies over the image in the active pane. told: what else was
        found, in words. where: who draws samples, "" for this window."""
        self.where.setText(tr("Drawn by: {who}", who=where))
        self.where.setVisible(bool(where) and self.study is Study.UNCERTAINTY)
        self.button.setEnabled(may_ask)
        self.button.setToolTip("" if may_ask else why_not)
        self.seeds.setEnabled(may_ask)
        self.told.setText(told)
        self.told.setVisible(bool(told))
        for part, answer in self.answers.items():
            item = found.get(part)
            answer.setVisible(item is not None)
            answer.lay_button.setChecked(item is not None and item.key == over)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            theme.mute(self.words)
        super().changeEvent(event)


def words_label(words: str = "") -> QLabel:
    """Text of several lines that can be selected."""
    label = QLabel(words)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
