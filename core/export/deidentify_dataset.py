"""Takes who was scanned out of one DICOM data set, through all its sequences."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, MutableSequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import core
from core.export.deidentify_profile import (
    EDITION,
    METHOD_CODES,
    SHIFTED_CODE,
    Action,
    actions,
    optional,
    removed_as_a_group,
)
from core.export.dicom_identity import ANONYMOUS

_DATES, _TEXTS = ("DA", "DT", "TM"), ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "UR")
_DUMMIES: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), "ANONYMIZED"),
    **dict.fromkeys(("DS", "IS"), "0"),
    **dict.fromkeys(("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"), 0),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW"), b"\0\0"),
    **{"DA": "19000101", "TM": "000000", "DT": "19000101000000", "AS": "000Y", "UR": "http://removed.invalid"},
}
_PATIENT_ID, _OTHER_IDS, _ACCESSION, _ADMISSION = 0x00100020, 0x00101000, 0x00080050, 0x00380010
_IDS = (_PATIENT_ID, _OTHER_IDS, _ACCESSION, _ADMISSION)
_BORN = range(0x00100030, 0x00100036)
"""Birth dates and times: they are not part of what may be kept shifted."""
_SOP_CLASS = 0x00080016
_KEPT = (_SOP_CLASS, 0x00080005, 0x7FE00010, 0x7FE00008, 0x7FE00009)
_WELL_KNOWN = "1.2.840.10008."
"""Root of the standard's own UIDs, of classes and transfer syntaxes."""
_YEARS = 10
_LEAST_LETTERS, _MOST_DEPTH = 3, 32


