"""Cone-beam projections with RTK's geometry beside them: MetaImage, and through itk-rtk the formats of CBCT makers."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from core.errors import ScanError
from core.formats.ct_scan import Placing, require_views, scan_of
from core.formats.files import sha256_of, stays_within
from core.formats.flat_field import Corrected, line_integrals
from core.formats.metaimage import MetaImage, is_metaimage, read_metaimage
from core.formats.rtk_geometry import Panel, cone_of, is_geometry, read_rtk_geometry
from core.formats.unknown import SIMULATE
from core.geometry import ConeBeam
from core.projections import Projections
from core.provenance import Provenance

NAMES_ITS_AXES = True

_VENDORS = (".his", ".hnd", ".hnc", ".xim")
_MOST = 30.0
"""No line integral is larger: not one photon in 10^13 arrives."""


def claims(path: Path) -> bool:
    """A MetaImage, a projection of a maker that RTK reads, or RTK's geometry itself."""
    return path.suffix.lower() in _VENDORS or is_metaimage(path) or is_geometry(path)


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> Projections:
    """The scan. The file named is the projections or the geometry; the other is looked for beside it.

    Numbers with a fraction are line integrals, as rtkprojections writes them; whole ones are counts. Raises ScanError.
    """
    projections, xml = _pair(path)
    maker = projections.suffix.lower() in _VENDORS
    image = _through_rtk(projections) if maker else read_metaimage(projections)
    require_views(image.array.shape)
    parameters = read_rtk_geometry(xml)
    views, rows, columns = image.array.shape
    if len(parameters) != views:
        raise ScanError(
            "The geometry does not match the projections.",
            f"{xml.name} places {len(parameters)} views, {projections.name} holds {views}.",
            "Check that both belong together.",
        )
    odd = ["The directions of the projections' axes were left aside."] if image.turned else []
    corrected, unsure = _corrected(image)
    u, v = image.spacing[:2]
    geometry: ConeBeam = cone_of(parameters, Panel(rows, columns, (u, v), (image.origin[0], image.origin[1])))
    told = Provenance(
        str(path),
        f"RTK projections ({projections.suffix.lower()})",
        sha256_of(projections),
        done=("IEC 61217's axis of rotation, y, became z.",),
        not_understood=(*odd, *unsure),
    )
    return scan_of(corrected, geometry, told, Placing(rings=False))


def _corrected(image: MetaImage) -> tuple[Corrected, list[str]]:
    """Line integrals of what may be counts."""
    array = image.array
    if array.dtype.kind == "f" and float(np.nanmax(array)) <= _MOST:
        data = np.ascontiguousarray(np.moveaxis(array, 1, 0), dtype=np.float32)
        return Corrected(data, done=("Line integrals as the file holds them.",)), []
    return line_integrals(array, None, None), []


def _pair(path: Path) -> tuple[Path, Path]:
    """(projections, geometry). Raises ScanError where one is not there or cannot be told from others."""
    if is_geometry(path):
        found = [p for p in _beside(path) if p.suffix.lower() in (".mha", ".mhd", *_VENDORS)]
        same = [p for p in found if p.stem == path.stem]
        makers = [p for p in found if p.suffix.lower() in _VENDORS]
        chosen = same or (found if len(found) == 1 else makers)
        if not chosen:
            raise ScanError(
                "The projections of this geometry cannot be told.",
                f"There are {len(found)} files of projections beside {path.name}.",
                "Open the file of the projections itself.",
            )
        return chosen[0], path
    found = [p for p in _beside(path) if is_geometry(p)]
    same = [p for p in found if p.stem == path.stem] or [p for p in found if p.stem == "geometry"]
    chosen = same or (found if len(found) == 1 else [])
    if not chosen:
        raise ScanError(
            f"There is no RTK geometry for {path.name}.",
            "Projections need an XML file of RTK's geometry beside them, of the same name or named geometry.xml.",
            f"Copy it there. If this is a reconstructed image: {SIMULATE}",
        )
    return path, chosen[0]


def _beside(path: Path) -> list[Path]:
    """The folder of a file, without links that lead out of it."""
    return [p for p in sorted(path.parent.iterdir()) if not p.is_symlink() or stays_within(p, path.parent)]


def _through_rtk(path: Path) -> MetaImage:
    """All projections of a maker's folder as line integrals, in the order of their names."""
    try:
        itk = importlib.import_module("itk")
        kind = itk.RTK.ProjectionsReader[itk.Image[itk.F, 3]]
    except (ImportError, AttributeError) as error:
        raise ScanError(
            f"{path.name} is a projection of a maker, which is read by RTK.",
            "The package itk-rtk is not installed.",
            "Install it: pip install dds-viewer[cone]",
        ) from error
    names = sorted(str(p) for p in _beside(path) if p.suffix.lower() == path.suffix.lower())
    reader = kind.New()
    reader.SetFileNames(names)
    reader.Update()
    image = reader.GetOutput()
    array = np.array(itk.array_view_from_image(image))
    return MetaImage(array, tuple(image.GetSpacing()), tuple(image.GetOrigin()), turned=False)
