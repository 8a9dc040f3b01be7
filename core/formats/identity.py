"""Who was scanned, when and where, as the source tells it: kept in memory for exports that ask for it, never shown,
logged or named unless the user wants it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Identity:
    """By DICOM PS3.3 C.7.1.1 (patient), C.7.2.1 (study), C.7.4.1 (frame of reference); "" where it is not told.

    Its repr tells nothing, so that it cannot reach a log.
    """

    patient_name: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    study_id: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    study_time: str = field(default="", repr=False)
    study_description: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    referring_physician: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    series_description: str = field(default="", repr=False)
    frame_of_reference_uid: str = field(default="", repr=False)
    modality: str = field(default="", repr=False)

    @property
    def known(self) -> bool:
        """The source tells who was scanned, or in which study."""
        return bool(self.patient_name or self.patient_id or self.study_uid)


_NAMES = {
    "patientname": "patient_name",
    "tpatientname": "patient_name",
    "patientid": "patient_id",
    "patientbirthdate": "birth_date",
    "patientbirthday": "birth_date",
    "patientgender": "sex",
    "studyinstanceuid": "study_uid",
    "studyid": "study_id",
    "studydate": "study_date",
    "studytime": "study_time",
    "studydescription": "study_description",
    "tstudydescription": "study_description",
    "accessionnumber": "accession_number",
    "referringphysicianname": "referring_physician",
    "frameofreferenceuid": "frame_of_reference_uid",
    "seriesinstanceuidroot": "series_uid",
}
"""What raw data calls it (ISMRMRD's subject and study information, twix protocols, fastMRI), in small letters."""


def identity_from(identifiers: dict[str, str]) -> Identity:
    """The identity that the identifiers of a scan tell; dates and times in digits alone, as DICOM has them."""
    told: dict[str, str] = {}
    for name, value in identifiers.items():
        known = _NAMES.get(name.lower().replace("_", ""))
        if known and not told.get(known):
            digits = known in ("birth_date", "study_date", "study_time")
            told[known] = "".join(c for c in value if c.isdigit() or c == ".") if digits else value
    return Identity(**told)