@dataclass(frozen=True)
class Cover:
    """How identities are replaced. salt: two calls with the same one give the same UIDs and pseudonyms, and one that is
    not known cannot be undone. shift_dates: dates of a patient are all moved by as many days, and not taken out."""

    salt: bytes
    shift_dates: bool = False

    def uid(self, old: str) -> str:
        """The UID that takes the place of another (2.25, from a 128-bit number; PS3.5 B.2); the standard's own stay."""
        if not old or old.startswith(_WELL_KNOWN):
            return old
        number = int.from_bytes(self._digest(f"uid {old.strip()}")[:16], "big")
        # The bits of a random UUID, version 4.
        number = number & ~(0xF << 76) | 0x4 << 76
        return f"2.25.{number & ~(0x3 << 62) | 0x2 << 62}"

    def pseudonym(self, patient: str) -> str:
        """A patient's id that tells nothing."""
        return f"DDS-{self._digest(f'patient {patient}').hex()[:12]}"

    def days(self, patient: str) -> int:
        """By how much the dates of a patient move, into the past."""
        return -1 - int.from_bytes(self._digest(f"days {patient}")[:8], "big") % (365 * _YEARS)

    def _digest(self, about: str) -> bytes:
        return hmac.new(self.salt, about.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()


def cover_dataset(dataset: Any, cover: Cover) -> None:
    """Apply the profile to a data set of pydicom in place, at every depth; pixels and geometry are not touched.

    Beyond the table: attributes that the dictionary does not know go, names of persons and dates that it does not list
    are emptied, and words of a name or id are taken out of every text that stays. Preamble and file meta are made new.
    Raises what pydicom raises for values that cannot be read, and ValueError for sequences nested without end.
    """
    patient = f"{dataset.get('PatientID', '')}\n{dataset.get('PatientName', '')}"
    secrets = _secrets(dataset)
    _Walk(cover, cover.days(patient) if cover.shift_dates else None, secrets).through(dataset)
    dataset.PatientName, dataset.PatientID = ANONYMOUS, cover.pseudonym(patient)
    _add_method(dataset, cover)
    _renew_meta(dataset)


@dataclass(frozen=True)
class _Walk:
    cover: Cover
    days: int | None
    secrets: re.Pattern[str] | None

    def through(self, dataset: Any, depth: int = 0) -> None:
        from pydicom.datadict import dictionary_has_tag

        _check_depth(depth)
        for tag in list(dataset.keys()):
            number = int(tag)
            if number in _KEPT:
                continue
            if removed_as_a_group(number) or not dictionary_has_tag(number):
                del dataset[tag]
                continue
            self._take(dataset, dataset[tag], actions().get(number), depth)

    def _take(self, dataset: Any, element: Any, action: Action | None, depth: int) -> None:
        number, kind = int(element.tag), element.VR
        if self.days is not None and kind in _DATES and number not in _BORN:
            element.value = _shifted(element.value, kind, self.days)
        elif _goes(element, action):
            del dataset[element.tag]
        elif action is Action.EMPTY:
            _empty(element)
        elif action is Action.UID:
            element.value = _each(element.value, self.cover.uid)
        elif action is Action.DUMMY:
            self._replace(element, depth)
        elif kind == "SQ":
            for item in element.value:
                self.through(item, depth + 1)
        elif kind == "PN" or kind in _DATES:
            _empty(element)
        elif kind in _TEXTS and self.secrets is not None:
            element.value = _each(element.value, partial(_without, self.secrets))

    def _replace(self, element: Any, depth: int) -> None:
        """Something of the same kind that tells nothing; of a sequence, in all that it holds."""
        _check_depth(depth)
        if element.VR == "SQ":
            for item in element.value:
                self.through(item, depth + 1)
                for inner in list(item):
                    if inner.VR in _TEXTS or inner.VR in ("SQ", *_DATES):
                        self._replace(inner, depth + 1)
        elif element.VR == "UI":
            element.value = _each(element.value, self.cover.uid)
        else:
            element.value = _DUMMIES.get(element.VR)


def _goes(element: Any, action: Action | None) -> bool:
    """It is left out: what cannot be read, too, and sequences that the profile lets go."""
    if element.VR == "UN" or action is Action.REMOVE:
        return True
    return action in (Action.EMPTY, Action.DUMMY) and element.VR == "SQ" and int(element.tag) in optional()


def _check_depth(depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise ValueError("its sequences are nested too deep")


def _without(secrets: re.Pattern[str], text: str) -> str:
    return secrets.sub("", text).strip()


def _empty(element: Any) -> None:
    element.value = [] if element.VR == "SQ" else element.empty_value


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if value is None:
        return None
    if not _several(value):
        return change(str(value))
    return [change(str(one)) for one in value]


def _several(value: Any) -> bool:
    """A person's name can be gone through too, letter by letter."""
    return isinstance(value, MutableSequence)


def _shifted(value: Any, kind: str, days: int) -> Any:
    """A date, or date and time, moved; times of the day stay. What is no date is emptied."""
    return value if kind == "TM" else _each(value, lambda text: _moved(text, days))


def _moved(text: str, days: int) -> str:
    found = re.match(r"(\d{4})[.]?(\d\d)[.]?(\d\d)", text)
    try:
        moved = date(int(found[1]), int(found[2]), int(found[3])) + timedelta(days) if found else None
    except (ValueError, OverflowError):
        moved = None
    return "" if moved is None or found is None else f"{moved:%Y%m%d}".zfill(8) + text[found.end() :]


def _secrets(dataset: Any) -> re.Pattern[str] | None:
    """Every word of a person's name and every id in a data set, not as part of a longer word."""
    found: set[str] = set()
    for element in _leaves(dataset):
        if element.VR == "PN":
            for name in _texts(element):
                found |= set(re.split(r"[\^=,\s]+", name))
        elif int(element.tag) in _IDS:
            found |= {text.strip() for text in _texts(element)}
    wanted = sorted((re.escape(word) for word in found if len(word) >= _LEAST_LETTERS), key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(wanted)})(?![^\W_])", re.IGNORECASE) if wanted else None


def _leaves(dataset: Any, depth: int = 0) -> Iterator[Any]:
    _check_depth(depth)
    for tag in list(dataset.keys()):
        if int(tag) in _KEPT or removed_as_a_group(int(tag)):
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value:
                yield from _leaves(item, depth + 1)
        else:
            yield element


def _texts(element: Any) -> list[str]:
    value = element.value
    if value is None:
        return []
    return [str(one) for one in value] if _several(value) else [str(value)]


def _add_method(dataset: Any, cover: Cover) -> None:
    """What was done, as PS3.15 E.1.1 asks for it."""
    from core.export.dicom_headers import code

    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = [
        f"DICOM PS3.15 {EDITION} Basic Confidentiality Profile",
        "Dates shifted" if cover.shift_dates else "Dates removed",
        f"DDS Viewer {core.__version__}",
    ]
    used = [*METHOD_CODES.values(), *([SHIFTED_CODE] if cover.shift_dates else [])]
    dataset.DeidentificationMethodCodeSequence = [code(value, "DCM", meaning) for value, meaning in used]
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if cover.shift_dates else "REMOVED"


def _renew_meta(dataset: Any) -> None:
    """Preamble and file meta may tell who wrote and sent the file."""
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationVersionName = f"DDSVIEWER_{core.__version__}"[:16]
    dataset.file_meta, dataset.preamble = meta, b"\0" * 128
