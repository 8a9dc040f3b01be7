"""Writes a small raw file of each kind that the tests know, and prints their paths; for packaging/smoke.sh.

python packaging/make_samples.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main(folder: Path) -> None:
    from tests.core.formats.test_bad_input import WRITERS

    for name, write in WRITERS.items():
        place = folder / name
        place.mkdir(parents=True)
        print(write(place))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
