"""The card of an MRI scan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.formats.acs import measure_acs
from core.formats.card import UNKNOWN, Card, millimetres, orientation_of
from core.scan import KSPACE_AXES, KSpace


@dataclass(frozen=True, kw_only=True)
class KSpaceInfo(Card):
    """The card of an MRI scan.

    name: of the file, without its folder. matrix and field_of_view_mm: (x, y, z). axes: lengths by name.
    acceleration: places in k-space per place measured; with_calibration: the same when lines measured only for the coil
    maps count too, or None if there are none. acs_lines: (ky, kz) lines of the fully sampled centre.
    orientation: patient letters towards which x, y and z grow, such as "L P H", or "unknown".
    identifiers: patient name, id and the like; in neither to_dict nor lines unless asked for.
    """

    name: str
    format: str
    sha256: str
    matrix: tuple[int, int, int]
    field_of_view_mm: tuple[float, float, float] | None
    coils: int
    acceleration: float
    with_calibration: float | None
    acs_lines: tuple[int, int]
    acs_measured_apart: bool
    axes: dict[str, int]
    averages: int
    sequence: str
    field_strength_t: float | None
    whitened: bool
    noise_std: float | None

    def lines(self, identifiers: bool = False) -> list[tuple[str, str]]:
        """(label, value) pairs in the order to show them; what is done and not understood takes a pair each."""
        x, y, z = self.matrix
        rows = [
            ("File", self.name),
            ("Format", self.format),
            ("Matrix", f"{x} x {y}" + (f" x {z}" if z > 1 else "")),
            ("Field of view", millimetres(self.field_of_view_mm)),
            ("Coils", str(self.coils)),
            ("Axes", ", ".join(f"{name} {n}" for name, n in self.axes.items())),
            ("Acceleration", _acceleration(self)),
            ("ACS", _acs(self)),
            ("Averages", str(self.averages)),
            ("Vendor", self.vendor or UNKNOWN),
            ("Sequence", self.sequence or UNKNOWN),
            ("Field strength", f"{self.field_strength_t:g} T" if self.field_strength_t else UNKNOWN),
            ("Orientation", self.orientation),
            ("Whitened", "yes" if self.whitened else "no"),
            ("Noise", f"{self.noise_std:.3g} per real and imaginary part" if self.noise_std else UNKNOWN),
        ]
        return rows + self.last_lines(identifiers)


def describe_kspace(scan: KSpace) -> KSpaceInfo:
    """Gather what is known of an MRI scan."""
    told, (nz, ny, nx) = scan.provenance, scan.matrix
    calibration = scan.calibration
    acs = measure_acs(scan.mask)
    if calibration is not None:
        acs = (calibration.shape[3], calibration.shape[2])
    return KSpaceInfo(
        name=Path(told.path).name,
        format=told.format,
        sha256=told.sha256,
        matrix=(nx, ny, nz),
        field_of_view_mm=scan.field_of_view_mm,
        coils=scan.coils,
        acceleration=scan.acceleration,
        with_calibration=_with_calibration(scan),
        acs_lines=acs,
        acs_measured_apart=calibration is not None,
        axes={name: scan.sizes[name] for name in KSPACE_AXES if scan.sizes[name] > 1},
        averages=scan.averages,
        vendor=told.vendor,
        sequence=told.sequence,
        field_strength_t=told.field_strength_t,
        whitened=scan.whitened,
        noise_std=scan.noise_std,
        simulated=scan.simulated,
        undersampled=scan.undersampled,
        orientation=orientation_of(scan.affine),
        contrast=scan.contrast,
        anatomy=scan.anatomy,
        done=told.done,
        not_understood=told.not_understood,
        identifiers=dict(told.identifiers),
    )


def _with_calibration(scan: KSpace) -> float | None:
    """Acceleration when the places of the separate calibration count as measured too."""
    if scan.calibration is None:
        return None
    lines = np.array(np.logical_or.reduce(scan.mask, axis=-1))
    cz, cy = scan.calibration.shape[2:4]
    nz, ny = lines.shape[-2:]
    z, y = nz // 2 - cz // 2, ny // 2 - cy // 2
    lines[..., z : z + cz, y : y + cy] = True
    return float(lines.size / lines.sum())


def _acceleration(info: KSpaceInfo) -> str:
    text = f"R = {info.acceleration:.2f}" if info.acceleration > 1.005 else "none (fully sampled)"
    if info.with_calibration is not None:
        text += f"; {info.with_calibration:.2f} with the calibration lines"
    return text


def _acs(info: KSpaceInfo) -> str:
    y, z = info.acs_lines
    if not y or not z:
        return "none"
    text = f"{y} x {z} lines" if info.matrix[2] > 1 else f"{y} lines"
    return text + (" (measured apart)" if info.acs_measured_apart else "")
