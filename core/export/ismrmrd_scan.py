"""Simulated MRI scans as ISMRMRD files (Inati et al. 2017, doi 10.1002/mrm.26089)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.export import ExportError
from core.export.hdf5 import made_in_memory
from core.export.whole import write_whole
from core.orientation import Affine
from core.scan import BoolArray, KSpace, sampled_centre

ComplexArray = npt.NDArray[np.complex64]
Vector = npt.NDArray[np.float64]

DWELL_US = 5.0
PROTON_HZ_PER_T = 42.577e6
_SIMULATED = "simulated by DDS Viewer"
_ORTHOGONAL = 0.01

_HEADER = """<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
  <measurementInformation><protocolName>{protocol}</protocolName><patientPosition>HFS</patientPosition>
  </measurementInformation>
  <acquisitionSystemInformation>
    <systemVendor>{vendor}</systemVendor><systemModel>{model}</systemModel>
    <systemFieldStrength_T>{tesla}</systemFieldStrength_T>
    <relativeReceiverNoiseBandwidth>1.0</relativeReceiverNoiseBandwidth>
    <receiverChannels>{coils}</receiverChannels>
  </acquisitionSystemInformation>
  <experimentalConditions><H1resonanceFrequency_Hz>{hertz}</H1resonanceFrequency_Hz></experimentalConditions>
  <encoding>
    <encodedSpace><matrixSize><x>{nx}</x><y>{ny}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{x}</x><y>{y}</y><z>{z}</z></fieldOfView_mm></encodedSpace>
    <reconSpace><matrixSize><x>{nx}</x><y>{ny}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{x}</x><y>{y}</y><z>{z}</z></fieldOfView_mm></reconSpace>
    <encodingLimits>
      <kspace_encoding_step_1><minimum>0</minimum><maximum>{last}</maximum><center>{middle}</center>
      </kspace_encoding_step_1>
      <slice><minimum>0</minimum><maximum>{last_slice}</maximum><center>0</center></slice>
    </encodingLimits>
    <trajectory>cartesian</trajectory>
    <parallelImaging><accelerationFactor><kspace_encoding_step_1>{acceleration}</kspace_encoding_step_1>
      <kspace_encoding_step_2>1</kspace_encoding_step_2></accelerationFactor>
      <calibrationMode>embedded</calibrationMode></parallelImaging>
  </encoding>
</ismrmrdHeader>"""


@dataclass(frozen=True)
class Told:
    """What the header tells beside the measurement; the vendor's name marks the scan as simulated for every reader."""

    protocol: str = "simulated"
    model: str = "from an image volume"
    tesla: float = 3.0


def save_kspace(
    scan: KSpace,
    path: str | Path,
    told: Told | None = None,
    noise: ComplexArray | None = None,
    calibration: range | None = None,
) -> None:
    """Write a simulated 2-D scan of whole lines, as a scanner would: noise first, then the lines that were measured.

    noise: complex (coils, samples) without signal, or None. calibration: the lines to flag for it, by default those of
    the fully sampled centre. Each slice carries its own place and directions. Raises ExportError for what cannot be
    told in the format, and then nothing is left behind.
    """
    path = Path(path)
    if not path.name.lower().endswith((".h5", ".mrd")):
        raise ExportError(f"An MRI scan is not written as {path.name}.", "", "End the name in .h5 or .mrd.")
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist.", "", "Make it, or choose another.")
    if not scan.simulated or scan.is_3d or scan.mask.shape[-1] != 1 or scan.sizes["contrast"] > 1:
        raise ExportError(
            "This scan cannot be written as ISMRMRD.",
            "Only simulated 2-D scans of whole lines can.",
            "Simulate it with a pattern of whole lines, such as gaussian1d.",
        )
    try:
        write_whole(path, path.suffix, lambda part: _write(scan, part, told or Told(), noise, calibration))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(f"{path.name} could not be written.", f"{reason}.", "Choose another place.") from error


