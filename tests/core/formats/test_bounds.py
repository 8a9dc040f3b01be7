"""Headers that announce far more than their file holds, and small files that unpack to large ones: refused in words,
with next to nothing allocated."""

from __future__ import annotations

import bz2
import gzip
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless
from scipy import io

from core.errors import ScanError, UserError
from core.formats import open_scan
from core.formats.folder import contents
from core.formats.volumes import open_volume
from tests.core.formats.dicom_writer import Series, write_series
from tests.core.formats.mrd_writer import Header, lines_of, write_mrd
from tests.core.formats.phantom import blob, coil_images, oversampled_kspace
from tests.core.formats.projections_writer import write_mha, write_rtk_xml
from tests.core.formats.test_volumes import write_nifti, write_nrrd
from tests.core.formats.twix_writer import Measurement, readouts_of, write_twix

MOST = 48 * 2**20
"""Bytes that may be in use while a file is refused; those of the libraries that are first imported then included."""
BOMB = 2**27
ARRAY = np.random.default_rng(0).normal(300, 100, (3, 5, 6)).astype(np.int16)


def refused(look: Callable[[], object], words: str | None = None) -> None:
    """Refused in words, with less than MOST allocated by Python and NumPy at any time."""
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=words) as caught:
            look()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.what.endswith(".")
    assert peak < MOST, f"{peak / 2**20:.0f} MiB"


def deflated_zeros(count: int = BOMB, wbits: int = 15) -> bytes:
    packer = zlib.compressobj(9, wbits=wbits)
    block = bytes(2**20)
    return b"".join(packer.compress(block) for _ in range(count >> 20)) + packer.flush()


def test_nifti(tmp_path: Path) -> None:
    for name, where, value in (
        ("a.nii", 40, struct.pack("<4h", 3, 32767, 32767, 32767)),
        ("a.nii.gz", 40, struct.pack("<4h", 3, 32767, 32767, 32767)),
        ("b.nii", 108, struct.pack("<f", 2e9)),
        ("b.nii.gz", 108, struct.pack("<f", 2e9)),
    ):
        path = write_nifti(tmp_path / name, ARRAY)
        held = bytearray(path.read_bytes() if path.suffix == ".nii" else gzip.decompress(path.read_bytes()))
        held[where : where + len(value)] = value
        if name[0] == "b":
            # An extension that is as long as the voxels are far away.
            held[348:360] = struct.pack("<4sii", b"\1\0\0\0", 2**31 - 16, 6)
        path.write_bytes(held if path.suffix == ".nii" else gzip.compress(held))
        refused(lambda path=path: open_volume(path))
        assert contents(tmp_path) == ()
        path.unlink()


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_nrrd(tmp_path: Path, encoding: str) -> None:
    path = write_nrrd(tmp_path / "a.nrrd", ARRAY, encoding=encoding)
    path.write_bytes(path.read_bytes().replace(b"sizes: 6 5 3", b"sizes: 1000000 1000000 1"))
    refused(lambda: open_volume(path), "announces")
    zeros = {"raw": b"", "gzip": gzip.compress(bytes(2**20)), "bzip2": bz2.compress(bytes(BOMB))}[encoding]
    held = write_nrrd(path, ARRAY, encoding=encoding).read_bytes()
    path.write_bytes(held[: held.index(b"\n\n") + 2].replace(b"sizes: 6 5 3", b"sizes: 6000 5000 5") + zeros)
    refused(lambda: open_volume(path), "announces")


@pytest.mark.parametrize("compress", [False, True])
def test_metaimage(tmp_path: Path, compress: bool) -> None:
    write_rtk_xml(tmp_path / "a.xml", [{"GantryAngle": 0.0}], SourceToDetectorDistance=300)
    data = np.zeros((1, 4, 8), np.float32)
    for size in (b"1000000 1000000 1", b"8192 8192 16"):
        path = write_mha(tmp_path / "a.mha", data, (1, 1, 1), (0, 0, 0), compress)
        path.write_bytes(path.read_bytes().replace(b"8 4 1", size))
        refused(lambda path=path: open_scan(path))


