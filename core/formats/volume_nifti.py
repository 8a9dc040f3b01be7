"""NIfTI-1 and NIfTI-2 volumes (.nii, .nii.gz): axes (x, y, z) in RAS millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats import thumbnails
from core.formats.files import head_of
from core.formats.volume_parts import Opened, Tell, Voxels, affine_from_corner, check_announced, opened
from core.formats.whole_numbers import gathered, is_whole, rescaled
from core.orientation import Affine, lps_to_ras

STORED_AS_VIEWED = False

_GZIP = b"\x1f\x8b"
_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 1e-3}


def claims(path: Path) -> bool:
    """Named like NIfTI."""
    return path.is_file() and path.name.lower().endswith((".nii", ".nii.gz"))


def read(path: Path, tell: Tell | None = None) -> Opened:
    """The volume, of a series the first. Its axes (x, y, z) are read as (z, y, x), its RAS affine as LPS.

    The place is the sform's, else the qform's; without a code for either it is unknown. Raises ScanError.
    """
    image = _image(path)
    shape, notes = image.shape, []
    if any(n > 1 for n in shape[3:]):
        notes.append(f"The file holds {' x '.join(str(n) for n in shape[3:])} volumes; the first was read.")
    affine, spacing = _place(image)
    if affine is None:
        notes.append("The file does not tell where the patient lies.")
    return opened(_voxels(image, path, tell), path, "NIfTI", affine, spacing, notes=notes)


def glance(path: Path) -> tuple[tuple[int, int, int], str, thumbnails.Thumbnail | None]:
    """(shape (z, y, x), name of the format, small picture of the middle unless it lies too deep in a packed file)."""
    image = _image(path)
    nz, ny, nx = _shape(image)
    deep = (nz // 2 + 1) * nx * ny * image.dataobj.dtype.itemsize
    if deep > thumbnails.MOST_BYTES and head_of(path, 2) == _GZIP:
        return (nz, ny, nx), "NIfTI", None
    pixels = next(stored_slices(image, path, nz // 2))
    return (nz, ny, nx), "NIfTI", thumbnails.of_slice(_scaled(image, pixels), *_place(image))


def _image(path: Path) -> Any:
    """The header as nibabel has it, after a look at what it announces. Raises ScanError."""
    image = _loaded(path)
    shape, kind = tuple(int(n) for n in image.shape), image.get_data_dtype()
    if kind.names or kind.kind not in "fciu":
        raise ScanError(f"{path.name} is a colour picture.", f"Its voxels are {kind}.", "Export it in grey.")
    check_announced(shape, kind.itemsize, path.stat().st_size, head_of(path, 2) == _GZIP, path.name)
    return image


def _loaded(path: Path) -> Any:
    """The image, its numbers still in the file. Raises ScanError for another kind of file."""
    kinds, sniff = _kinds(), None
    for kind in kinds:
        fits, sniff = kind.path_maybe_image(str(path), sniff)
        if fits:
            return kind.from_filename(str(path), mmap=False)
    raise ScanError(f"{path.name} is damaged.", "Its first bytes are not those of NIfTI.", "Copy it again.")


@cache
def _kinds() -> tuple[Any, ...]:
    """NIfTI-1 and NIfTI-2 without extensions: the library takes memory for all that one of them announces."""
    from nibabel import nifti1, nifti2

    class Skipped(nifti1.Nifti1Extensions):  # type: ignore[misc]
        @classmethod
        def from_fileobj(cls, fileobj: Any, size: int, byteswap: bool) -> Any:
            return cls()

    class First(nifti1.Nifti1Header):  # type: ignore[misc]
        exts_klass = Skipped

    class Second(nifti2.Nifti2Header):  # type: ignore[misc]
        exts_klass = Skipped

    class FirstImage(nifti1.Nifti1Image):  # type: ignore[misc]
        header_class = First

    class SecondImage(nifti2.Nifti2Image):  # type: ignore[misc]
        header_class = Second

    return FirstImage, SecondImage


def _shape(image: Any) -> tuple[int, int, int]:
    """(z, y, x) of the first volume."""
    x, y, z = (*(int(n) for n in image.shape[:3]), 1, 1)[:3]
    return z, y, x


def _scaled(image: Any, numbers: Voxels) -> Voxels:
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    if (slope, intercept) == (1, 0):
        return numbers
    return numbers * slope + intercept if numbers.dtype.kind == "c" else rescaled(numbers, slope, intercept)


def _voxels(image: Any, path: Path, tell: Tell | None) -> Voxels:
    """The first volume (z, y, x), scaled, read slice by slice."""
    proxy, shape = image.dataobj, _shape(image)

    def slices() -> Iterator[tuple[int, Voxels]]:
        for index, numbers in enumerate(stored_slices(image, path)):
            if tell is not None:
                tell("Reading", index, shape[0])
            yield index, _scaled(image, numbers)
        if tell is not None:
            tell("Reading", shape[0], shape[0])

    if proxy.dtype.kind == "c":
        array = np.empty(shape, np.complex64)
        for index, numbers in slices():
            array[index] = numbers
        return array
    return gathered(shape, slices, proxy.dtype.kind in "iu" and is_whole(proxy.slope, proxy.inter))


def stored_slices(image: Any, path: Path, first: int = 0) -> Iterator[Voxels]:
    """The slices (y, x) of the first volume from one on, as they are stored, without the scaling. Raises ScanError."""
    from nibabel.openers import ImageOpener

    proxy = image.dataobj
    nz, ny, nx = _shape(image)
    count = nx * ny * proxy.dtype.itemsize
    with ImageOpener(str(path)) as file:
        file.seek(proxy.offset + first * count)
        for _ in range(first, nz):
            data = file.read(count)
            if len(data) < count:
                raise ScanError(f"{path.name} is cut off.", "Slices are missing at its end.", "Copy it again.")
            yield np.frombuffer(data, dtype=proxy.dtype).reshape(ny, nx)
        # A packed file tells at its end whether its sum is right.
        file.read(1)


def _place(image: Any) -> tuple[Affine | None, tuple[float, float, float]]:
    """(the LPS affine by the coded sform or qform or None, voxel size (x, y, z) in mm)."""
    scale = _MILLIMETRES.get(image.header.get_xyzt_units()[0], 1.0)
    zooms = [abs(float(z)) * scale or 1.0 for z in image.header.get_zooms()[:3]] + [1.0, 1.0, 1.0]
    spacing = zooms[0], zooms[1], zooms[2]
    for form in (image.get_sform(coded=True), image.get_qform(coded=True)):
        if form[1]:
            matrix = np.asarray(form[0], dtype=np.float64)
            affine = lps_to_ras(np.vstack([matrix[:3] * scale, matrix[3:]]))
            return affine_from_corner(affine[:3, :3], affine[:3, 3], _shape(image)), spacing
    return None, spacing
