"""Asks what scan is to be simulated from an image volume, and shows how far it is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.state.simulation import Simulation, about_volume
from app.views.banner import WarningStrip
from app.views.heading import ElidedLabel
from app.views.plan_rows import PlanRow
from app.words import tr

_WHOLE = 1000


class SimulateDialog(QDialog):
    """A line for each field of the plan. Emits `wanted` when the user has filled it in, `unwanted` to stop the work."""

    wanted = Signal()
    unwanted = Signal()

    def __init__(self, simulation: Simulation, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Simulate a scan"))
        self._simulation = simulation
        self.name = ElidedLabel(name)
        self.about = QLabel()
        self.notes = WarningStrip(tr("What was assumed of the volume"))
        self.trouble = WarningStrip(tr("What went wrong"))
        self.rows: dict[str, PlanRow] = {}
        self.bar = QProgressBar()
        self.bar.setRange(0, _WHOLE)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(150)
        self.bar.setAccessibleName(tr("Progress"))
        self.doing = QLabel()
        self._lay_out()
        self._links: list[tuple[Any, Any]] = [
            (simulation.changed, self.refresh),
            (simulation.working_changed, self._show_work),
        ]
        for signal, does in self._links:
            signal.connect(does)
        self.refresh()
        self._show_work()
        self.rows[next(iter(self.rows))].field.setFocus()

    def _lay_out(self) -> None:
        font = self.name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.25)
        self.name.setFont(font)
        volume, plan = self._simulation.volume, self._simulation.plan
        assert volume is not None
        assert plan is not None
        self.about.setText(
            tr(
                "{volume}.\nA simulated {kind} is made of it, and marked as such.",
                volume=about_volume(volume),
                kind=plan.kind,
            )
        )
        self.about.setWordWrap(True)
        theme.mute(self.about)
        whole = QVBoxLayout(self)
        whole.setSpacing(8)
        whole.addWidget(self.name)
        whole.addWidget(self.about)
        whole.addWidget(self.notes)
        whole.addWidget(self._form(), 1)
        whole.addWidget(self.trouble)
        whole.addLayout(self._foot())
        self.notes.show_messages(list(volume.notes))
        self.setMinimumSize(QSize(640, 380))
        self.resize(QSize(740, 580))

    def _form(self) -> QWidget:
        form = QWidget()
        self.area = QScrollArea()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 4, 8, 4)
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(2, 1)
        plan = self._simulation.plan
        assert plan is not None
        for line, asked in enumerate(plan.fields):
            row = PlanRow(asked, grid, line, self)
            row.edited.connect(self._simulation.set)
            self.rows[asked.name] = row
        grid.setRowStretch(len(plan.fields), 1)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(form)
        return self.area

    def _foot(self) -> QHBoxLayout:
        self.buttons = QDialogButtonBox()
        self.simulate = QPushButton(tr("&Simulate…"))
        self.simulate.setToolTip(tr("Choose where the scan is written, and make it"))
        self.buttons.addButton(self.simulate, QDialogButtonBox.ButtonRole.AcceptRole)
        self.cancel = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.cancel.setIcon(QIcon())
        self.simulate.setDefault(True)
        self.buttons.accepted.connect(self.wanted)
        self.buttons.rejected.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(self.bar)
        foot.addWidget(self.doing, 1)
        foot.addWidget(self.buttons)
        return foot

    def refresh(self) -> None:
        """Show the plan."""
        plan = self._simulation.plan
        if plan is None:
            return
        for row in self.rows.values():
            row.show_value(plan.values[row.asked.name], counts=plan.counts(row.asked))

    def reject(self) -> None:
        """While a scan is being made the first time stops that; the dialog then stays, to try otherwise."""
        if self._simulation.doing and not self._simulation.stopping:
            self.unwanted.emit()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._simulation.doing and not self._simulation.stopping:
            self.unwanted.emit()
            event.ignore()
        else:
            super().closeEvent(event)

    def done(self, result: int) -> None:
        """Closed: what is shown outlives this dialog, which must not hear from it any more."""
        for signal, does in self._links:
            signal.disconnect(does, missing_ok=True)
        super().done(result)

    def _show_work(self) -> None:
        """How far it is, or what went wrong."""
        now = self._simulation
        self.area.setEnabled(not now.doing)
        self.simulate.setEnabled(not now.doing)
        self.bar.setVisible(bool(now.doing))
        known = now.share is not None and not now.stopping
        self.bar.setRange(0, _WHOLE if known else 0)
        if known:
            self.bar.setValue(round(_WHOLE * (now.share or 0.0)))
        self.doing.setText(tr("Stopping …") if now.stopping else tr("{doing} …", doing=now.doing) if now.doing else "")
        self.cancel.setText("&Stop" if now.doing and not now.stopping else "&Close" if now.doing else "&Cancel")
        trouble = now.trouble
        self.trouble.show_messages([f"{trouble.what} {trouble.rest}".strip()] if trouble else [], error=True)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self.rows:
            theme.mute(self.about)
            for row in self.rows.values():
                theme.mute(row.words)
        super().changeEvent(event)
