"""The manual in a window of its own: contents and search at the side, the page at their right, nothing from outside."""

from __future__ import annotations

from posixpath import dirname, join, normpath

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.views.manual_pages import Hit, Page, Pages
from app.views.manual_view import ManualView
from app.words import later, tr

SIDE = 270
NOT_BUILT = later(
    "<h2>The manual is not here</h2><p>This copy of the program came without it. In the source folder, <code>make"
    " manual</code> builds it.</p>"
)
_PAGE = Qt.ItemDataRole.UserRole
_RESIZED_MS = 120


class ManualWindow(QWidget):
    """Goes from page to page (Alt+Left, Alt+Right: back, forth). Links to the outside are opened after a question."""

    def __init__(self, pages: Pages | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.pages = Pages() if pages is None else pages
        self.page: Page | None = None
        self._trail: list[str] = []
        self._at = -1
        self.setWindowTitle(tr("DDS Viewer manual"))
        self.setWindowIcon(theme.icon("app"))
        self._lay_out()
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._draw)
        for keys, does in (
            ("Alt+Left", self.go_back),
            ("Alt+Right", self.go_forth),
            ("Ctrl+F", self.search.setFocus),
            ("Esc", self._escape),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(does)
        self.resize(QSize(1120, 720))
        self._fill()
        self.go_to(self.pages.pages[0].file if len(self.pages) else "")
        self.view.setFocus()

    def _lay_out(self) -> None:
        self.back, self.forth = _arrow(Qt.ArrowType.LeftArrow, tr("Back")), _arrow(Qt.ArrowType.RightArrow, tr("Forth"))
        self.back.clicked.connect(self.go_back)
        self.forth.clicked.connect(self.go_forth)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search the manual"))
        self.search.setAccessibleName(tr("Search the manual"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._open_first)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Contents"))
        self.list.setWordWrap(True)
        self.list.setSpacing(2)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._open)
        self.list.itemActivated.connect(self._open)
        self.view = ManualView(self.pages)
        self.view.anchorClicked.connect(self.follow)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 8, 0, 8)
        row = QHBoxLayout()
        for widget in (self.back, self.forth, self.search):
            row.addWidget(widget)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(side)
        parts.addWidget(self.view)
        parts.setStretchFactor(1, 1)
        parts.setSizes([SIDE, 10**4])
        side.setMinimumWidth(200)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(parts)

    # The list

    def _fill(self, *_: object) -> None:
        """The contents, or what the search finds."""
        words = self.search.text().strip()
        self.list.clear()
        self.list.setAlternatingRowColors(bool(words))
        if words:
            self._fill_hits(self.pages.search(words))
            return
        section = ""
        for page in self.pages:
            if page.section != section:
                section = page.section
                self._add_line(section)
            item = QListWidgetItem(f"   {page.title}")
            item.setData(_PAGE, page.file)
            self.list.addItem(item)
        self._mark()

    def _fill_hits(self, hits: list[Hit]) -> None:
        for hit in hits:
            item = QListWidgetItem(f"{hit.page.title}\n{hit.around}")
            item.setData(_PAGE, hit.page.file)
            self.list.addItem(item)
        if not hits:
            self._add_line(tr("Nothing was found"))

    def _add_line(self, words: str) -> None:
        """A line that cannot be chosen."""
        item = QListWidgetItem(words)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        font = self.list.font()
        font.setBold(True)
        item.setFont(font)
        self.list.addItem(item)

    def _mark(self) -> None:
        """The page on view, in the list."""
        for row in range(self.list.count()):
            if self.page is not None and self.list.item(row).data(_PAGE) == self.page.file:
                self.list.setCurrentRow(row)

    def _open(self, item: QListWidgetItem) -> None:
        if item.data(_PAGE):
            self.go_to(item.data(_PAGE))
            self._show_word()

    def _open_first(self) -> None:
        if self.list.count():
            self._open(self.list.item(0))

    def _show_word(self) -> None:
        """Go to the first place of what was searched."""
        words = self.search.text().split()
        if words:
            self.view.moveCursor(QTextCursor.MoveOperation.Start)
            self.view.find(words[0])

    # The pages

    def go_to(self, address: str) -> None:
        """A page, and a place in it after #. What is not there is passed over; "" says that there is no manual."""
        file, _, place = address.partition("#")
        page = self.pages.page(file or (self.page.file if self.page else ""))
        if page is None and len(self.pages):
            return
        if address:
            del self._trail[self._at + 1 :]
            self._trail.append(address)
            self._at += 1
        self._show(page, place)

    def _show(self, page: Page | None, place: str = "") -> None:
        if page is not self.page or page is None:
            self.page = page
            self._draw()
        if place:
            self.view.scrollToAnchor(place)
        elif self.page is not None:
            self.view.verticalScrollBar().setValue(0)
        self.back.setEnabled(self._at > 0)
        self.forth.setEnabled(self._at < len(self._trail) - 1)
        self._mark()

    def _draw(self) -> None:
        """The page as wide as there is room, in the colours of the theme, at the place where it was."""
        bar = self.view.verticalScrollBar()
        share = bar.value() / max(bar.maximum(), 1)
        try:
            html = self.pages.html(self.page) if self.page is not None else tr(NOT_BUILT)
        except OSError:
            html = tr(NOT_BUILT)
        self.view.show_html(html, self._folder)
        bar.setValue(round(share * bar.maximum()))

    @property
    def _folder(self) -> str:
        """Of the page on view, under that of the manual."""
        return dirname(self.page.file) if self.page is not None else ""

    def go_back(self) -> None:
        self._go(-1)

    def go_forth(self) -> None:
        self._go(1)

    def _go(self, by: int) -> None:
        if 0 <= self._at + by < len(self._trail):
            self._at += by
            file, _, place = self._trail[self._at].partition("#")
            self._show(self.pages.page(file) or self.page, place)

    def follow(self, link: QUrl) -> None:
        """A link that was clicked."""
        if link.isRelative():
            file, mark, place = link.toString().partition("#")
            self.go_to(f"{normpath(join(self._folder, file)) if file else ''}{mark}{place}")
        elif link.scheme() in ("http", "https") and self.may_leave(link.toString()):
            QDesktopServices.openUrl(link)

    def may_leave(self, address: str) -> bool:
        """Whether the browser is to open an address outside. Esc and Enter mean no."""
        box = QMessageBox(QMessageBox.Icon.Question, "DDS Viewer", tr("Open this address in the browser?"), parent=self)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(tr("{address}\nIt is not part of the manual.", address=address))
        go = box.addButton(tr("Open"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.exec()
        return box.clickedButton() is go

    def _escape(self) -> None:
        """An end to the search, or to the window."""
        if self.search.text():
            self.search.clear()
        else:
            self.close()

    # The window

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._due.start(_RESIZED_MS)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_due"):
            self._due.start(0)
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._due.stop()
        super().closeEvent(event)


class Manual(QObject):
    """The one window of the manual, made when it is asked for."""

    def __init__(self, parent: QWidget, pages: Pages | None = None) -> None:
        super().__init__(parent)
        self._parent, self._pages = parent, pages
        self.window: ManualWindow | None = None

    def open(self, address: str = "") -> None:
        """Show it in front, at a page."""
        if self.window is None:
            self.window = ManualWindow(self._pages, self._parent)
        if address:
            self.window.go_to(address)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def release(self) -> None:
        """The program closes."""
        if self.window is not None:
            self.window.close()


def _arrow(direction: Qt.ArrowType, words: str) -> QToolButton:
    button = QToolButton()
    button.setArrowType(direction)
    button.setToolTip(words)
    button.setAccessibleName(words)
    button.setAutoRaise(True)
    return button
