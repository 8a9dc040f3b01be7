"""Whatever a file holds, opening it gives a valid scan or a ScanError in words, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import io

from core.errors import ScanError
from core.formats import guess_axes, open_scan
from core.scan import KSpace
from tests.core.formats.mrd_writer import Header, Line, lines_of, write_mrd
from tests.core.formats.phantom import blob, coil_images, oversampled_kspace
from tests.core.formats.test_whole_arrays import (
    FASTMRI_HEADER,
    KSPACE,
    bart_array,
    fastmri_kspace,
    write_array,
    write_cfl,
    write_fastmri,
)
from tests.core.formats.twix_writer import Measurement, readouts_of, write_twix

LINES = oversampled_kspace(coil_images(blob((32, 32), (9, 21))))

WRITERS: dict[str, Callable[[Path], Path]] = {
    "ismrmrd": lambda folder: write_mrd(folder / "a.h5", lines_of(LINES)),
    "fastmri": lambda folder: write_fastmri(folder / "a.h5", fastmri_kspace(), FASTMRI_HEADER),
    "bart": lambda folder: write_cfl(folder, bart_array()),
    "twix_vd": lambda folder: write_twix(folder / "a.dat", Measurement(readouts_of(LINES))),
    "twix_vb": lambda folder: write_twix(folder / "a.dat", Measurement(readouts_of(LINES)), is_vd=False),
    "npy": lambda folder: write_array(folder, "npy", KSPACE),
    "npz": lambda folder: write_array(folder, "npz", KSPACE),
    "mat5": lambda folder: write_array(folder, "mat5", KSPACE),
    "mat73": lambda folder: write_array(folder, "mat73", KSPACE),
}


def is_told(error: ScanError) -> bool:
    """The error has its sentences, and none of them is a traceback."""
    return bool(error.what and error.what.endswith(".") and error.try_this) and "Traceback" not in str(error)


def test_importing_the_formats_is_light() -> None:
    code = (
        "import sys, core.formats; print([m for m in ('torch','h5py','ismrmrd','scipy','twixtools','matplotlib') "
        "if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_names_of_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.h5", tmp_path, tmp_path / "a" / "b.cfl", ""):
        with pytest.raises(ScanError) as caught:
            open_scan(path)
        assert is_told(caught.value)


@pytest.mark.parametrize("suffix", [".h5", ".mrd", ".cfl", ".hdr", ".dat", ".npy", ".npz", ".mat", ".txt", ""])
@pytest.mark.parametrize("content", [b"", b"x", b"hello, this is no scan at all\n" * 40, b"\0" * 4000])
def test_foreign_content_under_any_name(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(ScanError) as caught:
        open_scan(path)
    assert is_told(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.dcm", b"\0" * 128 + b"DICM" + b"\0" * 300, "DICOM"),
        ("noname", b"\0" * 128 + b"DICM" + b"\0" * 300, "DICOM"),
        ("a.nii", b"\x5c\x01\0\0" + b"\0" * 400, "NIfTI"),
        ("a.nii.gz", b"\x1f\x8b" + b"\0" * 40, "NIfTI"),
        ("a.hdr", b"\x5c\x01\0\0" + b"\0" * 400, "NIfTI"),
        ("a.nrrd", b"NRRD0005\n", "NRRD"),
    ],
)
def test_reconstructed_images_are_named_as_such(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ScanError, match=f"reconstructed image \\({word}\\), not raw data"):
        open_scan(tmp_path / name)


def test_hdf5_of_another_layout(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["weights"] = np.ones(3)
    with pytest.raises(ScanError, match=r"unknown layout.*weights"):
        open_scan(tmp_path / "a.h5")


def test_zip_without_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(ScanError, match="zip archive"):
        open_scan(tmp_path / "a.zip")


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickles_are_never_loaded(tmp_path: Path, suffix: str) -> None:
    class Trap:
        def __reduce__(self) -> tuple[type, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    array = np.array([[Trap(), 1], [2, 3]], dtype=object)
    path = tmp_path / f"a.{suffix}"
    np.save(path, array, allow_pickle=True) if suffix == "npy" else np.savez(path, a=array)
    with pytest.raises(ScanError):
        open_scan(path, axes="ky,kx")
    assert not (tmp_path / "sprung").exists()


def test_mat_without_numbers(tmp_path: Path) -> None:
    io.savemat(tmp_path / "a.mat", {"s": {"kspace": np.ones((4, 4))}, "c": np.array([[1, "x"]], dtype=object)})
    with pytest.raises(ScanError, match="no array of numbers"):
        open_scan(tmp_path / "a.mat")
    with pytest.raises(ScanError, match="not an array of numbers"):
        open_scan(tmp_path / "a.mat", axes="s:ky,kx")


@pytest.mark.parametrize("value", [np.nan, np.inf, complex(0, -np.inf)])
@pytest.mark.parametrize("kind", ["npy", "bart", "ismrmrd", "twix", "fastmri"])
def test_not_a_number(tmp_path: Path, kind: str, value: complex) -> None:
    kspace, lines, volume, cfl = KSPACE.copy(), LINES.copy(), fastmri_kspace(), bart_array()
    kspace[1, 3, 4] = lines[1, 3, 4] = volume[0, 1, 3, 4] = cfl[3, 4] = value
    path = {
        "npy": lambda: write_array(tmp_path, "npy", kspace),
        "bart": lambda: write_cfl(tmp_path, cfl),
        "ismrmrd": lambda: write_mrd(tmp_path / "a.h5", lines_of(lines)),
        "twix": lambda: write_twix(tmp_path / "a.dat", Measurement(readouts_of(lines))),
        "fastmri": lambda: write_fastmri(tmp_path / "a.h5", volume, FASTMRI_HEADER),
    }[kind]()
    with pytest.raises(ScanError, match="NaN or infinite"):
        open_scan(path, axes="coil,ky,kx" if kind == "npy" else "")


def test_double_precision_that_overflows(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="NaN or infinite"):
        open_scan(write_array(tmp_path, "npy", KSPACE.astype(np.complex128) * 1e39), axes="coil,ky,kx")


@pytest.mark.parametrize("shape", [(0, 24, 32), (3, 0, 32), (3, 24, 0)])
def test_empty_axes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ScanError):
        open_scan(write_array(tmp_path, "npy", np.zeros(shape, complex)), axes="coil,ky,kx")


def test_silence(tmp_path: Path) -> None:
    for kind, array in (("npy", np.zeros((3, 24, 32), complex)), ("npz", np.ones((3, 24, 32)))):
        with pytest.raises(ScanError):
            open_scan(write_array(tmp_path, kind, array), axes="coil,ky,kx")


def test_no_coils(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="no coil data"):
        open_scan(write_mrd(tmp_path / "a.h5", [Line(np.zeros((0, 64)))]))


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<x/>",
        "<ismrmrdHeader/>",
        "not xml",
        Header(matrix=(0, 0, 0)).xml(),
        Header(matrix=(10**9, 32, 1)).xml(),
        Header(matrix=(64, 3, 1)).xml(),
        Header(centre=(4000, 0)).xml(),
    ],
)
def test_wrong_ismrmrd_header(tmp_path: Path, xml: str) -> None:
    with pytest.raises(ScanError) as caught:
        open_scan(write_mrd(tmp_path / "a.h5", lines_of(LINES), xml))
    assert is_told(caught.value)


def test_ismrmrd_line_shorter_than_its_header_says(tmp_path: Path) -> None:
    path = write_mrd(tmp_path / "a.h5", lines_of(LINES))
    with h5py.File(path, "r+") as file:
        row = file["dataset/data"][3]
        row["head"]["number_of_samples"] = 64
        row["data"] = row["data"][:100]
        file["dataset/data"][3] = row
    with pytest.raises(ScanError, match="incomplete"):
        open_scan(path)


def test_sizes_beyond_memory_are_refused_before_they_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<c16", "fortran_order": False, "shape": (10**6, 10**6)})
        file.truncate(10**6)
    with pytest.raises(ScanError, match="cut off"):
        open_scan(path, axes="ky,kx")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("kspace", shape=(10**4, 64, 4096, 4096), dtype="<c8", chunks=(1, 1, 64, 64))
    with pytest.raises(ScanError, match="does not fit into memory"):
        open_scan(tmp_path / "b.h5")
    with h5py.File(tmp_path / "c.mat", "w") as file:
        file.create_dataset("k", shape=(10**5, 10**5, 8), dtype="<c8", chunks=(64, 64, 8))
    with pytest.raises(ScanError, match="does not fit into memory"):
        open_scan(tmp_path / "c.mat", axes="coil,ky,kx")


def test_a_file_that_crashes_the_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = tmp_path / "probe.py"
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr("core.formats.hdf5._PROBE", crash)
    with pytest.raises(ScanError, match="breaks down"):
        open_scan(WRITERS["ismrmrd"](tmp_path))


def test_a_matlab_file_that_crashes_its_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = tmp_path / "probe.py"
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr("core.formats.mat5._PROBE", crash)
    with pytest.raises(ScanError, match="breaks down"):
        open_scan(WRITERS["mat5"](tmp_path), axes="coil,ky,kx")


def test_a_file_that_is_read_without_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = tmp_path / "probe.py"
    stuck.write_text("while True: pass\n")
    monkeypatch.setattr("core.formats.hdf5._PROBE", stuck)
    monkeypatch.setattr("core.formats.probe._SECONDS", 0.5)
    with pytest.raises(ScanError, match="does not come to an end"):
        open_scan(WRITERS["fastmri"](tmp_path))


def test_guessing_needs_an_array(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="not a plain array"):
        guess_axes(WRITERS["twix_vd"](tmp_path))
    with pytest.raises(ScanError):
        guess_axes(tmp_path / "absent.npy")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in WRITERS.items()}


def opens_or_tells(path: Path, **how: str) -> bool:
    """open_scan gives a scan, or an error with all its sentences."""
    try:
        return isinstance(open_scan(path, **how), KSpace)
    except ScanError as error:
        return is_told(error)


@pytest.mark.parametrize("name", ["fastmri", "ismrmrd", "mat73"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_to_hdf5(originals: dict[str, Path], name: str, data: st.DataObject) -> None:
    damage(originals, name, data)


@pytest.mark.parametrize("name", ["bart", "mat5", "npy", "npz", "twix_vb", "twix_vd"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(originals: dict[str, Path], name: str, data: st.DataObject) -> None:
    damage(originals, name, data)


def damage(originals: dict[str, Path], name: str, data: st.DataObject) -> None:
    """Cut files short and change bytes, mostly near the beginning, where the headers are."""
    source = originals[name]
    stored = bytearray(source.read_bytes())
    reach = data.draw(st.sampled_from([64, 4096, 16384, len(stored)]))
    for _ in range(data.draw(st.integers(0, 4))):
        stored[data.draw(st.integers(0, min(reach, len(stored)) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        stored = stored[: data.draw(st.integers(0, len(stored)))]
    damaged = source.with_name(f"damaged{source.suffix}")
    damaged.write_bytes(stored)
    if name == "bart":
        damaged.with_suffix(".hdr").write_bytes(source.with_suffix(".hdr").read_bytes())
    assert opens_or_tells(damaged)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80), lead=st.booleans())
def test_any_bart_header(originals: dict[str, Path], text: str, lead: bool) -> None:
    pair = originals["bart"].with_name("odd.cfl")
    pair.write_bytes(originals["bart"].read_bytes())
    pair.with_suffix(".hdr").write_text(("# Dimensions\n" if lead else "") + text, "utf-8", "replace")
    assert opens_or_tells(pair)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(axes=st.text(alphabet="kxyzcoil,: 1_", max_size=24), domain=st.sampled_from(["kspace", "image", ""]))
def test_any_axes(originals: dict[str, Path], axes: str, domain: str) -> None:
    assert opens_or_tells(originals["npz"], axes=axes, domain=domain)


FIELDS = st.sampled_from(
    [
        "number_of_samples",
        "active_channels",
        "center_sample",
        "discard_pre",
        "discard_post",
        "encoding_space_ref",
        "flags",
    ]
)
COUNTERS = st.sampled_from(["kspace_encode_step_1", "kspace_encode_step_2", "slice", "repetition", "average", "set"])


@pytest.mark.usefixtures("sound_files")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(0, 31), field=FIELDS | COUNTERS, value=st.integers(0, 2**16 - 1))
def test_any_ismrmrd_counter(originals: dict[str, Path], row: int, field: str, value: int) -> None:
    path = originals["ismrmrd"].with_name("odd.h5")
    path.write_bytes(originals["ismrmrd"].read_bytes())
    with h5py.File(path, "r+") as file:
        stored = file["dataset/data"][row]
        head = stored["head"]
        (head["idx"] if field in head["idx"].dtype.names else head)[field] = value
        file["dataset/data"][row] = stored
    assert opens_or_tells(path)