def test_tiff_whose_strip_unpacks_to_far_more(tmp_path: Path) -> None:
    (tmp_path / "geometry.toml").write_text('geometry = "parallel"\nangles = [0, 1, 2, 3]\nwhat = "attenuation"\n')
    bomb = deflated_zeros()
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((4, 16, 16), np.float32), compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path) as held:
        tags = held.pages[0].tags
        places = [(tags[name].valueoffset, tags[name].dtype) for name in ("StripOffsets", "StripByteCounts")]
        assert all(kind == 4 for _, kind in places)
    stored = bytearray(path.read_bytes())
    for (place, _), value in zip(places, (len(stored), len(bomb)), strict=True):
        stored[place : place + 4] = struct.pack("<I", value)
    path.write_bytes(stored + bomb)
    refused(lambda: open_scan(path))


def test_tiff_that_announces_more_than_it_holds(tmp_path: Path) -> None:
    (tmp_path / "geometry.toml").write_text('geometry = "parallel"\nangles = [0]\nwhat = "attenuation"\n')
    for compression in (None, "zlib"):
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, np.zeros((16, 16), np.uint8), compression=compression)
        with tifffile.TiffFile(path, mode="r+") as held:
            for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
                held.pages[0].tags[name].overwrite(16384)
        refused(lambda path=path: open_scan(path))


def test_tiff_whose_pages_run_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "geometry.toml").write_text('geometry = "parallel"\nangles = [0, 1]\nwhat = "attenuation"\n')
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((2, 16, 16), np.uint8), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as held:
        last, first = held.pages[1].offset, held.pages[0].offset
    stored = bytearray(path.read_bytes())
    (count,) = struct.unpack_from("<H", stored, last)
    stored[last + 2 + 12 * count : last + 6 + 12 * count] = struct.pack("<I", first)
    path.write_bytes(stored)
    with pytest.raises(ScanError, match="circle"):
        open_scan(path)


def npy_header(shape: tuple[int, ...]) -> bytes:
    made = BytesIO()
    np.lib.format.write_array_header_1_0(made, {"descr": "<c8", "fortran_order": False, "shape": shape})
    return made.getvalue()


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_npz(tmp_path: Path, packed: int) -> None:
    path = tmp_path / "a.npz"
    zeros = bytes(2**20)
    with zipfile.ZipFile(path, "w", packed) as archive, archive.open("k.npy", "w") as member:
        member.write(npy_header((512, 65536)))
        member.write(zeros)
    held = path.read_bytes()
    at = held.rindex(b"PK\1\2") + 24
    # The directory tells of as many bytes as the array has.
    path.write_bytes(held[:at] + struct.pack("<I", 2**28 + 128) + held[at + 4 :])
    refused(lambda: open_scan(path, axes="ky,kx"))


def test_matlab_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mat"
    io.savemat(path, {"k": np.zeros((4, 4))}, do_compression=False)
    held = path.read_bytes()
    at = held.index(struct.pack("<IIii", 5, 8, 4, 4))
    path.write_bytes(held[: at + 8] + struct.pack("<ii", 10**6, 10**6) + held[at + 16 :])
    refused(lambda: open_scan(path, axes="ky,kx"))
    # A matrix of zeros that is packed a thousandfold.
    count = 2**28
    for place in ("core.formats.files.free_memory", "core.formats.mat5.free_memory"):
        monkeypatch.setattr(place, lambda: 2**28)
    size = struct.pack("<II", 14, 48 + 8 + count)
    flags = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<IIii", 5, 8, 8192, 4096) + struct.pack("<HH4s", 1, 1, b"k")
    packer = zlib.compressobj(9)
    packed = packer.compress(size + flags + struct.pack("<II", 9, count))
    packed += deflated_tail(packer, count)
    path.write_bytes(held[:128] + struct.pack("<II", 15, len(packed)) + packed)
    refused(lambda: open_scan(path, axes="ky,kx"), "memory")


