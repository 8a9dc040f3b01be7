"""The questions that the window asks: which file, where to save, and whether to go on. Tests put their own in place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

from app.views.room_pictures import PictureDialogs
from app.words import tr

_SCANS = "Raw scans (*.h5 *.mrd *.cfl *.hdr *.dat *.nxs *.nx *.hdf5 *.npy *.npz *.mat *.tif *.tiff *.mha *.mhd *.xml)"
_VOLUMES = "Image volumes (*.nii *.nii.gz *.nrrd *.nhdr *.dcm *.ima *.npy *.npz)"
_PRIORS = "Checkpoints (*.pt *.pth *.safetensors)"
_RESULTS = {
    "NumPy, complex (*.npy)": ".npy",
    "NIfTI, magnitude (*.nii.gz)": ".nii.gz",
    "DICOM series, a folder (*.dcm)": ".dcm",
    "NRRD, magnitude (*.nrrd)": ".nrrd",
    "Picture (*.png)": ".png",
}
_ITEMS = {
    "DICOM series, a folder (*.dcm)": ".dcm",
    "NIfTI (*.nii.gz)": ".nii.gz",
    "NRRD (*.nrrd)": ".nrrd",
    "NumPy (*.npy)": ".npy",
}


class Dialogs(PictureDialogs):
    """Answers are paths, or "" when the user thought better of it."""

    def scan_to_open(self, parent: QWidget, folder: str) -> str:
        path, _ = QFileDialog.getOpenFileName(
            parent, tr("Open a raw scan or a volume"), folder, f"{_SCANS};;{_VOLUMES};;All files (*)"
        )
        return path

    def folder_to_open(self, parent: QWidget, folder: str) -> str:
        return QFileDialog.getExistingDirectory(parent, tr("Open a folder"), folder)

    def volume_to_open(self, parent: QWidget, folder: str) -> str:
        title = tr("Simulate a scan from an image volume")
        path, _ = QFileDialog.getOpenFileName(parent, title, folder, f"{_VOLUMES};;All files (*)")
        return path

    def reference_to_open(self, parent: QWidget, folder: str) -> str:
        title = tr("Compare with a volume or a fully sampled scan")
        path, _ = QFileDialog.getOpenFileName(parent, title, folder, f"{_VOLUMES};;{_SCANS};;All files (*)")
        return path

    def mask_to_open(self, parent: QWidget, folder: str) -> str:
        title = tr("Compare within the mask of a volume")
        path, _ = QFileDialog.getOpenFileName(parent, title, folder, f"{_VOLUMES};;All files (*)")
        return path

    def scan_to_write(self, parent: QWidget, proposal: str) -> str:
        """A path that ends in .h5."""
        path, _ = QFileDialog.getSaveFileName(parent, tr("Write the simulated scan as"), proposal, "Scans (*.h5)")
        return path if not path or path.lower().endswith(".h5") else f"{path}.h5"

    def prior_to_add(self, parent: QWidget, folder: str) -> str:
        path, _ = QFileDialog.getOpenFileName(parent, tr("Add a prior"), folder, f"{_PRIORS};;All files (*)")
        return path

    def name_of_prior(self, parent: QWidget, proposal: str) -> str:
        """What a prior that is added shall be called."""
        plain = QLineEdit.EchoMode.Normal
        name, good = QInputDialog.getText(
            parent, tr("Add a prior"), tr("Name (letters, digits, - and _)"), plain, proposal
        )
        return name.strip() if good else ""

    def file_to_save(self, parent: QWidget, proposal: str) -> str:
        """A path with one of the endings that can be written."""
        return _where(parent, tr("Save result as"), proposal, _RESULTS)

    def item_to_save(self, parent: QWidget, proposal: str) -> str:
        """Likewise, for a volume of the viewing room."""
        return _where(parent, tr("Export volume as"), proposal, _ITEMS)

    def keep_identity(self, parent: QWidget) -> bool:
        """Whether an export tells who was scanned. Esc and Enter mean no."""
        box = QMessageBox(QMessageBox.Icon.Question, "DDS Viewer", tr("Leave the patient's name out?"), parent=parent)
        box.setInformativeText(tr("The source tells who was scanned. An export without it can be passed on."))
        leave_out = box.addButton(tr("Leave it out"), QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton(tr("Keep name and study"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(leave_out)
        box.setEscapeButton(leave_out)
        box.exec()
        return box.clickedButton() is keep

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


def _where(parent: QWidget, title: str, proposal: str, kinds: dict[str, str]) -> str:
    """Where to write, with an ending that can be written."""
    path, chosen = QFileDialog.getSaveFileName(parent, title, proposal, ";;".join(kinds))
    if not path or path.lower().endswith(tuple(kinds.values())):
        return path
    return str(Path(path)) + kinds.get(chosen, next(iter(kinds.values())))
