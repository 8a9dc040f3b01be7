"""Formats that plug-ins read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.errors import ScanError
from core.plugins import FAULTS, Group, in_short
from core.scan import Scan

BUILT_IN = (
    *("ismrmrd_file", "fastmri", "dataexchange", "nxtomo", "htc", "tiff_stack", "rtk_projections"),
    *("bart", "projection_arrays", "arrays", "twix"),
)
"""The formats of the program, by the names of their modules."""


class FormatPlugin(Protocol):
    """What an entry point of "dds_viewer.formats" names: a module, an object, or a class without arguments.

    It is asked after the program's own formats, and before plain arrays (.npy, .npz, .mat).
    """

    def claims(self, path: Path) -> bool:
        """The file or folder looks like this format. Cheap: its suffix or its first bytes."""

    def read(self, path: Path) -> Scan:
        """A core.scan.KSpace or core.projections.Projections. May raise ScanError(what, why, try_this)."""


FORMATS = Group("dds_viewer.formats", "format", ("claims", "read"), lambda: BUILT_IN)


@dataclass
class PluggedReader:
    """A plug-in in the place of a format's module."""

    name: str
    plugin: Any
    NAMES_ITS_AXES: bool = True

    def claims(self, path: Path) -> bool:
        """False, and the plug-in is asked no more, where it fails."""
        try:
            return bool(self.plugin.claims(path))
        except FAULTS as error:
            FORMATS.failed(self.name, error)
            return False

    def read(self, path: Path, *, axes: str, domain: str) -> Scan:
        """Raises ScanError in the plug-in's words, or in those of what it fails with."""
        try:
            scan = self.plugin.read(path)
        except (ScanError, MemoryError):
            raise
        except FAULTS as error:
            raise self._fault(path, in_short(error)) from error
        if not isinstance(scan, Scan):
            raise self._fault(path, f"it gave a {type(scan).__name__} and no scan")
        return scan

    def _fault(self, path: Path, trouble: str) -> ScanError:
        package = FORMATS.package_of(self.name)
        return ScanError(
            f"{path.name} cannot be read.",
            f"The format {self.name} of {package} failed ({trouble}).",
            "Check the file, or update or remove that package.",
        )


def plugged_reader(path: Path) -> PluggedReader | None:
    """The first plug-in that claims a file or folder, by name; None where none does."""
    for name in FORMATS.names():
        plugin = FORMATS.load(name)
        if plugin is not None and (reader := PluggedReader(name, plugin)).claims(path):
            return reader
    return None


def with_troubles(error: ScanError) -> ScanError:
    """An unknown file may be one that a plug-in could have read, were there nothing wrong with it."""
    told = " ".join(plugin.words for plugin in FORMATS.known() if plugin.trouble)
    return ScanError(error.what, f"{error.why} {told}".strip(), error.try_this) if told else error
