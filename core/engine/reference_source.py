"""Where a run finds what its image is compared with, and the mask within which it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import JobError, ScanError
from core.formats.fingerprint import Signature, fingerprint_of, signature_of
from core.scan import Volume


@dataclass(frozen=True)
class ReferenceSource:
    """What to compare with: a file, an image in memory, or else the run's own scan before its undersampling.

    use: False for nothing at all. path: of an image volume or of a fully sampled scan. image, name: an image in memory
    and what it is called; it stays behind when the job is written down. mask: path of a volume, inside where it is not
    0, or "". resample: bring reference and mask onto the image's grid where they lie on another one.
    """

    use: bool = True
    path: str = ""
    name: str = ""
    mask: str = ""
    resample: bool = False
    image: Volume | None = field(default=None, repr=False, compare=False)

    @property
    def is_own_scan(self) -> bool:
        """The fully sampled scan itself, where the run leaves some of it out."""
        return self.use and not self.path and not self.name and self.image is None

    def to_dict(self) -> dict[str, Any]:
        """Everything but the image, ready for JSON."""
        return {
            "use": self.use,
            "path": self.path,
            "name": self.name,
            "mask": self.mask,
            "resample": self.resample,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ReferenceSource:
        """The inverse of to_dict; what is missing is as usual. Raises TypeError or ValueError for what is none."""
        if not isinstance(values, dict):
            raise TypeError("the reference is no table")
        words = [values.get(key, "") for key in ("path", "name", "mask")]
        flags = values.get("use", True), values.get("resample", False)
        if not all(isinstance(word, str) for word in words) or not all(isinstance(flag, bool) for flag in flags):
            raise ValueError("the reference is of another kind")
        path, name, mask = words
        return cls(flags[0], path, name, mask, flags[1])


def require_here(source: ReferenceSource) -> None:
    """Raise JobError for an image in memory that stayed behind when its job was written down."""
    if source.use and source.name and source.image is None and not source.path:
        raise JobError(
            f"The reference {source.name} is not here.", "It was an image in memory.", "Choose a file, or another run."
        )


def hashes_of(source: ReferenceSource) -> dict[str, str]:
    """SHA-256 of the reference and of the mask, where they are not the run's own scan, by "reference" and "mask".

    Raises ScanError for a file that is not there or cannot be read.
    """
    found = {}
    if source.use and source.image is not None:
        found["reference"] = _hash_of_image(source.image)
    elif source.use and source.path:
        found["reference"] = hash_of(source.path, "reference")
    if source.use and source.mask:
        found["mask"] = hash_of(source.mask, "mask")
    return found


def digest_of_source(source: ReferenceSource) -> str:
    """What figures depend on, as one word; "" for the run's own scan without a mask. Raises as `hashes_of`."""
    found = hashes_of(source)
    flags = [flag for flag, wanted in (("none", not source.use), ("resampled", source.resample and found)) if wanted]
    masked = [f"mask {found['mask']}"] if "mask" in found else []
    return " ".join([*([found["reference"]] if "reference" in found else []), *masked, *flags])


def hash_of(path: str, what: str) -> str:
    """SHA-256 of a file, or of the files of a folder. what: it is, in words. Raises ScanError."""
    place = Path(path)
    try:
        found = file_hash(path, signature_of(place))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScanError(f"The {what} {place.name} cannot be read.", f"{reason}.", "Check the file.") from error
    if not found:
        raise ScanError(f"There is no {what} {place.name}.", f"Nothing was found at {place}.", "Check the name.")
    return found


@lru_cache(maxsize=16)
def file_hash(path: str, signature: Signature) -> str:
    """SHA-256; the signature tells a file that has changed. Raises OSError."""
    return fingerprint_of(Path(path))


def _hash_of_image(volume: Volume) -> str:
    digest = hashlib.sha256(f"{volume.array.dtype} {volume.array.shape} {volume.unit}".encode())
    for frame in volume.array:
        digest.update(frame.tobytes())
    return digest.hexdigest()
