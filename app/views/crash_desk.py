"""Shows one report of an error after another, and never fails over its own failures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.state.crash_report import Report
from app.views.crash_dialog import CrashDialog

MOST_SHOWN = 3
"""Reports that wait while one is read; more of them say no more."""


class CrashDesk(QObject):
    """window: the dialog's parent. kept: where unfinished work lies. leave: ends the program. short: tells that the
    memory ran out while something was shown, which is no mistake of the program and needs no report."""

    def __init__(
        self,
        window: QWidget,
        kept: Callable[[], str],
        leave: Callable[[], object],
        short: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(window)
        self._short = short
        self._window = window
        self._kept = kept
        self._leave = leave
        self._waiting: list[Report] = []
        self._broken = False
        self.dialog: CrashDialog | None = None

    def show(self, report: Report) -> None:
        """Now, or when the one on view is closed. After a dialog has failed itself none is shown any more."""
        if self._broken:
            return
        if self._short is not None and report.what.startswith("MemoryError"):
            self._short()
            return
        if self.dialog is not None:
            self._waiting = [*self._waiting, report][:MOST_SHOWN]
            return
        try:
            self.dialog = CrashDialog(report, self._kept(), self._window)
            self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.dialog.leave.connect(self._leave)
            self.dialog.finished.connect(self._next)
            self.dialog.open()
        except Exception:
            self._broken, self.dialog = True, None
            with suppress(Exception):
                print("The report of an error could not be shown.", file=sys.stderr)

    def close(self) -> None:
        """The window closes."""
        self._waiting = []
        if self.dialog is not None:
            self.dialog.done(0)

    def _next(self) -> None:
        self.dialog = None
        if self._waiting:
            self.show(self._waiting.pop(0))
