"""Hunts for files that a reader does not take well: python -m tests.fuzz [--minutes 30] [--only NAME] [--out FOLDER].

Every format has its share of the time, in a process of its own, so that a crash of a library is told from the rest.
What is found lies under FOLDER/NAME: the file (.bin) with what came of it (.txt). Needs Linux.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.fuzz.child import HANG

_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+)")
_COUNT = re.compile(r"^#(\d+)\s", re.MULTILINE)
_DONE = re.compile(r"number_of_executed_units: (\d+)")
_LEAST_CRASHES_APART = 5
_START = 60


def hunt(name: str, seconds: float, folder: Path) -> dict[str, Any]:
    """What came of a format: runs, finds, and branches covered by the sound file and at the end."""
    ends, runs, crashes = time.monotonic() + seconds, 0, 0
    coverage: list[tuple[int, int]] = []
    while (left := ends - time.monotonic()) > 1 and crashes < _LEAST_CRASHES_APART:
        told, ended = _child(name, left, folder)
        counts = [int(n) for n in (*_COUNT.findall(told), *_DONE.findall(told))]
        runs += max(counts, default=0)
        coverage += [(int(a), int(b)) for a, b in _COVERAGE.findall(told)]
        if ended != 0:
            crashes += 1
            _keep_crash(folder, ended, told)
    finds = sorted(p.stem for p in folder.glob("*.txt") if p.stem != "trace")
    return {"runs": runs, "finds": finds, "first": coverage[:1], "last": coverage[-1:]}


def _child(name: str, seconds: float, folder: Path) -> tuple[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.child", name, str(max(seconds, 2)), str(folder)]
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            ended = process.wait(seconds + HANG + _START)
        except subprocess.TimeoutExpired:
            ended = -signal.SIGKILL
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return log.read_text("utf-8", "replace"), ended


def _keep_crash(folder: Path, ended: int, told: str) -> None:
    """The input that a process died of, with the trace that it left."""
    current, traced = folder / "current.bin", folder / "trace.txt"
    if not current.exists():
        print(f"{folder.name} does not begin:\n{told[-3000:]}", flush=True)
        return
    trace = traced.read_text("utf-8", "replace")
    kind = "hang" if "Timeout" in trace else f"crash {ended}"
    frames = re.findall(r'File "[^"]*/core/([^"]*)", line (\d+)', trace)
    where = f"{kind} " + " ".join(":".join(f) for f in frames[:1])
    known = {p.read_text().splitlines()[0] for p in folder.glob("*.txt") if p.stem != "trace"}
    if where not in known:
        data = current.read_bytes()
        stem = hashlib.sha256(data).hexdigest()[:12]
        (folder / f"{stem}.bin").write_bytes(data)
        (folder / f"{stem}.txt").write_text(f"{where}\n{kind}\n{trace[-4000:]}\n{told[-1500:]}\n")


def main() -> None:
    from tests.fuzz.targets import all_targets

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--only", default="", help="names of formats, with commas between")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "dds-viewer-fuzz")
    options = parser.parse_args()
    targets = all_targets()
    chosen = {n: t for n, t in targets.items() if not options.only or n in options.only.split(",")}
    if not chosen:
        raise SystemExit(f"Formats are {', '.join(targets)}.")
    whole = sum(target.share for target in chosen.values())
    results = {}
    for name, target in chosen.items():
        results[name] = hunt(name, options.minutes * 60 * target.share / whole, options.out / name)
        print(name, results[name], flush=True)
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "results.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