def _write(scan: KSpace, path: Path, told: Told, noise: ComplexArray | None, calibration: range | None) -> None:
    import ismrmrd

    with made_in_memory(path, scan.data.nbytes) as made, ismrmrd.Dataset(made, "dataset") as dataset:
        dataset.write_xml_header(_header(scan, told).encode())
        read, phase, through, positions = _places(scan.affine, scan.matrix, scan.sizes["slice"])
        for counter, (samples, head) in enumerate(_readouts(scan, noise, calibration)):
            acquisition = ismrmrd.Acquisition.from_array(np.ascontiguousarray(samples, dtype=np.complex64))
            acquisition.scan_counter = counter
            acquisition.center_sample = samples.shape[1] // 2
            acquisition.available_channels = scan.coils
            acquisition.sample_time_us = DWELL_US
            acquisition.read_dir[:], acquisition.phase_dir[:], acquisition.slice_dir[:] = read, phase, through
            if head is None:
                acquisition.set_flag(ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
            else:
                number, line, central = head
                acquisition.idx.slice, acquisition.idx.kspace_encode_step_1 = number, line
                acquisition.position[:] = positions[number]
                if central:
                    acquisition.set_flag(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING)
            dataset.append_acquisition(acquisition)


def _readouts(
    scan: KSpace, noise: ComplexArray | None, calibration: range | None
) -> Iterator[tuple[ComplexArray, Any]]:
    """(samples (coils, n), (slice, line, serves for calibration) or None for noise)."""
    if noise is not None:
        yield noise, None
    masks = np.broadcast_to(scan.mask[0, 0, :, 0, :, 0], (scan.sizes["slice"], scan.matrix[1]))
    for number, mask in enumerate(masks):
        centre = _centre(mask) if calibration is None else calibration
        for line in np.flatnonzero(mask):
            yield scan.data[0, 0, number, :, 0, line], (number, int(line), int(line) in centre)


def _centre(mask: BoolArray) -> range:
    """The fully sampled lines around the middle one; none of a full scan, whose lines need no flag."""
    found = sampled_centre(mask[:, None])[0]
    return range(0) if mask.all() else range(found.start, found.stop)


def _header(scan: KSpace, told: Told) -> str:
    _, ny, nx = scan.matrix
    x, y, z = scan.field_of_view_mm or (float(nx), float(ny), 1.0)
    return _HEADER.format(
        protocol=escape(told.protocol),
        vendor=_SIMULATED,
        model=escape(told.model),
        tesla=told.tesla,
        hertz=round(told.tesla * PROTON_HZ_PER_T),
        coils=scan.coils,
        nx=nx,
        ny=ny,
        **{"x": x, "y": y, "z": z},
        last=ny - 1,
        middle=ny // 2,
        last_slice=scan.sizes["slice"] - 1,
        acceleration=max(1, round(scan.acceleration)),
    )


def _places(affine: Affine | None, matrix: tuple[int, int, int], slices: int) -> tuple[Vector, Vector, Vector, Vector]:
    """(read, phase, slice direction, position of each slice's middle at index n // 2); zeros where it is unknown.

    The slice direction is the normal, towards the next slice; of leaning slices each keeps its own place.
    """
    nothing = np.zeros(3)
    if affine is None:
        return nothing, nothing, nothing, np.zeros((slices, 3))
    read, phase, step = (affine[:3, i] / math.hypot(*affine[:3, i]) for i in range(3))
    if abs(float(read @ phase)) > _ORTHOGONAL:
        raise ScanError("The rows and columns of this volume are not at right angles.", "", "Resample it first.")
    normal = np.cross(read, phase)
    normal = normal / np.linalg.norm(normal) * (1.0 if normal @ step >= 0 else -1.0)
    middle = affine[:3, 3] + affine[:3, 0] * (matrix[2] // 2) + affine[:3, 1] * (matrix[1] // 2)
    return read, phase, normal, middle + np.arange(slices)[:, None] * affine[:3, 2]
