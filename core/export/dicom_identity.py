"""Who was scanned, in DICOM headers: told when that is asked for, taken out of every word otherwise."""

from __future__ import annotations

import re
import secrets
from dataclasses import fields
from typing import Any

from core.export.dicom_about import About
from core.formats.identity import Identity

ANONYMOUS = "Anonymous"
METHODS = ("Nothing of patient or study copied, new UIDs", "Names, paths and dates taken out of the run card")
OPTIONS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113111", "Retain Safe Private Option"),
)
"""PS3.16 CID 7050: descriptions are ours, and so is the one private block, which is the run card without identity."""

_NO_DAY = {"ContentDate": "19000101", "ContentTime": "000000"}
_REMOVED = "removed"
_WHERE = frozenset({"path", "created", "machine", "system"})
"""What a run card tells of the user's folders, clock and computer."""

_WHOLE_PATH = re.compile(r"[A-Za-z]:[\\/]|[\\/~]")
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s\"']+){2,}")
_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+")
_CODED = frozenset({"sex", "modality", "series_description", "study_description"})
"""What alone names nobody, and would tear holes into plain words."""

_LONGEST = 64
"""Characters of LO, PN and UI (PS3.5 6.2)."""


def add_patient(dataset: Any, about: About, pseudonym: str) -> None:
    """The Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1) but for the study's UID, and what was done."""
    told = about.identity if about.identified else Identity(patient_name=ANONYMOUS, patient_id=pseudonym)
    dataset.PatientName = words(told.patient_name, _LONGEST)
    dataset.PatientID = words(told.patient_id, _LONGEST)
    dataset.PatientBirthDate = _date(told.birth_date)
    dataset.PatientSex = told.sex.strip().upper() if told.sex.strip().upper() in ("M", "F", "O") else ""
    dataset.StudyDate, dataset.StudyTime = _date(told.study_date), _time(told.study_time)
    dataset.StudyID = words(told.study_id, 16)
    dataset.AccessionNumber = words(told.accession_number, 16)
    dataset.ReferringPhysicianName = words(told.referring_physician, _LONGEST)
    if told.study_description:
        dataset.StudyDescription = words(told.study_description, _LONGEST)
    add_method(dataset, about)


def add_method(dataset: Any, about: About) -> None:
    """Whether the identity was taken out, and how, as PS3.15 E.1.1 asks for it; dates of ours that an image must have
    are no day of the patient's."""
    dataset.PatientIdentityRemoved = "NO" if about.identified else "YES"
    if about.identified:
        return
    dataset.DeidentificationMethod = list(METHODS)
    dataset.DeidentificationMethodCodeSequence = [_code(*one) for one in OPTIONS]
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    for name, value in _NO_DAY.items():
        if dataset.get(name):
            setattr(dataset, name, value)


def _code(value: str, meaning: str) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def new_pseudonym() -> str:
    """A patient's id that tells nothing and is given to no other export."""
    return f"DDS-{secrets.token_hex(6)}"


def kept_uid(uid: str, about: About) -> str:
    """A UID of the source if it is to be kept and is one, else a new one (2.25, from a random UUID; PS3.5 B.2)."""
    from pydicom.uid import generate_uid

    # pydicom's own check logs what it was given.
    if about.identified and len(uid) <= _LONGEST and _UID.fullmatch(uid):
        return uid
    return str(generate_uid(prefix=None))


def words(text: str, longest: int) -> str:
    """Text that a string of DICOM may hold: in one line, without backslash, cut."""
    plain = "".join(" " if c == "\\" or not c.isprintable() else c for c in text)
    return " ".join(plain.split())[:longest].rstrip()


def without_identity(value: Any, about: About) -> Any:
    """Words, or a run card, as they may be told: unchanged with the identity, else without names, ids and paths."""
    if about.identified:
        return value
    return _cleaned(value, _names(about.identity))


def tells(text: str, identity: Identity) -> bool:
    """A name, id or date of an identity stands in a text."""
    names = _names(identity)
    return names is not None and names.search(text) is not None


def _cleaned(value: Any, names: re.Pattern[str] | None) -> Any:
    if isinstance(value, dict):
        return {_cleaned(k, names): _cleaned(v, names) for k, v in value.items() if k not in _WHERE}
    if isinstance(value, list | tuple):
        return [_cleaned(v, names) for v in value]
    if isinstance(value, str):
        text = _REMOVED if _WHOLE_PATH.match(value) else _PATH.sub(_REMOVED, value)
        return text if names is None else names.sub(_REMOVED, text)
    return value


def _names(identity: Identity) -> re.Pattern[str] | None:
    """Every field, and every word of the names, not as part of a longer word; None where nothing is known."""
    told = [str(getattr(identity, f.name)) for f in fields(identity) if f.name not in _CODED]
    parts = {text.strip() for text in told}
    for name in (identity.patient_name, identity.referring_physician):
        parts |= set(re.split(r"[\^=,\s]+", name))
    wanted = sorted((re.escape(p) for p in parts if len(p) > 1), key=len, reverse=True)
    if not wanted:
        return None
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(wanted)})(?![^\W_])", re.IGNORECASE)


def _date(text: str) -> str:
    digits = re.sub(r"[-./]", "", text.strip())
    return digits if re.fullmatch(r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", digits) else ""


def _time(text: str) -> str:
    digits = text.strip().replace(":", "")
    found = re.fullmatch(r"([01]\d|2[0-3])[0-5]\d[0-5]\d(\.\d{1,6})?", digits)
    return digits if found else ""
