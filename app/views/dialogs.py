"""The questions that the window asks: which file, where to save, and whether to go on. Tests put their own in place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

_SCANS = "Raw scans (*.h5 *.mrd *.cfl *.hdr *.dat *.npy *.npz *.mat)"
_RESULTS = {"NumPy, complex (*.npy)": ".npy", "NIfTI, magnitude (*.nii.gz)": ".nii.gz", "Picture (*.png)": ".png"}


class Dialogs:
    """Answers are paths, or "" when the user thought better of it."""

    def scan_to_open(self, parent: QWidget, folder: str) -> str:
        path, _ = QFileDialog.getOpenFileName(parent, "Open a raw scan", folder, f"{_SCANS};;All files (*)")
        return path

    def file_to_save(self, parent: QWidget, proposal: str) -> str:
        """A path with one of the endings that can be written."""
        path, chosen = QFileDialog.getSaveFileName(parent, "Save result as", proposal, ";;".join(_RESULTS))
        if not path or path.lower().endswith(tuple(_RESULTS.values())):
            return path
        return str(Path(path)) + _RESULTS.get(chosen, ".npy")

    def go_on(self, parent: QWidget, what: str, why: str, yes: str) -> bool:
        """Whether to do something that loses work. Esc and Enter mean no."""
        box = QMessageBox(QMessageBox.Icon.Question, "DDS Viewer", what, QMessageBox.StandardButton.NoButton, parent)
        box.setInformativeText(why)
        do_it = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
        leave = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(leave)
        box.setEscapeButton(leave)
        box.exec()
        return box.clickedButton() is do_it
