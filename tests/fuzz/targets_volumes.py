"""Image volumes, alone and as a folder shows them: see tests.fuzz.targets."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from core.errors import ScanError
from core.formats.folder import contents, open_series
from core.formats.volumes import open_volume
from core.priors.volumes import read_volume
from tests.core.formats.dicom_writer import Series, write_enhanced, write_series
from tests.core.formats.test_dicom_packed import pack
from tests.core.formats.test_volumes import LPS, write_nifti, write_nrrd
from tests.fuzz.damage import in_dicom, in_gzip, in_zip, text
from tests.fuzz.targets import Target

ARRAY = np.random.default_rng(0).normal(300, 100, (3, 5, 6)).astype(np.int16)


def _open(path: Path) -> None:
    """As the window does, in a folder, and to learn from."""
    try:
        open_volume(path)
    finally:
        for entry in contents(path.parent):
            try:
                open_series(entry)
            except ScanError:
                continue
        with suppress(ScanError):
            read_volume(path)


def _detached(path: Path) -> None:
    _open(path.with_suffix(".nhdr"))


def _nifti_2(folder: Path) -> Path:
    image = nibabel.Nifti2Image(ARRAY.T, LPS)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"none"))
    nibabel.save(image, folder / "a.nii")
    return folder / "a.nii"


def _nhdr(folder: Path) -> Path:
    return write_nrrd(folder / "a.nhdr", ARRAY, encoding="raw")


def _dicom(folder: Path, **extra: Any) -> Path:
    return write_series(folder, Series(ARRAY[:1], extra={"WindowCenter": 40, "WindowWidth": 400, **extra}))[0]


def _packed(folder: Path, name: str) -> Path:
    path = write_series(folder, Series(np.tile(ARRAY[:1], (1, 8, 8))))[0]
    pack(path, name)
    return path


def _rle(folder: Path) -> Path:
    import pydicom
    from pydicom.uid import RLELossless

    path = _dicom(folder)
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.save_as(path)
    return path


def _deflated(folder: Path) -> Path:
    import pydicom
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    path = _dicom(folder)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    return path


def _npy(folder: Path) -> Path:
    np.save(folder / "a.npy", ARRAY)
    return folder / "a.npy"


def _npz(folder: Path) -> Path:
    np.savez_compressed(folder / "a.npz", a=ARRAY, b=np.zeros(3))
    return folder / "a.npz"


_HEAD = partial(text, reach=600)

TARGETS = (
    Target("nifti", lambda f: write_nifti(f / "a.nii", ARRAY), _open),
    Target("nifti-2", _nifti_2, _open),
    Target("nifti-gz", lambda f: write_nifti(f / "a.nii.gz", ARRAY), _open, (in_gzip(partial(text, reach=400)),)),
    Target("nrrd", lambda f: write_nrrd(f / "a.nrrd", ARRAY, encoding="raw"), _open, (_HEAD, _HEAD)),
    Target("nrrd-gzip", lambda f: write_nrrd(f / "a.nrrd", ARRAY, encoding="gzip"), _open, (_HEAD, _HEAD)),
    Target("nrrd-bzip2", lambda f: write_nrrd(f / "a.nrrd", ARRAY, encoding="bzip2"), _open, (_HEAD, _HEAD)),
    Target("nrrd-detached", _nhdr, _detached, (_HEAD, _HEAD)),
    Target("dicom", _dicom, _open, (in_dicom, in_dicom)),
    Target("dicom-enhanced", lambda f: write_enhanced(f / "a.dcm", Series(ARRAY), [0, 1, 2]), _open, (in_dicom,)),
    Target("dicom-rle", _rle, _open, (in_dicom,)),
    Target("dicom-deflated", _deflated, _open, (in_dicom,)),
    Target("dicom-jpeg", partial(_packed, name="JPEGLosslessProcess14_1"), _open, (in_dicom,)),
    Target("dicom-jpegls", partial(_packed, name="JPEGLSLossless"), _open, (in_dicom,)),
    Target("dicom-jpeg2000", partial(_packed, name="JPEG2000Lossless"), _open, (in_dicom,)),
    Target("volume-npy", _npy, _open, (partial(text, reach=128),)),
    Target("volume-npz", _npz, _open, (in_zip(partial(text, reach=128)),)),
)
