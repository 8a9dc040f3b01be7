"""A bright spot of a known place in the patient, from image files through a simulated CT scan to the exported image."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import numpy.typing as npt
import pytest
import torch

from core.engine.simulate_ct import CtSettings, simulate_ct
from core.engine.simulate_mri import MriSettings, simulate_mri
from core.export import save
from core.export.dataexchange import save_projections
from core.export.ismrmrd_scan import save_kspace
from core.formats.volumes import open_volume
from core.hounsfield import hu_from_mu
from core.operators.tomography import projector
from core.orientation import edge_letters, letter, lps_to_ras
from core.projections import Projections
from core.scan import Volume
from tests.core.formats.dicom_writer import AXIAL, CORONAL, Series, write_enhanced, write_series

needs_reader = pytest.mark.skipif(
    importlib.util.find_spec("core.formats.dataexchange") is None, reason="no reader of Data Exchange"
)

SPACING = (1.5, 1.2)
SLICES, ROWS, COLUMNS = 5, 26, 32
SPOT = (3, 5, 24)
"""(slice, row, column): in one corner, so that no flip, turn or exchange of axes maps it to itself."""
LEAN = np.radians(17)
TILTED = (1.0, 0.0, 0.0, 0.0, float(np.cos(LEAN)), float(-np.sin(LEAN)))
OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
PLANES = {
    "axial": (AXIAL, (0.0, 0.0, 3.0)),
    "coronal": (CORONAL, (0.0, 3.0, 0.0)),
    "oblique": (OBLIQUE, (-1.8, 2.4, 0.0)),
    "tilted": (TILTED, (0.0, 0.0, 3.0)),
}
LETTERS = {
    "axial": (("R", "L", "A", "P"), "H"),
    "coronal": (("R", "L", "H", "F"), "P"),
    "oblique": (("RA", "LP", "H", "F"), "PR"),
    "tilted": (("R", "L", "A", "P"), "H"),
}


def body() -> npt.NDArray[np.int16]:
    """Water in air with a bright spot in a corner of the body; stored numbers with 1024 for 0 HU."""
    array = np.full((SLICES, ROWS, COLUMNS), 24, np.int16)
    array[:, 3:23, 4:28] = 1024
    z, y, x = SPOT
    array[z, y - 1 : y + 2, x - 1 : x + 2] = 2400
    array[z, y, x] = 3000
    return array


def series_of(plane: str) -> Series:
    direction, step = PLANES[plane]
    return Series(body(), direction=direction, step=step, spacing=SPACING)


def affine_of(plane: str) -> npt.NDArray[np.float64]:
    """LPS, put together from the same numbers as the file's header, by hand."""
    series = series_of(plane)
    affine = np.eye(4)
    affine[:3, 0] = np.multiply(series.direction[:3], SPACING[1])
    affine[:3, 1] = np.multiply(series.direction[3:], SPACING[0])
    affine[:3, 2], affine[:3, 3] = series.step, series.corner
    return affine


def place_of_spot(plane: str) -> npt.NDArray[np.float64]:
    z, y, x = SPOT
    return (affine_of(plane) @ [x, y, z, 1])[:3]


def dicom(folder: Path, plane: str) -> Path:
    write_series(folder / "series", series_of(plane), [2, 0, 4, 3, 1])
    return folder / "series"


def enhanced(folder: Path, plane: str) -> Path:
    return write_enhanced(folder / "enhanced.dcm", series_of(plane), [2, 0, 4, 3, 1])


