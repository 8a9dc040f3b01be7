"""Writes small DICOM series."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

IDENTITY = "Doe^Jane"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


@dataclass
class Series:
    """What the tests vary. array: whole numbers (slice, row, column). steps: (3,) mm from slice to slice."""

    array: npt.NDArray[np.int16]
    direction: tuple[float, ...] = AXIAL
    corner: tuple[float, float, float] = (-20.0, -30.0, 40.0)
    step: tuple[float, float, float] = (0.0, 0.0, 3.0)
    spacing: tuple[float, float] = (1.5, 1.2)
    modality: str = "CT"
    slope: float = 1.0
    intercept: float = -1024.0
    places: list[float] | None = None
    uid: UID = field(default_factory=generate_uid)
    extra: dict[str, Any] = field(default_factory=dict)

    def place(self, index: int) -> list[float]:
        """Of the first pixel of a slice; `places` counts in steps."""
        along = index if self.places is None else self.places[index]
        return [float(v) for v in np.add(self.corner, np.multiply(along, self.step))]


def write_series(folder: Path, series: Series, order: list[int] | None = None) -> list[Path]:
    """One file a slice; file names and instance numbers follow `order`, positions do not."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, index in enumerate(order if order is not None else range(len(series.array))):
        dataset = _image(series, series.array[index], CTImageStorage)
        dataset.InstanceNumber = name + 1
        dataset.ImagePositionPatient = series.place(index)
        dataset.ImageOrientationPatient = list(series.direction)
        dataset.PixelSpacing = list(series.spacing)
        dataset.SliceThickness = 5.0
        dataset.RescaleSlope, dataset.RescaleIntercept = series.slope, series.intercept
        for keyword, value in series.extra.items():
            setattr(dataset, keyword, value)
        paths.append(folder / f"{series.uid[-6:]}_{name:03d}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(path: Path, series: Series, order: list[int]) -> Path:
    """One multi-frame file; shared: directions, spacing and rescale; per frame: positions."""
    dataset = _image(series, series.array[order], EnhancedCTImageStorage)
    dataset.NumberOfFrames = len(order)
    shared, orientation, measures, values = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(series.direction)
    measures.PixelSpacing, measures.SliceThickness = list(series.spacing), 3.0
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = series.slope, series.intercept, "HU"
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([values])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for index in order:
        frame, plane = Dataset(), Dataset()
        plane.ImagePositionPatient = series.place(index)
        frame.PlanePositionSequence = Sequence([plane])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _image(series: Series, pixels: npt.NDArray[np.int16], kind: UID) -> Dataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.PatientID = IDENTITY, "4711"
    dataset.SeriesInstanceUID, dataset.Modality = series.uid, series.modality
    dataset.BodyPartExamined = "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.PixelData = np.ascontiguousarray(pixels, dtype="<i2").tobytes()
    return dataset
