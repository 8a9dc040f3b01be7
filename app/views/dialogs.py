"""The questions that the window asks: which file, where to save, and whether to go on. Tests put their own in place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

_SCANS = "Raw scans (*.h5 *.mrd *.cfl *.hdr *.dat *.nxs *.nx *.hdf5 *.npy *.npz *.mat *.tif *.tiff *.mha *.mhd *.xml)"
_VOLUMES = "Image volumes (*.nii *.nii.gz *.nrrd *.nhdr *.dcm *.ima *.npy *.npz)"
_PRIORS = "Checkpoints (*.pt *.pth *.safetensors)"
_RESULTS = {"NumPy, complex (*.npy)": ".npy", "NIfTI, magnitude (*.nii.gz)": ".nii.gz", "Picture (*.png)": ".png"}


class Dialogs:
    """Answers are paths, or "" when the user thought better of it."""

    def scan_to_open(self, parent: QWidget, folder: str) -> str:
        path, _ = QFileDialog.getOpenFileName(parent, "Open a raw scan", folder, f"{_SCANS};;All files (*)")
        return path

    def folder_to_open(self, parent: QWidget, folder: str) -> str:
        return QFileDialog.getExistingDirectory(parent, "Open a folder", folder)

    def volume_to_open(self, parent: QWidget, folder: str) -> str:
        title = "Simulate a scan from an image volume"
        path, _ = QFileDialog.getOpenFileName(parent, title, folder, f"{_VOLUMES};;All files (*)")
        return path

    def scan_to_write(self, parent: QWidget, proposal: str) -> str:
        """A path that ends in .h5."""
        path, _ = QFileDialog.getSaveFileName(parent, "Write the simulated scan as", proposal, "Scans (*.h5)")
        return path if not path or path.lower().endswith(".h5") else f"{path}.h5"

    def prior_to_add(self, parent: QWidget, folder: str) -> str:
        path, _ = QFileDialog.getOpenFileName(parent, "Add a prior", folder, f"{_PRIORS};;All files (*)")
        return path

    def name_of_prior(self, parent: QWidget, proposal: str) -> str:
        """What a prior that is added shall be called."""
        plain = QLineEdit.EchoMode.Normal
        name, good = QInputDialog.getText(parent, "Add a prior", "Name (letters, digits, - and _)", plain, proposal)
        return name.strip() if good else ""

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
