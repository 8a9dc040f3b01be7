"""Where a readout belongs in k-space: the matrix, its centre, and what oversampling does to them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

Integers = npt.NDArray[np.int64]

_LARGEST_GROWTH = 2


@dataclass(frozen=True)
class Encoding:
    """A Cartesian grid of k-space.

    nx_full: samples of a whole readout, oversampling included; nx: what is left after its removal. ny, nz: matrix of
    the phase encodings. centre_y, centre_z: the number of the line with k = 0.
    """

    nx_full: int
    nx: int
    ny: int
    nz: int
    centre_y: int
    centre_z: int

    def ky(self, line: Integers) -> Integers:
        """Place of a line along ky, where k = 0 lies at ny // 2."""
        return line - self.centre_y + self.ny // 2

    def kz(self, partition: Integers) -> Integers:
        """Place of a partition along kz, where k = 0 lies at nz // 2."""
        return partition - self.centre_z + self.nz // 2

    def holding(self, lines: Integers, partitions: Integers) -> Encoding:
        """This grid, grown as little as needed to hold all lines; their distance and the field of view stay.

        Raises ScanError when it would have to become more than twice as large: then the numbering is wrong.
        """
        ny = whole(self.ny, int(lines.min()) - self.centre_y, int(lines.max()) - self.centre_y)
        nz = whole(self.nz, int(partitions.min()) - self.centre_z, int(partitions.max()) - self.centre_z)
        for name, now, needed in (("lines", self.ny, ny), ("partitions", self.nz, nz)):
            if needed > max(_LARGEST_GROWTH * now, 16):
                raise ScanError(
                    f"The {name} of the scan do not fit its header.",
                    f"It announces {now} {name}, but they would fill {needed}.",
                    "The header is damaged or of another scan; export it again.",
                )
        return replace(self, ny=ny, nz=nz)


def whole(n: int, lowest: int, highest: int) -> int:
    """The smallest length of at least n that holds lowest..highest (relative to k = 0) with k = 0 at its n // 2."""
    return max(n, -2 * lowest, 2 * highest + 1)


def kept_range(first: int, last: int, full: int, kept: int) -> tuple[int, int]:
    """What a measured range [first, last) of `full` samples becomes when oversampling is removed to `kept` samples."""
    if first <= 0 and last >= full:
        return 0, kept
    low = math.ceil((first - full // 2) * kept / full) + kept // 2
    high = math.floor((last - 1 - full // 2) * kept / full) + kept // 2 + 1
    return max(low, 0), min(max(high, low), kept)
