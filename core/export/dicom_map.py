"""Maps of numbers beside an image (spread, difference, support) as DICOM Parametric Maps (PS3.3 A.75)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import core
from core.export import ExportError, writing
from core.export.dicom_about import About
from core.export.dicom_headers import (
    MAKER,
    MODALITIES,
    MODEL,
    UNITS,
    Export,
    add_origin,
    add_place,
    check_geometry,
    distance,
    header,
    new_export,
    orientation,
    position,
)
from core.export.dicom_identity import add_method, words
from core.export.dicom_pixels import Pixels, as_written, decimal, real_values
from core.export.dicom_series import ENDING, check_own
from core.export.whole import write_whole, write_whole_folder
from core.orientation import spacing_of
from core.scan import Volume

_TAKEN_OUT = (
    *("InstanceCreationDate", "InstanceCreationTime", "SeriesDate", "SeriesTime"),
    *("ContributionDateTime", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
)
"""Dates that no map must have."""

_SERIES_NUMBER = 9101


@dataclass(frozen=True)
class Shown:
    """What a map shows. label: 16 capital letters at most. words: of 64. unit: "" for that of the volume."""

    label: str
    words: str
    unit: str = ""


SPREAD = Shown("SPREAD", "Standard deviation of samples. Not a confidence interval.")
DIFFERENCE = Shown("DIFFERENCE", "Difference of two images, voxel by voxel.")
UNSEEN = Shown("UNSEEN", "What the measurement cannot see: filled in by the prior.")
SUPPORT = Shown("SUPPORT", "Share of each voxel that the measurement supports.", "1")


def write(volume: Volume, path: Path, *, about: About, shows: Shown, sources: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Write the file `path`, and give the paths written; of several stacks, stack-1.dcm, ... in a folder of that name.

    volume: whose array is the map, with the geometry of its image. 32-bit floating-point pixels as they are, with a
    real-world value mapping of slope 1 and the code of the unit. sources: files of the series that the map belongs to,
    as dicom_series.write gives them, one for each frame; the map joins their study and refers to them. Patient and
    study are made up unless the identity is kept or sources tell them.

    Raises ExportError, and then nothing is left behind: besides what dicom_series.write refuses, where the patient's
    position is unknown, because no map can do without.
    """
    if volume.affine is None:
        raise ExportError(
            "This map cannot be written as DICOM.",
            "It needs the patient's position, which is unknown.",
            "Write it as .nii.gz, .nrrd or .npy.",
        )
    if about.modality not in MODALITIES:
        raise ExportError(f"A {about.modality or 'nameless'} map is not written as DICOM.", "", "Write it as .nii.gz.")
    check_geometry(volume)
    slices = max(volume.slices, 1)
    if sources and len(sources) != len(volume.array):
        raise ExportError("The map does not fit its source.", f"{len(volume.array)} frames, {len(sources)} images.")
    values, export = real_values(volume), new_export(about)
    pieces = [slice(first, first + slices) for first in range(0, len(values), slices)]

    def one(piece: slice, part: Path) -> None:
        dataset = _map(replace(volume, array=values[piece]), export, shows, sources[piece])
        dataset.save_as(part, enforce_file_format=True)

    def all_in(folder: Path) -> None:
        for number, piece in enumerate(pieces):
            one(piece, folder / f"stack-{number + 1}{ENDING}")

    with writing(path):
        if len(pieces) == 1:
            write_whole(path, ENDING, lambda part: one(pieces[0], part))
            return (path,)
        check_own(path)
        write_whole_folder(path, all_in)
    return tuple(path / f"stack-{number + 1}{ENDING}" for number in range(len(pieces)))


def _map(volume: Volume, export: Export, shows: Shown, sources: Sequence[Path]) -> Any:
    """The data set of one stack."""
    import highdicom as hd
    import pydicom
    from pydicom.uid import generate_uid

    affine, about = volume.affine, export.about
    assert affine is not None
    templates = [pydicom.dcmread(source, stop_before_pixels=True) for source in sources]
    images = templates or _templates(volume, export)
    name = str(images[0].PatientName)
    # highdicom warns of a name without a caret, which is none of the user's business.
    images[0].PatientName = name if "^" in name else f"{name}^"
    x, y, _ = spacing_of(affine)
    apart = as_written(distance(affine))
    turned = [float(v) for v in orientation(affine)]
    places = [[as_written(v) for v in position(affine, number)] for number in range(len(volume.array))]
    dataset = hd.pm.ParametricMap(
        images,
        np.ascontiguousarray(volume.array, dtype=np.float32),
        str(generate_uid(prefix=None)),
        _SERIES_NUMBER,
        str(generate_uid(prefix=None)),
        1,
        MAKER,
        MODEL,
        core.__version__,
        "none",
        # A map of a head may show a face.
        True,
        [_mapping(volume, shows)],
        content_label=shows.label,
        content_description=words(shows.words, 64),
        pixel_measures=hd.PixelMeasuresSequence([as_written(y), as_written(x)], apart, apart),
        plane_orientation=hd.PlaneOrientationSequence("PATIENT", turned),
        plane_positions=[hd.PlanePositionSequence("PATIENT", place) for place in places],
        voi_lut_transformations=[_window(volume.array)],
    )
    dataset.PatientName = name
    _finish(dataset, about, shows, linked=bool(templates))
    return dataset


def _templates(volume: Volume, export: Export) -> list[Any]:
    """Headers of the images that the map lies on, never written."""
    from pydicom.uid import generate_uid

    made = []
    series_uid = str(generate_uid(prefix=None))
    for number in range(len(volume.array)):
        dataset = header(export, volume, 0, series_uid)
        dataset.SOPInstanceUID = str(generate_uid(prefix=None))
        dataset.Rows, dataset.Columns = volume.array.shape[1:]
        add_place(dataset, volume, number)
        made.append(dataset)
    return made


def _finish(dataset: Any, about: About, shows: Shown, *, linked: bool) -> None:
    """What highdicom leaves to its caller; without sources it must not refer to images that nobody has."""
    for name in _TAKEN_OUT:
        if name in dataset:
            delattr(dataset, name)
    if not linked:
        for name in (
            "SourceImageSequence",
            "ReferencedSeriesSequence",
            "StudiesContainingOtherReferencedInstancesSequence",
        ):
            if name in dataset:
                delattr(dataset, name)
        for frame in (*dataset.SharedFunctionalGroupsSequence, *dataset.PerFrameFunctionalGroupsSequence):
            if "DerivationImageSequence" in frame:
                del frame.DerivationImageSequence
    add_origin(dataset, about, placed=True)
    dataset.SeriesDescription = words(f"{shows.label.capitalize()}: {dataset.SeriesDescription}", 64)
    add_method(dataset, about)


def _mapping(volume: Volume, shows: Shown) -> Any:
    import highdicom as hd

    low, high = float(volume.array.min()), float(volume.array.max())
    value, meaning = UNITS.get(shows.unit or volume.unit, UNITS["a.u."])
    unit = hd.sr.CodedConcept(value, "UCUM", meaning)
    return hd.pm.RealWorldValueMapping(shows.label, words(shows.words, 64), unit, (low, high), slope=1.0, intercept=0.0)


def _window(values: Pixels) -> Any:
    import highdicom as hd

    low, high = float(values.min()), float(values.max())
    centre, width = decimal((low + high) / 2), decimal(high - low or 1.0)
    return hd.VOILUTTransformation(window_center=float(centre), window_width=float(width))
