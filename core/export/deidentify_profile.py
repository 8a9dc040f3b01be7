"""What becomes of every attribute: the Basic Application Level Confidentiality Profile, DICOM PS3.15 table E.1-1."""

from __future__ import annotations

from enum import Enum
from functools import cache

EDITION = "2026c"
METHOD_CODES = {"profile": ("113100", "Basic Application Confidentiality Profile")}
SHIFTED_CODE = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
"""Code values and meanings of scheme DCM, PS3.16 CID 7050."""

_REPEATED = ((0x5000, 0xFF00), (0x6000, 0xFF00))
"""Curves and overlays, as (group, mask). An overlay without its bits is no valid one, so that all of it goes."""


class Action(Enum):
    """REMOVE X. EMPTY Z. DUMMY D. UID U: another one, the same wherever it stands. INSIDE: what it holds is gone
    through. A composite such as X/Z is what leaves a valid image whatever its type in the IOD: Z or D, but sequences
    that may be left out are."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    INSIDE = "U*"


_CODES = {
    "X_TAGS": Action.REMOVE,
    "Z_TAGS": Action.EMPTY,
    "X_Z_TAGS": Action.EMPTY,
    "D_TAGS": Action.DUMMY,
    "Z_D_TAGS": Action.DUMMY,
    "X_D_TAGS": Action.DUMMY,
    "X_Z_D_TAGS": Action.DUMMY,
    "U_TAGS": Action.UID,
    "X_Z_U_STAR_TAGS": Action.INSIDE,
}
_OPTIONAL = ("X_D_TAGS", "X_Z_D_TAGS", "X_Z_TAGS")


@cache
def actions() -> dict[int, Action]:
    """By tag (group << 16 | element), for all attributes that the table lists, but those of repeated groups."""
    return {tag: _CODES[name] for name in _CODES for tag in _tags(name)}


@cache
def optional() -> frozenset[int]:
    """The tags that the profile lets be left out where the IOD does."""
    return frozenset(tag for name in _OPTIONAL for tag in _tags(name))


def removed_as_a_group(tag: int) -> bool:
    """Private, a curve, or an overlay."""
    group = tag >> 16
    return group % 2 == 1 or any(group & mask == base for base, mask in _REPEATED)


def _tags(name: str) -> tuple[int, ...]:
    # The table is dicom-anonymizer's, made from the standard's page; its functions reach no nested sequences.
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c

    listed = [tag for tag in getattr(dicomfields_2026c, name) if len(tag) == 2]
    return tuple(group << 16 | element for group, element in listed)
