"""What nobody foresaw is written down without a value or a name, shown once, and never makes things worse."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.crash_watch import MOST_TOLD, CrashWatch
from app.bridge.worker import Worker
from app.state import crash_report
from app.state.crash_report import MOST_REPORTS, Report, keep, report_of, take_hard, without_places
from app.views.crash_desk import CrashDesk
from app.views.crash_dialog import CrashDialog
from app.views.main_window import MainWindow

SECRET = "ZZCANARYZZ"
ROOT = Path(__file__).parents[2]


class Panel(QObject):
    """Something of the window that fails."""

    asked = Signal(str)

    def fail(self, patient: str = SECRET) -> None:
        home = f"/home/{patient}/scans/{patient}.dcm"
        raise ValueError(f"no such patient: {patient}, {home}")


@pytest.fixture
def watch(tmp_path: Path, qtbot: QtBot) -> Iterator[CrashWatch]:
    made = CrashWatch(tmp_path / "crashes")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def desk(window: MainWindow, watch: CrashWatch) -> CrashDesk:
    made = CrashDesk(window, lambda: "/kept/here", window.leave)
    watch.told.connect(made.show)
    return made


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("crash-*.txt"))


def test_a_failing_slot_is_told_and_the_window_goes_on(
    desk: CrashDesk, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    button, panel = QPushButton("x", window), Panel()
    button.clicked.connect(lambda: panel.fail())
    button.show()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desk.dialog is not None)
    (path,) = files_in(tmp_path / "crashes")
    assert desk.dialog.text.toPlainText().strip() == path.read_text().strip()
    assert "tests/app/test_crash.py" in path.read_text()
    assert "/kept/here" in desk.dialog.words.text()
    qtbot.mouseClick(desk.dialog.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == desk.dialog.report.text
    qtbot.keyClick(desk.dialog, Qt.Key.Key_Escape)
    assert desk.dialog is None
    assert window.isVisible()
    # A view that fails with every frame says so once.
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    assert desk.dialog is None
    assert len(files_in(tmp_path / "crashes")) == 1


def test_a_failing_worker_is_told_in_the_window(desk: CrashDesk, watch: CrashWatch, qtbot: QtBot) -> None:
    threads: list[threading.Thread] = []
    watch.told.connect(lambda _: threads.append(threading.current_thread()))
    worker = Worker("failing")
    worker.submit(Panel().fail)
    worker.leave()
    qtbot.waitUntil(lambda: desk.dialog is not None)
    assert worker.ended(10_000)
    assert "a thread of work" in desk.dialog.text.toPlainText()
    assert threads == [threading.main_thread()]
    desk.close()


def test_a_plain_thread_is_heard_too(watch: CrashWatch, qtbot: QtBot) -> None:
    with qtbot.waitSignal(watch.told) as told:
        thread = threading.Thread(target=Panel().fail)
        thread.start()
        thread.join()
    assert "ValueError in a thread of work" in told.args[0].text


def test_a_report_tells_no_value_no_name_and_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [
        raised(KeyError(SECRET)),
        raised(FileNotFoundError(2, "No such file", f"/home/{SECRET}/x.h5")),
        raised(AttributeError(f"'{SECRET}/x' object has no attribute 'read'")),
        raised(UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET)),
        raised(type(f"Odd{1}", (Exception,), {})(SECRET)),
    ]
    try:
        try:
            Panel().fail()
        except ValueError as error:
            raise RuntimeError(f"while reading {SECRET}") from error
    except RuntimeError as error:
        errors.append(error)
    for error in errors:
        text = report_of(error).text
        assert SECRET not in text
        assert str(Path.home()) not in text.replace("\n", " ") or Path.home() == Path("/")
        assert str(ROOT) not in text
        assert type(error).__name__ in text
    assert "tests/app/test_crash.py" in report_of(errors[-1]).text
    assert report_of(errors[-1]).text.index("ValueError") < report_of(errors[-1]).text.rindex("RuntimeError")
    assert "No such file" in report_of(errors[1]).text


def test_what_helps_is_told() -> None:
    text = report_of(raised(AttributeError("'NoneType' object has no attribute 'read'"))).text
    assert "has no attribute 'read'" in text
    assert "Python 3" in text
    assert "DDS Viewer" in text


def test_an_error_that_cannot_be_looked_at_is_reported_all_the_same() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

        @property
        def __cause__(self) -> BaseException:
            raise RuntimeError("no cause")

    assert "Odd" in report_of(raised(Odd())).text


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ('File "/home/jane/x/site-packages/torch/nn/a.py", line 3', 'File "torch/nn/a.py", line 3'),
        ("in /home/Jane Doe/ZZ scans/a.dcm and", "in (a path)"),
        (r"C:\Users\Jane\python\lib\python3.11\threading.py", "threading.py"),
        (f'File "{ROOT}/app/window.py"', 'File "app/window.py"'),
        ("no path in it", "no path in it"),
    ],
)
def test_places_say_what_and_not_where(path: str, place: str) -> None:
    told = without_places(path)
    assert told.startswith(place)
    assert "ane" not in told


def test_only_the_latest_reports_stay(tmp_path: Path) -> None:
    for number in range(MOST_REPORTS + 3):
        report = keep(Report(f"error {number}", f"error {number}\n"), tmp_path)
        assert report.path.read_text() == f"error {number}\n"
    texts = [path.read_text() for path in files_in(tmp_path)]
    assert texts == [f"error {n}\n" for n in range(3, MOST_REPORTS + 3)]


@pytest.mark.parametrize("fault", ["full", "read-only", "no folder"])
def test_a_disk_that_fails_hides_nothing(
    desk: CrashDesk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if fault == "no folder":
        (tmp_path / "crashes" / crash_report.hard_path(Path()).name).unlink()
        (tmp_path / "crashes").rmdir()
        (tmp_path / "crashes").write_text("a file")
    else:
        monkeypatch.setattr("app.state.crash_report.write_whole" if fault == "full" else "os.replace", full)
    sys.excepthook(*told_of(raised(ValueError("x"))))
    qtbot.waitUntil(lambda: desk.dialog is not None)
    assert "could not be written" in desk.dialog.words.text()
    assert not desk.dialog.folder_button.isEnabled()
    assert "ValueError" in desk.dialog.text.toPlainText()
    assert not files_in(tmp_path / "crashes")
    desk.close()


def told_of(error: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    return type(error), error, error.__traceback__


def test_a_dialog_that_fails_is_not_tried_again(
    desk: CrashDesk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tries = []

    def fail(*_: object) -> None:
        tries.append(1)
        raise RuntimeError("the dialog fails")

    monkeypatch.setattr(CrashDialog, "_buttons", fail)
    for number in range(3):
        sys.excepthook(*told_of(raised(type(f"E{number}", (Exception,), {})())))
    qtbot.waitUntil(lambda: len(files_in(tmp_path / "crashes")) == 3)
    QApplication.processEvents()
    assert len(tries) == 1
    assert desk.dialog is None


def test_an_error_while_the_dialog_is_open_waits_its_turn(desk: CrashDesk, qtbot: QtBot) -> None:
    sys.excepthook(*told_of(raised(ValueError())))
    qtbot.waitUntil(lambda: desk.dialog is not None)
    first = desk.dialog
    panel = Panel(first)
    QTimer.singleShot(0, panel.fail)
    qtbot.waitUntil(lambda: len(desk._waiting) == 1)
    assert desk.dialog is first
    qtbot.mouseClick(first.close_button, Qt.MouseButton.LeftButton)
    assert desk.dialog is not None
    assert desk.dialog is not first
    desk.close()
    assert desk.dialog is None


def test_a_hook_that_is_called_by_itself_ends(watch: CrashWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Report:
        sys.excepthook(*told_of(raised(ValueError("inner"))))
        raise RuntimeError("looking at it fails")

    monkeypatch.setattr("app.bridge.crash_watch.report_of", fails)
    sys.excepthook(*told_of(raised(ValueError("outer"))))


def test_a_flood_is_bounded(watch: CrashWatch, tmp_path: Path) -> None:
    told = []
    watch.told.connect(told.append, Qt.ConnectionType.DirectConnection)
    for number in range(3 * MOST_TOLD):
        watch.hear(raised(type(f"E{number}", (Exception,), {})()))
    QApplication.processEvents()
    assert len(told) == MOST_TOLD
    assert len(files_in(tmp_path / "crashes")) == MOST_REPORTS


def test_quit_leaves(desk: CrashDesk, window: MainWindow, qtbot: QtBot) -> None:
    sys.excepthook(*told_of(raised(ValueError())))
    qtbot.waitUntil(lambda: desk.dialog is not None)
    qtbot.mouseClick(desk.dialog.quit_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())


def test_hooks_are_given_back(tmp_path: Path, qtbot: QtBot) -> None:
    before = sys.excepthook, threading.excepthook
    watch = CrashWatch(tmp_path / "crashes")
    watch.start()
    assert sys.excepthook != before[0]
    watch.stop()
    watch.stop()
    assert (sys.excepthook, threading.excepthook) == before
    assert not list((tmp_path / "crashes").iterdir())


HARD = """
import sys, ctypes
from pathlib import Path
from PySide6.QtCore import QCoreApplication, qFatal
from app.bridge.crash_watch import CrashWatch
app = QCoreApplication([])
watch = CrashWatch(Path(sys.argv[1]))
watch.start()
def in_the_middle_of_it(patient):
    ctypes.string_at(0) if sys.argv[2] == "memory" else qFatal(patient + " at /home/jane/scan.h5")
