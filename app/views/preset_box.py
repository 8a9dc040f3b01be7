"""The list of presets: each with its name and how long it will take."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app import theme
from app.state.choice import Choice
from app.state.naming import times_as_long
from app.words import later, tr

_CUSTOM = later("Own settings")
_COST = Qt.ItemDataRole.UserRole + 1
_GAP = 24


class PresetBox(QComboBox):
    """Emits `taken` with the name of a preset that the user chose; shows the one that the settings agree with.

    Of a name such as "Recommended for mri-small" it shows the beginning: the prior is named beside it.
    """

    taken = Signal(str)

    def __init__(self, choice: Choice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self.setAccessibleName(tr("Preset"))
        self.setToolTip(tr("Named sets of settings"))
        self.setItemDelegate(_NameAndCost(self))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.activated.connect(self._take)

    def refresh(self) -> None:
        """The presets of the chosen prior, and which one the settings agree with."""
        wanted = [("", ""), *((name, times_as_long(self._choice.cost_of(name))) for name in self._choice.presets)]
        with QSignalBlocker(self):
            if [(self.itemData(i), self.itemData(i, _COST)) for i in range(self.count())] != wanted:
                self.clear()
                for name, cost in wanted:
                    self.addItem(name.split(" for ")[0] or tr(_CUSTOM), name)
                    self.setItemData(self.count() - 1, cost, _COST)
                    self.setItemData(self.count() - 1, cost, Qt.ItemDataRole.AccessibleDescriptionRole)
                self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 2 * self.view().frameWidth())
            self.setCurrentIndex(self.findData(self._choice.preset))
        cost = self.currentData(_COST)
        self.setToolTip(f"Named sets of settings. {self.currentText()}: {cost}." if cost else "Named sets of settings")

    def _take(self, index: int) -> None:
        name = self.itemData(index)
        if name:
            self.taken.emit(name)
        else:
            self.refresh()


class _NameAndCost(QStyledItemDelegate):
    """The name at the left, the cost muted at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        cost = index.data(_COST)
        wider = option.fontMetrics.horizontalAdvance(cost) + _GAP if cost else 0
        return QSize(size.width() + wider, max(size.height(), option.fontMetrics.height() + 6))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        now = theme.current()
        painter.save()
        painter.setPen(QColor(now.accent_text if chosen else now.muted))
        area = QRect(option.rect).adjusted(0, 0, -6, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, index.data(_COST) or "")
        painter.restore()
