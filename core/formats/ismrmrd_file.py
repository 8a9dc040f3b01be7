"""ISMRMRD files (.h5, .mrd): Inati et al. 2017, doi 10.1002/mrm.26089."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.counters import folds
from core.formats.encoding import Encoding, whole
from core.formats.files import is_hdf5, sha256_of
from core.formats.hdf5 import open_hdf5
from core.formats.measurement import Measurement, to_kspace
from core.formats.mrd_header import MrdEncoding, MrdHeader, parse_header
from core.formats.mrd_lines import LineTable, image_lines, sort_by_flags
from core.formats.noise import NoiseScan, bandwidth_ratio
from core.formats.patient import SlicePlaces, turned
from core.formats.readouts import Lines
from core.scan import KSpace, Provenance

NAMES_ITS_AXES = True


def claims(path: Path) -> bool:
    """An HDF5 file with a group that holds a table of acquisitions."""
    return is_hdf5(path) and bool(_groups(path))


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> KSpace:
    """The scan; the last measurement if the file holds several. Raises ScanError."""
    groups = _groups(path)
    with open_hdf5(path) as file:
        group = file[groups[-1]]
        if "xml" not in group or not len(group["xml"]):
            raise ScanError(f"{path.name} has no ISMRMRD header.", f"{groups[-1]}/xml is absent.", "Export it again.")
        header = parse_header(group["xml"][0])
        table = LineTable(group["data"])
        carries_phantom = {"phantom", "csm"} <= set(group)
        simulated = carries_phantom or header.vendor.lower().startswith("simulated")
        measured = replace(_measurement(header, table), simulated=simulated)
        if len(groups) > 1:
            measured.done.append(f"The file holds {len(groups)} measurements; the last, {groups[-1]}, was read.")
        if carries_phantom:
            measured.done.append("The file carries the phantom it was simulated from.")
        provenance = Provenance(
            str(path),
            "ISMRMRD",
            sha256_of(path),
            " ".join(part for part in (header.vendor, header.model) if part),
            header.sequence,
            header.field_strength_t,
            identifiers=header.identifiers,
        )
        return to_kspace(measured, provenance)


def _groups(path: Path) -> list[str]:
    """Names of the groups with acquisitions, such as dataset, dataset_2, dataset_10."""
    with open_hdf5(path) as file:
        names = [name for name in file if _is_measurement(file.get(name))]
        return sorted(names, key=lambda name: (len(name), name))


def _is_measurement(item: Any) -> bool:
    import h5py

    if not isinstance(item, h5py.Group) or not isinstance(item.get("data"), h5py.Dataset):
        return False
    names = item["data"].dtype.names or ()
    return {"head", "data"} <= set(names)


def _measurement(header: MrdHeader, table: LineTable) -> Measurement:
    """Sort the acquisitions by their flags and find the grid they lie on."""
    kinds = sort_by_flags(table.head)
    number = _single_encoding(header, table, kinds.imaging)
    encoding = header.encodings[number]
    _refuse(encoding, kinds.reversed_phase_correction)
    idx = table.head["idx"][kinds.imaging]
    done, odd = folds(idx["phase"], idx["set"]), list[str](kinds.skipped)
    slices, slice_rank = np.unique(idx["slice"], return_inverse=True)
    imaging = image_lines(table, kinds.imaging, slices, odd)
    grid, places = _grid(encoding, imaging, done, odd), _places(header, table.head[kinds.imaging], slice_rank)
    if grid.nz > 1 and len(slices) > 1:
        raise ScanError("This scan has several 3-D slabs.", f"There are {len(slices)}.", "Export one slab at a time.")
    if places is not None and header.vendor.lower().startswith("siemens"):
        places = turned(places, slab=grid.nz > 1)
        done.append("Directions turned to fit Siemens' sign of the Fourier transform.")
    calibration = _calibration(table, kinds.calibration, number, slices, imaging, odd)
    if kinds.reverse[kinds.imaging].any():
        done.append("Readouts that ran backwards turned round.")
    return Measurement(
        imaging,
        grid.holding(imaging.ky, imaging.kz),
        calibration=calibration,
        noise=_noise(header, table, kinds.noise, imaging, odd),
        places=places,
        field_of_view=encoding.image_field_of_view,
        done=done,
        not_understood=odd,
    )


def _single_encoding(header: MrdHeader, table: LineTable, imaging: npt.NDArray[np.int64]) -> int:
    if not len(imaging):
        raise ScanError(
            "The scan holds no image data.", "All its acquisitions serve other purposes.", "Check the file."
        )
    numbers = np.unique(table.head["encoding_space_ref"][imaging])
    if len(numbers) > 1:
        raise ScanError(
            "This scan mixes several encodings.",
            f"Its images are encoded in {len(numbers)} different ways.",
            "Export each encoding into a file of its own.",
        )
    if numbers[0] >= len(header.encodings):
        raise ScanError(
            "The header does not describe the data.",
            f"The data refer to encoding {numbers[0]}, the header has {len(header.encodings)}.",
            "Export the scan again.",
        )
    return int(numbers[0])


def _refuse(encoding: MrdEncoding, phase_corrected: bool) -> None:
    """Raise ScanError, by name, for what cannot be reconstructed rightly."""
    if encoding.trajectory == "epi" or phase_corrected:
        raise ScanError(
            "This is an echo-planar (EPI) scan, which is not supported.",
            "Its echoes need a phase correction between odd and even lines, and often regridding.",
            "Export it with these corrections done, as a Cartesian scan.",
        )
    if encoding.trajectory != "cartesian":
        raise ScanError(
            f"This scan has a {encoding.trajectory} trajectory, which is not supported.",
            "Only Cartesian sampling can be reconstructed.",
            "Grid it to Cartesian k-space first.",
        )
    if encoding.multiband > 1:
        raise ScanError(
            "This is a simultaneous-multislice scan, which is not supported.",
            f"{encoding.multiband} slices were excited at once.",
            "Export it with the slices separated.",
        )


def _grid(encoding: MrdEncoding, lines: Lines, done: list[str], odd: list[str]) -> Encoding:
    """The matrix and its centre, from the header and, where it is silent or wrong, from the lines."""
    x, y, z = encoding.matrix
    step_1, step_2 = (encoding.limits.get(f"kspace_encoding_step_{i}") for i in (1, 2))
    centre_y = step_1.centre if step_1 else y // 2
    centre_z = step_2.centre if step_2 else z // 2
    if centre_y == 0 and y // 2 <= int(lines.ky.max()) < y:
        centre_y = y // 2
        odd.append("The header does not say which line is the centre of k-space; the middle was taken.")
    if int(lines.kz.max()) == int(lines.kz.min()):
        z, centre_z = 1, int(lines.kz[0])
    elif centre_z == 0 and z // 2 <= int(lines.kz.max()) < z:
        centre_z = z // 2
        odd.append("The header does not say which partition is the centre of k-space; the middle was taken.")
    nx = encoding.nx
    if nx < x and lines.samples == nx and bool((np.abs(lines.centre - nx // 2) <= 1).all()):
        done.append("Readout oversampling had been removed before.")
        return Encoding(nx, nx, y, z, centre_y, centre_z)
    low, high = int((lines.first - lines.centre).min()), int((lines.last - lines.centre).max()) - 1
    full = whole(x, low, high)
    if full > 1.02 * x:
        odd.append(f"Readouts are longer than the header's {x} samples; all of them were kept.")
        nx = max(round(full / encoding.oversampling), 1)
        return Encoding(full, nx, y, z, centre_y, centre_z)
    return Encoding(x, nx, y, z, centre_y, centre_z)


def _places(header: MrdHeader, head: npt.NDArray[np.void], slice_rank: npt.NDArray[np.int64]) -> SlicePlaces | None:
    """Where the first readout of every slice says that it lies; None when no direction is given."""
    _, first = np.unique(slice_rank, return_index=True)
    parts = [head[name][first].astype(np.float64) for name in ("read_dir", "phase_dir", "slice_dir", "position")]
    if not any(part.any() for part in parts[:3]):
        return None
    return SlicePlaces(*parts)


def _calibration(
    table: LineTable,
    rows: npt.NDArray[np.int64],
    encoding: int,
    slices: npt.NDArray[np.int64],
    imaging: Lines,
    odd: list[str],
) -> Lines | None:
    """Calibration lines of the slices and in the encoding that are imaged."""
    here = table.head["encoding_space_ref"][rows] == encoding
    if not here.all():
        odd.append(f"{int((~here).sum())} calibration lines have another encoding; they were not used.")
    rows = rows[here & np.isin(table.head["idx"]["slice"][rows], slices)]
    rows = rows[table.head["active_channels"][rows] == imaging.coils]
    rows = rows[table.head["number_of_samples"][rows] == imaging.samples]
    return image_lines(table, rows, slices, odd) if len(rows) else None


def _noise(
    header: MrdHeader, table: LineTable, rows: npt.NDArray[np.int64], imaging: Lines, odd: list[str]
) -> NoiseScan | None:
    """The noise acquisitions that have the coils of the image."""
    if not len(rows):
        return None
    rows = rows[table.head["active_channels"][rows] == imaging.coils]
    if not len(rows):
        odd.append("The noise scan has other coils than the image; it was not used.")
        return None
    samples = np.concatenate([table.readout(int(row)) for row in rows], axis=1)
    dwell = table.head["sample_time_us"].astype(np.float64)
    ratio = bandwidth_ratio(dwell[rows[0]], dwell[imaging.rows[0]], header.relative_noise_bandwidth)
    return NoiseScan(samples, ratio)