def deflated_tail(packer: Any, count: int) -> bytes:
    """`count` zeros more, packed by repeating what the packer gives for a block again and again."""
    block = bytes(2**22)
    head = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (count // len(block) - 1) + packer.flush()


def write_hdf5(path: Path, name: str, shape: tuple[int, ...], dtype: Any = "c8") -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, shape, dtype, chunks=True)
    return path


@pytest.mark.parametrize(
    ("name", "dataset", "shape", "dtype"),
    [
        ("a.h5", "kspace", (1, 2, 4096, 8192), "c8"),
        ("a.mat", "k", (2, 4096, 8192), "c8"),
        ("a.h5", "exchange/data", (64, 1024, 2048), "f4"),
        ("a.mat", "CtDataFull/sinogram", (8192, 8192), "f8"),
    ],
)
def test_hdf5_with_nothing_in_it(tmp_path: Path, name: str, dataset: str, shape: tuple[int, ...], dtype: str) -> None:
    path = write_hdf5(tmp_path / name, dataset, shape, dtype)
    refused(lambda: open_scan(path, axes="coil,ky,kx" if dataset == "k" else ""))


def test_tables_and_masks_of_hdf5_with_nothing_in_them(tmp_path: Path) -> None:
    lines = lines_of(oversampled_kspace(coil_images(blob((16, 16), (4, 11)), 2)))
    path = write_mrd(tmp_path / "a.h5", lines, Header(matrix=(32, 16, 1), recon=(16, 16), centre=(8, 0)))
    with h5py.File(path, "r+") as file:
        file["dataset/data"].resize((2**20,))
    refused(lambda: open_scan(path))
    path = write_hdf5(tmp_path / "b.h5", "mask", (2**28,), "u1")
    with h5py.File(path, "r+") as file:
        file["kspace"] = np.ones((1, 2, 16, 16), np.complex64)
    refused(lambda: open_scan(path), "mask")


def test_hdf5_whose_chunk_unpacks_to_far_more(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("kspace", (1, 1, 16, 16), "c8", chunks=(1, 1, 16, 16), compression="gzip")
        made.id.write_direct_chunk((0, 0, 0, 0), deflated_zeros())
    with pytest.raises(ScanError):
        open_scan(path)


def test_dicom_that_is_deflated(tmp_path: Path) -> None:
    path = write_series(tmp_path, Series(ARRAY[:1]))[0]
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    open_volume(path)
    held = path.read_bytes()
    (length,) = struct.unpack_from("<I", held, 140)
    start = 144 + length
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(zlib.decompress(held[start:], -15))
    packed += packer.compress(struct.pack("<HH2sHI", 0x7FE1, 0x10, b"OB", 0, BOMB))
    packed += b"".join(packer.compress(bytes(2**20)) for _ in range(BOMB >> 20)) + packer.flush()
    path.write_bytes(held[:start] + packed)
    refused(lambda: open_volume(path))
    refused(lambda: open_scan(path), "reconstructed")
    assert contents(tmp_path) == ()


def test_dicom_of_run_lengths(tmp_path: Path) -> None:
    path = write_series(tmp_path, Series(ARRAY[:1]))[0]
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.Rows = dataset.Columns = 16384
    dataset.save_as(path)
    refused(lambda: open_volume(path))
    assert contents(tmp_path) == ()


def test_twix_of_a_few_lines_on_a_huge_grid(tmp_path: Path) -> None:
    protocol = {"sKSpace.lBaseResolution": 16384, "sKSpace.lPhaseEncodingLines": 16384}
    lines = readouts_of(oversampled_kspace(coil_images(blob((16, 16), (4, 11)), 2)))
    path = write_twix(tmp_path / "a.dat", Measurement(lines, protocol))
    refused(lambda: open_scan(path))
