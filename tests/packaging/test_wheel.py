"""The wheel and the source archive hold what is needed to run, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("app", "core", "resources", "packaging", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def built(folder: Path, kind: str) -> Path:
    """What setuptools makes of a folder."""
    target = folder / "made"
    target.mkdir(exist_ok=True)
    code = f"import setuptools.build_meta as b; print('made:', b.build_{kind}({str(target)!r}))"
    told = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=240)
    assert told.returncode == 0, told.stderr[-2000:]
    return target / told.stdout.rpartition("made: ")[2].strip()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, made of a copy, so that nothing is written into the project."""
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy)
    return built(copy, "sdist")


@pytest.fixture(scope="module")
def names(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Of the files in the wheel that the source archive makes."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    with zipfile.ZipFile(built(next(unpacked.iterdir()), "wheel")) as wheel:
        return set(wheel.namelist())


def test_the_wheel_has_every_module(names: set[str]) -> None:
    wanted = {str(path.relative_to(ROOT)) for part in ("app", "core") for path in (ROOT / part).rglob("*.py")}
    assert wanted - names == set()


def test_the_wheel_has_every_resource(names: set[str]) -> None:
    found = [path for path in (ROOT / "resources").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {str(path.relative_to(ROOT)) for path in found} - names == set()
    for needed in ("priors/mri-small.safetensors", "demo/mri_head.h5", "presets/windows.json", "icons/app.svg"):
        assert f"resources/{needed}" in names


def test_the_wheel_has_its_licence_and_its_command(names: set[str]) -> None:
    info = {name.partition("/")[2] for name in names if ".dist-info/" in name}
    assert {"licenses/LICENSE", "METADATA", "entry_points.txt"} <= info


def test_the_wheel_has_nothing_else(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"app", "core", "resources"}
    assert [name for name in names if re.search(r"(^|/)(tests?/|test_|conftest)|\.(pyc|dat|cfl|log)$", name)] == []
    raw = {name for name in names if name.endswith((".h5", ".npy", ".npz", ".mat", ".nii.gz", ".dcm"))}
    assert raw == {"resources/demo/mri_head.h5", "resources/demo/ct_chest.h5"}


def test_the_source_archive_has_what_packs_it(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        found = {name.partition("/")[2] for name in tar.getnames()}
    assert {"packaging/dds-viewer.spec", "packaging/lock-linux.txt", "pyproject.toml", "LICENSE"} <= found
    assert [name for name in found if "__pycache__" in name or name.startswith("tests/golden")] == []
