"""Hashes of the scans and volumes that projects name, each found once as long as its file stays the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.formats.fingerprint import Signature, fingerprint_of, signature_of


class Prints:
    """For one thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...]], tuple[Signature, str]] = {}

    def of(self, path: str, files: tuple[str, ...] = ()) -> str:
        """The hash of what is at a path; the last one that was known where nothing is there now, or ""."""
        last = self._known.get((path, files), ((), ""))
        try:
            signature = signature_of(Path(path), files)
            if not signature or signature == last[0]:
                return last[1]
            last = signature, fingerprint_of(Path(path), files)
        except (OSError, ValueError):
            return last[1]
        self._known[path, files] = last
        return last[1]

    def complete(self, record: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
        """A record with the hashes of its scan and volumes, and with their places as seen from the folder of the
        project, so that they are found again where both are moved together."""
        scan = record["scan"]
        volumes = [self._completed(volume, folder) for volume in record["volumes"]]
        return {**record, "scan": scan and self._completed(scan, folder), "volumes": volumes}

    def _completed(self, source: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
        files = tuple(source["series"]["files"]) if source.get("series") else ()
        beside = ""
        if folder is not None:
            try:
                beside = Path(os.path.relpath(source["path"], folder)).as_posix()
            except ValueError:  # on another drive
                beside = ""
        return {**source, "sha256": self.of(source["path"], files), "beside": beside}
