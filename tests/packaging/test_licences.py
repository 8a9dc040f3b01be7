"""Licences of what the program needs: known, allowed, and with their texts."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

import app.licences
from app.licences import Package, installed, packages, write

ROOT = Path(__file__).parents[2]
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
ALLOWED = {
    *("MIT", "MIT-CMU", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"),
    *("BSL-1.0", "Zlib", "CC0-1.0", "PSF-2.0", "HPND", "ISC", "Unlicense"),
    *("MPL-2.0", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
}
EXPLAINED = {
    # Permissive, in words of its own: use, copies and changes are free, the notice stays.
    "ismrmrd": "LicenseRef-IsmrmrdSoftwareLicense",
}
WITHOUT_TEXT = {"pyjpegls"}
"""The wheel holds no file; its metadata say MIT."""


@pytest.fixture(scope="module")
def found() -> tuple[Package, ...]:
    return installed(WANTED)


def allowed(licence: str) -> bool:
    """All parts that AND joins, of each one that OR offers."""
    return all(any(each in ALLOWED for each in re.split(r" OR ", part)) for part in re.split(r" AND |, ", licence))


def test_the_judge_knows_what_is_not_allowed() -> None:
    assert allowed("LGPL-3.0-only OR GPL-3.0-only")
    assert not allowed("GPL-3.0-only")
    assert not allowed("MIT AND GPL-2.0-only")
    assert not allowed("")


def test_every_requirement_has_an_allowed_licence(found: tuple[Package, ...]) -> None:
    assert len(found) > len(WANTED)
    refused = {p.name: p.licence for p in found if not allowed(p.licence) and EXPLAINED.get(p.name) != p.licence}
    assert refused == {}


def test_every_requirement_has_its_text(found: tuple[Package, ...]) -> None:
    assert {package.name for package in found if not package.text} <= WITHOUT_TEXT
    text = {package.name: package.text for package in found}
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text["PySide6_Essentials"]
    assert "GNU GENERAL PUBLIC LICENSE" in text["PySide6_Essentials"]
    assert "Apache License" in text["DDS Viewer"]
    assert max(map(len, text.values())) < app.licences._LONGEST_TEXT


def test_a_written_list_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert write(tmp_path / "licences.json", WANTED) == len(json.loads((tmp_path / "licences.json").read_text("utf-8")))
    monkeypatch.setattr(app.licences, "files", lambda _: tmp_path)
    monkeypatch.setattr(app.licences, "installed", lambda: ())
    assert {"DDS Viewer", "torch", "Python"} <= {package.name for package in packages.__wrapped__()}
