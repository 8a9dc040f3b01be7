"""Tells of an error that nobody foresaw: what happened, that the work is kept, and the report as it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app import theme
from app.state.crash_report import Report
from app.words import tr


class CrashDialog(QDialog):
    """Emits `leave` when the user wants the program to end. kept: where unfinished work lies, or ""."""

    leave = Signal()

    def __init__(self, report: Report, kept: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Something went wrong"))
        self.report = report
        sign = QLabel()
        sign.setPixmap(theme.icon("warning").pixmap(28, 28))
        self.words = QLabel("\n\n".join(_words(report, kept)))
        self.words.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.words, 1)
        self.text = QPlainTextEdit(report.text)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("Report"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        column.addWidget(self._buttons())
        self.resize(680, 460)
        self.close_button.setDefault(True)
        self.close_button.setFocus()

    def _buttons(self) -> QDialogButtonBox:
        box, role = QDialogButtonBox(), QDialogButtonBox.ButtonRole
        self.copy_button = box.addButton(tr("&Copy"), role.ActionRole)
        self.folder_button = box.addButton(tr("Show &folder"), role.ActionRole)
        self.quit_button = box.addButton(tr("&Quit DDS Viewer"), role.DestructiveRole)
        self.close_button = box.addButton(tr("Close"), role.RejectRole)
        self.copy_button.clicked.connect(self._copy)
        self.folder_button.clicked.connect(self._show_folder)
        self.folder_button.setEnabled(self.report.path is not None)
        self.quit_button.clicked.connect(self._quit)
        self.quit_button.setVisible(not self.report.hard)
        box.rejected.connect(self.reject)
        for button in (self.copy_button, self.folder_button, self.quit_button):
            button.setAutoDefault(False)
        return box

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.text)

    def _show_folder(self) -> None:
        if self.report.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.report.path).parent)))

    def _quit(self) -> None:
        self.accept()
        self.leave.emit()


def _words(report: Report, kept: str) -> list[str]:
    """What a person is told above the report."""
    said = []
    if report.hard:
        said.append(tr("DDS Viewer ended unexpectedly the last time."))
    else:
        said.append(tr("An error that was not foreseen has happened. You can go on, but save your work first."))
    if kept:
        said.append(tr("Unfinished work is kept in {folder}.", folder=kept))
    said.append(
        tr("This report names no patient, no file and no folder of yours. It is not sent anywhere.")
        if report.path is not None
        else tr("The report could not be written to the disk: copy it here. It is not sent anywhere.")
    )
    return said
