"""Raw scans: see tests.fuzz.targets."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats import guess_all_axes, open_scan
from core.formats.describe import describe
from tests.core.formats.mrd_writer import Header, lines_of, write_mrd
from tests.core.formats.phantom import blob, coil_images, oversampled_kspace
from tests.core.formats.projections_writer import (
    integrals,
    parallel,
    write_exchange,
    write_mha,
    write_nxtomo,
    write_rtk_xml,
    write_tiffs,
)
from tests.core.formats.test_htc import write_htc
from tests.core.formats.test_whole_arrays import write_array, write_cfl, write_fastmri
from tests.core.formats.twix_writer import Measurement, readouts_of, write_twix
from tests.fuzz.damage import in_json, in_zip, text
from tests.fuzz.targets import Target

LINES = oversampled_kspace(coil_images(blob((16, 16), (4, 11)), 2))
HEADER = Header(matrix=(32, 16, 1), recon=(16, 16), field_of_view=(320.0, 160.0, 4.0), recon_width=160.0, centre=(8, 0))
PROTOCOL: dict[str, Any] = {"sKSpace.lBaseResolution": 16, "sKSpace.lPhaseEncodingLines": 16}
BEAM = parallel(20, 24)
DATA = integrals(BEAM, rows=2)
THETA = np.degrees(BEAM.angles)
TOML = """geometry = "parallel"
angles = { start = 0, step = 9, count = 20 }
pixel_mm = 0.5
pictures = "view_*.tif"
flat = "flat/*.tif"
dark = "dark/*.tif"
"""


def _open(path: Path) -> None:
    scan = open_scan(path)
    assert np.isfinite(scan.data).all()
    describe(scan)


def _array(path: Path) -> None:
    for look in (_open, guess_all_axes, partial(open_scan, axes="coil,ky,kx")):
        try:
            look(path)
        except ScanError:
            continue


def _pair(path: Path) -> None:
    _open(path.with_suffix(".cfl"))


def _folder(path: Path) -> None:
    folder = path.parent if path.name == "geometry.toml" else path.parent.parent if path.parent.name == "flat" else path
    _open(folder)


def _bart(folder: Path) -> Path:
    array = LINES.transpose(2, 1, 0)[:, :, None]
    return write_cfl(folder, array.reshape(array.shape + (1,) * 12)).with_suffix(".hdr")


def _fastmri(folder: Path) -> Path:
    kspace = LINES.transpose(0, 2, 1)[None]
    return write_fastmri(folder / "a.h5", kspace, HEADER.xml(), mask=np.ones(16, bool), acquisition="AXT2")


def _own(folder: Path) -> Path:
    from core.export.dataexchange import save_projections
    from core.projections import Projections

    scan = open_scan(write_exchange(folder / "b.h5", DATA, THETA))
    assert isinstance(scan, Projections)
    save_projections(scan, folder / "a.h5")
    return folder / "a.h5"


def _projections(folder: Path) -> Path:
    np.savez(folder / "a.npz", sinogram=DATA[0], angles=BEAM.angles, pixel_mm=0.5)
    return folder / "a.npz"


def _rtk(folder: Path, compress: bool = False) -> Path:
    views = [{"GantryAngle": 60.0 * i} for i in range(6)]
    write_rtk_xml(folder / "geometry.xml", views, SourceToIsocenterDistance=200, SourceToDetectorDistance=300)
    data = np.linspace(0, 1, 6 * 4 * 8, dtype=np.float32).reshape(6, 4, 8)
    return write_mha(folder / "a.mha", data, (1.2, 1.5, 1.0), (-4.2, -2.2, 0.0), compress)


def _rtk_xml(folder: Path) -> Path:
    _rtk(folder)
    return folder / "geometry.xml"


def _tiffs(folder: Path) -> Path:
    write_tiffs(folder, DATA, TOML)
    return folder


def _packed_tiff(folder: Path) -> Path:
    import tifffile

    pages = np.moveaxis(DATA, 0, 1).astype(np.float32)
    (folder / "geometry.toml").write_text(TOML.replace('pictures = "view_*.tif"', 'what = "attenuation"'))
    tifffile.imwrite(folder / "all.tif", pages, compression="zlib", tile=(16, 16))
    return folder / "all.tif"


TARGETS = (
    Target("ismrmrd", lambda f: write_mrd(f / "a.h5", lines_of(LINES), HEADER), _open, (text,), 1.5, hdf5=True),
    Target("fastmri", _fastmri, _open, hdf5=True),
    Target("bart", _bart, _pair, (text, text)),
    Target("twix-vd", lambda f: write_twix(f / "a.dat", Measurement(readouts_of(LINES), PROTOCOL)), _open, (text,)),
    Target(
        "twix-vb",
        lambda f: write_twix(f / "a.dat", Measurement(readouts_of(LINES), PROTOCOL), is_vd=False),
        _open,
        (text,),
    ),
    Target("npy", lambda f: write_array(f, "npy", LINES), _array, (partial(text, reach=128),)),
    Target("npz", lambda f: write_array(f, "npz", LINES), _array, (in_zip(partial(text, reach=128)),)),
    Target("mat5", lambda f: write_array(f, "mat5", LINES), _array),
    Target("mat73", lambda f: write_array(f, "mat73", LINES), _array, hdf5=True),
    Target("projections-npz", _projections, _open, (in_zip(partial(text, reach=128)),)),
    Target("dataexchange", lambda f: write_exchange(f / "a.h5", DATA, THETA), _open, hdf5=True),
    Target("dataexchange-own", _own, _open, (in_json,), hdf5=True),
    Target("nxtomo", lambda f: write_nxtomo(f / "a.nxs", DATA, THETA), _open, hdf5=True),
    Target("htc", lambda f: write_htc(f / "a.mat"), _open),
    Target("htc-73", lambda f: write_htc(f / "a.h5.mat"), _open, hdf5=True),
    Target("metaimage", _rtk, _open, (partial(text, reach=400),)),
    Target("metaimage-packed", partial(_rtk, compress=True), _open, (partial(text, reach=400),)),
    Target("rtk-geometry", _rtk_xml, _open, (text, text)),
    Target("tiff", lambda f: _tiffs(f) / "flat" / "flat_0.tif", _folder),
    Target("tiff-packed", _packed_tiff, _open),
    Target("tiff-geometry", lambda f: _tiffs(f) / "geometry.toml", _folder, (text, text)),
)
