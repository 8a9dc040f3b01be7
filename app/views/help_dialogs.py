"""Help: the table of keys, and what this program is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

import core
from app import theme
from app.actions import DEEDS, MOUSE, Actions
from app.views.licences_dialog import LicencesDialog
from app.words import tr


class ShortcutsDialog(QDialog):
    """Every key and mouse action, from the same table as the menus. actions: where keys may have been changed."""

    def __init__(self, parent: QWidget | None = None, actions: Actions | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys and mouse"))
        keys = {name: actions.shown_key(name) if actions else deed.key for name, deed in DEEDS.items()}
        self.lines = [(keys[name], deed.about) for name, deed in DEEDS.items() if keys[name]]
        self.lines += [(tr(key), tr(tip)) for key, tip in MOUSE]
        half = (len(self.lines) + 1) // 2
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(2, 16)
        for place, (key, tip) in enumerate(self.lines):
            name, words = QLabel(key), QLabel(tip)
            font = name.font()
            font.setBold(True)
            name.setFont(font)
            for label in (name, words):
                label.setWordWrap(True)
                label.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(name, place % half, 3 * (place // half))
            grid.addWidget(words, place % half, 3 * (place // half) + 1)
        for column, stretch in ((0, 2), (1, 5), (3, 3), (4, 5)):
            grid.setColumnStretch(column, stretch)
        buttons = _finish(self, grid)
        if actions is not None:
            change = buttons.addButton(tr("Change keys…"), QDialogButtonBox.ButtonRole.ActionRole)
            change.clicked.connect(self.accept)
            change.clicked.connect(actions["edit_keys"].trigger)
        self.resize(1000, self.heightForWidth(1000))


class AboutDialog(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About DDS Viewer"))
        sign = QLabel()
        sign.setPixmap(theme.icon("app").pixmap(QSize(64, 64)))
        purpose = tr(
            "Reconstructs raw MRI and CT scans with the Decomposed Diffusion Sampler<br>"
            "(arXiv 2303.05754) while you watch."
        )
        warning = tr("Research use only. Not for diagnosis.")
        name = f"<b>DDS Viewer {core.__version__}</b><br>{purpose}"
        words = QLabel("<br><br>".join((name, "Apache License 2.0", f"<b>{warning}</b>")))
        words.setTextFormat(Qt.TextFormat.RichText)
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.addWidget(sign, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(words, 0, 1)
        buttons = _finish(self, grid)
        self.licences = buttons.addButton(tr("Licences…"), QDialogButtonBox.ButtonRole.ActionRole)
        self.licences.setToolTip(tr("What this program is made with, and under which licences"))
        self.licences.clicked.connect(self._show_licences)

    def _show_licences(self) -> None:
        LicencesDialog(self).open()


def _finish(dialog: QDialog, body: QGridLayout) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
    buttons.rejected.connect(dialog.reject)
    whole = QVBoxLayout(dialog)
    whole.setSpacing(14)
    whole.addLayout(body)
    whole.addWidget(buttons)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return buttons
