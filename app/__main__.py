"""`python -m app`, and where the frozen program begins."""

from __future__ import annotations

import os
import sys


def run() -> None:
    """The command line; of a frozen program also what it starts itself for: another process of its own."""
    if getattr(sys, "frozen", False):
        _be_a_child()
    from app.cli import main

    sys.exit(main())


def _be_a_child() -> None:
    """Ends this process where it was started as a worker of multiprocessing or as a script of core.formats."""
    from multiprocessing import freeze_support

    from core.formats import child

    # Programs that this one opens, such as a browser, must not load the libraries beside it.
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        before = os.environ.pop(f"{name}_ORIG", None)
        if before is not None:
            os.environ[name] = before
        elif name in os.environ:
            del os.environ[name]
    freeze_support()
    status = child.main(sys.argv[1:])
    if status is not None:
        sys.exit(status)


if __name__ == "__main__":
    run()
