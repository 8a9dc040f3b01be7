"""What the locks promise agrees with pyproject.toml, with constraints.txt, and with what is installed."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from app.licences import needed

ROOT = Path(__file__).parents[2]
SYSTEMS = ("linux", "windows", "macos")
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]


def versions_of(file: Path) -> dict[str, str]:
    lines = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", file.read_text("utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


def lock(system: str) -> Path:
    return ROOT / "packaging" / f"lock-{system}.txt"


@pytest.mark.parametrize("system", SYSTEMS)
def test_all_that_is_required_is_locked(system: str) -> None:
    locked = versions_of(lock(system))
    for wanted in map(Requirement, WANTED):
        assert wanted.specifier.contains(Version(locked[canonicalize_name(wanted.name)]).public), wanted


@pytest.mark.parametrize("system", SYSTEMS)
def test_locked_is_what_the_constraints_say(system: str) -> None:
    constraints = versions_of(ROOT / "packaging" / "constraints.txt")
    found = {name: Version(version).public for name, version in versions_of(lock(system)).items()}
    assert found == {name: constraints.get(name) for name in found}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_package_has_hashes_and_no_place_on_a_machine(system: str) -> None:
    text = lock(system).read_text("utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", text, flags=re.MULTILINE)
    assert len(blocks) > len(WANTED)
    assert [block.split("==")[0] for block in blocks[1:] if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []
    assert not re.search(r"file:|find-links|^\s*#.*\s/(home|tmp|opt|work|usr)\b", text, re.MULTILINE)


def test_the_systems_differ_in_torch_alone() -> None:
    linux, *others = ({*versions_of(lock(system)).items()} for system in SYSTEMS)
    for other in others:
        assert {name for name, _ in linux ^ other} <= {"torch"}


def test_what_the_requirements_bring_along_is_locked() -> None:
    locked = versions_of(lock("linux"))
    for name in needed(WANTED):
        assert Version(locked[name]).public == Version(importlib.metadata.version(name)).public, name
