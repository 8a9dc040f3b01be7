"""What the desktop is told of the program: its entry and the types of its files."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.views import dialogs
from core.formats.project_file import ENDING

LINUX = Path(__file__).parents[2] / "packaging" / "linux"
KNOWN = {
    "application/x-hdf": ("*.h5", "*.hdf5"),
    "application/dicom": ("*.dcm",),
    "image/tiff": ("*.tif", "*.tiff"),
}
"""Named by shared-mime-info itself."""
TOO_COMMON = {"*.dat", "*.xml", "*.ima"}
"""Endings of much else."""
SPACE = "{http://www.freedesktop.org/standards/shared-mime-info}"


@pytest.fixture(scope="module")
def types() -> dict[str, tuple[str, ...]]:
    root = ElementTree.parse(LINUX / "dds-viewer-mime.xml").getroot()
    return {
        kind.get("type", ""): tuple(glob.get("pattern", "") for glob in kind.iter(f"{SPACE}glob"))
        for kind in root.iter(f"{SPACE}mime-type")
    }


@pytest.fixture(scope="module")
def entry() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(LINUX / "dds-viewer.desktop", "utf-8")
    return parser["Desktop Entry"]


def test_the_entry_names_types_that_exist(types: dict[str, tuple[str, ...]], entry: configparser.SectionProxy) -> None:
    named = set(filter(None, entry["MimeType"].split(";")))
    assert named == set(types) | set(KNOWN)


def test_every_ending_that_the_program_offers_has_a_type(types: dict[str, tuple[str, ...]]) -> None:
    globs = {glob for found in (*types.values(), *KNOWN.values()) for glob in found}
    offered = set(re.findall(r"\*\.[\w.]+", dialogs._SCANS + dialogs._VOLUMES))
    assert f"*{ENDING}" in globs
    assert offered - globs == TOO_COMMON
    assert "meas_*.dat" in globs


def test_the_entry_starts_the_program(entry: configparser.SectionProxy) -> None:
    assert entry["Exec"].split()[0] == entry["Icon"] == "dds-viewer"
    assert "Research use only" in entry["Comment"]


def test_the_desktop_accepts_them(tmp_path: Path) -> None:
    checker, updater = shutil.which("desktop-file-validate"), shutil.which("update-mime-database")
    if checker is None and updater is None:
        pytest.skip("neither desktop-file-utils nor shared-mime-info is installed")
    if checker is not None:
        told = subprocess.run([checker, LINUX / "dds-viewer.desktop"], capture_output=True, text=True, check=False)
        assert (told.returncode, told.stdout) == (0, "")
    if updater is not None:
        (tmp_path / "packages").mkdir()
        shutil.copy(LINUX / "dds-viewer-mime.xml", tmp_path / "packages")
        subprocess.run([updater, tmp_path], capture_output=True, check=True)
        assert f"application/x-dds-viewer-project:*{ENDING}" in (tmp_path / "globs").read_text("utf-8")


def test_installing_puts_all_of_it_into_a_folder(tmp_path: Path) -> None:
    if shutil.which("install") is None:
        pytest.skip("there is no command install here")
    subprocess.run(["bash", LINUX / "install.sh", tmp_path], check=True, timeout=60)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        *("dds-viewer.desktop", "dds-viewer.xml", "dds-viewer.svg")
    }
