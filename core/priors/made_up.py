"""Made-up volumes to learn from: which phantom each kind of source means, at which size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.errors import JobError

FloatArray = npt.NDArray[np.float32]
Made = tuple[FloatArray, FloatArray | None]
Spacing = tuple[float, float, float]


def made_up(kind: str, seed: int) -> Made:
    """(voxels (z, y, x), share of brain or None) of the phantom of a kind and seed; MR in signal, CT in HU.

    Raises JobError for a kind that is not known.
    """
    return _found(kind)[0](seed)


def spacing_of(kind: str) -> Spacing:
    """Voxel size (z, y, x) in mm of the phantoms of a kind. Raises JobError for a kind that is not known."""
    return _found(kind)[1]


def axes_of(kind: str) -> tuple[int, ...]:
    """The axes across which the phantoms of a kind may be cut. Raises JobError for a kind that is not known."""
    _found(kind)
    return (0,) if kind == LEAVES else (0, 1, 2)


def _found(kind: str) -> tuple[Callable[[int], Made], Spacing]:
    if kind not in KINDS:
        raise JobError(f"There is no source of kind {kind!r}.", "", f"Use volume or {', '.join(KINDS)}.")
    return KINDS[kind]


def _head(seed: int) -> Made:
    """A head with T1-weighted signals, which the contrast curves turn into others."""
    import scipy.ndimage as ndi

    from core.priors.phantoms import head
    from core.priors.phantoms_canvas import BRAIN_TISSUES, TISSUES

    made = head(seed, (176, 220, 184), "t1", spacing_mm=(1.0, 1.0, 1.0), centre_mm=(0, 0, 5), jitter=0.06)
    brain = np.isin(made.labels, [TISSUES.index(t) for t in BRAIN_TISSUES]).astype(np.float32)
    return made.image, ndi.gaussian_filter(brain, 0.6)


def _head_ct(seed: int) -> Made:
    from core.priors.phantoms_head_ct import head_ct

    return head_ct(seed, (176, 220, 184), spacing_mm=(1.0, 1.0, 1.0)).image, None


def _chest(seed: int) -> Made:
    from core.priors.phantoms_torso import torso

    return torso(seed, (100, 200, 280), spacing_mm=(1.5, 1.4, 1.4), part="chest").image, None


def _abdomen(seed: int) -> Made:
    from core.priors.phantoms_torso import torso

    return torso(seed, (100, 200, 280), spacing_mm=(1.5, 1.4, 1.4), part="abdomen").image, None


def _leaves(seed: int) -> Made:
    from core.priors.phantoms_leaves import leaves

    return leaves(seed), None


LEAVES = "phantom:leaves"
KINDS: dict[str, tuple[Callable[[int], Made], Spacing]] = {
    "phantom:head": (_head, (1.0, 1.0, 1.0)),
    "phantom:head-ct": (_head_ct, (1.0, 1.0, 1.0)),
    "phantom:chest": (_chest, (1.5, 1.4, 1.4)),
    "phantom:abdomen": (_abdomen, (1.5, 1.4, 1.4)),
    LEAVES: (_leaves, (6.0, 1.0, 1.0)),
}
"""What a recipe may name, with the voxel size that it is made at."""
