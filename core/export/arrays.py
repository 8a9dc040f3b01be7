"""NumPy files: the numbers as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.scan import Volume


def write(volume: Volume, path: Path) -> None:
    """Write the array, (frame, y, x) complex64 for MRI and float32 for CT, as .npy."""
    with path.open("wb") as file:
        np.save(file, volume.array, allow_pickle=False)
