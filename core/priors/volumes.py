"""Image volumes for training, from the formats that they are kept in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

FloatArray = npt.NDArray[np.float32]

MAX_VOXELS = 1_000_000_000
RAW_SUFFIXES = (".h5", ".mrd", ".cfl", ".hdr", ".dat", ".mat")


@dataclass(frozen=True)
class ImageVolume:
    """Voxels to learn from.

    array: float32 (z, y, x), in the numbers of the file (HU for CT), or complex64 for raw scans. spacing_mm: (z, y, x).
    """

    array: npt.NDArray[np.float32] | npt.NDArray[np.complex64]
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)


def read_volume(path: Path) -> ImageVolume:
    """The voxels in a file or a folder of DICOM slices, told apart by its name.

    .nii, .nii.gz: NIfTI. .nrrd, .nhdr: NRRD. .npy, .npz (first array): (z, y, x) or (y, x). .dcm or a folder: DICOM.
    Raw scans: see core.formats.open_scan; their coils are combined by root-sum-of-squares, or kept complex where there
    is one coil. Raises ScanError in words for everything that holds no finite image.
    """
    if not path.exists():
        raise ScanError(f"There is no file {path.name}.", f"Looked for {path}.", "Check the path.")
    name = path.name.lower()
    try:
        if path.is_dir() or name.endswith((".dcm", ".ima")):
            volume = _read_dicom(path)
        elif name.endswith((".nii", ".nii.gz")):
            volume = _read_nifti(path)
        elif name.endswith((".nrrd", ".nhdr")):
            volume = _read_nrrd(path)
        elif name.endswith((".npy", ".npz")):
            volume = _read_array(path)
        elif name.endswith(RAW_SUFFIXES):
            volume = _read_raw(path)
        else:
            raise ScanError(
                f"{path.name} is of no kind that can be trained on.",
                f"Its name ends in {path.suffix or 'nothing'}.",
                "Give NIfTI, NRRD, DICOM, .npy, .npz or a raw scan.",
            )
    except ScanError:
        raise
    except Exception as error:
        raise ScanError(
            f"{path.name} cannot be read.", str(error).splitlines()[0] if str(error) else "", "Copy it again."
        ) from error
    return _checked(volume, path)


def _checked(volume: ImageVolume, path: Path) -> ImageVolume:
    array = volume.array
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or 0 in array.shape:
        raise ScanError(
            f"{path.name} is no volume.", f"It has shape {array.shape}.", "Give slices with axes (z, y, x)."
        )
    if not np.isfinite(array).all():
        raise ScanError(f"{path.name} holds NaN or infinite numbers.", "", "Export it again from its source.")
    if array.max() == array.min():
        raise ScanError(f"{path.name} is empty.", "All its voxels are equal.", "Choose another file.")
    return ImageVolume(array, volume.spacing_mm)


def _limit(shape: tuple[int, ...], name: str) -> None:
    if int(np.prod([max(int(n), 1) for n in shape], dtype=object)) > MAX_VOXELS:
        raise ScanError(f"{name} is too large to train on.", f"It has shape {tuple(shape)}.", "Cut it into parts.")


def _read_nifti(path: Path) -> ImageVolume:
    import nibabel

    image = nibabel.load(path)
    _limit(image.shape, path.name)
    array = np.asarray(image.dataobj, dtype=np.float32)
    while array.ndim > 3:
        array = array[..., 0]
    return ImageVolume(np.ascontiguousarray(array.T), _spacing(image.header.get_zooms()))


def _read_nrrd(path: Path) -> ImageVolume:
    import nrrd

    header = nrrd.read_header(str(path))
    _limit(tuple(header["sizes"]), path.name)
    array, header = nrrd.read(str(path))
    if "space directions" in header:
        lengths = np.linalg.norm(np.nan_to_num(np.asarray(header["space directions"], dtype=float)), axis=1)
    else:
        lengths = np.asarray(header.get("spacings", np.ones(array.ndim)), dtype=float)
    return ImageVolume(np.ascontiguousarray(array.T.astype(np.float32)), _spacing(lengths))


def _spacing(lengths: Iterable[float]) -> tuple[float, float, float]:
    """(z, y, x) mm from lengths in file order (x first); 1 where the file tells none."""
    x, y, z = [*(float(v) if np.isfinite(v) and v > 0 else 1.0 for v in lengths), 1.0, 1.0, 1.0][:3]
    return z, y, x


def _read_array(path: Path) -> ImageVolume:
    loaded = np.load(path, allow_pickle=False, mmap_mode="r" if path.suffix == ".npy" else None)
    array = loaded if isinstance(loaded, np.ndarray) else loaded[loaded.files[0]]
    _limit(array.shape, path.name)
    if np.iscomplexobj(array):
        return ImageVolume(np.array(array, dtype=np.complex64))
    return ImageVolume(np.array(array, dtype=np.float32))


def _read_dicom(path: Path) -> ImageVolume:
    """All slices of the largest series, in the order of their position; slope and intercept applied."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    series: dict[str, list[pydicom.Dataset]] = {}
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file():
            continue
        try:
            dataset = pydicom.dcmread(file)
        except InvalidDicomError:
            continue
        if "PixelData" in dataset:
            key = f"{dataset.get('SeriesInstanceUID', '')} {dataset.Rows}x{dataset.Columns}"
            series.setdefault(key, []).append(dataset)
    if not series:
        raise ScanError(f"There are no DICOM images in {path.name}.", "", "Choose the folder that holds the slices.")
    chosen = max(series.values(), key=len)
    chosen.sort(key=_position)
    _limit((len(chosen), chosen[0].Rows, chosen[0].Columns), path.name)
    frames = [_pixels(dataset) for dataset in chosen]
    step = abs(_position(chosen[1]) - _position(chosen[0])) if len(chosen) > 1 else 0.0
    rows, columns = (float(v) for v in chosen[0].get("PixelSpacing", (1.0, 1.0)))
    thickness = step or float(chosen[0].get("SliceThickness") or 1.0)
    return ImageVolume(np.concatenate(frames), (thickness, rows, columns))


