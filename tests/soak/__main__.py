"""`python -m tests.soak cycles [--count 200]` and `python -m tests.soak monkey [--events 10000 --seed 1]`.

Needs a display (xvfb-run will do). The status is 1 if something was found.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from PySide6.QtCore import QSettings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    cycles = kinds.add_parser("cycles", help="open, reconstruct, save, close")
    cycles.add_argument("--count", type=int, default=200)
    cycles.add_argument("--warm", type=int, default=20, help="cycles before memory is first looked at")
    cycles.add_argument("--one-window", action="store_true", help="scan after scan in one window")
    monkey = kinds.add_parser("monkey", help="random events, the same ones for the same seed")
    monkey.add_argument("--events", type=int, default=10_000)
    monkey.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("STATE", "CACHE"):
            os.environ[f"DDS_VIEWER_{name}"] = str(Path(folder) / name.lower())
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(Path(folder) / "preferences"))
        if asked.kind == "cycles":
            from tests.soak.cycles import soak

            return soak(Path(folder), asked.count, asked.warm, asked.one_window)
        from tests.soak.monkey import let_loose

        return let_loose(Path(folder), asked.events, asked.seed)


if __name__ == "__main__":
    raise SystemExit(main())
