"""The questions about projects: which file, where a scan has gone, and what to do with an unfinished session."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.words import tr
from core.formats.project_file import ENDING


class Wish(Enum):
    """What is to be done with a session that was left behind."""

    RESTORE = "restore"
    DISCARD = "discard"
    LATER = "later"


class ProjectDialogs:
    """Tests put their own in place. Paths are "" when the user thought better of it."""

    def project_to_open(self, parent: QWidget, folder: str) -> str:
        kinds = f"{_kind()};;{tr('All files')} (*)"
        path, _ = QFileDialog.getOpenFileName(parent, tr("Open a project"), folder, kinds)
        return path

    def project_to_save(self, parent: QWidget, proposal: str) -> str:
        """A path that ends in .ddsproj."""
        path, _ = QFileDialog.getSaveFileName(parent, tr("Save project as"), proposal, _kind())
        return path if not path or path.lower().endswith(ENDING) else f"{path}{ENDING}"

    def moved(self, parent: QWidget, path: str, folder: str, *, is_scan: bool) -> str | None:
        """Where a scan or a volume is now; "" to go on without it, None to open nothing at all."""
        while True:
            answer = self._ask_moved(parent, path, is_scan)
            if answer in ("", None):
                return answer
            title = tr("Where is {name}?", name=Path(path).name)
            if answer == "folder":
                found = QFileDialog.getExistingDirectory(parent, title, folder)
            else:
                found, _ = QFileDialog.getOpenFileName(parent, title, folder, f"{tr('All files')} (*)")
            if found:
                return found

    def _ask_moved(self, parent: QWidget, path: str, is_scan: bool) -> str | None:
        words = tr("{name} is not where it was.", name=Path(path).name)
        box = QMessageBox(QMessageBox.Icon.Question, "DDS Viewer", words, parent=parent)
        without = (
            tr("Without the scan its runs are shown in Review and cannot be made again.")
            if is_scan
            else tr("The rest of the project can be opened without it.")
        )
        box.setInformativeText(f"{tr('It was at {path}.', path=path)} {without}")
        find = box.addButton(tr("&Find it…"), QMessageBox.ButtonRole.AcceptRole)
        folder = box.addButton(tr("Find its &folder…"), QMessageBox.ButtonRole.AcceptRole)
        leave_out = box.addButton(tr("&Go on without it"), QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(find)
        box.setEscapeButton(cancel)
        box.exec()
        return {find: "file", folder: "folder", leave_out: ""}.get(box.clickedButton())

    def left_behind(self, parent: QWidget, when: str) -> Wish:
        """What to do with a session that ended unexpectedly. when: it was kept last. Esc keeps it for another time."""
        box = QMessageBox(QMessageBox.Icon.Question, "DDS Viewer", tr("DDS Viewer ended unexpectedly."), parent=parent)
        box.setInformativeText(
            tr(
                "What was open then was kept at {when}, with all results and measurements. A run that had not ended "
                "is asked about next, if it was kept; else it must be started again.",
                when=when,
            )
        )
        restore = box.addButton(tr("&Restore"), QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton(tr("&Discard"), QMessageBox.ButtonRole.DestructiveRole)
        later = box.addButton(tr("&Ask again next time"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(restore)
        box.setEscapeButton(later)
        box.exec()
        return {restore: Wish.RESTORE, discard: Wish.DISCARD}.get(box.clickedButton(), Wish.LATER)

    def run_left_behind(self, parent: QWidget, scan: str, done: int, total: int, when: str) -> Wish:
        """What to do with a run that ended unexpectedly after so many of its steps. RESTORE goes on with it."""
        box = QMessageBox(QMessageBox.Icon.Question, "DDS Viewer", tr("A run was interrupted."), parent=parent)
        box.setInformativeText(
            tr(
                "The run over {scan} was kept after step {done} of {total}, at {when}. It can go on from there, to the "
                "same image.",
                scan=scan,
                done=done,
                total=total,
                when=when,
            )
        )
        go_on = box.addButton(tr("&Go on"), QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton(tr("&Discard"), QMessageBox.ButtonRole.DestructiveRole)
        later = box.addButton(tr("&Ask again next time"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(go_on)
        box.setEscapeButton(later)
        box.exec()
        return {go_on: Wish.RESTORE, discard: Wish.DISCARD}.get(box.clickedButton(), Wish.LATER)


def _kind() -> str:
    return f"{tr('Projects')} (*{ENDING})"
