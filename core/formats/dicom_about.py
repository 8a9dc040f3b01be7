"""What the header of a DICOM image tells about its series: who was scanned, how it is usually looked at, its name."""

from __future__ import annotations

import math
from typing import Any

from core.errors import ScanError
from core.formats.dicom_frames import Frame
from core.formats.dicom_unpack import Bounded
from core.formats.identity import Identity

Windows = tuple[tuple[str, float, float], ...]

_IDENTITY = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
    "study_uid": "StudyInstanceUID",
    "study_id": "StudyID",
    "study_date": "StudyDate",
    "study_time": "StudyTime",
    "study_description": "StudyDescription",
    "accession_number": "AccessionNumber",
    "referring_physician": "ReferringPhysicianName",
    "series_uid": "SeriesInstanceUID",
    "series_description": "SeriesDescription",
    "frame_of_reference_uid": "FrameOfReferenceUID",
    "modality": "Modality",
}
_WINDOWS = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation")
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_LONGEST = 1024
_LONGEST_NAME = 40
_MOST_WINDOWS = 8
_LEAST_LETTERS = 3


def header_of(frame: Frame) -> Any:
    """The tags that this module reads. Raises ScanError for a file that is not there any more."""
    import pydicom

    try:
        with Bounded(frame.file) as held:
            return pydicom.dcmread(
                held, stop_before_pixels=True, specific_tags=[*_IDENTITY.values(), *_WINDOWS, *_GROUPS]
            )
    except Exception as error:
        raise ScanError(f"{frame.file.name} cannot be read.", type(error).__name__, "Copy it again.") from error


def identity_of(header: Any) -> Identity:
    """Of the patient, the study and the series."""
    return Identity(**{name: _text(header.get(keyword))[:_LONGEST] for name, keyword in _IDENTITY.items()})


def description_of(header: Any) -> str:
    """The series' description, or "" where it names the patient."""
    text = _text(header.get("SeriesDescription"))[:_LONGEST_NAME].strip()
    return "" if _names_patient(header, text) else text


def _names_patient(header: Any, text: str) -> bool:
    names = _text(header.get("PatientName")).lower().replace("=", "^").replace(" ", "^").replace(",", "^").split("^")
    secrets = [*names, _text(header.get("PatientID")).lower(), _text(header.get("AccessionNumber")).lower()]
    return any(len(secret) >= _LEAST_LETTERS and secret in text.lower() for secret in secrets)


def windows_of(header: Any, number: int) -> Windows:
    """(name, width, level) of each window of a frame, in rescaled numbers (PS3.3 C.11.2.1.2, C.7.6.16.2.10)."""
    place = header
    for keyword, index in (("PerFrameFunctionalGroupsSequence", number), ("SharedFunctionalGroupsSequence", 0)):
        groups = header.get(keyword) or []
        inner = groups[index].get("FrameVOILUTSequence") if index < len(groups) else None
        if inner:
            place = inner[0]
            break
    levels, widths, names = (_several(place.get(keyword)) for keyword in _WINDOWS)
    found: list[tuple[str, float, float]] = []
    for index, (level, width) in enumerate(zip(levels, widths, strict=False)):
        try:
            pair = float(width), float(level)
        except (TypeError, ValueError):
            continue
        if not (math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[0] > 0) or any(w[1:] == pair for w in found):
            continue
        name = _text(names[index])[:_LONGEST_NAME].strip() if index < len(names) else ""
        found.append(("From the file" if not name or _names_patient(header, name) else name, *pair))
    return tuple(found[:_MOST_WINDOWS])


def _several(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if not isinstance(value, str) and hasattr(value, "__iter__") else [value]


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)
