"""What the next runs are compared with: the fully sampled scan, another run or a file, all of it or within a mask."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QSizePolicy, QWidget

from app.state.reference import Against, offered_runs
from app.state.session import Session
from app.views.setting_rows import QuietWheel, set_columns
from app.words import tr

Item = tuple[Against, object]
ASK = "ask"
"""An item that lets a file be chosen."""


class ReferenceForm(QWidget):
    """Shows the choice of the session and changes it. reference_asked, mask_asked: a file is wanted."""

    reference_asked = Signal()
    mask_asked = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._chosen = session, session.reference
        self._items: list[Item] = []
        self.box, self.mask = QComboBox(), QComboBox()
        self.box.setAccessibleName(tr("Reference"))
        self.box.setToolTip(
            tr("What the image is compared with, during the run and at its end: PSNR, SSIM, NRMSE and HFEN")
        )
        self.mask.setAccessibleName(tr("Mask"))
        self.mask.setToolTip(tr("A volume that is not 0 where the figures count"))
        self.resample = QCheckBox(tr("Bring onto the image's grid"))
        self.resample.setToolTip(
            tr("Resample a reference or a mask of another size or orientation; otherwise it is refused")
        )
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(3)
        set_columns(self._grid)
        self._wheel = QuietWheel(self)
        self._labels = [self._add(words, field) for words, field in ((tr("Reference"), self.box), ("", self.mask))]
        self._labels[1].setText(tr("Mask"))
        self._grid.addWidget(self.resample, self._grid.rowCount(), 0, 1, 3)
        self.box.activated.connect(self._choose)
        self.mask.activated.connect(self._choose_mask)
        self.resample.toggled.connect(self._chosen.set_resample)
        self._chosen.changed.connect(self.refresh)
        session.choice.changed.connect(self.refresh)
        session.opened.connect(self.refresh)
        session.runs.changed.connect(self._follow)
        self.refresh()

    def refresh(self) -> None:
        """Show what can be chosen and what is."""
        chosen, undersample = self._chosen, self._session.choice.undersample
        with QSignalBlocker(self.box), QSignalBlocker(self.mask), QSignalBlocker(self.resample):
            self._fill_references(undersample)
            self._fill_masks()
            self.resample.setChecked(chosen.resample)
        compares = chosen.compares(undersample)
        for widget in (self._labels[1], self.mask):
            widget.setVisible(compares)
        self.resample.setVisible(compares and (chosen.against is not Against.OWN_SCAN or bool(chosen.mask)))

    def _fill_references(self, undersample: str) -> None:
        """The fully sampled scan is one only where some of it is left out."""
        chosen = self._chosen
        self.box.clear()
        self._items = []
        self._offer(tr("None"), (Against.NOTHING, None))
        if undersample:
            self._offer(tr("The full scan"), (Against.OWN_SCAN, None))
        for run in offered_runs(self._session.runs):
            self._offer(run.name, (Against.RUN, run), tr("Run: {name}", name=run.name))
        if chosen.path:
            self._offer(Path(chosen.path).name, (Against.FILE, chosen.path), chosen.path)
        self._offer(tr("A file…"), (Against.FILE, ASK))
        now: Item = (chosen.against, chosen.run if chosen.against is Against.RUN else None)
        if chosen.against is Against.FILE:
            now = (Against.FILE, chosen.path)
        self.box.setCurrentIndex(self._items.index(now) if now in self._items else 0)

    def _offer(self, words: str, item: Item, tip: str = "") -> None:
        self._items.append(item)
        self.box.addItem(words)
        self.box.setItemData(self.box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _fill_masks(self) -> None:
        path = self._chosen.mask
        self.mask.clear()
        self.mask.addItem(tr("None"), "")
        if path:
            self.mask.addItem(Path(path).name, path)
            self.mask.setItemData(1, path, Qt.ItemDataRole.ToolTipRole)
        self.mask.addItem(tr("A file…"), ASK)
        self.mask.setCurrentIndex(1 if path else 0)

    def _add(self, words: str, field: QComboBox) -> QLabel:
        label = QLabel(words)
        label.setBuddy(field)
        label.setToolTip(field.toolTip())
        field.installEventFilter(self._wheel)
        field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        line = self._grid.rowCount()
        self._grid.addWidget(label, line, 0)
        self._grid.addWidget(field, line, 1)
        return label

    def _choose(self, place: int) -> None:
        against, which = self._items[place]
        if which is ASK:
            self.refresh()  # until a file has been named
            self.reference_asked.emit()
        elif against is Against.RUN:
            self._chosen.choose(against, run=next(r for r in self._session.runs if r is which))
        else:
            self._chosen.choose(against)

    def _choose_mask(self, place: int) -> None:
        path = str(self.mask.itemData(place))
        if path == ASK:
            self.refresh()
            self.mask_asked.emit()
        else:
            self._chosen.set_mask(path)

    def _follow(self) -> None:
        """Runs came or went."""
        self._chosen.follow(self._session.runs)
        self.refresh()
