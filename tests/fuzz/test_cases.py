"""What was found once is taken well ever since: every file in cases/NAME/ goes through the target of that name."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tests.fuzz.judge import Watch, judged
from tests.fuzz.targets import all_targets

CASES = Path(__file__).parent / "cases"
FOUND = sorted(CASES.glob("*/*.bin"))
TARGETS = all_targets()
MOST = 2**28
WATCH = Watch()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", FOUND, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_case(tmp_path: Path, case: Path) -> None:
    target = TARGETS[case.parent.name]
    box = tmp_path / "box"
    box.mkdir()
    file = target.make(box)
    file.write_bytes(case.read_bytes())
    tracemalloc.start()
    try:
        found = judged(target, file, WATCH, box)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found is None
    assert peak < MOST


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["bart", "dicom", "nrrd", "project", "twix-vd", "weights-safetensors"])
def test_a_sound_file_is_read(tmp_path: Path, name: str) -> None:
    """Else nothing would come of damaging it."""
    TARGETS[name].touch(TARGETS[name].make(tmp_path))
