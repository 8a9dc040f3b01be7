"""Where a bright spot of a known place in the patient comes out, through every reader that knows directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.formats import open_scan
from core.formats.describe import describe
from core.formats.patient import SlicePlaces, directions_from_quaternion, stack_slices
from core.scan import KSpace
from tests.core.formats.mrd_writer import Header, Line, lines_of, write_mrd
from tests.core.formats.phantom import blob, brightest, coil_images, oversampled_kspace, root_sum_of_squares
from tests.core.formats.twix_writer import Measurement, Readout, readouts_of, write_twix

pytestmark = pytest.mark.usefixtures("sound_files")

QUATERNION = np.array([0.6, 0.2, -0.5, 0.59160798])
PHASE, READ, THROUGH = (d[0] for d in directions_from_quaternion(QUATERNION[None]))
CENTRE = np.array([12.0, -30.0, 55.0])
PIXEL, GAP, SLICES = 10.0, 6.0, 5


def spot_of(scan: KSpace, frame: tuple[int, int] = (0, 0)) -> npt.NDArray[np.float64]:
    """Patient position of the brightest voxel by the scan's affine."""
    image = root_sum_of_squares(scan.data)[frame]
    z, y, x = brightest(image[:, 0] if not scan.is_3d else image[0])
    assert scan.affine is not None
    return (scan.affine @ [x, y, z, 1])[:3]


def plane_with_spot(bright: bool) -> npt.NDArray[np.float64]:
    image = blob((32, 32), (9, 21))
    return image if bright else np.minimum(image, 0.3)


def slice_centre(place: int) -> npt.NDArray[np.float64]:
    return CENTRE + (place - (SLICES - 1) / 2) * GAP * THROUGH


INTERLEAVED = [2, 0, 3, 1, 4]
"""Place along the normal of each slice number."""


def test_slices_of_ismrmrd_are_sorted_by_position(tmp_path: Path) -> None:
    lines: list[Line] = []
    for number, place in enumerate(INTERLEAVED):
        kspace = oversampled_kspace(coil_images(plane_with_spot(place == 3)) * (1 + place))
        fields = {"read_dir": READ, "phase_dir": PHASE, "slice_dir": THROUGH, "position": slice_centre(place)}
        lines += lines_of(kspace, fields=fields, counters={"slice": number})
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    # Image axes grow along read_dir and phase_dir from the centre of the slice, at index 16.
    truth = slice_centre(3) + (21 - 16) * PIXEL * READ + (9 - 16) * PIXEL * PHASE
    np.testing.assert_allclose(spot_of(scan), truth, atol=1e-3)
    assert "Slices sorted by their position." in scan.provenance.done
    level = root_sum_of_squares(scan.data)[0, 0, :, 0, 20, 12]
    assert (np.diff(level) > 0).all()
    assert np.linalg.norm(scan.affine[:3, 2]) == pytest.approx(GAP, rel=1e-4)


@pytest.mark.parametrize("is_vd", [True, False])
def test_slices_of_twix(tmp_path: Path, is_vd: bool) -> None:
    readouts: list[Readout] = []
    for number, place in enumerate(INTERLEAVED):
        kspace = oversampled_kspace(coil_images(plane_with_spot(place == 3)), sign=-1)
        readouts += readouts_of(
            kspace, counters={"Sli": number}, position=tuple(slice_centre(place)), quaternion=tuple(QUATERNION)
        )
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts), is_vd=is_vd))
    # Siemens encodes with the other sign: the forward transform gives images that grow along the directions.
    truth = slice_centre(3) + (21 - 16) * PIXEL * READ + (9 - 16) * PIXEL * PHASE
    np.testing.assert_allclose(spot_of(scan), truth, atol=1e-3)


def test_slab_of_ismrmrd(tmp_path: Path) -> None:
    kspace = oversampled_kspace(coil_images(blob((8, 16, 16), (6, 3, 11))))
    fields = {"read_dir": READ, "phase_dir": PHASE, "slice_dir": THROUGH, "position": CENTRE}
    header = Header((32, 16, 8), (16, 16), (320.0, 160.0, 48.0), 160.0, (8, 4))
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(kspace, fields=fields), header))
    truth = CENTRE + (11 - 8) * PIXEL * READ + (3 - 8) * PIXEL * PHASE + (6 - 4) * GAP * THROUGH
    np.testing.assert_allclose(spot_of(scan), truth, atol=1e-3)


