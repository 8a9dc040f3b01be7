"""The card of a CT scan, and what is said of images that are no raw data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import ScanError
from core.formats import open_scan
from core.formats.describe import describe
from core.geometry import ConeBeam, FanBeam, Grid, evenly_spread
from core.projections import Projections
from core.provenance import Provenance
from tests.core.formats.projections_writer import integrals, parallel


def scan_with(geometry, rows: int = 1, **more) -> Projections:
    told = Provenance("/far/a.h5", "test", "00", done=("One.", "Two."), not_understood=("Three.",),
                      identifiers={"patient_name": "Doe"})  # fmt: skip
    data = integrals(geometry, rows).astype(np.float32)
    slices = 6 if isinstance(geometry, ConeBeam) else rows
    return Projections(data, geometry, Grid((slices, 30, 40), (0.5, 0.6, 2.0)), told, **more)


def test_a_parallel_scan() -> None:
    lines = describe(scan_with(parallel(90, 96, 2.0), 2)).lines()
    told = dict(lines)
    assert told["File"] == "a.h5"
    assert told["Geometry"] == "parallel beam"
    assert told["Views"] == "90 over 178 degrees"
    assert told["Detector"] == "2 rows x 96 columns of 0.5 mm"
    assert told["Rotation axis"] == "column 43.50"
    assert told["Image"] == "40 x 30 x 2"
    assert told["Voxel size"] == "0.5 x 0.6 x 2 mm"
    assert told["Field of view"] == "20 x 18 x 4 mm"
    assert told["Photons"] == "unknown"
    assert told["Units"] == "1/mm"
    assert [w for label, w in lines if label == "Done"] == ["One.", "Two."]
    assert ("Not understood", "Three.") in lines
    assert not {"Simulated", "Undersampled", "Trusted", "Distances"} & set(told)
    assert "Doe" not in str(lines)
    assert ("patient_name", "Doe") in describe(scan_with(parallel())).lines(identifiers=True)


def test_what_a_simulated_fan_says() -> None:
    fan = FanBeam(evenly_spread(20, 6.0), 64, 1.0, 200, 100, curved=True)
    valid = np.ones((1, 1, 64), dtype=bool)
    valid[..., :16] = False
    more = {"photons": 1e5, "hounsfield": True, "simulated": True, "undersampled": "every 2nd view", "valid": valid}
    told = dict(describe(scan_with(fan, affine=np.diag([0.5, 0.6, 2, 1]), **more)).lines())
    assert told["Geometry"] == "fan beam, curved detector"
    assert told["Distances"] == "source 200 mm and detector 100 mm from the axis"
    assert told["Photons"] == "1e+05 a ray"
    assert told["Units"] == "HU"
    assert told["Trusted"] == "75.00% of the measurements"
    assert told["Simulated"].startswith("yes")
    assert "every 2nd view" in told["Undersampled"]
    assert told["Orientation"] == "L P H"


def test_a_cone() -> None:
    cone = ConeBeam.circular(evenly_spread(36, 2 * np.pi), 20, 64, (1.5, 1.2), 200, 100)
    found = describe(scan_with(cone))
    told = dict(found.lines())
    assert told["Geometry"] == "cone beam"
    assert told["Views"] == "36 over 350 degrees"
    assert told["Detector"] == "20 rows x 64 columns of 1.5 x 1.2 mm"
    assert told["Distances"] == "source 200 mm and detector 100 mm from the axis"
    assert "Rotation axis" not in told


@pytest.mark.parametrize("identifiers", [False, True])
def test_plain_values(identifiers: bool) -> None:
    values = describe(scan_with(parallel())).to_dict(identifiers=identifiers)
    again = json.loads(json.dumps(values))
    assert again["views"] == 90
    assert again["detector"] == [1, 96]
    assert again["axis_column"] == pytest.approx(47.5)
    assert ("identifiers" in again) == identifiers


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.dcm", b"\0" * 128 + b"DICM" + b"\0" * 300),
        ("a.nii", b"\x5c\x01\0\0" + b"\0" * 400),
        ("a.nrrd", b"NRRD0005\n"),
    ],
)
def test_an_image_can_be_made_a_scan_of(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ScanError, match=r"not raw data.*dds-viewer simulate, or Simulate"):
        open_scan(tmp_path / name)


def test_real_images(real_data: Path) -> None:
    volumes = real_data / "volumes"
    for path in (
        volumes / "brain2_image.nrrd",
        volumes / "t1_head.nii.gz",
        next((volumes / "ct_head_dicom").iterdir()),
    ):
        with pytest.raises(ScanError, match="dds-viewer simulate"):
            open_scan(path)
