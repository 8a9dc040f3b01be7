"""Opens, reconstructs, saves and closes again and again, and watches what the process holds."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.bridge.garbage import Collector
from app.state.runs import Phase
from app.views.main_window import MainWindow
from app.window import build
from core.engine.simulate_mri import MriSettings, simulate_mri
from core.export.ismrmrd_scan import save_kspace
from core.formats.volume_parts import Opened
from core.scan import Volume
from tests.core.conftest import phantom

MOST_GROWTH = 0.05
PATIENCE_S = 120


@dataclass(frozen=True)
class Held:
    """What the process holds: MiB of memory, open files, threads, top-level widgets."""

    memory: float
    files: int
    threads: int
    windows: int


def soak(folder: Path, count: int, warm: int, one_window: bool) -> int:
    """Run the cycles and print what is held every tenth; 1 if memory or handles grow after the first `warm`.

    one_window: scan after scan in it, as a user would; else a window for each.
    """
    scan, target = folder / "small.h5", folder / "result.nii"
    write_scan(scan)
    held: list[Held] = []
    started = time.monotonic()
    for number in in_one_window(scan, target, count) if one_window else in_many(scan, target, count):
        held.append(held_now())
        if number % 10 == 0:
            print(f"{number:4d}  {held[-1]}  {(time.monotonic() - started) / number:.2f} s a cycle", flush=True)
    return judged(held, warm)


def in_one_window(scan: Path, target: Path, count: int) -> Iterator[int]:
    """Scan after scan; each is closed by a new project."""
    app, window = build()
    collector = Collector()
    window.show()
    window.bridge.warm_up()
    for number in range(1, count + 1):
        work(window, scan, target)
        window.actions_["new_project"].trigger()
        wait_until(lambda: window.session.scan is None)
        yield number
    window.leave()
    end(app, window)
    collector.stop()


def in_many(scan: Path, target: Path, count: int) -> Iterator[int]:
    """A window for each scan."""
    for number in range(1, count + 1):
        cycle(scan, target)
        yield number


def write_scan(path: Path) -> None:
    """A small scan of two slices, undersampled by 3."""
    image = np.stack([phantom(64, 48), phantom(64, 48) * 1.2]).astype(np.float32)
    volume = Opened(Volume(image, "a.u.", None, (2.0, 2.0, 4.0), 2), "volume", "test")
    made = simulate_mri(volume, MriSettings(4, "gaussian1d:3:8:1", noise=0.01))
    save_kspace(made.scan, path, noise=made.noise)


def cycle(scan: Path, target: Path) -> None:
    """A window that opens a scan, reconstructs it in 3 evaluations, saves the result and closes."""
    app, window = build()
    collector = Collector()
    window.show()
    window.bridge.warm_up()
    work(window, scan, target)
    window.leave()
    end(app, window)
    collector.stop()


def work(window: MainWindow, scan: Path, target: Path) -> None:
    """Open a scan, reconstruct it, save the result."""
    window.open_path(str(scan), remember=False)
    runs = window.session.runs
    wait_until(lambda: runs.first is not None and runs.first.phase is Phase.FINISHED)
    window.session.choice.set(nfe=3)
    run = window.bridge.reconstruct()
    assert run is not None
    wait_until(lambda: run.phase is Phase.FINISHED)
    target.unlink(missing_ok=True)
    window.bridge.save(run, str(target))
    wait_until(lambda: target.exists() and run.saved)


def end(app: QApplication, window: MainWindow) -> None:
    """Nothing of a window is left."""
    window.bridge.wait_for_end()
    window.projects.wait_for_end()
    window.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    app.processEvents()


def wait_until(there: Callable[[], bool]) -> None:
    """Let the window do its work until something is so. Raises TimeoutError after two minutes."""
    loop, timer = QEventLoop(), QTimer()
    until = time.monotonic() + PATIENCE_S

    def look() -> None:
        if there() or time.monotonic() > until:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(5)
    loop.exec()
    timer.stop()
    if not there():
        raise TimeoutError("it did not come")


def held_now() -> Held:
    """After the garbage has been collected."""
    gc.collect()
    process = psutil.Process()
    windows = len(QApplication.topLevelWidgets())
    return Held(round(process.memory_info().rss / 2**20, 1), process.num_fds(), threading.active_count(), windows)


def judged(held: list[Held], warm: int) -> int:
    """Print the growth after the first cycles: of the memory in the mean of ten, of the rest between first and last."""
    first, last = held[warm : warm + 10], held[-10:]
    before, after = (statistics.mean(one.memory for one in some) for some in (first, last))
    growth = after / before - 1
    print(f"memory {before:.0f} -> {after:.0f} MiB: {100 * growth:+.1f} % after the first {warm} cycles")
    more = [
        f"{name} {getattr(held[warm], name)} -> {getattr(held[-1], name)}"
        for name in ("files", "threads", "windows")
        if getattr(held[-1], name) > getattr(held[warm], name)
    ]
    print("; ".join(more) if more else "no more files, threads or windows")
    return int(growth >= MOST_GROWTH or bool(more))
