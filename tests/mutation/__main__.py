"""Change solvers, operators and schedule in small ways, in memory only, and count the changes that no test notices.

    python -m tests.mutation [--sample 30] [--jobs 1] [--out FILE] [--again FILE] [core/solvers/cg.py ...]

Each change is tried in a process of its own, forked from one that has torch loaded already, by the tests that
targets.py names. One that takes more than three times the processor time of the unchanged file counts as noticed.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.machinery
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.targets import JUDGES, arguments

QUIETLY = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore:Module already imported")
LOADED_ONCE = (
    "torch",
    "numpy.testing",
    "scipy.sparse",
    "scipy.fft",
    "h5py",
    "safetensors.torch",
    "hypothesis",
    "PySide6.QtTest",
    "sigpy.mri",
)
MEMORY = 6 << 30


class Changed:
    """Finds a module of the program with a code other than that on the disk."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.mutant = mutant.path.removesuffix(".py").replace("/", "."), mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        code = self.mutant.code

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> object:
                return compile(code, self.path, "exec")

        return importlib.machinery.ModuleSpec(name, Loader(name, self.mutant.path), origin=self.mutant.path)


def started(mutant: Mutant, seconds: float, log: Path | None = None) -> int:
    """The process in which a mutant is tried; it exits with 0 if all tests pass."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silent = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(silent, 1), os.dup2(silent, 2)
    sys.meta_path.insert(0, Changed(mutant))  # type: ignore[arg-type]
    os._exit(pytest.main([*QUIETLY, *arguments(mutant.path)]))


def plain_seconds(path: str) -> float:
    """Processor time of the tests of a file as it is. Exits where they fail."""
    _, status, used = os.wait4(started(Mutant(path, "as it is", Path(path).read_text()), 600), 0)
    if status:
        sys.exit(f"The tests of {path} fail without any change: pytest {' '.join(arguments(path))}")
    return used.ru_utime + used.ru_stime


def tried(chosen: Sequence[Mutant], seconds: float, jobs: int) -> list[str]:
    """killed, timeout or survived, of each."""
    running: dict[int, int] = {}
    results = [""] * len(chosen)
    for n, mutant in enumerate(chosen):
        running[started(mutant, seconds)] = n
        while len(running) >= (jobs if n + 1 < len(chosen) else 1):
            process, status, _ = os.wait4(-1, 0)
            spent = os.WIFSIGNALED(status)
            results[running.pop(process)] = "timeout" if spent else "killed" if status else "survived"
    return results


def measured(path: str, sample: int, only: set[str] | None, jobs: int) -> dict[str, object]:
    """What became of a file's mutants."""
    code = Path(path).read_text()
    everything = mutants(path, code)
    pool = everything if only is None else [m for m in everything if m.name in only]
    rng = random.Random(path)
    chosen = pool if len(pool) <= sample or only is not None else rng.sample(pool, sample)
    results = tried(chosen, 3 * plain_seconds(path) + 5, jobs)
    survivors = {m.name: _difference(code, m.code) for m, r in zip(chosen, results, strict=True) if r == "survived"}
    counts = {kind: results.count(kind) for kind in ("killed", "timeout", "survived")}
    return {"of": len(everything), "tried": len(chosen), **counts, "survivors": survivors}


def _difference(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", help="of core; all that targets.py names if left out")
    parser.add_argument("--sample", type=int, default=30, help="changes of each file, drawn with a fixed seed")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/mutation.json"))
    parser.add_argument("--again", type=Path, help="only the survivors that this file tells of")
    options = parser.parse_args()
    before = json.loads(options.again.read_text()) if options.again else {}
    for name in LOADED_ONCE:
        importlib.import_module(name)
    report: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        for path in options.files or before or JUDGES:
            only = set(before[path]["survivors"]) if before else None
            if before and not only:
                continue
            begun = time.monotonic()
            report[path] = row = measured(path, options.sample, only, options.jobs)
            told = ", ".join(f"{row[kind]} {kind}" for kind in ("killed", "timeout", "survived"))
            print(f"{path}: {row['tried']} of {row['of']}: {told} ({time.monotonic() - begun:.0f} s)", flush=True)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
