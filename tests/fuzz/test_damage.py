"""A short hunt in every format: python -m tests.fuzz is the long one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.damage import mixed
from tests.fuzz.judge import Watch, judged
from tests.fuzz.targets import all_targets

TARGETS = all_targets()
WATCH = Watch()
BY_ANOTHER_PROCESS = ("dicom-jpeg", "dicom-jpegls", "dicom-jpeg2000", "mat5", "htc")
SLOW = tuple(name for name, target in TARGETS.items() if target.hdf5 or name in BY_ANOTHER_PROCESS)
"""Read in a process of their own first, half a second each: their own tests damage them."""
QUICK = sorted(set(TARGETS) - set(SLOW))

Boxes = Callable[[str], tuple[Path, bytes]]


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Boxes:
    made: dict[str, tuple[Path, bytes]] = {}

    def box(name: str) -> tuple[Path, bytes]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name) / "box"
            folder.mkdir()
            file = TARGETS[name].make(folder)
            made[name] = file, file.read_bytes()
        return made[name]

    return box


def hunted(name: str, boxes: Boxes, rnd: Random) -> None:
    file, sound = boxes(name)
    file.write_bytes(mixed(sound, rnd, TARGETS[name].damages(sound)))
    box = next(folder for folder in file.parents if folder.name == "box")
    assert judged(TARGETS[name], file, WATCH, box) is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rnd=st.randoms(use_true_random=False))
def test_damage(name: str, boxes: Boxes, rnd: Random) -> None:
    hunted(name, boxes, rnd)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["dicom-jpegls", "htc-73", "nxtomo"])
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rnd=st.randoms(use_true_random=False))
def test_damage_where_another_process_looks_first(name: str, boxes: Boxes, rnd: Random) -> None:
    hunted(name, boxes, rnd)
