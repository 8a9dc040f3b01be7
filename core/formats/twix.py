"""Siemens twix files (.dat) of VB, VD and VE scanners."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from core.errors import ScanError
from core.formats.counters import combined, echo_range, folds
from core.formats.encoding import Encoding, Integers, whole
from core.formats.files import head_of, sha256_of
from core.formats.measurement import Measurement, to_kspace
from core.formats.patient import SlicePlaces, directions_from_quaternion, turned
from core.formats.readouts import Lines
from core.formats.twix_header import Protocol, parse_protocol
from core.formats.twix_layout import Readouts, looks_like_twix, open_twix, walk
from core.formats.twix_noise import noise_scan
from core.scan import KSpace, Provenance

NAMES_ITS_AXES = True

_ASIDE = {
    "phase correction": ("PHASCOR",),
    "feedback": ("RTFEEDBACK", "HPFEEDBACK"),
    "phase stabilization": ("REFPHASESTABSCAN", "PHASESTABSCAN"),
    "navigator": ("noname60",),
    "dummy": ("RETRO_DUMMYSCAN",),
    "adjustment": ("MDH_VOP", "B1_CONTROLLOOP", "CT_NORMALIZE"),
}
_TRAJECTORIES = {2: "radial", 4: "spiral", 8: "BLADE (propeller)"}
_THREE_D = 4


def claims(path: Path) -> bool:
    """The first bytes are those of a twix file."""
    return looks_like_twix(head_of(path, 32), path.stat().st_size)


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> KSpace:
    """The last measurement of the file. Raises ScanError."""
    file = open_twix(path)
    if not file.parts:
        raise ScanError(f"{path.name} holds no measurement.", "Its list of measurements is empty.", "Copy it again.")
    part = file.parts[-1]
    protocol = parse_protocol(file.header_of(part))
    readouts = walk(file, part)
    measured = _measurement(protocol, readouts)
    if len(file.parts) > 1:
        measured.done.append(f"The file holds {len(file.parts)} measurements; the last was read.")
    strength = protocol.number("flMagneticFieldStrength") or protocol.number("sProtConsistencyInfo.flNominalB0")
    sequence = protocol.text("tSequenceFileName").replace("\\", "/").rsplit("/", 1)[-1]
    provenance = Provenance(
        str(path),
        f"Siemens twix {'VD/VE' if file.is_vd else 'VB'}",
        sha256_of(path),
        " ".join(w for w in ("Siemens", protocol.text("ManufacturersModelName")) if w),
        sequence or protocol.text("tProtocolName"),
        round(strength, 3) if 0.001 < strength < 100 else None,
        identifiers=protocol.identifiers,
    )
    return to_kspace(measured, provenance)


def _measurement(protocol: Protocol, readouts: Readouts) -> Measurement:
    done, odd = list[str](), list[str]()
    imaging, calibration, noise = _sort_by_flags(readouts, odd)
    _refuse(protocol, readouts)
    if not len(imaging):
        raise ScanError(
            "The measurement holds no image data.", "All its lines serve other purposes.", "Check the file."
        )
    imaging = _commonest_size(readouts, imaging, odd)
    counter = readouts.head["Counter"][imaging]
    slices, slice_rank = np.unique(counter["Sli"], return_inverse=True)
    done.extend(folds(counter["Phs"], counter["Set"]))
    lines = _lines(readouts, imaging, slices)
    grid = _grid(protocol, readouts, imaging, lines, odd)
    if grid.nz > 1 and len(slices) > 1:
        raise ScanError("This scan has several 3-D slabs.", f"There are {len(slices)}.", "Export one slab at a time.")
    places = _places(readouts, imaging, slice_rank, slab=grid.nz > 1)
    if places is not None:
        done.append("Directions turned to fit Siemens' sign of the Fourier transform.")
    if lines.reverse.any():
        done.append("Readouts that ran backwards turned round.")
    size = readouts.head[["UsedChannels", "SamplesInScan"]]
    here = np.isin(readouts.head["Counter"]["Sli"][calibration], slices)
    calibration = calibration[here & (size[calibration] == size[imaging[0]])]
    return Measurement(
        lines,
        grid.holding(lines.ky, lines.kz),
        calibration=_lines(readouts, calibration, slices) if len(calibration) else None,
        noise=noise_scan(readouts, noise, imaging, protocol, odd),
        places=places,
        field_of_view=_field_of_view(protocol, grid),
        done=done,
        not_understood=odd,
    )


def _sort_by_flags(readouts: Readouts, odd: list[str]) -> tuple[Integers, Integers, Integers]:
    """Rows of image, calibration and noise readouts; a sentence on all others."""
    noise = readouts.has("NOISEADJSCAN")
    aside = np.zeros_like(noise)
    for name, flags in _ASIDE.items():
        which = np.logical_or.reduce([readouts.has(f) for f in flags]) & ~noise & ~aside
        aside |= which
        if which.any():
            odd.append(f"{int(which.sum())} {name} lines were left aside.")
    both, reference = readouts.has("PATREFANDIMASCAN"), readouts.has("PATREFSCAN")
    usable = ~noise & ~aside
    calibration = usable & (reference | both)
    imaging = usable & (~reference | both)
    return np.flatnonzero(imaging), np.flatnonzero(calibration), np.flatnonzero(noise)


def _refuse(protocol: Protocol, readouts: Readouts) -> None:
    """Raise ScanError, by name, for what cannot be reconstructed rightly."""
    navigators = int(readouts.has("PHASCOR").sum())
    reflected = bool(readouts.has("REFLECT").any())
    if protocol.number("sFastImaging.lEPIFactor", 1) > 1 or (navigators and reflected):
        raise ScanError(
            "This is an echo-planar (EPI) scan, which is not supported.",
            f"Its odd and even echoes need a phase correction (from {navigators} navigator lines) and regridding.",
            "Export it with these corrections done, as a Cartesian scan.",
        )
    regrid = protocol.system.get("alRegridMode")
    if isinstance(regrid, list) and regrid and isinstance(regrid[0], int) and regrid[0] > 1:
        raise ScanError(
            "This scan was sampled on the gradient ramps, which is not supported.",
            "Its readouts need regridding.",
            "Export it regridded.",
        )
    trajectory = _TRAJECTORIES.get(int(protocol.number("sKSpace.ucTrajectory", 1)))
    if trajectory:
        raise ScanError(
            f"This scan has a {trajectory} trajectory, which is not supported.",
            "Only Cartesian sampling can be reconstructed.",
            "Grid it to Cartesian k-space first.",
        )
    if protocol.number("sSliceAcceleration.lMultiBandFactor", 1) > 1:
        raise ScanError(
            "This is a simultaneous-multislice scan, which is not supported.",
            f"{protocol.number('sSliceAcceleration.lMultiBandFactor'):.0f} slices were excited at once.",
            "Export it with the slices separated.",
        )


def _commonest_size(readouts: Readouts, rows: Integers, odd: list[str]) -> Integers:
    """The rows with the commonest number of channels and samples."""
    head = readouts.head[rows]
    sizes = Counter(zip(head["UsedChannels"].tolist(), head["SamplesInScan"].tolist(), strict=True))
    (channels, samples), count = sizes.most_common(1)[0]
    if channels == 0 or samples == 0:
        raise ScanError("The scan has no coil data.", f"Its lines have {channels} channels.", "Copy the file again.")
    if count < len(rows):
        odd.append(f"{len(rows) - count} lines of another size were left aside.")
    return np.asarray(rows[(head["UsedChannels"] == channels) & (head["SamplesInScan"] == samples)])


def _lines(readouts: Readouts, rows: Integers, slices: Integers) -> Lines:
    head = readouts.head[rows]
    counter, reverse = head["Counter"], readouts.has("REFLECT")[rows]
    samples = int(head["SamplesInScan"][0])
    cut = head["CutOff"]
    centre, first, last = echo_range(samples, head["CenterCol"], cut["Pre"], cut["Post"], reverse)
    return Lines(
        rows=rows,
        contrast=combined(counter["Eco"], counter["Set"]),
        repetition=combined(counter["Rep"], counter["Phs"]),
        slice=np.searchsorted(slices, counter["Sli"]).astype(np.int64),
        average=counter["Ave"].astype(np.int64),
        kz=counter["Par"].astype(np.int64),
        ky=counter["Lin"].astype(np.int64),
        centre=centre,
        first=first,
        last=last,
        reverse=np.asarray(reverse, dtype=np.bool_),
        coils=int(head["UsedChannels"][0]),
        samples=samples,
        read=readouts.samples,
    )


def _grid(protocol: Protocol, readouts: Readouts, rows: Integers, lines: Lines, odd: list[str]) -> Encoding:
    """The matrix from the protocol, the centre from the readouts' own headers."""
    head = readouts.head[rows]
    base = round(protocol.number("sKSpace.lBaseResolution"))
    factor = protocol.number("flReadoutOSFactor") or 2.0
    ny = round(protocol.number("sKSpace.lPhaseEncodingLines"))
    if not (1 <= base <= 2**14 and 1 <= ny <= 2**14 and 1 <= factor <= 8):
        raise ScanError(
            "The Siemens protocol does not tell the matrix.",
            f"It says {base} x {ny}, readout oversampling {factor:g}.",
            "Copy the file again from its source.",
        )
    low, high = int((lines.first - lines.centre).min()), int((lines.last - lines.centre).max()) - 1
    full = whole(round(base * factor), low, high)
    if full > 1.02 * base * factor:
        odd.append(f"Readouts are longer than the protocol's {base * factor:.0f} samples; all of them were kept.")
    centre_y, centre_z = (Counter(head[name].tolist()).most_common(1)[0][0] for name in ("CenterLin", "CenterPar"))
    nz, one_partition = 1, int(lines.kz.min()) == int(lines.kz.max())
    if not one_partition:
        nz = max(round(protocol.number("sKSpace.lPartitions", 1)), 1)
        if protocol.number("sKSpace.ucDimension") != _THREE_D:
            odd.append("The protocol is 2-D, but the lines are numbered in two directions; it was read as 3-D.")
    return Encoding(full, round(full / factor), ny, nz, centre_y, int(lines.kz[0]) if one_partition else centre_z)


