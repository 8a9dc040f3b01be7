"""RTK's circular geometry (RTK documentation, "RTK 3D circular projection geometry"), as XML, told in our frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import head_of
from core.geometry import ConeBeam

FloatArray = npt.NDArray[np.float64]

ROOT = "RTKThreeDCircularGeometry"
_LONGEST = 2**26
_NAMES = (
    *("SourceToIsocenterDistance", "SourceToDetectorDistance", "GantryAngle", "OutOfPlaneAngle", "InPlaneAngle"),
    *("ProjectionOffsetX", "ProjectionOffsetY", "SourceOffsetX", "SourceOffsetY"),
)
_OLDER = {"Angle": "GantryAngle"}
_OURS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""From IEC 61217, in which y is the axis of rotation and the source stands on z at angle 0, to our x, y, z."""


@dataclass(frozen=True, eq=False)
class Panel:
    """The pixels of a projection. spacing, origin: (u, v) mm, the origin of the first pixel's middle.

    A spacing below 0 counts pixels backwards.
    """

    rows: int
    columns: int
    spacing: tuple[float, float]
    origin: tuple[float, float]


def is_geometry(path: Path) -> bool:
    """An XML file that begins as RTK's."""
    return path.suffix.lower() == ".xml" and path.is_file() and ROOT.encode() in head_of(path, 2048)


def read_rtk_geometry(path: Path) -> FloatArray:
    """The nine parameters of each view in the order of the file, degrees and mm, (views, 9).

    A parameter that a view leaves out keeps its last value, as in RTK. Raises ScanError.
    """
    if path.stat().st_size > _LONGEST:
        raise ScanError(f"{path.name} is too large for a geometry.", "", "Check that it is the right file.")
    try:
        root = ElementTree.fromstring(head_of(path, _LONGEST))
    except ElementTree.ParseError as error:
        raise ScanError(f"{path.name} is damaged XML.", str(error), "Write the geometry again.") from error
    if root.tag != ROOT or root.get("version") not in ("2", "3"):
        raise ScanError(
            f"{path.name} is no RTK geometry that is read.",
            f"It is {root.tag}, version {root.get('version')}; versions 2 and 3 are.",
            "Write it again with a recent RTK.",
        )
    if _value(root, "RadiusCylindricalDetector"):
        raise ScanError("Cylindrical detectors are not read.", "Only flat panels are.", "Use a flat-panel scan.")
    last = dict.fromkeys(_NAMES, 0.0)
    views = []
    for element in root:
        if element.tag in last:
            last[element.tag] = _number(element)
        if element.tag == "Projection":
            named = ((_OLDER.get(part.tag, part.tag), part) for part in element)
            last |= {name: _number(part) for name, part in named if name in last}
            views.append([last[name] for name in _NAMES])
    if not views:
        raise ScanError("The geometry holds no projection.", f"{path.name} lists none.", "Write it again.")
    return np.array(views)


def cone_of(parameters: FloatArray, panel: Panel) -> ConeBeam:
    """The geometry of a panel. The rotations apply in the order Z (in plane), X (out of plane), Y (gantry)."""
    source, whole, gantry, tilt, roll, px, py, sx, sy = parameters.T
    if not (whole > 0).all():
        raise ScanError(
            "Parallel projections of RTK are not read.", "SourceToDetectorDistance is 0.", "Use a cone-beam scan."
        )
    turn = _OURS @ _about(1, gantry) @ _about(0, tilt) @ _about(2, roll)
    middle = [
        o + (n - 1) / 2 * s for o, n, s in zip(panel.origin, (panel.columns, panel.rows), panel.spacing, strict=True)
    ]
    u, v = panel.spacing
    zero = np.zeros_like(source)
    place = np.stack((px + middle[0], py + middle[1], source - whole), axis=1)
    return ConeBeam(
        _turned(turn, np.stack((sx, sy, source), axis=1)),
        _turned(turn, place),
        _turned(turn, np.stack((zero + u, zero, zero), axis=1)),
        _turned(turn, np.stack((zero, zero + v, zero), axis=1)),
        panel.rows,
        panel.columns,
    )


def _about(axis: int, degrees: FloatArray) -> FloatArray:
    """Right-handed rotations about x (0), y (1) or z (2), (views, 3, 3)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((len(degrees), 3, 3))
    turn[:, axis, axis] = 1
    turn[:, a, a] = turn[:, b, b] = cos
    turn[:, b, a], turn[:, a, b] = sin, -sin
    return turn


def _turned(turn: FloatArray, vectors: FloatArray) -> FloatArray:
    turned: FloatArray = np.einsum("vij,vj->vi", turn, vectors)
    return turned


def _value(root: ElementTree.Element, name: str) -> float:
    element = root.find(name)
    return 0.0 if element is None else _number(element)


def _number(element: ElementTree.Element) -> float:
    try:
        value = float(element.text or "")
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ScanError(
            "The geometry holds what is no number.",
            f"{element.tag} is {(element.text or '')[:40]!r}.",
            "Write it again.",
        )
    return value
