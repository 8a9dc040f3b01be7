"""Writes small ISMRMRD files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import ismrmrd
import numpy as np
import numpy.typing as npt

from tests.core.formats.phantom import ComplexArray

HEADER = """<?xml version="1.0"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
  <subjectInformation><patientName>Doe^Jane</patientName><patientID>4711</patientID></subjectInformation>
  <measurementInformation><protocolName>gre_test</protocolName></measurementInformation>
  <acquisitionSystemInformation>
    <systemVendor>{vendor}</systemVendor><systemModel>Magnet</systemModel>
    <systemFieldStrength_T>2.9</systemFieldStrength_T><institutionName>Clinic</institutionName>
  </acquisitionSystemInformation>
  <experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions>
  {encodings}
</ismrmrdHeader>"""

ENCODING = """<encoding>
    <encodedSpace><matrixSize><x>{ex}</x><y>{ey}</y><z>{ez}</z></matrixSize>
      <fieldOfView_mm><x>{fx}</x><y>{fy}</y><z>{fz}</z></fieldOfView_mm></encodedSpace>
    <reconSpace><matrixSize><x>{rx}</x><y>{ry}</y><z>{ez}</z></matrixSize>
      <fieldOfView_mm><x>{rfx}</x><y>{fy}</y><z>{fz}</z></fieldOfView_mm></reconSpace>
    <encodingLimits>
      <kspace_encoding_step_1><minimum>0</minimum><maximum>{last_y}</maximum><center>{cy}</center>
      </kspace_encoding_step_1>
      <kspace_encoding_step_2><minimum>0</minimum><maximum>{last_z}</maximum><center>{cz}</center>
      </kspace_encoding_step_2>
    </encodingLimits>
    <trajectory>{trajectory}</trajectory>
    {extra}
  </encoding>"""


@dataclass
class Header:
    """What the tests vary. matrix and recon are (x, y, z) of the encoded and (x, y) of the reconstructed space."""

    matrix: tuple[int, int, int] = (64, 32, 1)
    recon: tuple[int, int] = (32, 32)
    field_of_view: tuple[float, float, float] = (640.0, 320.0, 5.0)
    recon_width: float = 320.0
    centre: tuple[int, int] = (16, 0)
    trajectory: str = "cartesian"
    vendor: str = "Maker"
    extra: str = ""
    encodings: int = 1

    def xml(self) -> str:
        one = ENCODING.format(
            ex=self.matrix[0],
            ey=self.matrix[1],
            ez=self.matrix[2],
            rx=self.recon[0],
            ry=self.recon[1],
            fx=self.field_of_view[0],
            fy=self.field_of_view[1],
            fz=self.field_of_view[2],
            rfx=self.recon_width,
            last_y=self.matrix[1] - 1,
            last_z=self.matrix[2] - 1,
            cy=self.centre[0],
            cz=self.centre[1],
            trajectory=self.trajectory,
            extra=self.extra,
        )
        return HEADER.format(vendor=self.vendor, encodings=one * self.encodings)


@dataclass
class Line:
    """One acquisition: data (coils, samples), flags by ISMRMRD's names, header fields, counters."""

    data: npt.NDArray[np.complexfloating]
    flags: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

    def acquisition(self) -> ismrmrd.Acquisition:
        data = np.ascontiguousarray(self.data, dtype=np.complex64)
        defaults = {"center_sample": data.shape[1] // 2, "sample_time_us": 5.0}
        made = ismrmrd.Acquisition.from_array(data)
        for name, value in (defaults | self.fields).items():
            if isinstance(value, int | float):
                setattr(made, name, value)
            else:
                getattr(made, name)[:] = value
        for name, value in self.counters.items():
            setattr(made.idx, name, value)
        for flag in self.flags:
            made.set_flag(getattr(ismrmrd, f"ACQ_{flag}"))
        return made


def write_mrd(path: Path, lines: Iterable[Line], header: Header | str | None = None, group: str = "dataset") -> Path:
    """Write the lines in their order."""
    xml = header if isinstance(header, str) else (header or Header()).xml()
    rows = [line.acquisition() for line in lines]
    table = np.empty(len(rows), dtype=ismrmrd.hdf5.acquisition_dtype)
    for i, row in enumerate(rows):
        table[i]["head"] = np.frombuffer(row.getHead(), dtype=ismrmrd.hdf5.acquisition_header_dtype)[0]
        table[i]["data"] = row.data.view(np.float32).ravel()
        table[i]["traj"] = np.zeros(0, np.float32)
    with h5py.File(path, "a") as file:
        place = file.create_group(group)
        place.create_dataset("data", data=table, maxshape=(None,), chunks=True)
        place.create_dataset("xml", data=[xml.encode()], dtype=h5py.special_dtype(vlen=bytes))
    return path


def lines_of(kspace: ComplexArray, **changes: Any) -> list[Line]:
    """One line for every ky (and kz) of a k-space (coil, ky, kx) or (coil, kz, ky, kx), with equal changes to all."""
    volume = kspace if kspace.ndim == 4 else kspace[:, None]
    counters = changes.pop("counters", {})
    return [
        Line(
            volume[:, z, y],
            counters={"kspace_encode_step_1": y, "kspace_encode_step_2": z} | counters,
            **changes,
        )
        for z in range(volume.shape[1])
        for y in range(volume.shape[2])
    ]
