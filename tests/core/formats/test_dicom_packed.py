"""DICOM pixels in every packing there is an encoder for: what is read, and what damage does."""

from __future__ import annotations

from pathlib import Path

import gdcm
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import HEVCMP51, RLELossless

from core.errors import ScanError
from core.formats import dicom_pixels
from core.formats.volumes import open_volume
from tests.core.formats.dicom_writer import Series, write_enhanced, write_series

LOSSLESS = ("JPEGLosslessProcess14", "JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless")
LOSSY = ("JPEGBaselineProcess1", "JPEGExtendedProcess2_4", "JPEGLSNearLossless", "JPEG2000")


def phantom(slices: int = 3, rows: int = 20, columns: int = 24) -> np.ndarray:
    """Without symmetry: a slope to the right and down, one bright block near the upper left."""
    z, y, x = np.mgrid[:slices, :rows, :columns]
    array = 20 * x + 7 * y + 40 * z + 100
    array[:, 2:6, 3:9] += 900
    return array.astype(np.int16)


def pack(path: Path, name: str) -> None:
    """Pack the pixels of a file by GDCM; lossy kinds become unsigned and of 8 or 12 bits first."""
    dataset = pydicom.dcmread(path)
    if name in LOSSY:
        bits = 8 if name == "JPEGBaselineProcess1" else 12
        pixels = dataset.pixel_array // (8 if bits == 8 else 1)
        dataset.PixelData = pixels.astype("u1" if bits == 8 else "<u2").tobytes()
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (8 if bits == 8 else 16), bits, bits - 1
        dataset.PixelRepresentation = 0
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
        dataset.save_as(path)
    reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    beside = path.with_suffix(".packed")
    writer.SetFileName(str(beside))
    assert writer.Write()
    # Its writer gives the series another name; only the pixels are taken.
    made, dataset = pydicom.dcmread(beside), pydicom.dcmread(path)
    beside.unlink()
    dataset.file_meta.TransferSyntaxUID = made.file_meta.TransferSyntaxUID
    dataset["PixelData"] = made["PixelData"]
    dataset.PhotometricInterpretation = made.PhotometricInterpretation
    dataset.save_as(path)


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_kinds_give_every_number_back(tmp_path: Path, name: str) -> None:
    series = Series(phantom())
    for path in write_series(tmp_path, series, [2, 0, 1]):
        pack(path, name)
    found = open_volume(tmp_path).volume
    np.testing.assert_array_equal(found.array, series.array - 1024)
    assert found.array.dtype == np.int16
    np.testing.assert_allclose(found.affine[:3, 3], series.corner)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_kinds_come_close_and_left_stays_left(tmp_path: Path, name: str) -> None:
    series = Series(phantom(1, 32, 40), intercept=0.0, modality="MR")
    path = write_series(tmp_path, series)[0]
    pack(path, name)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    found = open_volume(path).volume.array.astype(float) * (8 if name == "JPEGBaselineProcess1" else 1)
    assert np.abs(found - series.array).mean() < 25
    assert found[0, 2:6, 3:9].mean() > found[0, 2:6, -9:-3].mean() + 300


def test_rle_is_read_without_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series = Series(phantom())
    for path in write_series(tmp_path, series):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    monkeypatch.setattr(dicom_pixels, "_elsewhere", None)
    np.testing.assert_array_equal(open_volume(tmp_path).volume.array, series.array - 1024)


def test_frames_of_one_packed_file_keep_their_order(tmp_path: Path) -> None:
    series = Series(phantom(4))
    path = write_enhanced(tmp_path / "e.dcm", series, [3, 0, 2, 1])
    pack(path, "JPEG2000Lossless")
    np.testing.assert_array_equal(open_volume(path).volume.array, series.array - 1024)


def test_a_kind_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = write_series(tmp_path, Series(phantom(1)))[0]
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = HEVCMP51
    dataset.PixelData = encapsulate([b"\x00\x00\x01\x40" * 10])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    with pytest.raises(ScanError, match=r"packed in a way .* HEVC"):
        open_volume(path)


def test_where_no_process_can_be_started_it_is_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_series(tmp_path, Series(phantom(1)))[0]
    pack(path, "JPEGLSLossless")
    monkeypatch.setattr(dicom_pixels, "_may_start_processes", lambda: False)
    np.testing.assert_array_equal(open_volume(path).volume.array, phantom(1) - 1024)


def test_a_decoder_that_breaks_down_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_series(tmp_path, Series(phantom(1)))[0]
    pack(path, "JPEGLSLossless")
    script = tmp_path / "crash.py"
    script.write_text("import os, sys\nsys.stdin.read()\nos.abort()\n")
    monkeypatch.setattr(dicom_pixels, "_SCRIPT", script)
    with pytest.raises(ScanError, match="breaks down"):
        open_volume(path)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packed")
    found = {}
    for name in ("JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless", "JPEGBaselineProcess1"):
        found[name] = write_series(folder / name, Series(phantom(1)))[0]
        pack(found[name], name)
    return found


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(["JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless", "JPEGBaselineProcess1"]),
    cut=st.floats(0.02, 1.0),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12),
)
def test_damage_ends_in_words_or_in_an_image(
    packed: dict[str, Path], name: str, cut: float, flips: list[tuple[float, int]]
) -> None:
    dataset = pydicom.dcmread(packed[name])
    frame = bytearray(next(generate_frames(dataset.PixelData, number_of_frames=1)))
    frame = frame[: max(2, int(len(frame) * cut))]
    for place, value in flips:
        frame[int(place * len(frame))] = value
    dataset.PixelData = encapsulate([bytes(frame)])
    path = packed[name].parent / "damaged" / "d.dcm"
    path.parent.mkdir(exist_ok=True)
    dataset.save_as(path)
    try:
        found = open_volume(path)
    except ScanError:
        pass
    else:
        assert found.volume.array.shape == (1, 20, 24)


def test_files_by_other_encoders() -> None:
    for name in ("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm"):
        path = Path(str(get_testdata_file(name, download=False)))
        whole = pydicom.dcmread(str(get_testdata_file("MR_small.dcm", download=False))).pixel_array
        frames = dicom_pixels.pixels_of(dicom_pixels_frames(path))
        np.testing.assert_array_equal(next(frames)[1], whole)
        frames.close()


def dicom_pixels_frames(path: Path) -> list:
    from core.formats.dicom_frames import frames_of

    return frames_of(path)
