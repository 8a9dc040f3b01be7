"""The run in front: how far it is, its residual curve, what it needs, and the buttons that steer it."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app import theme
from app.actions import Actions
from app.state.naming import duration
from app.state.runs import Phase, Run
from app.state.session import Session
from app.views.facts_table import FactsTable
from app.views.heading import heading
from app.views.quality_curve import QualityCurve
from app.views.residual_curve import ResidualCurve
from app.views.run_list import RunList
from app.words import tr


class RunPanel(QWidget):
    """Follows the run in front; Pause, Keep this and Discard steer the one that is going on."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.name = QLabel()
        self.name.setWordWrap(True)
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName(tr("Progress"))
        self.curve = ResidualCurve()
        self.quality = QualityCurve()
        self._quality_title = QLabel(tr("PSNR, dB"))
        theme.mute(self._quality_title)
        self.table = FactsTable()
        self._curve_title = QLabel(tr("Residual ‖Ax − y‖ / ‖y‖"))
        theme.mute(self._curve_title)
        self.buttons = {name: _button(actions, name) for name in ("pause", "keep", "discard")}
        self.save = _button(actions, "save")
        self.branch = _button(actions, "branch")
        self.branch.hide()
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.notes.setTextFormat(Qt.TextFormat.PlainText)
        theme.mute(self.notes)
        self.runs = RunList(session)
        self._lay_out()
        session.runs.told.connect(self._told)
        session.runs.changed.connect(self.refresh)
        session.runs.fronted.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        steer = QHBoxLayout()
        steer.setSpacing(6)
        for button in self.buttons.values():
            steer.addWidget(button)
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 10)
        column.setSpacing(7)
        for widget in (self.name, self.status, self.bar):
            column.addWidget(widget)
        column.addLayout(steer)
        column.addLayout(self._curves())
        column.addWidget(self.branch)
        column.addWidget(self.table)
        column.addWidget(self.notes)
        runs_title = heading(tr("Runs of this scan"))
        runs_title.setContentsMargins(0, 6, 0, 0)
        column.addWidget(runs_title)
        column.addWidget(self.runs, 1)
        column.addWidget(self.save)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(heading(tr("Run")))
        whole.addLayout(column, 1)

    def _curves(self) -> QHBoxLayout:
        """The residual, and beside it the quality where there is a reference; else the residual has all the width."""
        curves = QHBoxLayout()
        curves.setSpacing(0)
        curves.addWidget(_titled(self._curve_title, self.curve), 5)
        self._quality_box = _titled(self._quality_title, self.quality)
        curves.addWidget(self._quality_box, 4)
        return curves

    @property
    def facts(self) -> dict[str, str]:
        """What is shown of the run, label and words."""
        return self.table.facts

    def _told(self, run: Run) -> None:
        if run is self._session.runs.front:
            self.refresh()

    def refresh(self) -> None:
        run = self._session.runs.front
        self.name.setText(run.name if run else tr("No run yet"))
        self.status.setText(status_words(run, len(self._session.runs.waiting)))
        self._show_share(run)
        self.curve.show_run(run.residuals if run else [], run.steps if run else 0)
        self.curve.hint = tr("A classical method has no steps") if run and not run.is_dds else ""
        self.quality.show_run(run.quality if run else [], run.steps if run else 0)
        self._quality_box.setVisible(bool(self.quality.points))
        self._curve_title.setText(tr("Residual") if self.quality.points else tr("Residual ‖Ax − y‖ / ‖y‖"))
        self.table.show_facts(facts_of_run(run) if run else {})
        self.notes.setText("\n".join(run.notes) if run else "")
        self.notes.setVisible(bool(self.notes.text()))

    def _show_share(self, run: Run | None) -> None:
        """How much is done; a bar that wanders where a run that goes on cannot tell."""
        share = share_done(run) if run else 0.0
        unknown = run is not None and run.phase is Phase.RUNNING and not run.is_dds and share == 0.0
        self.bar.setRange(0, 0 if unknown else 100)
        self.bar.setValue(round(100 * share))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            for label in (self._curve_title, self._quality_title, self.notes):
                theme.mute(label)
        super().changeEvent(event)


def status_words(run: Run | None, waiting: int) -> str:
    """Such as "Step 7 of 20 · 12 s left · 1 waiting"."""
    if run is None:
        return tr("Choose settings, then Reconstruct")
    parts = [_phase_words(run)]
    steady = run.phase is Phase.RUNNING and not run.stop.paused and not run.stop.ending
    if run.seconds_left is not None and steady:
        parts.append(tr("{time} left", time=duration(run.seconds_left)))
    if waiting:
        parts.append(tr("{waiting} waiting", waiting=waiting))
    return " · ".join(parts)


