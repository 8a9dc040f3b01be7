"""Hears of every error that nobody foresaw, in whatever thread, and of the program's own sudden end."""

from __future__ import annotations

import faulthandler
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from app.state.crash_report import PRIVATE, Report, crash_folder, hard_path, keep, report_of, report_of_words

MOST_TOLD = 20
"""Errors of a session that are written down; a view that fails with every frame must not fill the disk."""


class CrashWatch(QObject):
    """From `start` to `stop`, errors are written as reports into the state folder and told, each place once.

    told: emitted in the window's thread with a Report. Nothing is sent anywhere.
    """

    told = Signal(object)
    _arrived = Signal(object)

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder or crash_folder()
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._busy = threading.local()
        self._before: tuple[Any, Any, Any] | None = None
        self._last_words: IO[str] | None = None
        self._qt_before: Callable[..., None] | None = None
        self._arrived.connect(self.told.emit, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Put the hooks in place of those there are."""
        self._before = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook, threading.excepthook = self._hook, self._thread_hook
        self._qt_before = qInstallMessageHandler(self._qt_says)
        with suppress(OSError):
            self._folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            self._last_words = hard_path(self._folder).open("w", encoding="utf-8")
            faulthandler.enable(self._last_words, all_threads=True)

    def stop(self) -> None:
        """Give the hooks back; the program ends as it should."""
        if self._before is None:
            return
        sys.excepthook, threading.excepthook, _ = self._before
        self._before = None
        qInstallMessageHandler(self._qt_before)
        if self._last_words is not None:
            faulthandler.disable()
            self._last_words.close()
            self._last_words = None
            with suppress(OSError):
                hard_path(self._folder).unlink(missing_ok=True)

    def hear(self, error: BaseException, where: str = "") -> None:
        """Write down an error, and tell it unless one of the same place was told. From any thread; never raises."""
        if getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            self._take(report_of(error, where))
        except Exception:
            with suppress(Exception):
                print("An error could not be written down.", file=sys.stderr)
        finally:
            self._busy.now = False

    def _take(self, report: Report) -> None:
        with self._lock:
            known = report.mark in self._seen or len(self._seen) >= MOST_TOLD
            self._seen.add(report.mark)
        if known:
            return
        report = keep(report, self._folder)
        with suppress(Exception):  # There may be no stderr, as of a program without a terminal.
            print(report.text, file=sys.stderr)
        self._arrived.emit(report)

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception) and self._before is not None:
            self._before[0](kind, error, trace)
            return
        here = threading.current_thread()
        self.hear(error, "" if here is threading.main_thread() else "a thread of work")

    def _thread_hook(self, about: threading.ExceptHookArgs) -> None:
        if about.exc_value is not None and not isinstance(about.exc_value, SystemExit):
            self.hear(about.exc_value, "a thread of work")

    def _qt_says(self, kind: QtMsgType, _context: object, words: str) -> None:
        """Qt's own words go to stderr as before; after a fatal one it ends the program."""
        with suppress(Exception):
            report = report_of_words("Qt ended the program", [words])
            if kind == QtMsgType.QtFatalMsg:
                keep(report, self._folder)
            print(report.text.splitlines()[-1], file=sys.stderr)
