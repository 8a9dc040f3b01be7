"""What a folder holds: series that lie mixed, volumes, raw scans, and everything else."""

from __future__ import annotations

import io
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
from PIL import Image

from core.errors import ScanError
from core.formats import folder
from core.formats.folder import contents, open_series
from tests.core.formats.dicom_writer import CORONAL, IDENTITY, Series, write_series
from tests.core.formats.test_dicom_packed import pack, phantom


@pytest.fixture
def mixed(tmp_path: Path) -> tuple[Path, Series, Series]:
    one = Series(phantom(4), modality="MR", intercept=0.0, extra={"SeriesDescription": "T2"})
    two = Series(phantom(2, 16, 18), direction=CORONAL, step=(0.0, 4.0, 0.0), extra={"SeriesDescription": IDENTITY})
    write_series(tmp_path / "m", one, [2, 0, 3, 1])
    for path in write_series(tmp_path / "m", two):
        pack(path, "JPEGLSLossless")
    nibabel.save(nibabel.Nifti1Image(phantom().T, np.diag([1, 1, 2, 1.0])), tmp_path / "m" / "head.nii.gz")
    nrrd.write(str(tmp_path / "m" / "brain.nrrd"), phantom().T)
    (tmp_path / "m" / "scan.hdr").write_text("# Dimensions\n8 8 1 2 1\n")
    np.zeros((2, 8, 8), np.complex64).tofile(tmp_path / "m" / "scan.cfl")
    (tmp_path / "m" / "stack").mkdir()
    (tmp_path / "m" / "stack" / "geometry.toml").write_text('geometry = "parallel"\n')
    (tmp_path / "m" / "notes.txt").write_text("words")
    (tmp_path / "m" / "empty.dcm").touch()
    (tmp_path / "m" / "damaged.nii").write_bytes(b"no volume")
    return tmp_path / "m", one, two


def test_everything_is_found_and_junk_is_not(mixed: tuple[Path, Series, Series]) -> None:
    path, one, two = mixed
    entries = contents(path)
    told = {entry.name: entry for entry in entries}
    assert set(told) == {
        "T2 axial, 4 images, 24 x 20, MR",
        "Coronal, 2 images, 18 x 16, CT",
        "head.nii.gz, 3 slices, 24 x 20, NIfTI",
        "brain.nrrd, 3 slices, 24 x 20, NRRD",
        "scan.cfl, raw data",
        "stack, TIFF projections",
    }
    assert [entry.kind for entry in entries] == ["series", "series", "volume", "volume", "scan", "scan"]
    assert "Doe" not in repr(entries)
    for name, series in (("T2 axial, 4 images, 24 x 20, MR", one), ("Coronal, 2 images, 18 x 16, CT", two)):
        entry = told[name]
        assert entry.count == len(entry.files) == len(series.array)
        found = open_series(entry).volume
        np.testing.assert_array_equal(np.sort(found.array, axis=0), series.array + int(series.intercept))
    assert open_series(told["head.nii.gz, 3 slices, 24 x 20, NIfTI"]).volume.array.shape == (3, 20, 24)
    with pytest.raises(ScanError, match="raw data"):
        open_series(told["scan.cfl, raw data"])


def test_small_pictures_show_left_on_the_left(mixed: tuple[Path, Series, Series]) -> None:
    for entry in contents(mixed[0]):
        if entry.kind == "scan":
            assert entry.thumbnail is None
            continue
        picture = entry.thumbnail
        assert picture.dtype == np.uint8
        assert max(picture.shape) == 96
        shown = open_series(entry).volume.array
        middle = shown[len(shown) // 2].astype(float)
        small = np.asarray(Image.fromarray(picture).resize(middle.shape[::-1]), dtype=float)
        alike, mirrored, upside_down = (
            np.corrcoef(middle.ravel(), other.ravel())[0, 1] for other in (small, small[:, ::-1], small[::-1])
        )
        assert alike > 0.8, entry.name
        assert alike > max(mirrored, upside_down) + 0.1, entry.name


def test_damaged_slices_are_counted(tmp_path: Path) -> None:
    paths = write_series(tmp_path, Series(phantom(4)))
    paths[1].write_bytes(paths[1].read_bytes()[:400])
    (entry,) = contents(tmp_path)
    assert entry.count == 3
    assert "1 damaged file left out" in entry.detail


def test_links_lead_nowhere_else_and_the_count_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    (path,) = write_series(outside, Series(phantom(1)))
    inside.mkdir()
    try:
        (inside / "link.dcm").symlink_to(path)
        (inside / "folder").symlink_to(outside)
    except OSError:
        pytest.skip("no links here")
    assert contents(inside) == ()
    monkeypatch.setattr(folder, "MOST_FILES", 2)
    write_series(inside, Series(phantom(3)))
    with pytest.raises(ScanError, match="more than 2 files"):
        contents(inside)
    with pytest.raises(ScanError, match="no folder"):
        contents(path)


def test_looking_can_be_stopped(mixed: tuple[Path, Series, Series]) -> None:
    told: list[tuple[str, int, int]] = []

    def tell(*state: object) -> None:
        told.append(state)
        if len(told) == 4:
            raise io.UnsupportedOperation

    with pytest.raises(io.UnsupportedOperation):
        contents(mixed[0], tell)
    assert [state[1] for state in told] == [0, 1, 2, 3]


def test_series_that_share_their_files_and_series_that_have_gone(tmp_path: Path) -> None:
    one = Series(phantom(2))
    paths = write_series(tmp_path, one)
    write_series(tmp_path, Series(phantom(1), direction=CORONAL, uid=one.uid, extra={"SOPClassUID": "1.2"}))
    entries = contents(tmp_path)
    assert len(entries) == 2
    for path in paths:
        path.unlink(missing_ok=True)
    gone = [entry for entry in entries if any(Path(file) in paths for file in entry.files)]
    for entry in gone:
        with pytest.raises(ScanError):
            open_series(entry)


def test_real_folder(real_data: Path) -> None:
    entries = contents(real_data / "volumes")
    kinds = [entry.kind for entry in entries]
    assert kinds.count("series") == 12
    assert kinds.count("volume") == 3
    assert all(entry.thumbnail is not None for entry in entries)
    head = next(entry for entry in entries if entry.count == 28)
    found = open_series(head).volume
    assert found.array.shape == (28, 512, 512)
    assert found.array.dtype == np.int16
