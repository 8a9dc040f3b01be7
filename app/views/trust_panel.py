"""The panel that tells how far the active pane's image can be trusted, and asks what is not known yet."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app import theme
from app.state.room.pane import Comparison
from app.state.room.room import Room
from app.state.runs import Run
from app.state.trust.book import Record
from app.state.trust.study import STUDIES, Study
from app.views import trust_words as words
from app.views.banner import WarningStrip
from app.views.trust_study import StudyBlock, words_label
from app.words import tr

PERMILLE = 1000


class TrustPanel(QWidget):
    """Draws what the desk knows; emits what the user wants.

    asked: a study and its number of seeds. shown, laid: a part of what was found. stopped: give up what is going on.
    """

    asked = Signal(object, int)
    shown = Signal(object)
    laid = Signal(object, bool)
    stopped = Signal()

    def __init__(self, room: Room, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._room = room
        self.name = words_label()
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.ratio = QLabel()
        self.ratio.setFont(font)
        self.ratio.setAccessibleName(tr("Residual against the noise"))
        self.verdict, self.noise = words_label(), words_label()
        self.doubts = WarningStrip(tr("Doubts about this image"))
        self.blocks = {study: StudyBlock(study) for study in STUDIES}
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName(tr("Progress"))
        self.stop = QPushButton(tr("Stop"))
        self.stop.setToolTip(tr("Give up what is being examined"))
        self.stop.clicked.connect(self.stopped)
        for study, block in self.blocks.items():
            block.asked.connect(lambda seeds, study=study: self.asked.emit(study, seeds))
            block.shown.connect(self.shown)
            block.laid.connect(self.laid)
        self._good: bool | None = None
        self._run: Run | None = None
        self._lay_out()

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(8)
        for widget in (self.name, self.ratio, self.verdict, self.noise, self.doubts):
            column.addWidget(widget)
        for block in self.blocks.values():
            column.addWidget(_line())
            column.addWidget(block)
        column.addStretch(1)
        self.area = QScrollArea()
        self.area.setAccessibleName(tr("Trust"))
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(inside)
        self.foot = QWidget()
        below = QVBoxLayout(self.foot)
        below.setContentsMargins(10, 6, 10, 8)
        below.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(self.status, 1)
        row.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignTop)
        below.addLayout(row)
        below.addWidget(self.bar)
        self.foot.hide()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.area, 1)
        whole.addWidget(self.foot)

    def show_run(self, run: Run | None, record: Record | None) -> None:
        """A run, or none, and what is known of it."""
        if run is not self._run and run is not None and run.is_dds and run.job.settings.samples > 1:
            self.blocks[Study.UNCERTAINTY].seeds.setValue(run.job.settings.samples)
        self._run = run
        judged = record.verdict if record is not None else None
        self.name.setText(run.name if run is not None else "")
        self.name.setVisible(run is not None)
        self.ratio.setText(words.ratio_words(judged) if judged is not None else "")
        self.ratio.setVisible(judged is not None)
        self.verdict.setText(self._verdict(run, record))
        # Where it is a doubt it stands among these.
        self.verdict.setVisible(record is None or self.verdict.text() not in record.warnings)
        self.noise.setText(words.noise_words(judged) if judged is not None else "")
        self.noise.setVisible(bool(self.noise.text()))
        self._good = judged.good if judged is not None else None
        self._colour()
        self.doubts.show_messages(list(record.warnings) if record is not None else [])
        for block in self.blocks.values():
            block.setVisible(run is not None)

    def _verdict(self, run: Run | None, record: Record | None) -> str:
        if run is None:
            return tr(words.NO_RUN)
        if run.volume is None:
            return tr(words.NOT_FINISHED)
        return tr(words.NO_SCAN) if run.job.scan is None else words.verdict_words(run, record)

    def show_progress(self, what: str | None, share: float | None) -> None:
        """What is being examined, None for nothing. share: None for a bar that wanders."""
        self.foot.setVisible(what is not None)
        self.status.setText(what or "")
        self.bar.setRange(0, 0 if share is None and what is not None else PERMILLE)
        if share is not None:
            self.bar.setValue(round(PERMILLE * share))

    @property
    def over(self) -> str:
        """The key of what is blended over the active pane's image, or ""."""
        pane = self._room.panes[self._room.active]
        return pane.over if pane.comparison is Comparison.BLEND else ""

    def _colour(self) -> None:
        now = theme.current()
        theme.mute(self.noise)
        made = self.palette()
        if self._good is not None:
            made.setColor(QPalette.ColorRole.WindowText, QColor(now.good if self._good else now.warning))
        self.ratio.setPalette(made)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Plain)
    line.setForegroundRole(line.palette().ColorRole.Mid)
    return line