def test_slab_of_twix(tmp_path: Path) -> None:
    kspace = oversampled_kspace(coil_images(blob((8, 32, 32), (6, 9, 21))), sign=-1)
    readouts = readouts_of(kspace, position=tuple(CENTRE), quaternion=tuple(QUATERNION))
    protocol = {"sKSpace.ucDimension": "0x4", "sSliceArray.asSlice[0].dThickness": 48.0}
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts, protocol)))
    truth = CENTRE + (21 - 16) * PIXEL * READ + (9 - 16) * PIXEL * PHASE + (6 - 4) * GAP * THROUGH
    np.testing.assert_allclose(spot_of(scan), truth, atol=1e-3)


def test_siemens_data_in_ismrmrd_have_siemens_sign(tmp_path: Path) -> None:
    kspace = oversampled_kspace(coil_images(plane_with_spot(True)), sign=-1)
    fields = {"read_dir": READ, "phase_dir": PHASE, "slice_dir": THROUGH, "position": CENTRE}
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(kspace, fields=fields), Header(vendor="SIEMENS")))
    truth = CENTRE + (21 - 16) * PIXEL * READ + (9 - 16) * PIXEL * PHASE
    np.testing.assert_allclose(spot_of(scan), truth, atol=1e-3)
    assert any("Siemens" in s for s in scan.provenance.done)


def test_letters_of_a_plain_transverse_scan(tmp_path: Path) -> None:
    fields = {"read_dir": (1.0, 0, 0), "phase_dir": (0, 1.0, 0), "slice_dir": (0, 0, 1.0)}
    kspace = oversampled_kspace(coil_images(plane_with_spot(True)))
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(kspace, fields=fields)))
    assert describe(scan).orientation == "L P H"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"read_dir": (1.0, 0, 0), "phase_dir": (1.0, 0, 0), "slice_dir": (0, 0, 1.0)},
        {"read_dir": (np.nan, 0, 0), "phase_dir": (0, 1.0, 0), "slice_dir": (0, 0, 1.0)},
    ],
)
def test_no_directions_no_letters(tmp_path: Path, fields: dict) -> None:
    kspace = oversampled_kspace(coil_images(plane_with_spot(True)))
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(kspace, fields=fields)))
    assert scan.affine is None
    assert describe(scan).orientation == "unknown"


def places(positions: list[tuple[float, float, float]], turn_last: bool = False) -> SlicePlaces:
    count = len(positions)
    read, phase, through = (np.tile(np.eye(3)[i], (count, 1)) for i in range(3))
    if turn_last:
        read[-1], phase[-1] = [0, 1, 0], [-1, 0, 0]
    return SlicePlaces(read, phase, through, np.array(positions, dtype=float))


def test_odd_stacks_are_said() -> None:
    size = (100.0, 100.0, 5.0)
    uneven = stack_slices(places([(0, 0, 0), (0, 0, 10), (0, 0, 12)]), (1, 10, 10), size, slab=False)
    assert "not evenly spaced" in uneven.note
    assert uneven.affine is not None
    same = stack_slices(places([(0, 0, 3)] * 3), (1, 10, 10), size, slab=False)
    assert "same position" in same.note
    assert same.order == (0, 1, 2)
    crossed = stack_slices(places([(0, 0, 0), (0, 0, 5)], turn_last=True), (1, 10, 10), size, slab=False)
    assert crossed.affine is None
    assert "different directions" in crossed.note
    assert stack_slices(places([(0, 0, 0)]), (1, 10, 10), None, slab=False).affine is None


def test_quaternion_of_the_identity() -> None:
    first, second, third = directions_from_quaternion(np.array([[1.0, 0, 0, 0]]))
    np.testing.assert_array_equal(np.concatenate([first, second, third]), np.eye(3))
