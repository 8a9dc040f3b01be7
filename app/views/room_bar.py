"""The bar over the panes: layout, links, tool, and the window and level of the active pane."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from app import theme
from app.state.room.pane import Layout
from app.state.room.room import WINDOW_TOOL, Room
from app.views.number_edit import NumberEdit
from app.views.toggle import Toggle
from app.words import later, tr

ICONS = {Layout.ONE: "one", Layout.SIDE: "side", Layout.FOUR: "four", Layout.MPR: "planes"}
LINKS = {"scroll": later("Scroll"), "zoom": later("Zoom"), "window": later("Window")}


class RoomBar(QWidget):
    """Carries out in the room what is chosen. add_tool: another tool for left drag."""

    def __init__(self, room: Room, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.room = room
        self.layouts = {layout: self._layout_button(layout) for layout in Layout}
        self.links = {name: self._link_button(name, tr(words)) for name, words in LINKS.items()}
        self.tools: dict[str, QToolButton] = {}
        self.windows = QComboBox()
        self.windows.setAccessibleName(tr("Named window"))
        self.windows.setToolTip(tr("Window and level by name"))
        self.windows.activated.connect(self._take_window)
        self.window_edit, self.level_edit = self._number(tr("Window width")), self._number(tr("Window level"))
        self.window_edit.entered.connect(lambda value: self._set_levels(value, None))
        self.level_edit.entered.connect(lambda value: self._set_levels(None, value))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 3, 6, 3)
        self._row.setSpacing(3)
        for button in self.layouts.values():
            self._row.addWidget(button)
        self._row.addWidget(_line())
        self._row.addWidget(QLabel(tr("Link")))
        for button in self.links.values():
            self._row.addWidget(button)
        self._row.addWidget(_line())
        self._tool_row = QHBoxLayout()
        self._tool_row.setSpacing(1)
        self._row.addLayout(self._tool_row)
        self._row.addStretch(1)
        for widget in (self.windows, QLabel(tr("W")), self.window_edit, QLabel(tr("L")), self.level_edit):
            self._row.addWidget(widget)
        self.add_tool(
            WINDOW_TOOL, tr("Window and level"), tr("Left drag is window (across) and level (down)"), "window"
        )

    def add_tool(self, name: str, words: str, tip: str, icon: str) -> QToolButton:
        """A tool that left drag can have."""
        button = _switch(words, tip)
        button.setIcon(theme.icon(icon))
        button.setProperty("icon_name", icon)
        button.clicked.connect(partial(self._take_tool, name))
        self.tools[name] = button
        self._tool_row.addWidget(button)
        return button

    def draw_icons(self) -> None:
        """In the colours of the theme."""
        for layout, button in self.layouts.items():
            button.setIcon(theme.icon(ICONS[layout]))
        for button in self.tools.values():
            button.setIcon(theme.icon(button.property("icon_name")))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_tool_row"):
            self.draw_icons()

    def refresh(self) -> None:
        room = self.room
        for layout, button in self.layouts.items():
            button.setChecked(layout is room.layout)
        for name, on in (("scroll", room.linked_scroll), ("zoom", room.linked_zoom), ("window", room.linked_window)):
            self.links[name].setChecked(on)
        for name, button in self.tools.items():
            button.setChecked(name == room.tool)
        item, levels = room.item_in(room.active), room.levels_of(room.active)
        windows = item.windows if item else ()
        with QSignalBlocker(self.windows):
            names = [tr("Windows"), *(w.name for w in windows)]
            if [self.windows.itemText(i) for i in range(self.windows.count())] != names:
                self.windows.clear()
                self.windows.addItems(names)
            agreed = [i for i, w in enumerate(windows, 1) if (w.window, w.level) == (levels.window, levels.level)]
            self.windows.setCurrentIndex(agreed[0] if agreed else 0)
        self.windows.setVisible(bool(windows))
        for edit, value in ((self.window_edit, levels.window), (self.level_edit, levels.level)):
            edit.setEnabled(item is not None)
            edit.show_value(value)

    def _take_window(self, row: int) -> None:
        item = self.room.item_in(self.room.active)
        if item is not None and row > 0:
            chosen = item.windows[row - 1]
            self.room.set_levels(self.room.active, chosen.window, chosen.level)

    def _set_levels(self, window: float | None, level: float | None) -> None:
        now = self.room.levels_of(self.room.active)
        self.room.set_levels(
            self.room.active, now.window if window is None else window, now.level if level is None else level
        )

    def _take_tool(self, name: str, *_: object) -> None:
        self.room.set_tool(name)

    def _layout_button(self, layout: Layout) -> QToolButton:
        button = _switch(tr(layout.value), tr("Layout: {name}", name=tr(layout.value)))
        button.setIcon(theme.icon(ICONS[layout]))
        button.clicked.connect(lambda *_: self.room.set_layout(layout))
        return button

    def _link_button(self, name: str, words: str) -> QToolButton:
        button = _switch(tr("Link: {what}", what=words), tr("{what}: all panes together", what=words))
        button.setText(words)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.clicked.connect(lambda on: self.room.link(**{name: on}))
        return button

    def _number(self, name: str) -> NumberEdit:
        edit = NumberEdit(name)
        edit.setToolTip(name)
        return edit


def _switch(name: str, tip: str) -> Toggle:
    button = Toggle()
    button.setAccessibleName(name)
    button.setToolTip(tip)
    return button


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line
