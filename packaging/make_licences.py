"""Writes resources/licences.json, which the page About shows: what is installed here, with its licences.

    make licences    (or: python packaging/make_licences.py)

`make dist` and `make frozen` call it, so that the list is that of the environment they pack.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """The requirements are those of pyproject.toml: what is installed of the program itself may be older."""
    from app.licences import LIST, write

    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    print(f"resources/{LIST}: {write(ROOT / 'resources' / LIST, wanted)} packages")


if __name__ == "__main__":
    main()
