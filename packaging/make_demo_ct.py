"""Write the demo CT scan: a made-up chest with a nodule, in parallel beams from 30 angles, as Data Exchange HDF5.

Run from the project's root: python packaging/make_demo_ct.py [FILE]. The same call writes the same measurements.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.engine.simulate_ct import FINER, CtSettings, simulate_ct  # noqa: E402
from core.export.dataexchange import save_projections  # noqa: E402
from core.formats.volume_parts import Opened  # noqa: E402
from core.orientation import affine_from_directions  # noqa: E402
from core.priors.phantoms_organs import ORGANS  # noqa: E402
from core.priors.phantoms_torso import torso  # noqa: E402
from core.projections import Projections  # noqa: E402
from core.scan import Volume  # noqa: E402

SEED = 20307
"""Of a trunk that no bundled prior was trained on: those use seeds 1000 to 3999."""
SLICES, SIZE, VIEWS, PHOTONS = 28, 256, 30, 1e5
PIXEL_MM, THICKNESS_MM = 1.5, 3.0
NODULE_MM, NODULE_HU = 6.5, 45.0


def chest(slices: int = SLICES, size: int = SIZE) -> Opened:
    """The true chest in HU, (slices, y, x), finer than what is to be reconstructed of it."""
    pixel = PIXEL_MM * SIZE / size / FINER
    shape = slices, size * FINER, size * FINER
    made = torso(SEED, shape, spacing_mm=(THICKNESS_MM, pixel, pixel), part="chest")
    hu = made.image
    _add_nodule(hu, made.labels == ORGANS.index("lung"), np.array(made.spacing_mm))
    spacing = pixel, pixel, THICKNESS_MM
    # The middle of the picture, between voxels, is the middle of the trunk.
    centre = pixel / 2, pixel / 2, 0.0
    affine = affine_from_directions(*np.eye(3), spacing, centre, shape)
    return Opened(Volume(hu, "HU", affine, spacing, slices), "", "made up", anatomy="chest")


def _add_nodule(hu: npt.NDArray[np.float32], lung: npt.NDArray[np.bool_], spacing: npt.NDArray[np.float64]) -> None:
    """A round nodule deep in the lung of the patient's left, with an edge as soft as a pixel."""
    left = lung.copy()
    left[:, :, : lung.shape[2] // 2] = False
    middle = len(hu) // 2
    depth = ndi.distance_transform_edt(left[middle], sampling=spacing[1:])
    place = np.array([middle, *np.unravel_index(int(depth.argmax()), depth.shape)])
    z, y, x = (
        ((np.arange(n) - p) * s).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, (n, p, s) in enumerate(zip(hu.shape, place, spacing, strict=True))
    )
    cover = np.clip((NODULE_MM - np.sqrt(x**2 + y**2 + z**2)) / spacing[1] + 0.5, 0, 1)
    hu += (cover * (NODULE_HU - hu)).astype(np.float32)


def scan(slices: int = SLICES, size: int = SIZE) -> Projections:
    """Sparse-view parallel-beam measurements of the chest."""
    return simulate_ct(chest(slices, size), CtSettings(VIEWS, photons=PHOTONS, size=size, seed=SEED))


def write(path: Path) -> None:
    """Write the scan, replacing what lies at the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_projections(scan(), path, f"Simulated CT of a made-up chest, {VIEWS} views, by DDS Viewer")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "demo" / "ct_chest.h5")
