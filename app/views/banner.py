"""Messages that stay beside the work: the banner for failures, the strip for a run's warnings."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.state.session import Notice, Session


class Banner(QWidget):
    """What happened, why, and what to do. It covers nothing and stops nothing; Esc or its button closes it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sign = QLabel()
        self.what = _words(bold=True)
        self.rest = _words()
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setAccessibleName("Close message")
        self.close_button.setToolTip("Close message (Esc)")
        self.close_button.clicked.connect(lambda: session.tell(None))
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self.what)
        text.addWidget(self.rest)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        session.notice_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        notice = self._session.notice
        self.setVisible(notice is not None)
        if notice is None:
            return
        self.what.setText(notice.what)
        self.rest.setText(" ".join(part for part in (notice.why, notice.try_this) if part))
        self.rest.setVisible(bool(self.rest.text()))
        self.setAccessibleName(f"{notice.what} {self.rest.text()}")
        self._colour(notice)

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
    """A run's warnings under its image, all of them, as long as its image is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = QLabel()
        self._sign.setFixedSize(QSize(16, 16))
        self.words = _words()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(8)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        self._messages: list[str] = []
        self.hide()

    def show_messages(self, messages: list[str]) -> None:
        if messages == self._messages:
            return
        self._messages = list(messages)
        self.words.setText("  ·  ".join(messages))
        self.setVisible(bool(messages))
        self._colour()

    def _colour(self) -> None:
        now = theme.current()
        theme.tint(self, now.warning_ground, now.warning)
        theme.tint(self.words, now.warning_ground, now.warning)
        self._sign.setPixmap(theme.icon("warning").pixmap(QSize(16, 16)))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)


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
