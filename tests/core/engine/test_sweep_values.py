"""Values, ranges and settings files as people write them, and what is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.settings_text import MOST_VALUES, parse_vary, read_settings_file, values_of
from core.errors import JobError


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("nfe", "10,20,50", (10, 20, 50)),
        ("nfe", "5:50:5", (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)),
        ("cg_steps", "1:9:2", (1, 3, 5, 7, 9)),
        ("cg_steps", "1:4:2,20,3", (1, 3, 20)),
        ("eta", "0:0.3:0.1", (0.0, 0.1, 0.2, 0.3)),
        ("gamma", "1e-4:1e-2:log5", (1e-4, 3.16227766e-4, 1e-3, 3.16227766e-3, 1e-2)),
        ("iterations", "1:1000:log4", (1, 10, 100, 1000)),
        ("iterations", "1:3:log9", (1, 2, 3)),
        ("seed", "-0", (0,)),
        ("noiseless", "yes,no", (True, False)),
        ("spacing", "uniform, quadratic", ("uniform", "quadratic")),
        ("undersample", "gaussian1d:4:0.08,gaussian1d:8:0.08", ("gaussian1d:4:0.08", "gaussian1d:8:0.08")),
        ("undersample", "keep:0,6,12; views:30", ("keep:0,6,12", "views:30")),
        ("center", "295.5:296.5:0.5", (295.5, 296.0, 296.5)),
    ],
)
def test_values(name: str, text: str, expected: tuple[object, ...]) -> None:
    found = values_of(name, text)
    assert found == expected
    assert [type(v) for v in found] == [type(v) for v in expected]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nfe", "NAME=VALUES"),
        ("nef=10", "not a setting"),
        ("nfe=", "gap"),
        ("nfe=10,,20", "gap"),
        ("nfe=ten", "number"),
        ("nfe=2.5", "whole"),
        ("nfe=10:20", "range"),
        ("nfe=20:10:1", "ends before"),
        ("nfe=10:20:0", "above 0"),
        ("nfe=10:20:-1", "above 0"),
        ("nfe=1:2:0.5", "whole"),
        ("eta=0:1:1e-9", "too long"),
        ("eta=0:1e300:1e-300", "too long"),
        ("eta=nan", "finite"),
        ("eta=0:inf:1", "finite"),
        ("gamma=0:1:log3", "log"),
        ("gamma=1:2:log1", "log"),
        ("gamma=1:2:log99999999999999999999", "log"),
        ("seed=" + ",".join(map(str, range(MOST_VALUES + 1))), "too many"),
        ("noiseless=perhaps", "true or false"),
    ],
)
def test_refused(text: str, word: str) -> None:
    with pytest.raises(JobError, match=word):
        parse_vary(text)


def test_a_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "preset: fast\nnfe: 1e1\nnoiseless: on\nslices: 0:1\nundersample: gaussian1d:4\nreference: x.npy\n"
        "keep_images: true\nvary:\n  cg-steps: 1:9:2\n  gamma: [1e-1, '1:100:log3']\n"
    )
    told = read_settings_file(path)
    assert told.given == {"nfe": 10, "noiseless": True}
    assert told.source == {"slices": "0:1", "undersample": "gaussian1d:4"}
    assert told.vary == {"cg_steps": (1, 3, 5, 7, 9), "gamma": (0.1, 1.0, 10.0, 100.0)}
    assert told.reference == str(tmp_path / "x.npy")
    assert (told.preset, told.keep_images) == ("fast", True)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nef: 3", "not a setting"),
        ("nfe: [1, 2]", "one value"),
        ("vary: 3", "names with values"),
        ("vary: {nfe: {a: b}}", "one value"),
        ("- a\n- b", "names with values"),
        ("a: [", "not YAML"),
        ("nfe: !!python/object/apply:os.system ['true']", "not YAML"),
        ("? {a: b}\n: c", "not YAML"),
        ("[" * 5000, "not YAML"),
        ("nfe: \x00", "not YAML"),
    ],
)
def test_settings_files_that_are_refused(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(JobError, match=word):
        read_settings_file(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="cannot be read"):
        read_settings_file(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"nfe: \xff")
    with pytest.raises(JobError, match="not YAML"):
        read_settings_file(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(JobError, match="1 MiB"):
        read_settings_file(tmp_path / "large.yaml")
