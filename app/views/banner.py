"""Messages that stay beside the work: the banner for failures, the strips for warnings."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.state.notice import Notice
from app.state.session import Session
from app.words import tr

MOST_LINES = 7
"""Of warnings that are shown without scrolling."""


class Banner(QWidget):
    """What happened, why, and what to do. It covers nothing and stops nothing; Esc or its button closes it.

    Emits `simulate_wanted` with the path of a volume that a scan is to be simulated from, and `again_wanted` with a job
    that is to be done on the CPU.
    """

    simulate_wanted = Signal(str)
    again_wanted = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sign = QLabel()
        self.what = _words(bold=True)
        self.rest = _words()
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setAccessibleName(tr("Close message"))
        self.close_button.setToolTip(tr("Close message (Esc)"))
        self.close_button.clicked.connect(lambda: session.tell(None))
        self.simulate = QPushButton(tr("&Simulate a scan from it…"))
        self.simulate.setToolTip(tr("Make a scan of this volume that no scanner made"))
        self.simulate.clicked.connect(self._simulate)
        self.again = QPushButton(tr("Reconstruct on the &CPU"))
        self.again.setToolTip(tr("Begin the run again without the graphics card"))
        self.again.clicked.connect(self._again)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self.what)
        text.addWidget(self.rest)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)
        row.addWidget(self.simulate, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.again, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        session.notice_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        notice = self._session.notice
        self.setVisible(notice is not None)
        if notice is None:
            return
        self.what.setText(notice.what)
        self.rest.setText(notice.rest)
        self.rest.setVisible(bool(self.rest.text()))
        self.simulate.setVisible(bool(notice.volume))
        self.again.setVisible(notice.again is not None)
        self.setAccessibleName(f"{notice.what} {self.rest.text()}")
        self._colour(notice)

    def _simulate(self) -> None:
        if self._session.notice is not None:
            self.simulate_wanted.emit(self._session.notice.volume)

    def _again(self) -> None:
        if self._session.notice is not None:
            self.again_wanted.emit(self._session.notice.again)

    def _colour(self, notice: Notice) -> None:
        now = theme.current()
        theme.tint(self, now.error_ground if notice.error else now.panel, now.text)
        for label in (self.what, self.rest):
            made = label.palette()
            made.setColor(label.foregroundRole(), now.error if notice.error and label is self.what else now.text)
            label.setPalette(made)
        self._sign.setPixmap(theme.icon("warning").pixmap(QSize(20, 20)))
        self._sign.setVisible(notice.error)
        self.close_button.setIcon(theme.icon("close"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._session.notice is not None:
            self._colour(self._session.notice)
        super().changeEvent(event)


class WarningStrip(QWidget):
    """Warnings one below the other, all of them; more than fit into a few lines are scrolled."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = QLabel()
        self._sign.setFixedSize(QSize(16, 16))
        self.words = _words()
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(self.words)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(8)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.area, 1)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._messages: list[str] = []
        self._error = False
        self.hide()

    def show_messages(self, messages: list[str], *, error: bool = False) -> None:
        """error: they say what is refused, not only what to watch for."""
        if messages == self._messages and error == self._error:
            return
        self._messages, self._error = list(messages), error
        several = len(messages) > 1
        self.words.setText("\n".join(f"•  {message}" for message in messages) if several else "".join(messages))
        self.setAccessibleDescription(" ".join(messages))
        self.setVisible(bool(messages))
        self._colour()
        self._fit()

    def _fit(self) -> None:
        """As high as its words, up to the most lines."""
        width = max(self.width() - 10 - 10 - 8 - self._sign.width(), 100)
        needed = self.words.heightForWidth(width)
        most = MOST_LINES * self.words.fontMetrics().lineSpacing()
        if needed > most:
            self.area.setFixedHeight(most)
        else:
            self.area.setFixedHeight(max(needed, self._sign.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _colour(self) -> None:
        now = theme.current()
        ground = now.error_ground if self._error else now.warning_ground
        ink = now.text if self._error else now.warning
        for widget in (self, self.area.viewport(), self.words):
            theme.tint(widget, ground, ink)
        self._sign.setPixmap(theme.icon("warning").pixmap(QSize(16, 16)))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)


class FitStrip(WarningStrip):
    """What to know of the chosen prior before a run with it; hidden where the image or the banner says it already."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(tr("Prior and scan"), parent)
        self._session = session
        for signal in (session.fit_changed, session.notice_changed, session.runs.told, session.runs.fronted):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        fit, front = self._session.fit, self._session.runs.front
        if fit.refusal is not None:
            told = self._session.notice == fit.refusal
            self.show_messages([] if told else [f"{fit.refusal.what} {fit.refusal.rest}"], error=True)
            return
        told_by_run = front.warnings if front is not None else []
        self.show_messages([message for message in fit.warnings if message not in told_by_run])


def _words(bold: bool = False) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if bold:
        font = label.font()
        font.setBold(True)
        label.setFont(font)
    return label
