"""A reconstructed volume as a DICOM series: one file a slice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import core
from core.export import ExportError, writing
from core.export.dicom_about import About as About
from core.export.dicom_headers import (
    MODALITIES,
    PRIVATE_CREATOR,
    PRIVATE_GROUP,
    Export,
    add_pixels,
    add_place,
    check_geometry,
    header,
    new_export,
)
from core.export.dicom_pixels import Pixels, Scale, real_values, scale_for
from core.export.whole import write_whole_folder
from core.scan import Volume

ENDING = ".dcm"


def write(volume: Volume, folder: Path, *, about: About) -> tuple[Path, ...]:
    """Write the folder with 0001.dcm, 0002.dcm, ..., and give their paths; several stacks lie in stack-1, stack-2, ...

    Each stack is a series of its own, so that no two images of a series lie at one place. Classic MR or CT Image
    Storage: 16 bits with a rescale slope, of complex images the magnitude, of CT in HU whole numbers (see
    core.export.dicom_pixels), with window and real-world values. Every slice has its exact position, also of slices
    that lean. Where the patient's position is unknown it is a Secondary Capture without position and orientation, so
    that no reader can show left and right, and its comment says why. Patient and study are made up unless the identity
    is kept; the run card is in private block 0DD5 "DDS VIEWER", element 01.

    Raises ExportError, and then nothing is left behind: where rows and columns are not at right angles, for NaN, and
    for a folder that is there and holds anything but an earlier export.
    """
    if about.modality not in MODALITIES:
        raise ExportError(
            f"A {about.modality or 'nameless'} image is not written as DICOM.", "", "Write it as .nii.gz."
        )
    check_geometry(volume)
    values = real_values(volume)
    with writing(folder):
        check_own(folder)
        scale = scale_for(values, volume.unit)
        write_whole_folder(folder, lambda part: _write(volume, values, scale, new_export(about), part))
    return tuple(folder / name for name in _names(volume))


def check_own(folder: Path) -> None:
    """Raise ExportError unless nothing is there, or an empty folder, or one that holds exports of this program only."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_symlink() or not folder.is_dir() or not all(_own(path) for path in folder.rglob("*")):
        raise ExportError(
            f"{folder.name} is there already.", "It holds other files than an export's.", "Choose another name."
        )


def _own(path: Path) -> bool:
    import pydicom
    from pydicom.errors import InvalidDicomError

    if path.is_dir() and not path.is_symlink():
        return True
    tag = pydicom.tag.Tag(PRIVATE_GROUP, 0x10)
    try:
        found = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[tag])
    except (InvalidDicomError, OSError, ValueError, EOFError):
        return False
    return tag in found and found[tag].value == PRIVATE_CREATOR


def _names(volume: Volume) -> list[Path]:
    """Of all frames, in order."""
    slices = max(volume.slices, 1)
    stacks = len(volume.array) // slices
    names = [Path(f"{number + 1:04d}{ENDING}") for number in range(slices)]
    return names if stacks == 1 else [Path(f"stack-{s + 1}") / name for s in range(stacks) for name in names]


def _write(volume: Volume, values: Pixels, scale: Scale, export: Export, folder: Path) -> None:
    from pydicom.uid import generate_uid

    slices = max(volume.slices, 1)
    base: Any = None
    for index, name in enumerate(_names(volume)):
        stack, number = divmod(index, slices)
        if number == 0:
            base = header(export, volume, stack, str(generate_uid(prefix=None)))
            (folder / name).parent.mkdir(exist_ok=True)
        base.SOPInstanceUID = str(generate_uid(prefix=None))
        add_place(base, volume, number)
        add_pixels(base, scale.pack(values[index]), scale, volume.unit)
        save_dataset(base, folder / name)


def save_dataset(dataset: Any, path: Path) -> None:
    """Write a data set as a file in Explicit VR Little Endian (PS3.10)."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationVersionName = f"DDSVIEWER_{core.__version__}"[:16]
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
