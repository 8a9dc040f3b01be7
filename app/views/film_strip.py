"""Below the panes of Review: the curve of the run whose steps are on view, and what can be done with a step."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.state.runs import Run
from app.views.heading import ElidedLabel
from app.views.residual_curve import ResidualCurve
from app.words import tr

HEIGHT = 96


class FilmStrip(QWidget):
    """Out of sight while no film is in the active pane. like: a button for the same action elsewhere."""

    def __init__(self, like: QPushButton, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve = ResidualCurve()
        self.curve.setMinimumHeight(HEIGHT)
        self.curve.let_choose(True)
        self.name = ElidedLabel()
        self.words = QLabel()
        self.noisy = QCheckBox(tr("Noisy state"))
        self.noisy.setToolTip(tr("What the sampler goes on with after the step, not the denoised estimate"))
        self.noisy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.branch = QPushButton(like.text())
        self.branch.setIcon(like.icon())
        self.branch.setToolTip(like.toolTip())
        self.branch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.branch.clicked.connect(like.click)
        aside = QVBoxLayout()
        aside.setSpacing(4)
        for widget in (self.name, self.words, self.noisy, self.branch):
            aside.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 4)
        row.setSpacing(10)
        row.addWidget(self.curve, 1)
        row.addLayout(aside)
        self.name.setFixedWidth(260)
        self.setMaximumHeight(HEIGHT + 24)
        self.hide()

    def show_step(self, run: Run | None, step: int | None) -> None:
        """run: whose film is in the active pane, None for none."""
        self.setVisible(run is not None)
        if run is None:
            return
        self.curve.show_run(run.residuals, run.steps)
        self.curve.show_cursor(step)
        self.name.setText(run.name)
        words = tr("Step {step} of {steps}", step=step or run.steps, steps=run.steps)
        value = run.residuals[step - 1] if step is not None and step <= len(run.residuals) else math.nan
        if math.isfinite(value):
            words += " · " + tr("residual {value:.3g}", value=value)
        self.words.setText(words)
        can = run.job.scan is not None and run.step_to_leave(step) > 0
        self.branch.setEnabled(can)

    def show_noisy(self, there: bool, on: bool) -> None:
        """Whether the noisy images were kept, and whether they are on view."""
        self.noisy.setEnabled(there)
        self.noisy.blockSignals(True)
        self.noisy.setChecked(on)
        self.noisy.blockSignals(False)
