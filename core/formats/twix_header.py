"""The protocol in the header of a twix measurement: the few entries that a reconstruction needs."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field

from core.formats.twix_layout import part_of_twixtools

_BUFFER = re.compile(rb"(\w{4,})\x00(.{4})", re.DOTALL)
_ENTRY = re.compile(r"^ ?([\w.\[\]]+) ?= ?(.*)$", re.MULTILINE)
_BLANKS = re.compile(r"[^\S\n]+")
_IDENTIFYING = (
    "tPatientName",
    "PatientName",
    "PatientID",
    "PatientBirthDay",
    "PatientLOID",
    "StudyLOID",
    "tStudyDescription",
    "InstitutionName",
    "InstitutionAddress",
    "DeviceSerialNumber",
    "FrameOfReference",
)


@dataclass(frozen=True)
class Protocol:
    """entries: MeasYaps, flat, such as "sKSpace.lBaseResolution": "160". system: the Dicom buffer's parameters."""

    entries: dict[str, str]
    system: dict[str, object]
    identifiers: dict[str, str] = field(default_factory=dict, repr=False)

    def number(self, name: str, default: float = 0.0) -> float:
        """A number of the protocol, or of the system; default where it is absent or no number."""
        value = self.entries.get(name, self.system.get(name))
        try:
            text = str(value)
            number = float(int(text, 16)) if text.lower().startswith("0x") else float(text)
        except ValueError:
            return default
        return number if math.isfinite(number) else default

    def text(self, name: str) -> str:
        value = self.entries.get(name, self.system.get(name, ""))
        return str(value).strip().strip('"').strip()


def parse_protocol(header: bytes) -> Protocol:
    """Read the header of a measurement; damaged parts are passed over."""
    buffers = _buffers(header)
    entries = {name: value.strip() for name, value in _ENTRY.findall(buffers.get("MeasYaps", ""))}
    system: dict[str, object] = {}
    identifiers: dict[str, str] = {}
    parse = part_of_twixtools("twixprot").parse_xprot
    for name in ("Meas", "Config", "Dicom"):
        values = parse(buffers.get(name, ""))
        system |= {k: v for k, v in values.items() if not isinstance(v, str) or v}
        identifiers |= {k: str(values[k]) for k in _IDENTIFYING if str(values.get(k, "")).strip()}
    return Protocol(entries, system, identifiers)


def _buffers(header: bytes) -> dict[str, str]:
    """The named texts of a header (length, count, then name, length and text of each)."""
    if len(header) < 8:
        return {}
    count = min(struct.unpack_from("<I", header, 4)[0], 64)
    found, position = {}, 8
    for _ in range(count):
        match = _BUFFER.search(header[position : position + 48])
        if match is None:
            break
        length = struct.unpack("<I", match.group(2))[0]
        start = position + match.end()
        # Long rows of blanks, which no header has, would keep the parsers busy for hours.
        found[match.group(1).decode("latin1")] = _BLANKS.sub(" ", header[start : start + length].decode("latin1"))
        position = start + length
    return found
