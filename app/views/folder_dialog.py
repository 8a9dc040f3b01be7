"""Asks which of the things in a folder is to be opened, with small pictures of them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app import theme
from app.state.session import FolderQuestion
from app.words import tr
from core.formats.folder import Entry

PICTURE = 72


class FolderDialog(QDialog):
    """Emits `chosen` with the list of entries that the user wants opened. Enter or a double click opens."""

    chosen = Signal(object)

    def __init__(self, question: FolderQuestion, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Open from {name}", name=Path(question.path).name))
        self.resize(620, 460)
        self._entries = question.entries
        self.list = QListWidget()
        self.list.setAccessibleName(tr("What the folder holds"))
        self.list.setIconSize(QSize(PICTURE, PICTURE))
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setWordWrap(True)
        for entry in question.entries:
            self.list.addItem(_row(entry))
        self.list.setCurrentRow(0)
        self.list.itemDoubleClicked.connect(self.accept)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.list.itemSelectionChanged.connect(self._enable)
        column = QVBoxLayout(self)
        words = QLabel(
            tr(
                "This folder holds {count} things that can be opened. Series and volumes are shown in Review; raw data "
                "is reconstructed. Several volumes may be chosen to be compared, and one scan.",
                count=len(question.entries),
            )
        )
        words.setWordWrap(True)
        column.addWidget(words)
        column.addWidget(self.list, 1)
        column.addWidget(self.buttons)
        self.list.setFocus()
        self._enable()

    def selected(self) -> list[Entry]:
        """In the order of the list."""
        return [self._entries[row] for row in sorted(index.row() for index in self.list.selectedIndexes())]

    def accept(self) -> None:
        wanted = self.selected()
        if not wanted:
            return
        super().accept()
        self.chosen.emit(wanted)

    def _enable(self) -> None:
        """Only one raw scan can be open."""
        scans = sum(entry.kind == "scan" for entry in self.selected())
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(bool(self.selected()) and scans <= 1)


def _row(entry: Entry) -> QListWidgetItem:
    item = QListWidgetItem(entry.name if not entry.detail else f"{entry.name}\n{entry.detail}")
    item.setIcon(_picture(entry))
    item.setSizeHint(QSize(0, PICTURE + 8))
    item.setToolTip(Path(entry.path).name)
    return item


def _picture(entry: Entry) -> QIcon:
    if entry.thumbnail is None:
        return theme.icon("open" if entry.kind == "scan" else "window")
    pixels = entry.thumbnail
    height, width = pixels.shape
    grey = QImage(pixels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    drawn = QPixmap.fromImage(grey).scaled(
        PICTURE, PICTURE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    return QIcon(drawn)
