"""Hunts in one format for some seconds, in a process of its own: python -m tests.fuzz.child NAME SECONDS FOLDER.

By atheris where it is installed, which follows the branches of `core`; else by chance alone. Memory is limited to
1.5 GB above what the format takes when it is sound; an input of more than 20 s ends the process with a trace.
"""

from __future__ import annotations

import faulthandler
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

HANG = 20
MEMORY = 3 * 2**29


class Hunt:
    """Damaged files of one target, one after the other. folder: where finds are kept."""

    def __init__(self, name: str, folder: Path) -> None:
        from tests.fuzz.judge import Watch
        from tests.fuzz.targets import all_targets

        self.target = all_targets()[name]
        self.folder = folder
        self.root = Path(os.path.realpath(tempfile.mkdtemp(prefix="fuzz-")))
        self.box = self.root / "box"
        self.box.mkdir()
        self.file = self.target.make(self.box)
        self.sound = self.file.read_bytes()
        self.beside = {p: p.read_bytes() for p in self.box.rglob("*") if p.is_file() and p != self.file}
        (self.root / "outside.raw").write_bytes(b"\0" * 2000)
        self.ways = self.target.damages(self.sound)
        self.trace = (folder / "trace.txt").open("w")
        self.watch = Watch()
        self.runs = 0
        self.known: set[str] = {p.read_text().splitlines()[0] for p in folder.glob("*.txt") if p.name != "trace.txt"}
        quick_probes()
        assert self.judge(self.sound) is None

    def judge(self, data: bytes) -> Any:
        from tests.fuzz.judge import judged

        self.file.write_bytes(data)
        faulthandler.dump_traceback_later(HANG, exit=True, file=self.trace)
        try:
            return judged(self.target, self.file, self.watch, self.box)
        finally:
            faulthandler.cancel_dump_traceback_later()
            for forget in FORGET:
                forget()
            if self.runs % 64 == 0:
                self.tidy()

    def tidy(self) -> None:
        for path, held in self.beside.items():
            if not path.is_file() or path.stat().st_size != len(held):
                path.write_bytes(held)

    def one(self, data: bytes) -> None:
        self.runs += 1
        (self.folder / "current.bin").write_bytes(data)
        found = self.judge(data)
        if found is None or found.where in self.known:
            return
        self.known.add(found.where)
        data = self.smaller(data, found.where)
        stem = hashlib.sha256(data).hexdigest()[:12]
        (self.folder / f"{stem}.bin").write_bytes(data)
        (self.folder / f"{stem}.txt").write_text(f"{found.where}\n{found.kind}\n{found.detail}\n")

    def smaller(self, data: bytes, where: str) -> bytes:
        """As few bytes away from the sound file, or as short, as a few trials tell."""

        def still(trial: bytes) -> bool:
            found = self.judge(trial)
            return found is not None and found.where == where

        started = time.monotonic()
        if len(data) == len(self.sound):
            for size in (4096, 256, 16, 1):
                places = [i for i in range(0, len(data), size) if data[i : i + size] != self.sound[i : i + size]]
                for i in places[:50]:
                    trial = data[:i] + self.sound[i : i + size] + data[i + size :]
                    if time.monotonic() - started < 5 and still(trial):
                        data = trial
        size = len(data) // 2
        while size >= 64 and time.monotonic() - started < 8:
            if still(data[:-size]):
                data = data[:-size]
            size = min(size // 2, len(data) // 2)
        return data

    def damaged(self, data: bytes, seed: int) -> bytes:
        from tests.fuzz.damage import mixed

        rnd = random.Random(seed)
        return mixed(self.sound if rnd.random() < 0.4 else data, rnd, self.ways)


FORGET: list[Callable[[], None]] = []
"""Files of the same time and size are remembered; here they are not the same."""


def quick_probes() -> None:
    """Fork the processes that read HDF5 and MATLAB files first, which is faster than to start them."""
    from core.formats import dicom_pixels, hdf5, hdf5_probe, mat5

    FORGET.extend((hdf5.trouble_with.cache_clear, hdf5.kept_elsewhere.cache_clear, mat5._trouble_with.cache_clear))

    def forked(script: Path, path: str, size: int) -> str:
        from scipy.io import loadmat

        child = os.fork()
        if child == 0:
            _with_default_signals()
            try:
                hdf5_probe.read_through(path) if script.stem == "hdf5_probe" else loadmat(path)
                os._exit(0)
            except BaseException:
                os._exit(1)
        return "it is damaged" if os.waitpid(child, 0)[1] else ""

    hdf5.trouble_of = mat5.trouble_of = forked
    dicom_pixels._elsewhere = _forked_unpacking


def _forked_unpacking(files: list[tuple[Path, list[int]]]) -> Any:
    from core.formats import dicom_pixels, dicom_unpack

    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _with_default_signals()
        sys.stdin = StringIO(json.dumps([(str(file.absolute()), numbers) for file, numbers in files]))
        os.dup2(theirs, 1)
        # Its watching thread is not here any more.
        faulthandler.dump_traceback_later = faulthandler.cancel_dump_traceback_later = lambda *_, **__: None
        try:
            dicom_unpack.main([])
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        try:
            for file, numbers in files:
                for _ in numbers:
                    yield dicom_pixels._received(file, pipe)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _with_default_signals() -> None:
    for number in (signal.SIGALRM, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE):
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(HANG // 5)


def limit_memory() -> None:
    """Of this process, above what it has now."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(name: str, seconds: float, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    atheris: Any = import_module("atheris") if find_spec("atheris") else None
    with atheris.instrument_imports(include=["core"]) if atheris else nullcontext():
        hunt = Hunt(name, folder)
    faulthandler.enable(hunt.trace)
    limit_memory()
    if atheris is None:
        by_chance(hunt, seconds)
    else:
        corpus = folder / "corpus"
        corpus.mkdir(exist_ok=True)
        (corpus / "sound").write_bytes(hunt.sound)

        def mutate(data: bytes, most: int, seed: int) -> bytes:
            made = atheris.Mutate(data, most) if seed % 5 == 0 else hunt.damaged(data, seed)
            return made[:most]

        signals = [f"-handle_{s}=0" for s in ("segv", "abrt", "bus", "ill", "fpe")]
        options = [f"-max_total_time={int(seconds)}", "-rss_limit_mb=0", "-malloc_limit_mb=0", "-timeout=1000"]
        size = max(4 * len(hunt.sound), 60_000)
        arguments = [
            name,
            str(corpus),
            *options,
            *signals,
            f"-max_len={size}",
            "-print_final_stats=1",
            "-detect_leaks=0",
        ]
        atheris.Setup(arguments, hunt.one, custom_mutator=mutate)
        atheris.Fuzz()


def by_chance(hunt: Hunt, seconds: float) -> None:
    ends, seed = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        seed += 1
        hunt.one(hunt.damaged(hunt.sound, seed))
    print(f"stat::number_of_executed_units: {hunt.runs}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
