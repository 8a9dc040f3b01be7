"""Reads a MATLAB file in a process of its own, run as a script: see core.formats.probe and core.formats.mat5."""

from __future__ import annotations

import contextlib
import sys


def _leave_no_core() -> None:
    """A crash is expected here; it shall not fill the disk."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _leave_no_core()
    try:
        from scipy.io import loadmat

        loadmat(sys.argv[1])
    except Exception as error:
        print(f"{error}".splitlines()[0] if str(error) else type(error).__name__)
        sys.exit(1)
