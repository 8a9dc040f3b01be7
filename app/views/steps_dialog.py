"""How much memory the steps of runs may take, with what a step costs."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from app.preferences import STEPS_MIB
from app.state.picture import Picture
from app.words import tr


class StepsDialog(QDialog):
    """chosen: another bound in MiB, when the dialog is accepted. films, states: bytes that they take now. picture: of a
    run of the open scan, to reckon with."""

    chosen = Signal(int)

    def __init__(
        self, size: int, films: int, states: int, picture: Picture | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Steps that are kept"))
        self.sizes = QComboBox()
        self.sizes.setAccessibleName(tr("At most"))
        for each in STEPS_MIB:
            self.sizes.addItem(amount(each * 2**20) if each else tr("Nothing"), each)
        self.sizes.setCurrentIndex(STEPS_MIB.index(size))
        form = QFormLayout()
        form.addRow(tr("At most"), self.sizes)
        form.addRow(tr("Films now"), QLabel(amount(films)))
        form.addRow(tr("States now"), QLabel(amount(states)))
        if picture is not None:
            plane = 8 * picture.size[0] * picture.size[1]
            form.addRow(tr("A step in a film"), QLabel(tr("{size}: one slice, denoised and noisy", size=amount(plane))))
            whole = 2 * picture.image.nbytes
            form.addRow(tr("A step as a state"), QLabel(tr("{size} for each sample: all slices", size=amount(whole))))
        about = QLabel(
            tr(
                "Half of it is for films of runs: one slice of every step, to look at afterwards in Review. The other "
                "half is for states, from which a run branches at once. Where space runs out, every second step is let "
                "go of. A run can branch from a step without a state too: it then walks to that step again."
            )
        )
        about.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(about)
        column.addLayout(form)
        column.addWidget(buttons)
        self.setMinimumWidth(460)

    def accept(self) -> None:
        self.chosen.emit(int(self.sizes.currentData()))
        super().accept()


def amount(count: int) -> str:
    """Such as "320 MiB", "1 GiB", "0.4 MiB"."""
    if count >= 2**30:
        return f"{count / 2**30:.3g} GiB"
    return f"{count / 2**20:.0f} MiB" if count >= 10 * 2**20 or not count else f"{count / 2**20:.1f} MiB"