in_the_middle_of_it("ZZ" + "CANARYZZ")
"""


@pytest.mark.parametrize("how", ["memory", "qt"])
def test_a_sudden_end_is_told_at_the_next_start(tmp_path: Path, how: str, qtbot: QtBot) -> None:
    words = [sys.executable, "-c", HARD, str(tmp_path), how]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert len(list(tmp_path.glob("hard-*.txt"))) == 1
    (report,) = take_hard(tmp_path)
    assert report.hard
    assert "in_the_middle_of_it" in report.text
    assert str(ROOT) not in report.text
    for path in tmp_path.iterdir():
        assert "jane" not in path.read_text()
        assert path.name.startswith("crash-")
    assert take_hard(tmp_path) == []
    dialog = CrashDialog(report)
    qtbot.addWidget(dialog)
    assert "the last time" in dialog.words.text()
    assert dialog.quit_button.isHidden()


def test_a_process_that_still_runs_is_not_reported(tmp_path: Path) -> None:
    crash_report.hard_path(tmp_path).write_text("Fatal Python error: Aborted\n")
    assert take_hard(tmp_path) == []
    (tmp_path / "hard-999999999.txt").write_text("")
    assert take_hard(tmp_path) == []
    assert os.listdir(tmp_path) == [crash_report.hard_path(tmp_path).name]


def test_the_command_line_tells_no_value_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from app import cli

    monkeypatch.setattr("core.formats.open_scan", lambda *_, **__: Panel().fail())
    with pytest.raises(SystemExit) as stop:
        cli.main(["info", str(tmp_path / "x.h5")])
    said = capsys.readouterr().err
    assert stop.value.code == 1
    assert "ValueError" in said
    assert SECRET not in said
    assert len(files_in(tmp_path / "state" / "crashes")) == 1
