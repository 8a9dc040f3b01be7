"""The XML header of ISMRMRD files, which fastMRI files carry too (ISMRMRD schema, ismrmrd.xsd)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from core.errors import ScanError

Triple = tuple[float, float, float]

_PROTON_HZ_PER_T = 42.577478518e6
_LARGEST = 1e15
_IDENTIFYING = ("subjectInformation", "studyInformation")
_IDENTIFYING_FIELDS = (
    "institutionName",
    "stationName",
    "deviceID",
    "deviceSerialNumber",
    "measurementID",
    "seriesDate",
)


@dataclass(frozen=True)
class Limits:
    """Range of a counter and the value at which k = 0."""

    minimum: int
    maximum: int
    centre: int


@dataclass(frozen=True)
class MrdEncoding:
    """One encoding. Matrices and fields of view (mm) are (x, y, z); a field of view of 0 is unknown."""

    matrix: tuple[int, int, int]
    field_of_view: Triple
    recon_matrix: tuple[int, int, int]
    recon_field_of_view: Triple
    limits: dict[str, Limits]
    trajectory: str
    multiband: int = 1

    @property
    def oversampling(self) -> float:
        """Factor by which the readout is oversampled, 1 or more."""
        full, kept = self.field_of_view[0], self.recon_field_of_view[0]
        if full <= 0 or kept <= 0:
            full, kept = self.matrix[0], self.recon_matrix[0]
        factor = full / kept if kept > 0 else 1.0
        return factor if 1.01 < factor <= 8 else 1.0

    @property
    def nx(self) -> int:
        """Samples of a whole readout without oversampling."""
        return max(round(self.matrix[0] / self.oversampling), 1)

    @property
    def image_field_of_view(self) -> Triple | None:
        """(x, y, z) mm of the image without readout oversampling, or None."""
        x, y, z = self.field_of_view
        if min(x, y) <= 0:
            return None
        depth = z if z > 0 else self.recon_field_of_view[2]
        return (x / self.oversampling, y, depth) if depth > 0 else None


@dataclass(frozen=True)
class MrdHeader:
    """What the readers need of the header."""

    encodings: tuple[MrdEncoding, ...]
    vendor: str = ""
    model: str = ""
    sequence: str = ""
    field_strength_t: float | None = None
    relative_noise_bandwidth: float = 1.0
    identifiers: dict[str, str] = field(default_factory=dict, repr=False)


def parse_header(xml: bytes | str) -> MrdHeader:
    """Read the header; unknown elements are passed over. Raises ScanError when it is no ISMRMRD header."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise ScanError(
            "The ISMRMRD header cannot be read.", f"Its XML is damaged ({error}).", "Export the scan again."
        ) from error
    if _name(root) != "ismrmrdHeader":
        raise ScanError("The header is not ISMRMRD's.", f"It begins with {_name(root)}.", "Export the scan again.")
    strength = _number(root, "acquisitionSystemInformation/systemFieldStrength_T", 0.0)
    if strength <= 0:
        strength = _number(root, "experimentalConditions/H1resonanceFrequency_Hz", 0.0) / _PROTON_HZ_PER_T
    sequence = _text(root, "sequenceParameters/sequence_type") or _text(root, "measurementInformation/sequenceName")
    return MrdHeader(
        encodings=tuple(_encoding(e) for e in root if _name(e) == "encoding"),
        vendor=_text(root, "acquisitionSystemInformation/systemVendor"),
        model=_text(root, "acquisitionSystemInformation/systemModel"),
        sequence=_text(root, "measurementInformation/protocolName") or sequence,
        field_strength_t=round(strength, 3) if 0.001 < strength < 100 else None,
        relative_noise_bandwidth=_number(root, "acquisitionSystemInformation/relativeReceiverNoiseBandwidth", 1.0),
        identifiers=dict(_identifiers(root)),
    )


def _encoding(element: ElementTree.Element) -> MrdEncoding:
    limits = {}
    for counter in next((e for e in element if _name(e) == "encodingLimits"), ()):
        low, high, centre = (round(_number(counter, n, 0.0)) for n in ("minimum", "maximum", "center"))
        limits[_name(counter)] = Limits(low, high, centre)
    factor = _number(element, "parallelImaging/multiband/multiband_factor", 1.0)
    return MrdEncoding(
        matrix=_matrix(element, "encodedSpace"),
        field_of_view=_field_of_view(element, "encodedSpace"),
        recon_matrix=_matrix(element, "reconSpace"),
        recon_field_of_view=_field_of_view(element, "reconSpace"),
        limits=limits,
        trajectory=_text(element, "trajectory").lower() or "cartesian",
        multiband=round(factor),
    )


def _matrix(element: ElementTree.Element, space: str) -> tuple[int, int, int]:
    x, y, z = (round(_number(element, f"{space}/matrixSize/{a}", 1.0)) for a in "xyz")
    if min(x, y, z) < 1 or max(x, y, z) > 2**16:
        raise ScanError(
            "The matrix in the header makes no sense.", f"{space} is {x} x {y} x {z}.", "Export the scan again."
        )
    return x, y, z


def _field_of_view(element: ElementTree.Element, space: str) -> Triple:
    x, y, z = (_number(element, f"{space}/fieldOfView_mm/{a}", 0.0) for a in "xyz")
    return x, y, z


def _identifiers(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for part in root:
        whole = _name(part) in _IDENTIFYING
        for element in part.iter():
            name = _name(element)
            if (whole or name in _IDENTIFYING_FIELDS) and element.text and element.text.strip():
                yield name, element.text.strip()


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _text(element: ElementTree.Element, path: str) -> str:
    """Text at a path of names, in whatever namespace; "" if there is none."""
    for step in path.split("/"):
        found = next((e for e in element if _name(e) == step), None)
        if found is None:
            return ""
        element = found
    return (element.text or "").strip()


def _number(element: ElementTree.Element, path: str, default: float) -> float:
    try:
        value = float(_text(element, path))
    except ValueError:
        return default
    return value if math.isfinite(value) and abs(value) < _LARGEST else default