def _phase_words(run: Run) -> str:
    step = tr("step {step} of {steps}", step=run.step, steps=run.steps)
    if run.going_on and run.stop.ending:
        return "Stopping…"
    if run.going_on and run.stop.paused:
        where = step if run.step else _progress_words(run)
        return tr("Paused at {where}", where=where) if where else tr("Paused")
    match run.phase:
        case Phase.WAITING:
            return tr("Waits for the run before it")
        case Phase.PREPARING:
            return _progress_words(run) or tr("Preparing")
        case Phase.RUNNING if run.step:
            return step.capitalize()
        case Phase.RUNNING:
            return tr("First step") if run.is_dds else _progress_words(run) or tr("Solving")
        case Phase.KEPT:
            return (
                tr("Kept after step {step} of {steps}", step=run.kept_at, steps=run.steps)
                if run.steps
                else tr("Kept early")
            )
        case _:
            return run.phase.value.capitalize()


def _progress_words(run: Run) -> str:
    """Such as "Coil maps 3 of 8"; "" where there is nothing to tell."""
    now = run.progress
    if now is None:
        return ""
    return (
        tr("{stage} {done} of {total}", stage=now.stage, done=now.done, total=now.total) if now.total > 1 else now.stage
    )


def share_done(run: Run) -> float:
    """0 to 1."""
    if run.volume is not None:
        return 1.0
    if run.steps:
        return run.step / run.steps
    if run.progress is not None and run.phase in (Phase.RUNNING, Phase.PAUSED):
        return run.progress.done / max(run.progress.total, 1)
    return 0.0


def facts_of_run(run: Run) -> dict[str, str]:
    """What is known of a run, label and words."""
    facts: dict[str, str] = quality_of_run(run) if run.metrics else {}
    outcome = run.volume.card.get("outcome", {}) if run.volume else {}
    residual = outcome.get("residual", run.residuals[-1] if run.residuals else None)
    if run.is_dds and run.job.settings.samples > 1:
        facts[tr("Image")] = tr("Mean of {samples} samples", samples=run.job.settings.samples)
    if residual is not None:
        facts[tr("Residual")] = f"{residual:.3g}"
    if run.timestep is not None:
        facts[tr("Timestep")] = str(run.timestep)
        facts[tr("Network, solver")] = f"{duration(run.network_seconds)}, {duration(run.solver_seconds)}"
    if "seconds" in outcome:
        facts[tr("Whole run")] = f"{outcome['seconds']:.1f} s"
    if run.estimate is not None:
        facts[tr("Memory")] = tr(
            "up to {needed} of {there}",
            needed=size(run.estimate.memory_bytes),
            there=size(run.estimate.available_bytes),
        )
        facts[tr("Device")] = run.device
    return facts


def _titled(title: QLabel, curve: QWidget) -> QWidget:
    """A curve below its title."""
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(7)
    column.addWidget(title)
    column.addWidget(curve, 1)
    return box


def quality_of_run(run: Run) -> dict[str, str]:
    """The figures of a run, with their data range and what they are against."""
    metrics, outcome = run.metrics, run.volume.card.get("outcome", {}) if run.volume else {}
    against = outcome.get("reference") or {}
    psnr, ssim, nrmse = (metrics.get(name, math.nan) for name in ("psnr", "ssim", "nrmse"))
    facts = {tr("PSNR, SSIM"): f"{psnr:.2f} dB, {ssim:.3f}"}
    if "hfen" in metrics:
        facts[tr("NRMSE, HFEN")] = f"{nrmse:.4f}, {metrics['hfen']:.4f}"
    else:
        facts[tr("NRMSE")] = f"{nrmse:.4f}"
    if "data_range" in metrics:
        facts[tr("Data range")] = f"{metrics['data_range']:.4g} {against.get('unit', '')}".strip()
    own = run.job.reference.is_own_scan
    reference = tr("fully sampled scan") if own else str(against.get("against", run.reference))
    if reference:
        mask = Path(run.job.reference.mask).name
        facts[tr("Against")] = tr("{reference}, inside {mask}", reference=reference, mask=mask) if mask else reference
    return facts


def size(count: int) -> str:
    """Such as "320 MiB", "1.4 GiB"."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _button(actions: Actions, name: str) -> QPushButton:
    """A push button that looks and does as an action."""
    action = actions[name]
    button = QPushButton()
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrow keys to the image
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setText(action.text())
        button.setIcon(action.icon())
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())

    action.changed.connect(follow)
    follow()
    return button