def _pixels(dataset: object) -> FloatArray:
    """Rescaled pixels (frames, rows, columns) of one DICOM image."""
    pixels = np.asarray(dataset.pixel_array, dtype=np.float32)  # type: ignore[attr-defined]
    slope = float(getattr(dataset, "RescaleSlope", 1.0))
    intercept = float(getattr(dataset, "RescaleIntercept", 0.0))
    return (pixels if pixels.ndim == 3 else pixels[None]) * np.float32(slope) + np.float32(intercept)


def _position(dataset: object) -> float:
    """Where a slice lies along its normal, mm; its instance number where that is not told."""
    position = getattr(dataset, "ImagePositionPatient", None)
    direction = getattr(dataset, "ImageOrientationPatient", None)
    if position is None or direction is None:
        return float(getattr(dataset, "InstanceNumber", 0) or 0)
    row, column = np.asarray(direction[:3], dtype=float), np.asarray(direction[3:], dtype=float)
    return float(np.cross(row, column) @ np.asarray(position, dtype=float))


def _read_raw(path: Path) -> ImageVolume:
    """A fully sampled raw scan: the magnitude (z, y, x) of its first contrast and repetition."""
    from core.formats import open_scan

    scan = open_scan(path)
    if not scan.fully_sampled:
        raise ScanError(
            f"{path.name} is undersampled.",
            f"Its acceleration is {scan.acceleration:.2f}.",
            "Train on fully sampled scans only.",
        )
    data = scan.data[0, 0]
    _limit(data.shape, path.name)
    axes = (-3, -2, -1)
    images = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(data, axes=axes), axes=axes, norm="ortho"), axes=axes)
    if images.shape[1] == 1:
        combined = images[:, 0].astype(np.complex64)
    else:
        combined = np.sqrt(np.sum(np.abs(images) ** 2, axis=1)).astype(np.float32)
    spacing = (1.0, 1.0, 1.0)
    if scan.field_of_view_mm is not None:
        x, y, z = (f / n for f, n in zip(scan.field_of_view_mm, scan.matrix[::-1], strict=True))
        spacing = (z, y, x)
    return ImageVolume(combined.reshape(-1, *combined.shape[-2:]), spacing)
