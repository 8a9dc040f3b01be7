"""Help: the table of keys, and what this program is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

import core
from app import theme
from app.actions import DEEDS, MOUSE


class ShortcutsDialog(QDialog):
    """Every key and mouse action, from the same table as the menus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self.lines = [(deed.key, deed.tip) for deed in DEEDS.values() if deed.key] + list(MOUSE)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(4)
        for line, (key, tip) in enumerate(self.lines):
            name = QLabel(key)
            font = name.font()
            font.setBold(True)
            name.setFont(font)
            grid.addWidget(name, line, 0)
            grid.addWidget(QLabel(tip), line, 1)
        _finish(self, grid)


class AboutDialog(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About DDS Viewer")
        sign = QLabel()
        sign.setPixmap(theme.icon("app").pixmap(QSize(64, 64)))
        words = QLabel(
            f"<b>DDS Viewer {core.__version__}</b><br>"
            "Reconstructs raw MRI and CT scans with the Decomposed Diffusion Sampler<br>"
            "(arXiv 2303.05754) while you watch."
            "<br><br>Apache License 2.0<br><br><b>Research use only. Not for diagnosis.</b>"
        )
        words.setTextFormat(Qt.TextFormat.RichText)
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.addWidget(sign, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(words, 0, 1)
        _finish(self, grid)


def _finish(dialog: QDialog, body: QGridLayout) -> None:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
    buttons.rejected.connect(dialog.reject)
    whole = QVBoxLayout(dialog)
    whole.setSpacing(14)
    whole.addLayout(body)
    whole.addWidget(buttons)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
