"""Write the demo scan: a made-up head, measured by eight made-up coils at R = 4, as an ISMRMRD file.

Run from the project's root: python packaging/make_demo_scan.py [FILE]. The same call writes the same measurements.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.engine.simulate_mri import (  # noqa: E402
    NOISE_SAMPLES,
    ComplexArray,
    as_measured,
    complex_noise,
    kspace,
)
from core.export.ismrmrd_scan import Told, save_kspace  # noqa: E402
from core.operators.masks import Undersampling, sampling_mask  # noqa: E402
from core.orientation import affine_from_directions  # noqa: E402
from core.priors.phantoms import head  # noqa: E402
from core.provenance import Provenance  # noqa: E402
from core.scan import KSpace  # noqa: E402

SEED = 20306
"""Of a head that no bundled prior was trained on: those use seeds 1000 to 1999."""
SLICES, SIZE, COILS, ACS = 4, 256, 8, 20
PIXEL_MM, THICKNESS_MM = 0.9, 5.0
CENTRE_MM = (0.0, 0.0, 14.0)
NOISE = 0.015
"""Standard deviation of the complex noise, as a share of the image's peak."""


def images() -> ComplexArray:
    """The true complex images (slices, y, x), peak 1, with the smooth phase that real ones have."""
    made = head(
        SEED,
        (SLICES, SIZE, SIZE),
        "t2",
        spacing_mm=(THICKNESS_MM, PIXEL_MM, PIXEL_MM),
        centre_mm=CENTRE_MM,
        lesions=2,
        jitter=0.05,
    ).image
    return as_measured(made, SEED)


def scan() -> tuple[KSpace, ComplexArray]:
    """(the scan, noise measured without signal). x towards the left, y towards the back, z towards the head."""
    rng = np.random.default_rng((SEED, 1))
    mask = sampling_mask(Undersampling("gaussian1d", 4.0, ACS, SEED), SIZE, SIZE)
    full, data = kspace(images(), COILS, (SIZE, SIZE), SEED), np.zeros((SLICES, COILS, SIZE, SIZE), np.complex64)
    silence = complex_noise(rng, (COILS, NOISE_SAMPLES), NOISE)
    for index in range(SLICES):
        for line in np.flatnonzero(mask):
            data[index, :, line] = full[index, :, line] + complex_noise(rng, (COILS, SIZE), NOISE)
    # The field of view's middle is voxel n // 2; the head's own lies half a pixel before it.
    centre = (CENTRE_MM[0] + PIXEL_MM / 2, CENTRE_MM[1] + PIXEL_MM / 2, CENTRE_MM[2])
    axes = np.eye(3)
    spacing = (PIXEL_MM, PIXEL_MM, THICKNESS_MM)
    measured = KSpace(
        data[None, None, :, :, None],
        mask[None, None, None, None],
        (1, SIZE, SIZE),
        Provenance("", "simulated"),
        field_of_view_mm=(SIZE * PIXEL_MM, SIZE * PIXEL_MM, THICKNESS_MM),
        affine=affine_from_directions(*axes, spacing, centre, (SLICES, SIZE, SIZE)),
        simulated=True,
    )
    return measured, silence


def write(path: Path) -> None:
    """Write the scan, replacing what lies at the path."""
    measured, silence = scan()
    path.parent.mkdir(parents=True, exist_ok=True)
    calibration = range(SIZE // 2 - ACS // 2, SIZE // 2 - ACS // 2 + ACS)
    save_kspace(measured, path, Told("T2 head, made up", f"procedural head {SEED}"), silence, calibration)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "demo" / "mri_head.h5")
