"""Reads a MATLAB file in a process of its own, run as a script: see core.formats.probe and core.formats.mat5."""

from __future__ import annotations

import contextlib
import os
import sys


def _limit(path: str) -> None:
    """A crash is expected here; it shall not fill the disk, nor a damaged size the memory."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = 2**32 + 16 * os.path.getsize(path)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(arguments: list[str]) -> int:
    """arguments: the path. Returns the exit status."""
    _limit(arguments[0])
    try:
        from scipy.io import loadmat

        loadmat(arguments[0])
    except Exception as error:
        print(f"{error}".splitlines()[0] if str(error) else type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
