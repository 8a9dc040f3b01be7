"""The table of acquisitions in an ISMRMRD file: its flags, its counters, its samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.counters import combined, echo_range
from core.formats.encoding import Integers
from core.formats.hdf5 import require_stored
from core.formats.readouts import Lines
from core.scan import BoolArray, Complex64Array

_SPAN = 4


class LineTable:
    """Headers of all acquisitions, read at once, and their samples, read when asked for.

    head: structured array with the fields of ISMRMRD's AcquisitionHeader. Raises ScanError for a damaged table.
    """

    def __init__(self, dataset: Any) -> None:
        import ismrmrd.hdf5

        self._dataset = dataset
        require_stored(dataset)
        self.head: npt.NDArray[np.void] = dataset.fields("head")[:]
        missing = set(ismrmrd.hdf5.acquisition_header_dtype.names) - set(self.head.dtype.names or ())
        if missing or self.head.ndim != 1 or not len(self.head):
            raise ScanError(
                "The file's table of acquisitions is damaged.",
                f"It lacks {', '.join(sorted(missing))}." if missing else "It is empty.",
                "Export the scan again.",
            )

    def readout(self, row: int) -> Complex64Array:
        """Samples (coils, samples) of one acquisition."""
        return self._shape(row, self._dataset.fields("data")[row])

    def readouts(self, rows: Integers) -> Complex64Array:
        """Samples (rows, coils, samples) of acquisitions of equal size, in ascending order."""
        start, stop = int(rows[0]), int(rows[-1]) + 1
        if stop - start > _SPAN * len(rows):
            return np.stack([self.readout(int(row)) for row in rows])
        stored = self._dataset.fields("data")[start:stop]
        return np.stack([self._shape(int(row), stored[int(row) - start]) for row in rows])

    def _shape(self, row: int, stored: npt.NDArray[np.float32]) -> Complex64Array:
        coils, samples = (int(self.head[name][row]) for name in ("active_channels", "number_of_samples"))
        values = np.ascontiguousarray(stored, dtype=np.float32)
        if values.size != 2 * coils * samples:
            raise ScanError(
                "A line of the scan is incomplete.",
                f"Acquisition {row} holds {values.size // 2} of {coils * samples} samples.",
                "Copy or export the file again.",
            )
        return values.view(np.complex64).reshape(coils, samples)


@dataclass(frozen=True)
class Kinds:
    """Row numbers of the acquisitions by purpose. reverse: for every row. skipped: sentences on the rest."""

    imaging: Integers
    calibration: Integers
    noise: Integers
    reverse: BoolArray
    reversed_phase_correction: bool
    skipped: list[str]


def sort_by_flags(head: npt.NDArray[np.void]) -> Kinds:
    """Tell image, calibration, noise and other acquisitions apart (flags: ISMRMRD documentation, MRAcquisitionData)."""
    import ismrmrd

    flags = head["flags"].astype(np.uint64)

    def has(name: str) -> BoolArray:
        bit = np.uint64(1) << np.uint64(getattr(ismrmrd, f"ACQ_{name}") - 1)
        return np.asarray((flags & bit) != 0)

    others = {
        "navigator": has("IS_NAVIGATION_DATA"),
        "phase correction": has("IS_PHASECORR_DATA"),
        "feedback": has("IS_HPFEEDBACK_DATA") | has("IS_RTFEEDBACK_DATA"),
        "dummy": has("IS_DUMMYSCAN_DATA"),
        "surface coil correction": has("IS_SURFACECOILCORRECTIONSCAN_DATA"),
        "phase stabilization": has("IS_PHASE_STABILIZATION") | has("IS_PHASE_STABILIZATION_REFERENCE"),
    }
    noise, reverse = has("IS_NOISE_MEASUREMENT"), has("IS_REVERSE")
    aside = np.logical_or.reduce(list(others.values()))
    both = has("IS_PARALLEL_CALIBRATION_AND_IMAGING")
    calibration = (has("IS_PARALLEL_CALIBRATION") | both) & ~noise & ~aside
    imaging = ~noise & ~aside & (~has("IS_PARALLEL_CALIBRATION") | both)
    skipped = [
        f"{int((which & ~noise).sum())} {name} lines were left aside."
        for name, which in others.items()
        if (which & ~noise).any()
    ]
    echoes = bool(others["phase correction"].any() and reverse[imaging].any())
    return Kinds(np.flatnonzero(imaging), np.flatnonzero(calibration), np.flatnonzero(noise), reverse, echoes, skipped)


def image_lines(table: LineTable, rows: Integers, slices: Integers, odd: list[str]) -> Lines:
    """The acquisitions of the commonest number of coils and samples, numbered without gaps.

    slices: the slice numbers of the file, ascending. odd: gets a sentence on what was left out or folded.
    """
    head = table.head[rows]
    sizes = Counter(zip(head["active_channels"].tolist(), head["number_of_samples"].tolist(), strict=True))
    (coils, samples), count = sizes.most_common(1)[0]
    if coils == 0 or samples == 0:
        raise ScanError("The scan has no coil data.", f"Its lines have {coils} coils.", "Export the scan again.")
    if count < len(rows):
        rows = rows[(head["active_channels"] == coils) & (head["number_of_samples"] == samples)]
        odd.append(f"{len(head) - count} lines of another size were left aside.")
        head = table.head[rows]
    idx, reverse, middle = head["idx"], _reversed(head), head["center_sample"]
    if not middle.any():
        middle = np.full_like(middle, samples // 2)
        odd.append("The file does not say which sample is the centre of k-space; the middle was taken.")
    centre, first, last = echo_range(samples, middle, head["discard_pre"], head["discard_post"], reverse)
    return Lines(
        rows=rows,
        contrast=combined(idx["contrast"], idx["set"]),
        repetition=combined(idx["repetition"], idx["phase"]),
        slice=np.searchsorted(slices, idx["slice"]).astype(np.int64),
        average=idx["average"].astype(np.int64),
        kz=idx["kspace_encode_step_2"].astype(np.int64),
        ky=idx["kspace_encode_step_1"].astype(np.int64),
        centre=centre,
        first=first,
        last=last,
        reverse=reverse,
        coils=coils,
        samples=samples,
        read=table.readouts,
    )


def _reversed(head: npt.NDArray[np.void]) -> BoolArray:
    import ismrmrd

    bit = np.uint64(1) << np.uint64(ismrmrd.ACQ_IS_REVERSE - 1)
    return np.asarray((head["flags"].astype(np.uint64) & bit) != 0)
