"""Patient orientation: where a voxel lies in the patient, and which letter stands at which edge.

All affines map voxel indices (x, y, z, 1), x running along the last array axis, to patient millimetres in the DICOM
convention LPS: +x towards the patient's left, +y posterior, +z head (DICOM PS3.3 C.7.6.2.1.1). No image is flipped or
transposed anywhere else in the program.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Affine = npt.NDArray[np.float64]

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


def affine_from_directions(
    read: npt.ArrayLike,
    phase: npt.ArrayLike,
    through: npt.ArrayLike,
    spacing: npt.ArrayLike,
    centre: npt.ArrayLike,
    shape: tuple[int, int, int],
) -> Affine:
    """The LPS affine of a volume from its direction cosines.

    read, phase, through: unit vectors (3,) of growing x, y and z index. spacing: (3,) mm per index, x y z.
    centre: (3,) mm, the patient position of the voxel at index (nx // 2, ny // 2, (nz - 1) / 2), where the centre
    of the field of view lies after a centred Fourier transform. shape: array shape (nz, ny, nx).
    """
    axes = np.stack([np.asarray(v, dtype=np.float64) for v in (read, phase, through)], axis=1)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.asarray(spacing, dtype=np.float64)
    nz, ny, nx = shape
    middle = np.array([nx // 2, ny // 2, (nz - 1) / 2])
    affine[:3, 3] = np.asarray(centre, dtype=np.float64) - affine[:3, :3] @ middle
    return affine


def spacing_of(affine: Affine) -> tuple[float, float, float]:
    """Voxel size (x, y, z) in mm."""
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return float(x), float(y), float(z)


def letter(direction: npt.ArrayLike) -> str:
    """The letters of a patient direction (LPS vector): the main axis first, a second one if it carries over 30 %.

    Returns one of L R A P H F, or two of them for an oblique direction; an empty string for a zero vector.
    """
    vector = np.asarray(direction, dtype=np.float64)
    size = float(np.linalg.norm(vector))
    if size == 0:
        return ""
    vector = vector / size
    order = np.argsort(-np.abs(vector), kind="stable")
    letters = [_LETTERS[i][0 if vector[i] > 0 else 1] for i in order[:2] if abs(vector[i]) > 0.3]
    return "".join(letters)


def edge_letters(affine: Affine) -> tuple[str, str, str, str]:
    """Letters at the (left, right, top, bottom) edge of an image drawn with x to the right and y downwards."""
    x, y = affine[:3, 0], affine[:3, 1]
    return letter(-x), letter(x), letter(-y), letter(y)


def lps_to_ras(affine: Affine) -> Affine:
    """The same affine in NIfTI's RAS convention (x and y negated); it is its own inverse."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
