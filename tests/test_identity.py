"""Who was scanned is in no file that the program writes and in no line that it says, unless the user asks for it."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from app.cli import main
from core.export import dicom_map, save
from core.export.dicom_about import about_volume
from core.formats import open_scan
from core.formats.volumes import open_volume
from tests.canary import FOREIGN, NAME, SCANS, SECRETS, UID, VOLUMES, found_in, has

ROOT = Path(__file__).parents[1]
ENDINGS = (".npy", ".nii", ".nii.gz", ".nrrd", ".png", ".dcm")
CPU = ("--device", "cpu")
QUICK = ("--method", "zero-filled", *CPU)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@dataclass(frozen=True)
class Done:
    code: int
    said: str


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """program("info", path): the command line with a home of its own, and all that it says."""
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "DDS_VIEWER_CACHE")
    for name in (*names, "DDS_VIEWER_STATE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))

    def call(*words: object) -> Done:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Done(code, "".join(capfd.readouterr()))

    return call


def secrets_in(words: str) -> list[str]:
    return [secret for secret in SECRETS if has(words.encode(), secret)]


def test_the_search_finds_what_is_hidden(tmp_path: Path) -> None:
    """A search that finds nothing anywhere would let everything through."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.txt", f"of {NAME}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner.zip", inner.getvalue())
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("x", data=np.frombuffer(NAME.encode(), np.uint8), compression="gzip")
    (tmp_path / "c.txt").write_text(FOREIGN, encoding="utf-16")
    (tmp_path / f"{NAME}.txt").write_text("")
    (tmp_path / "innocent.txt").write_text("nothing")
    found = {line.split(":")[0] for line in found_in(tmp_path)}
    assert found == {"a.zip", "b.h5", "c.txt", f"{NAME}.txt"}


@pytest.mark.parametrize("kind", [*SCANS, *VOLUMES])
def test_the_sources_do_tell(kind: str, tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    ({**SCANS, **VOLUMES}[kind])(tmp_path / "x")
    assert found_in(tmp_path)


@pytest.mark.parametrize("kind", SCANS)
def test_results_of_raw_scans(kind: str, tmp_path: Path, program) -> None:
    source = SCANS[kind](tmp_path / "scan")
    out = tmp_path / "out"
    out.mkdir()
    for ending in ENDINGS:
        done = program("recon", source, "--out", out / f"x{ending}", *QUICK)
        assert (done.code, secrets_in(done.said)) == (0, []), done.said
    done = program("info", source)
    assert (done.code, secrets_in(done.said)) == (0, [])
    assert NAME in program("info", source, "--identifiers").said
    for words in (
        (
            "sweep",
            source,
            "--out",
            out / "sweep",
            "--vary",
            "lam=0.1,0.2",
            "--method",
            "cg-sense",
            *CPU,
            "--keep-images",
        ),
        ("batch", source, "--out", out / "batch", *QUICK, "--here", "--format", "dcm"),
        ("rerun", out / "x.card.json", "--out", out / "again.nrrd"),
    ):
        done = program(*words)
        assert (done.code, secrets_in(done.said)) == (0, []), done.said
    assert not found_in(tmp_path, but=(source,))
    assert len([path for path in out.rglob("*") if path.is_file()]) >= 10


@pytest.mark.parametrize("kind", VOLUMES)
def test_exports_of_volumes(kind: str, tmp_path: Path) -> None:
    source = VOLUMES[kind](tmp_path / "scan")
    found = open_volume(source)
    about = about_volume(found.volume, identity=found.identity, anatomy=found.anatomy)
    for ending in ENDINGS:
        save(found.volume, tmp_path / f"x{ending}", about)
    if found.volume.affine is not None:
        dicom_map.write(found.volume, tmp_path / "map.dcm", about=about, shows=dicom_map.DIFFERENCE)
    assert not secrets_in(repr((found, found.identity, about)).replace(str(tmp_path), ""))
    assert not found_in(tmp_path, but=(source,))


@pytest.mark.parametrize("kind", VOLUMES)
def test_scans_that_are_simulated_from_volumes(kind: str, tmp_path: Path, program) -> None:
    source = VOLUMES[kind](tmp_path / "volume")
    words = ("--geometry", "parallel", "--views", "12") if kind == "dicom" else ("--coils", "2")
    done = program("simulate", source, "--out", tmp_path / "made.h5", *words)
    assert (done.code, secrets_in(done.said)) == (0, []), done.said
    assert not found_in(tmp_path, but=(source,))


def test_a_scan_tells_no_identity_in_its_words(tmp_path: Path) -> None:
    for kind, write in SCANS.items():
        scan = open_scan(write(tmp_path / kind))
        assert NAME in str(scan.provenance.identifiers)
        for words in (repr(scan.provenance), str(scan.provenance), repr(scan)[:100_000]):
            assert not secrets_in(words)


@pytest.mark.parametrize("kind", [*SCANS, "dicom", "nifti", "nrrd"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_damaged_file_is_refused_without_telling(kind: str, share: float, tmp_path: Path, program) -> None:
    """Errors and logs quote no value, wherever the file ends."""
    source = ({**SCANS, **VOLUMES}[kind])(tmp_path / "scan")
    for file in [source] if source.is_file() else sorted(source.iterdir()):
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * share)])
    command = ("recon",) if kind in SCANS else ("simulate",)
    done = program(*command, source, "--out", tmp_path / "x.h5" if kind not in SCANS else tmp_path / "x.npy")
    assert done.code != 0
    assert not secrets_in(done.said)
    assert not found_in(tmp_path, but=(source,))


def test_values_that_no_header_may_have_are_not_quoted(tmp_path: Path) -> None:
    """pydicom warns of them in words that hold them."""
    source = VOLUMES["dicom"](tmp_path / "scan")
    for file in source.iterdir():
        data = file.read_bytes()
        file.write_bytes(data.replace(f"{UID}.3".encode(), (3 * NAME)[: len(UID) + 2].encode()))
    words = ("simulate", source, "--out", tmp_path / "made.h5", "--geometry", "parallel", "--views", "12")
    command = [sys.executable, "-m", "app", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert NAME not in done.stdout + done.stderr


def test_other_libraries_say_nothing_of_their_own(tmp_path: Path) -> None:
    """What they log or warn of may quote a value: the program tells where it comes from, and not what it says."""
    code = (
        "import logging, warnings\n"
        "from app.quiet import keep_quiet\n"
        "keep_quiet()\n"
        f"warnings.warn('invalid value {NAME}', UserWarning)\n"
        f"logging.getLogger('pydicom').warning('invalid {NAME}')\n"
        f"logging.getLogger('some.other').error('invalid {NAME}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert NAME not in done.stdout + done.stderr
    assert "UserWarning" in done.stderr


def test_keeping_the_identity_is_asked_for(tmp_path: Path) -> None:
    found = open_volume(VOLUMES["dicom"](tmp_path / "scan"))
    about = about_volume(found.volume, identity=found.identity, keep_identity=True)
    save(found.volume, tmp_path / "x.dcm", about)
    assert found_in(tmp_path / "x.dcm")


def test_nothing_is_logged_on_the_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for kind in SCANS:
            open_scan(SCANS[kind](tmp_path / kind))
        caplog.clear()
        found = open_volume(VOLUMES["dicom"](tmp_path / "d"))
        save(found.volume, tmp_path / "x.dcm", about_volume(found.volume, identity=found.identity))
    assert not secrets_in(caplog.text)
