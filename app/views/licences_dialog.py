"""Help: the packages that this program is made with, and the texts of their licences."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.bridge.licence_desk import LicenceDesk
from app.licences import Package
from app.words import tr

_PACKAGE = Qt.ItemDataRole.UserRole


class LicencesDialog(QDialog):
    """A list that is searched by name and licence, and the text of what is chosen in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Licences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("Search by name or licence"))
        self.line.setAccessibleName(tr("Search by name or licence"))
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._show_found)
        self.list = self._made_list()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("Text of the licence"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.count = QLabel(tr("Looking through what is installed…"))
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.setChildrenCollapsible(False)
        halves.addWidget(self.list)
        halves.addWidget(self.text)
        halves.setSizes([440, 560])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (self.line, halves, self.count, buttons):
            column.addWidget(part, int(part is halves))
        self.resize(1040, 600)
        self._desk = LicenceDesk(self)
        self._desk.found.connect(self._fill)
        self._desk.begin()

    def _made_list(self) -> QTreeWidget:
        made = QTreeWidget()
        made.setHeaderLabels([tr("Package"), tr("Version"), tr("Licence")])
        made.setAccessibleName(tr("Packages"))
        made.setRootIsDecorated(False)
        made.setUniformRowHeights(True)
        made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        made.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        made.header().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        made.header().setStretchLastSection(True)
        made.currentItemChanged.connect(self._show_text)
        return made

    def _fill(self, packages: tuple[Package, ...]) -> None:
        for package in packages:
            row = QTreeWidgetItem([package.name, package.version, package.licence])
            row.setData(0, _PACKAGE, package)
            row.setToolTip(2, package.licence)
            self.list.addTopLevelItem(row)
        self._show_found()

    def _show_found(self) -> None:
        """Of the rows those that hold all that was typed; the first of them is chosen where the chosen one is gone."""
        words = self.line.text().lower().split()
        rows = [self.list.topLevelItem(place) for place in range(self.list.topLevelItemCount())]
        found = []
        for row in rows:
            said = f"{row.text(0)} {row.text(2)}".lower()
            row.setHidden(not all(word in said for word in words))
            found += [] if row.isHidden() else [row]
        current = self.list.currentItem()
        if current is None or current.isHidden():
            self.list.setCurrentItem(found[0] if found else None)
        if not rows:
            self.count.setText(tr("The list of licences cannot be read. Install the program again."))
        elif len(found) == len(rows):
            self.count.setText(tr("{count} packages", count=len(rows)))
        else:
            self.count.setText(tr("{found} of {count} packages", found=len(found), count=len(rows)))

    def _show_text(self, row: QTreeWidgetItem | None, _: QTreeWidgetItem | None = None) -> None:
        if row is None:
            self.text.setPlainText("")
            return
        package = row.data(0, _PACKAGE)
        self.text.setPlainText(package.text or tr("The package comes without the text of its licence."))