def nifti(folder: Path, plane: str) -> Path:
    """Stored towards the right and the front, as NIfTI likes it."""
    array, affine = body() - np.int16(1024), affine_of(plane)
    turned = affine @ np.array([[-1, 0, 0, COLUMNS - 1], [0, -1, 0, ROWS - 1], [0, 0, 1, 0], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(array[:, ::-1, ::-1].T, lps_to_ras(turned)), folder / "a.nii.gz")
    return folder / "a.nii.gz"


def nrrd_ras(folder: Path, plane: str) -> Path:
    own = lps_to_ras(affine_of(plane))
    header = {"space": "right-anterior-superior", "space directions": own[:3, :3].T, "space origin": own[:3, 3]}
    nrrd.write(str(folder / "a.nrrd"), (body() - np.int16(1024)).T, header)
    return folder / "a.nrrd"


WRITERS: list[Callable[[Path, str], Path]] = [dicom, enhanced, nifti, nrrd_ras]


def brightest(volume: Volume) -> npt.NDArray[np.float64]:
    z, y, x = np.unravel_index(int(np.abs(volume.array).argmax()), volume.array.shape)
    return (volume.affine @ [x, y, z, 1])[:3]


def letters(affine: npt.NDArray[np.float64]) -> tuple[tuple[str, str, str, str], str]:
    return edge_letters(affine), letter(affine[:3, 2])


def reconstructed(scan: Projections) -> Volume:
    """Conjugate gradients on the normal equations: knows nothing of the geometry but A and its adjoint."""
    operator = projector(scan.geometry, scan.grid, scan.rows)
    y = torch.from_numpy(scan.data)
    x = torch.zeros(operator.domain_shape)
    residual = operator.adjoint(y)
    direction, size = residual, float((residual**2).sum())
    for _ in range(40):
        image = operator.normal(direction)
        step = size / float((direction * image).sum())
        x, residual = x + step * direction, residual - step * image
        before, size = size, float((residual**2).sum())
        direction = residual + size / before * direction
    array = hu_from_mu(x.numpy())
    return Volume(array.astype(np.float32), "HU", scan.affine, scan.picture_spacing_mm, len(array))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("plane", PLANES)
def test_every_reader_finds_the_spot_at_its_place(tmp_path: Path, plane: str, write: Callable) -> None:
    volume = open_volume(write(tmp_path, plane)).volume
    np.testing.assert_allclose(brightest(volume), place_of_spot(plane), atol=1e-3)
    assert letters(volume.affine) == LETTERS[plane]
    assert volume.array.max() == 3000 - 1024
    assert volume.unit == "HU"


@needs_reader
@pytest.mark.parametrize("geometry", ["parallel", "fan", "cone"])
@pytest.mark.parametrize("plane", PLANES)
def test_the_spot_keeps_its_place_from_the_scanner_to_the_exported_image(
    tmp_path: Path, plane: str, geometry: str
) -> None:
    from core.formats import open_scan

    found = open_volume(dicom(tmp_path, plane))
    save_projections(simulate_ct(found, CtSettings(40, geometry, source_mm=200)), tmp_path / "scan.h5")
    scan = open_scan(tmp_path / "scan.h5")
    assert isinstance(scan, Projections)
    np.testing.assert_allclose(scan.picture_affine, affine_of(plane), atol=1e-9)
    image = reconstructed(scan)
    assert letters(image.affine) == LETTERS[plane]
    np.testing.assert_allclose(brightest(image), place_of_spot(plane), atol=1e-3)
    save(image, tmp_path / "image.nii.gz")
    stored = nibabel.load(tmp_path / "image.nii.gz")
    x, y, z = np.unravel_index(int(stored.get_fdata().argmax()), stored.shape)
    right, front, head = (stored.affine @ [x, y, z, 1])[:3]
    np.testing.assert_allclose((-right, -front, head), place_of_spot(plane), atol=1e-3)
    again = open_volume(tmp_path / "image.nii.gz").volume
    np.testing.assert_allclose(brightest(again), place_of_spot(plane), atol=1e-3)


@needs_reader
def test_a_coarser_image_of_some_slices_keeps_the_place(tmp_path: Path) -> None:
    found = open_volume(nifti(tmp_path, "axial"))
    image = reconstructed(simulate_ct(found, CtSettings(60, size=16, slices=(2, 5))))
    np.testing.assert_allclose(brightest(image), place_of_spot("axial"), atol=1.3)


@pytest.mark.parametrize("plane", ["axial", "coronal", "oblique"])
def test_the_spot_keeps_its_place_in_a_simulated_mri_scan(tmp_path: Path, plane: str) -> None:
    from core.formats import open_scan

    made = simulate_mri(open_volume(nrrd_ras(tmp_path, plane)), MriSettings(4))
    save_kspace(made.scan, tmp_path / "mri.h5")
    scan = open_scan(tmp_path / "mri.h5")
    axes = (-2, -1)
    shifted = np.fft.ifftshift(scan.data[0, 0, :, :, 0], axes=axes)
    images = np.fft.fftshift(np.fft.ifftn(shifted, axes=axes), axes=axes)
    array = np.sqrt((np.abs(images) ** 2).sum(axis=1)).astype(np.float32)
    volume = Volume(array, "a.u.", scan.picture_affine, scan.picture_spacing_mm, len(array))
    np.testing.assert_allclose(brightest(volume), place_of_spot(plane), atol=1e-2)
    assert letters(volume.affine) == LETTERS[plane]
