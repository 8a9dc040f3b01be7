"""What a file names or links to is read from its own folder alone, and nothing is written anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import MediaStorageDirectoryStorage

from core.errors import ScanError, UserError
from core.formats import open_scan, project_file
from core.formats.folder import contents
from core.formats.volumes import open_volume
from tests.core.formats.dicom_writer import Series, write_series
from tests.core.formats.projections_writer import integrals, parallel, write_mha, write_rtk_xml, write_tiffs
from tests.core.formats.test_volumes import write_nrrd
from tests.core.formats.test_whole_arrays import bart_array, write_cfl
from tests.fuzz.judge import Watch

ARRAY = np.random.default_rng(0).normal(300, 100, (3, 5, 6)).astype(np.int16)
WATCH = Watch()


def outside(box: Path, file: Path) -> Path:
    """Move a file out of the box and leave a link to it."""
    away = box.parent / file.name
    file.rename(away)
    file.symlink_to(away)
    return file


def watched(box: Path, look: Callable[[], object], words: str) -> None:
    with WATCH.over(box) as seen, pytest.raises(UserError, match=words):
        look()
    assert not seen


def _rtk(folder: Path) -> Path:
    write_rtk_xml(folder / "a.xml", [{"GantryAngle": 0.0}], SourceToIsocenterDistance=200, SourceToDetectorDistance=300)
    return write_mha(folder / "a.mha", np.ones((1, 4, 8), np.float32), (1, 1, 1), (0, 0, 0))


class TestSecondFiles:
    """Of two files that belong together one may be chosen; a link may not lead from it elsewhere."""

    @pytest.mark.parametrize("second", ["scan.hdr", "scan.cfl"])
    def test_bart(self, tmp_path: Path, second: str) -> None:
        path = write_cfl(tmp_path, bart_array())
        box = _boxed(tmp_path)
        outside(box, box / second)
        first = path.name if second == "scan.hdr" else "scan.hdr"
        watched(box, lambda: open_scan(box / first), "link")

    @pytest.mark.parametrize("second", ["a.xml", "a.mha"])
    def test_rtk(self, tmp_path: Path, second: str) -> None:
        box = tmp_path / "box"
        box.mkdir()
        _rtk(box)
        outside(box, box / second)
        watched(
            box, lambda: open_scan(box / ("a.mha" if second == "a.xml" else "a.xml")), "link|no RTK geometry|cannot"
        )

    @pytest.mark.parametrize("name", ["a.raw", "../a.raw", "/etc/hostname", "LIST", "%02d.raw 1 3 1"])
    def test_numbers_of_nrrd(self, tmp_path: Path, name: str) -> None:
        box = tmp_path / "box"
        box.mkdir()
        path = write_nrrd(box / "a.nhdr", ARRAY, encoding="raw")
        outside(box, box / "a.raw")
        path.write_text(path.read_text().replace("data file: a.raw", f"data file: {name}"))
        watched(box, lambda: open_volume(path), "link|not beside")
        assert contents(box) == ()

    def test_numbers_of_metaimage(self, tmp_path: Path) -> None:
        box = tmp_path / "box"
        box.mkdir()
        path = _rtk(box)
        head, numbers = path.read_bytes().split(b"LOCAL\n")
        (box / "a.raw").write_bytes(numbers)
        path.write_bytes(head + b"a.raw\n")
        open_scan(path)
        outside(box, box / "a.raw")
        watched(box, lambda: open_scan(path), "link")

    def test_a_link_within_the_folder_is_followed(self, tmp_path: Path) -> None:
        path = write_cfl(tmp_path, bart_array())
        (tmp_path / "scan.hdr").rename(tmp_path / "other")
        (tmp_path / "scan.hdr").symlink_to("other")
        assert open_scan(path).coils == 3

    def test_pictures_of_projections(self, tmp_path: Path) -> None:
        data = integrals(parallel(20, 24))
        toml = 'geometry = "parallel"\nangles = { start = 0, step = 9, count = 20 }\npictures = "links/*.tif"\n'
        box = tmp_path / "box"
        write_tiffs(box, data, toml)
        (tmp_path / "away").mkdir()
        for path in box.glob("view*.tif"):
            path.rename(tmp_path / "away" / path.name)
        (box / "links").symlink_to(tmp_path / "away")
        watched(box, lambda: open_scan(box), "no TIFF files")
        (box / "links").unlink()
        (box / "links").mkdir()
        for path in (tmp_path / "away").glob("*.tif"):
            (box / "links" / path.name).symlink_to(path)
        watched(box, lambda: open_scan(box), "no TIFF files")
        for pattern in ("../away/*.tif", f"{tmp_path}/away/*.tif", "links/../../away/*.tif"):
            (box / "geometry.toml").write_text(toml.replace("links/*.tif", pattern))
            watched(box, lambda: open_scan(box), "pattern within the folder")


def _boxed(folder: Path) -> Path:
    box = folder / "box"
    box.mkdir()
    for path in list(folder.iterdir()):
        if path.is_file():
            path.rename(box / path.name)
    return box


class TestDicom:
    def test_slices_that_are_links_out_of_the_folder_are_not_read(self, tmp_path: Path) -> None:
        box = tmp_path / "box"
        paths = write_series(box, Series(ARRAY))
        outside(box, paths[1])
        for chosen in (box, paths[0]):
            with WATCH.over(box) as seen:
                assert open_volume(chosen).volume.array.shape[0] == 2
            assert not seen
        with WATCH.over(box) as seen:
            assert [entry.count for entry in contents(box)] == [2]
        assert not seen

    @pytest.mark.filterwarnings("ignore::UserWarning")
    @pytest.mark.parametrize("named", [["..", "outside.dcm"], ["/etc/hostname"], ["..\\outside.dcm"], ["A" * 64] * 8])
    def test_a_directory_of_dicom_leads_nowhere(self, tmp_path: Path, named: list[str]) -> None:
        box = tmp_path / "box"
        write_series(tmp_path, Series(ARRAY[:1]))[0].rename(tmp_path / "outside.dcm")
        box.mkdir()
        directory, record = Dataset(), Dataset()
        directory.file_meta = pydicom.dataset.FileMetaDataset()
        directory.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        directory.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        record.DirectoryRecordType = "IMAGE"
        record.add_new(0x00041500, "CS", named)
        directory.DirectoryRecordSequence = Sequence([record])
        directory.save_as(box / "DICOMDIR", enforce_file_format=True)
        watched(box, lambda: open_volume(box), "no DICOM images")
        watched(box, lambda: open_volume(box / "DICOMDIR"), "no DICOM images")
        assert contents(box) == ()


@pytest.mark.parametrize("kind", ["fifo", "device", "socket"])
def test_what_is_no_file_is_passed_over(tmp_path: Path, kind: str) -> None:
    """A pipe would be waited for without end, a device read without end."""
    import socket

    paths = write_series(tmp_path, Series(ARRAY))
    held = socket.socket(socket.AF_UNIX)
    if kind == "fifo":
        os.mkfifo(tmp_path / "a.dcm")
    elif kind == "device":
        (tmp_path / "a.dcm").symlink_to("/dev/zero")
    else:
        held.bind(os.path.relpath(tmp_path / "a.dcm"))
    with held:
        assert [entry.count for entry in contents(tmp_path)] == [3]
        for chosen in (tmp_path, paths[0]):
            assert open_volume(chosen).volume.array.shape[0] == 3
        for look in (open_scan, open_volume):
            with pytest.raises(ScanError):
                look(tmp_path / "a.dcm")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_a_project_with_any_name_are_not_written(tmp_path: Path) -> None:
    import stat
    import zipfile

    from core.export import project_file as writer

    box = tmp_path / "box"
    box.mkdir()
    path = box / "a.ddsproj"
    writer.write(path, {"scan": {}}, {"arrays/1.npy": np.ones((1, 2, 2), np.float32)})
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("../outside.txt", "/outside.txt", "..\\outside.txt", "project.json", "a/../../b"):
            archive.writestr(name, b"{}")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/hostname")
    before = sorted(tmp_path.rglob("*"))
    with WATCH.over(box) as seen, suppress(ScanError):
        project_file.read(path)
    assert not seen
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("named", ["../outside.safetensors", "/etc/hostname", ""])
def test_a_training_goes_on_from_its_own_folder_alone(tmp_path: Path, named: str) -> None:
    import json

    from core.priors.trainer import STATE_FILE, Trainer

    box = tmp_path / "box"
    box.mkdir()
    (tmp_path / "outside.safetensors").write_bytes(b"")
    (box / STATE_FILE).write_text(json.dumps({"step": 1, "tensors": named}))
    watched(box, lambda: Trainer.restore(object.__new__(Trainer), box), "cannot go on")
