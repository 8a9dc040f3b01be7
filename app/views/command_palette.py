"""A search line over all actions: type some letters, Enter does what is marked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.commands import Command, ranked
from app.words import tr

WIDTH = 620
_MOST_ROWS = 11
_PAD = 10
_COMMAND = Qt.ItemDataRole.UserRole
_MOVES = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _MOST_ROWS - 1, Qt.Key.Key_PageUp: 1 - _MOST_ROWS}


class CommandPalette(QFrame):
    """Stands over the top of the window until something is chosen, Esc is pressed or the keyboard goes elsewhere.

    commands: what there is now. recent: names that were chosen last. run: carries out an action by its name.
    """

    def __init__(
        self,
        window: QWidget,
        commands: Callable[[], list[Command]],
        recent: Callable[[], list[str]],
        run: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._commands, self._recent, self._run = commands, recent, run
        self._all: list[Command] = []
        self._before: QWidget | None = None
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("Type what you want to do"))
        self.line.setAccessibleName(tr("Search for an action"))
        self.line.setFrame(True)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Actions"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Rows(self.list))
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.line)
        column.addWidget(self.list)
        self.line.textChanged.connect(self._show_found)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(self._take)
        window.installEventFilter(self)
        self.hide()

    @property
    def found(self) -> list[Command]:
        """What is listed, from top to bottom."""
        return [self.list.item(row).data(_COMMAND) for row in range(self.list.count())]

    def open(self) -> None:
        """Show all actions, those chosen last at the top, and take the keyboard."""
        self._before = self.window().focusWidget()
        self._all = self._commands()
        self.line.clear()
        self._show_found("")
        self._place()
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_(self) -> None:
        """Give the keyboard back."""
        if self.isVisible():
            before, self._before = self._before, None
            self.hide()
            if before is not None and before.isVisible():
                before.setFocus(Qt.FocusReason.PopupFocusReason)

    def _show_found(self, query: str) -> None:
        self.list.clear()
        for command in ranked(query, self._all, self._recent()):
            item = QListWidgetItem(command.words)
            item.setData(_COMMAND, command)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{command.words}. {command.path}. {command.why_not}")
            self.list.addItem(item)
        if self.list.count():
            self.list.setCurrentRow(0)

    def _take(self, item: QListWidgetItem | None) -> None:
        command: Command | None = item.data(_COMMAND) if item is not None else None
        if command is not None and not command.why_not:
            self.close_()
            self._run(command.name)

    def _move(self, by: int) -> None:
        last = self.list.count() - 1
        self.list.setCurrentRow(min(max(self.list.currentRow() + by, 0), max(last, 0)))

    def _place(self) -> None:
        """At the top in the middle of the window, as large as there is room."""
        around = self.window().rect()
        row = _row_height(self.list)
        wide = min(max(WIDTH, 44 * self.fontMetrics().averageCharWidth() * 2), around.width() - 40)
        high = min(_MOST_ROWS * row + self.line.sizeHint().height() + 30, around.height() - 100)
        self.setGeometry(QRect((around.width() - wide) // 2, 60, wide, max(high, 4 * row)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.line:
            return self._line_event(event)
        if self.isVisible() and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _line_event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # Esc would close a message of the window instead.
            if event.key() == Qt.Key.Key_Escape:
                event.accept()
            return False
        if event.type() == QEvent.Type.FocusOut:
            self._focus_left()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.close_()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(self.list.currentItem())
        elif key in _MOVES:
            self._move(_MOVES[key])
        elif key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return False
        return True

    def _focus_left(self) -> None:
        """The keyboard is elsewhere in the window now; a menu or another program gives it back."""
        now = self.window().focusWidget()
        if now is not None and now is not self.line and not self.isAncestorOf(now):
            self._before = None
            self.close_()


class _Rows(QStyledItemDelegate):
    """Name, menu path or reason in muted letters, key at the right."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        command: Command = index.data(_COMMAND)
        now = theme.current()
        area: QRect = option.rect
        marked = bool(option.state & QStyle.StateFlag.State_Selected)
        palette: QPalette = option.palette
        if marked:
            painter.fillRect(area, palette.highlight())
        ink = QColor(now.accent_text if marked else now.muted if command.why_not else now.text)
        soft = QColor(now.accent_text if marked else now.muted)
        inner = area.adjusted(_PAD, 0, -_PAD, 0)
        metrics = option.fontMetrics
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        painter.setPen(soft)
        key_wide = metrics.horizontalAdvance(command.key) + _PAD if command.key else 0
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, command.key)
        painter.setPen(ink)
        name = metrics.elidedText(command.words, Qt.TextElideMode.ElideRight, inner.width() - key_wide)
        painter.drawText(inner, middle, name)
        beside = inner.adjusted(metrics.horizontalAdvance(name) + 2 * _PAD, 0, -key_wide, 0)
        words = tr("not now: {reason}", reason=command.why_not) if command.why_not else command.path
        painter.setPen(soft)
        painter.drawText(beside, middle, metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(beside.width(), 0)))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, _row_height(self.parent()))


def _row_height(widget: object) -> int:
    assert isinstance(widget, QWidget)
    return widget.fontMetrics().lineSpacing() + 12
