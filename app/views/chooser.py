"""A box to choose from, as wide as its longest words."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox


def chooser(name: str, tip: str) -> QComboBox:
    """name: for those who do not see it."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
