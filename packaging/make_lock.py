"""Writes packaging/lock-*.txt: all that the program needs at run time, with versions and the hashes of the files.

    make lock        (or: python packaging/make_lock.py [linux|windows|macos ...])

Versions are those of constraints.txt; uv finds what belongs to them on each system, for Python 3.11. On Linux torch is
the build without CUDA, "+cpu", because the one on PyPI asks for several GB of CUDA packages. It lies on PyTorch's own
index; uv is told of that by UV_INDEX, or of a folder with the file by UV_FIND_LINKS or pip's own settings.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLATFORMS = {
    "linux": "x86_64-manylinux_2_34",
    "windows": "x86_64-pc-windows-msvc",
    "macos": "aarch64-apple-darwin",
}
PYTHON = "3.11"
HEADER = """\
# What DDS Viewer needs at run time on {system}. Made by `make lock`.
# To install exactly these: pip install --require-hashes -r packaging/lock-{name}.txt{index}
"""
CPU_NOTE = """\
# torch is the build without CUDA, which PyTorch keeps on its own index (option --extra-index-url). It has the one hash
# of the file for Python {python} on x86-64; the torch of PyPI, with CUDA, has others and does not match.
"""
SYSTEMS = {
    "linux": "Linux (x86-64, glibc 2.34 or later)",
    "windows": "Windows (x86-64)",
    "macos": "macOS 14 or later (Apple silicon)",
}
CPU_INDEX = " --extra-index-url https://download.pytorch.org/whl/cpu"


def lock_file(name: str) -> Path:
    """Where the lock of a system lies."""
    return ROOT / "packaging" / f"lock-{name}.txt"


def main(names: list[str]) -> int:
    for name in names or PLATFORMS:
        text = resolved(name)
        header = HEADER.format(system=SYSTEMS[name], name=name, index=CPU_INDEX if name == "linux" else "")
        if name == "linux":
            header += CPU_NOTE.format(python=PYTHON)
        lock_file(name).write_text(f"{header}\n{text}", encoding="utf-8")
        print(f"{lock_file(name).relative_to(ROOT)}: {len(re.findall(r'^[A-Za-z0-9].*==', text, re.M))} packages")
    return 0


def resolved(name: str) -> str:
    """The lines of a lock. Exits with uv's own words where there is no solution."""
    command = [uv(), "pip", "compile", "pyproject.toml", "--constraint", "packaging/constraints.txt"]
    command += ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    command += ["--python-platform", PLATFORMS[name], "--python-version", PYTHON]
    environment = {"MACOSX_DEPLOYMENT_TARGET": "14.0", **os.environ}
    if name == "linux":
        environment.setdefault("UV_FIND_LINKS", find_links())
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    if name == "linux" and "torch==" in done.stdout and "+cpu" not in done.stdout:
        sys.exit("On Linux the lock is for torch without CUDA: set UV_INDEX to PyTorch's CPU index.")
    return done.stdout


def uv() -> str:
    """uv beside this Python, else on the path."""
    beside = Path(sys.executable).with_name("uv.exe" if sys.platform == "win32" else "uv")
    return str(beside) if beside.is_file() else "uv"


def find_links() -> str:
    """Folders that pip has been told to look into, as uv takes them."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return ",".join(told.stdout.split()) if told.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
