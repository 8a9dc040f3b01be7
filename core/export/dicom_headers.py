"""The headers of DICOM images that were made from scans: MR and CT Image Storage, and Secondary Capture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import core
from core.export import ExportError
from core.export.dicom_about import About
from core.export.dicom_identity import add_patient, kept_uid, new_pseudonym, without_identity, words
from core.export.dicom_pixels import Pixels, Scale, as_written, decimal
from core.export.picture import NOTICE
from core.orientation import Affine, spacing_of
from core.scan import Volume

MODALITIES = ("MR", "CT")
MAKER, MODEL = "DDS Viewer", "DDS Viewer"
PRIVATE_GROUP, PRIVATE_CREATOR = 0x0DD5, "DDS VIEWER"
"""Element 01 of its block: the run card as JSON, UT."""

SIMULATED = "Simulated: no scanner made this."
UNPLACED = "Where the patient lies is unknown: no side of this image may be called left or right."
UNITS = {
    "HU": ("[hnsf'U]", "Hounsfield unit"),
    "1/mm": ("/mm", "per millimeter"),
    "a.u.": ("[arb'U]", "arbitrary unit"),
    "1": ("1", "no units"),
}
"""Codes of UCUM by the unit of a volume."""

_SERIES_FROM = 9001
"""Far from the numbers that scanners give, should the study be kept."""

_UNPAIRED = {
    *("HEAD", "BRAIN", "SKULL", "NECK", "CHEST", "HEART", "ABDOMEN", "LIVER", "PELVIS", "PROSTATE"),
    *("SPINE", "CSPINE", "TSPINE", "LSPINE"),
}
"""Parts of the body that there is one of; of all others a header must tell, or leave open, which side it shows."""

_SQUARE = 1e-4
_LARGEST = 2**16 - 1


@dataclass(frozen=True)
class Export:
    """What all files of one export share."""

    about: About
    study_uid: str
    frame_of_reference_uid: str
    pseudonym: str


@dataclass(frozen=True)
class _Kind:
    storage: str
    third_of_image_type: str
    add: Callable[[Any], None]


def new_export(about: About) -> Export:
    """New UIDs and a new pseudonym; those of the source where its identity is kept."""
    study = kept_uid(about.identity.study_uid, about)
    return Export(about, study, kept_uid(about.identity.frame_of_reference_uid, about), new_pseudonym())


def check_geometry(volume: Volume) -> None:
    """Raise ExportError for an image that no DICOM slices can hold."""
    affine = volume.affine
    if max(volume.array.shape[-2:]) > _LARGEST:
        raise ExportError("This image is too large for DICOM.", f"It has {volume.array.shape[-2:]} pixels.", "Crop it.")
    if affine is None:
        return
    lengths = spacing_of(affine)
    if not np.isfinite(affine).all() or min(lengths) <= 0:
        raise ExportError("The geometry of this image is damaged.", "A voxel has no size.", "Write it as .npy.")
    across = float(affine[:3, 0] @ affine[:3, 1]) / (lengths[0] * lengths[1])
    if abs(across) > _SQUARE:
        raise ExportError(
            "The rows and columns of this image are not at right angles.",
            "DICOM has no way to tell that.",
            "Write it as .nii.gz or .nrrd, which have.",
        )


def header(export: Export, volume: Volume, stack: int, series_uid: str) -> Any:
    """All of an image's header but its pixels, place and number; PS3.3 A.3, A.4 and A.8.1.

    Without a known position it is a Secondary Capture, which need not tell one.
    """
    from pydicom.dataset import Dataset

    about, placed = export.about, volume.affine is not None
    kind = _kinds()[about.modality] if placed else _Kind(_secondary_capture(), "", _add_secondary_capture)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = kind.storage
    dataset.ImageType = [part for part in ("DERIVED", "SECONDARY", kind.third_of_image_type) if part]
    dataset.Modality = about.modality
    add_patient(dataset, about, export.pseudonym)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = export.study_uid, series_uid
    dataset.SeriesNumber, dataset.AcquisitionNumber = _SERIES_FROM + stack, 1
    dataset.PatientPosition = ""
    if placed:
        dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = export.frame_of_reference_uid, ""
    kind.add(dataset)
    add_origin(dataset, about, placed)
    stacks = len(volume.array) // max(volume.slices, 1)
    if stacks > 1:
        dataset.SeriesDescription = words(f"{stack + 1} of {stacks}: {dataset.SeriesDescription}", 64)
    return dataset


def add_origin(dataset: Any, about: About, placed: bool) -> None:
    """Who made this, of what and how: equipment, derivation, comments, run card (PS3.3 C.7.5.1, C.7.6.1, C.12.1)."""
    from pydicom.dataset import Dataset

    dataset.Manufacturer, dataset.ManufacturerModelName = MAKER, MODEL
    dataset.SoftwareVersions = core.__version__
    method = words(without_identity(about.description, about), 1024)
    dataset.SeriesDescription = words(method or "Reconstruction", 64)
    dataset.DerivationDescription = method or "Reconstructed from raw data"
    anatomy = words(without_identity(about.anatomy, about), 16).upper()
    if anatomy and all(c.isascii() and (c.isalnum() or c in " _") for c in anatomy):
        dataset.BodyPartExamined = anatomy
    if anatomy not in _UNPAIRED:
        dataset.Laterality = ""
    said = [NOTICE, SIMULATED if about.simulated else "", "" if placed else UNPLACED]
    dataset.ImageComments = " ".join(sentence for sentence in said if sentence)
    if about.simulated:
        dataset.SyntheticData = "YES"
    dataset.BurnedInAnnotation, dataset.LossyImageCompression = "NO", "00"
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [code("109102", "DCM", "Processing Equipment")]
    equipment.Manufacturer, equipment.ManufacturerModelName = MAKER, MODEL
    equipment.SoftwareVersions = core.__version__
    equipment.ContributionDescription = dataset.DerivationDescription
    dataset.ContributingEquipmentSequence = [equipment]
    card = json.dumps(without_identity(about.card, about), sort_keys=True)
    dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True).add_new(0x01, "UT", card)


def add_place(dataset: Any, volume: Volume, number: int) -> None:
    """Image Plane and number of a slice, counted from 0 (PS3.3 C.7.6.2). Each slice tells its own exact position."""
    affine = volume.affine
    dataset.InstanceNumber = number + 1
    x, y, z = volume.spacing_mm if affine is None else (*spacing_of(affine)[:2], distance(affine))
    dataset.PixelSpacing = [decimal(y), decimal(x)]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = decimal(z)
    if affine is not None:
        dataset.ImageOrientationPatient = orientation(affine)
        dataset.ImagePositionPatient = [decimal(v) for v in position(affine, number)]
    else:
        dataset.PatientOrientation = ""


def orientation(affine: Affine) -> list[str]:
    """Direction cosines of a row and of a column."""
    return [decimal(v) for axis in (0, 1) for v in affine[:3, axis] / np.linalg.norm(affine[:3, axis])]


def position(affine: Affine, number: int) -> Pixels:
    """Of the first pixel of a slice, LPS mm."""
    return np.asarray(affine[:3, 3] + number * affine[:3, 2])


def distance(affine: Affine) -> float:
    """From slice to slice along their normal, mm; of leaning slices that is less than the step."""
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    return abs(float(affine[:3, 2] @ normal)) / float(np.linalg.norm(normal))


def add_pixels(dataset: Any, pixels: Pixels, scale: Scale, unit: str) -> None:
    """Image Pixel, Modality LUT, VOI LUT and Real World Value Mapping (PS3.3 C.7.6.3, C.11.1-2, C.7.6.16.2.11)."""
    signed = scale.stored.kind == "i"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(signed)
    dataset.RescaleSlope, dataset.RescaleIntercept = decimal(scale.slope), decimal(scale.intercept)
    dataset.RescaleType = "HU" if unit == "HU" else "US"
    dataset.WindowCenter, dataset.WindowWidth = (decimal(v) for v in scale.window)
    dataset.RealWorldValueMappingSequence = [_mapping(scale, unit, "SS" if signed else "US")]
    dataset.add_new("PixelData", "OW", pixels.tobytes())


def _mapping(scale: Scale, unit: str, kind: str) -> Any:
    from pydicom.dataset import Dataset

    item, limits = Dataset(), np.iinfo(scale.stored)
    item.LUTExplanation, item.LUTLabel = f"Value in {unit}", words(unit, 16)
    item.add_new("RealWorldValueFirstValueMapped", kind, int(limits.min))
    item.add_new("RealWorldValueLastValueMapped", kind, int(limits.max))
    item.RealWorldValueIntercept, item.RealWorldValueSlope = as_written(scale.intercept), as_written(scale.slope)
    item.MeasurementUnitsCodeSequence = [code(*_unit(unit))]
    return item


def _unit(unit: str) -> tuple[str, str, str]:
    value, meaning = UNITS.get(unit, UNITS["a.u."])
    return value, "UCUM", meaning


def code(value: str, scheme: str, meaning: str) -> Any:
    """One item of a code sequence."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _kinds() -> dict[str, _Kind]:
    from pydicom.uid import CTImageStorage, MRImageStorage

    return {"MR": _Kind(MRImageStorage, "OTHER", _add_mr), "CT": _Kind(CTImageStorage, "AXIAL", _add_ct)}


def _secondary_capture() -> str:
    from pydicom.uid import SecondaryCaptureImageStorage

    return str(SecondaryCaptureImageStorage)


def _add_mr(dataset: Any) -> None:
    """What an MR image must have (PS3.3 C.8.3.1); a sequence is not told where it is not known."""
    dataset.ScanningSequence, dataset.SequenceVariant = "RM", "NONE"
    dataset.ScanOptions = dataset.MRAcquisitionType = ""
    dataset.RepetitionTime = dataset.EchoTime = dataset.EchoTrainLength = None


def _add_ct(dataset: Any) -> None:
    """What a CT image must have (PS3.3 C.8.2.1)."""
    dataset.KVP = None


def _add_secondary_capture(dataset: Any) -> None:
    """What a picture from a workstation must have (PS3.3 C.8.6.1)."""
    dataset.ConversionType = "WSD"