def _field_of_view(protocol: Protocol, grid: Encoding) -> tuple[float, float, float] | None:
    """(x, y, z) mm of the encoded field of view, without readout oversampling."""
    first = "sSliceArray.asSlice[0]."
    x, y, z = (protocol.number(first + name) for name in ("dReadoutFOV", "dPhaseFOV", "dThickness"))
    y *= 1 + max(protocol.number("sKSpace.dPhaseOversamplingForDialog"), 0.0)
    if grid.nz > 1:
        z *= 1 + max(protocol.number("sKSpace.dSliceOversamplingForDialog"), 0.0)
    return (x, y, z) if min(x, y, z) > 0 else None


def _places(readouts: Readouts, rows: Integers, slice_rank: Integers, slab: bool) -> SlicePlaces | None:
    """Where the first readout of each slice lies. Siemens' quaternions give phase, read and slice direction."""
    _, first = np.unique(slice_rank, return_index=True)
    data = readouts.head["SliceData"][rows[first]]
    quaternion = data["Quaternion"].astype(np.float64)
    if not np.isfinite(quaternion).all() or not quaternion.any():
        return None
    phase, read_dir, through = directions_from_quaternion(quaternion)
    position = np.stack([data["SlicePos"][name].astype(np.float64) for name in ("Sag", "Cor", "Tra")], axis=1)
    return turned(SlicePlaces(read_dir, phase, through, position), slab)
