"""Image volumes for training, from the formats that they are kept in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats import open_scan, volume_dicom
from core.formats.in_words import in_words
from core.formats.volume_parts import Opened, checked
from core.formats.volumes import reader_of
from core.scan import KSpace

RAW_SUFFIXES = (".h5", ".mrd", ".cfl", ".hdr", ".dat", ".mat")


@dataclass(frozen=True)
class ImageVolume:
    """Voxels to learn from.

    array: float32 (z, y, x), in the numbers of the file (HU for CT), or complex64 for raw scans. spacing_mm: (z, y, x).
    """

    array: npt.NDArray[np.float32] | npt.NDArray[np.complex64]
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)


def read_volume(path: Path) -> ImageVolume:
    """The voxels in a file or a folder of DICOM slices, in the order in which they are stored.

    Images: see core.formats.volumes; of a DICOM folder the largest series, of a DICOM file that file alone. Raw scans:
    see core.formats.open_scan; their coils are combined by root-sum-of-squares, or kept complex where there is one
    coil. Raises ScanError in words for everything that holds no finite image.
    """
    if path.is_file() and path.name.lower().endswith(RAW_SUFFIXES):
        return _read_raw(path)
    with in_words(path):
        volume = _stored(path).volume
    x, y, z = volume.spacing_mm
    return ImageVolume(checked(volume.array, path.name), (z, y, x))


def _stored(path: Path) -> Opened:
    reader = reader_of(path)
    return volume_dicom.read_largest(path) if reader is volume_dicom else reader.read(path)


def _read_raw(path: Path) -> ImageVolume:
    """A fully sampled raw scan: the magnitude (z, y, x) of its first contrast and repetition."""
    scan = open_scan(path)
    if not isinstance(scan, KSpace):
        raise ScanError(
            f"{path.name} holds projections.", "Priors are trained on images.", "Reconstruct it first, or give images."
        )
    if not scan.fully_sampled:
        raise ScanError(
            f"{path.name} is undersampled.",
            f"Its acceleration is {scan.acceleration:.2f}.",
            "Train on fully sampled scans only.",
        )
    data = scan.data[0, 0]
    axes = (-3, -2, -1)
    images = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(data, axes=axes), axes=axes, norm="ortho"), axes=axes)
    single = images.shape[1] == 1
    combined = images[:, 0] if single else np.sqrt(np.sum(np.abs(images) ** 2, axis=1))
    spacing = (1.0, 1.0, 1.0)
    if scan.field_of_view_mm is not None:
        x, y, z = (f / n for f, n in zip(scan.field_of_view_mm, scan.matrix[::-1], strict=True))
        spacing = (z, y, x)
    return ImageVolume(checked(combined.reshape(-1, *combined.shape[-2:]), path.name), spacing)
