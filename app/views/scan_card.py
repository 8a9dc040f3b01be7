"""What was found in the open scan."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app import theme
from app.state.session import Session
from app.views.heading import ElidedLabel, heading
from app.words import tr


class ScanCard(QWidget):
    """The file's name, what must not be overlooked, and every fact as a line."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.name = ElidedLabel()
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.marks = QLabel()
        self.marks.setWordWrap(True)
        self.table = QLabel()
        self.table.setWordWrap(True)
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.table.setContentsMargins(11, 0, 8, 6)
        self.table.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.table.setAccessibleName(tr("Scan card"))
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.table)
        head = QVBoxLayout()
        head.setContentsMargins(12, 0, 12, 2)
        head.setSpacing(2)
        head.addWidget(self.name)
        head.addWidget(self.marks)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(heading(tr("Scan")))
        whole.addLayout(head)
        whole.addWidget(area, 1)
        session.opened.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        opened = self._session.scan
        marks = opened.marks if opened else ()
        muted = theme.current().muted
        self.name.setText(opened.public_name if opened else "")
        self.marks.setText("\n".join(marks))
        self.marks.setVisible(bool(marks))
        made = self.marks.palette()
        made.setColor(self.marks.foregroundRole(), theme.current().warning)
        self.marks.setPalette(made)
        rows = (
            f'<tr><td style="color:{muted}; padding-right:12px">{escape(label)}</td><td>{escape(words)}</td></tr>'
            for label, words in (opened.facts if opened else ())
        )
        self.table.setText(f'<table cellspacing="2">{"".join(rows)}</table>')

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.refresh()
        super().changeEvent(event)
