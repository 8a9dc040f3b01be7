"""Writes small Siemens twix files, VB and VD, with twixtools' structures."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.formats.twix_layout import part_of_twixtools

_FIRST = 10240


@dataclass
class Readout:
    """data (channels, samples), flags by twixtools' names, counters (Lin, Sli ...) and fields of the scan header."""

    data: npt.NDArray[np.complexfloating]
    flags: tuple[str, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    channels: tuple[int, ...] = ()


@dataclass
class Measurement:
    readouts: list[Readout]
    protocol: dict[str, str | float] = field(default_factory=dict)
    system: str = ""
    ends: bool = True


PROTOCOL: dict[str, str | float] = {
    "sKSpace.lBaseResolution": 32,
    "sKSpace.lPhaseEncodingLines": 32,
    "sKSpace.lPartitions": 8,
    "sKSpace.ucDimension": "0x2",
    "sKSpace.ucTrajectory": "0x1",
    "sSliceArray.asSlice[0].dReadoutFOV": 320.0,
    "sSliceArray.asSlice[0].dPhaseFOV": 320.0,
    "sSliceArray.asSlice[0].dThickness": 5.0,
    "sRXSPEC.alDwellTime[0]": 30000,
    "tSequenceFileName": '"%SiemensSeq%\\\\gre"',
}

SYSTEM = """<XProtocol> {
  <ParamString."Manufacturer">  { "SIEMENS"  }
  <ParamString."ManufacturersModelName">  { "Prisma"  }
  <ParamDouble."flMagneticFieldStrength">  { <Precision> 6  2.89362  }
  <ParamDouble."flReadoutOSFactor">  { <Precision> 6  2.0  }
  <ParamString."tPatientName">  { "Doe^Jane"  }
  <ParamString."PatientID">  { "4711"  }
}
"""


def header_bytes(measurement: Measurement) -> bytes:
    lines = "".join(f"{k}\t = \t{v}\n" for k, v in (PROTOCOL | measurement.protocol).items())
    buffers = {
        "Config": "<XProtocol> { }\n",
        "Dicom": SYSTEM + measurement.system,
        "MeasYaps": f"### ASCCONV BEGIN ###\n{lines}\n### ASCCONV END ###\n",
    }
    body = b"".join(
        name.encode() + b"\0" + struct.pack("<I", len(text)) + text.encode("latin1") for name, text in buffers.items()
    )
    size = -(-(8 + len(body)) // 32) * 32
    return struct.pack("<II", size, len(buffers)) + body.ljust(size - 8, b"\0")


def _scan_header(readout: Readout, is_vd: bool, number: int) -> Any:
    structures = part_of_twixtools("mdh_def")
    head = structures.Scan_header() if is_vd else structures.VB17_header()
    channels, samples = np.atleast_2d(readout.data).shape
    head.SamplesInScan, head.UsedChannels, head.ScanCounter = samples, channels, number
    head.CenterCol = samples // 2
    for flag in readout.flags:
        head.EvalInfoMask |= 1 << structures.mask_dict[flag]
    for name, value in readout.counters.items():
        setattr(head.Counter, name, value)
    for name, value in readout.fields.items():
        target, _, part = name.partition(".")
        setattr(getattr(head, target), part, value) if part else setattr(head, target, value)
    place = head.SliceData
    place.SlicePos.Sag, place.SlicePos.Cor, place.SlicePos.Tra = readout.position
    place.Quaternion[:] = readout.quaternion
    return head


def readout_bytes(readout: Readout, is_vd: bool, number: int) -> bytes:
    structures = part_of_twixtools("mdh_def")
    data = np.atleast_2d(readout.data).astype("<c8")
    head = _scan_header(readout, is_vd, number)
    numbers = readout.channels or tuple(range(len(data)))
    if not is_vd:
        parts = []
        for channel, samples in zip(numbers, data, strict=True):
            head.ChannelId = channel
            parts.append(bytes(head) + samples.tobytes())
        return b"".join(parts)
    head.FlagsAndDMALength = 192 + len(data) * (32 + 8 * data.shape[1])
    return bytes(head) + b"".join(
        bytes(structures.Channel_header(ChannelId=channel)) + samples.tobytes()
        for channel, samples in zip(numbers, data, strict=True)
    )


def measurement_bytes(measurement: Measurement, is_vd: bool) -> bytes:
    parts = [header_bytes(measurement)]
    parts += [readout_bytes(r, is_vd, i + 1) for i, r in enumerate(measurement.readouts)]
    if measurement.ends:
        end = _scan_header(Readout(np.zeros((0, 16)), ("ACQEND",)), is_vd, len(measurement.readouts) + 1)
        end.FlagsAndDMALength = 352
        parts.append(bytes(end).ljust(352, b"\0"))
    return b"".join(parts)


def write_twix(path: Path, *measurements: Measurement, is_vd: bool = True) -> Path:
    if not is_vd:
        path.write_bytes(measurement_bytes(measurements[0], False))
        return path
    kind = part_of_twixtools("hdr_def").MultiRaidFileHeader
    index = np.zeros(1, kind)
    index["hdr"]["count_"] = len(measurements)
    body = b""
    for i, measurement in enumerate(measurements):
        stored = measurement_bytes(measurement, True)
        index["entry"]["off_"][0, i], index["entry"]["len_"][0, i] = _FIRST + len(body), len(stored)
        index["entry"]["patName_"][0, i] = b"Doe^Jane"
        body += stored + b"\0" * (-len(stored) % 512)
    path.write_bytes(index.tobytes().ljust(_FIRST, b"\0") + body)
    return path


def readouts_of(kspace: npt.NDArray[np.complexfloating], **changes: Any) -> list[Readout]:
    """One readout for every line of (coil, ky, kx) or (coil, kz, ky, kx), with equal changes to all."""
    volume = kspace if kspace.ndim == 4 else kspace[:, None]
    counters, fields = changes.pop("counters", {}), changes.pop("fields", {})
    centre = {"CenterLin": volume.shape[2] // 2, "CenterPar": volume.shape[1] // 2}
    return [
        Readout(
            volume[:, z, y],
            counters={"Lin": y, "Par": z} | counters,
            fields=centre | fields,
            **changes,
        )
        for z in range(volume.shape[1])
        for y in range(volume.shape[2])
    ]
