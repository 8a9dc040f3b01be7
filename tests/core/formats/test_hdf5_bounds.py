"""HDF5 files that lead to other files, or hold far more than belongs to a scan."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from core.errors import ScanError
from core.formats import open_scan
from tests.core.formats.projections_writer import integrals, parallel, write_exchange

BEAM = parallel(90, 96)
DATA = integrals(BEAM, rows=2)
THETA = np.degrees(BEAM.angles)


class TestOtherFiles:
    """Data that lie in another file are not followed, wherever it is."""

    @pytest.fixture
    def scan(self, tmp_path: Path) -> Path:
        write_exchange(tmp_path / "outside.h5", DATA, THETA)
        (tmp_path / "scan").mkdir()
        return write_exchange(tmp_path / "scan" / "a.h5", DATA, THETA)

    def test_a_link(self, scan: Path) -> None:
        with h5py.File(scan, "a") as file:
            del file["exchange/data_white"]
            file["exchange/data_white"] = h5py.ExternalLink("../outside.h5", "exchange/data_white")
        with pytest.raises(ScanError, match=r"in other files.*exchange/data_white"):
            open_scan(scan)

    def test_raw_numbers(self, scan: Path) -> None:
        outside = str(scan.parent.parent / "outside.h5")
        with h5py.File(scan, "a") as file:
            del file["exchange/data_dark"]
            file.create_dataset("exchange/data_dark", (1, 2, 96), "u1", external=[(outside, 0, h5py.h5f.UNLIMITED)])
        with pytest.raises(ScanError, match=r"in other files.*exchange/data_dark"):
            open_scan(scan)

    def test_a_virtual_dataset(self, scan: Path) -> None:
        layout = h5py.VirtualLayout((90, 2, 96), "f4")
        layout[:] = h5py.VirtualSource("../outside.h5", "exchange/data", shape=(90, 2, 96))
        with h5py.File(scan, "a") as file:
            del file["exchange/data"]
            file.create_virtual_dataset("exchange/data", layout)
        with pytest.raises(ScanError, match=r"in other files.*exchange/data"):
            open_scan(scan)


@pytest.mark.parametrize("name", ["exchange/theta", "dds_viewer/scan"])
def test_a_huge_array_beside_the_projections_is_not_read(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_exchange(tmp_path / "a.h5", DATA, THETA)
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        file.create_dataset(name, (2**33,), "f8", chunks=(2**20,), compression="gzip")
    plain = h5py.Dataset.__getitem__

    def small(self: h5py.Dataset, *args: object, **more: object) -> object:
        assert self.size < 2**30
        return plain(self, *args, **more)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", small)
    with pytest.raises(ScanError, match=r"do(es)? not match the projections|is damaged"):
        open_scan(path)
