"""Opens a raw scan of any known format."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Protocol, cast

from core.errors import ScanError
from core.formats.axes import DOMAINS, AxesGuess, names_views
from core.formats.files import check_readable
from core.formats.in_words import in_words
from core.formats.plugged import BUILT_IN, plugged_reader, with_troubles
from core.projections import Projections, require_signal
from core.scan import Scan

_ARRAYS = ("arrays", "projection_arrays")
_OF_FOLDERS = ("tiff_stack",)
"""A folder may be opened where one of these claims it."""


class Reader(Protocol):
    """What the module of a format offers."""

    NAMES_ITS_AXES: bool

    def claims(self, path: Path) -> bool:
        """The file looks like this format. Cheap: its suffix, its first bytes, the names in an HDF5 file."""

    def read(self, path: Path, *, axes: str, domain: str) -> Scan:
        """The scan. Raises ScanError, or any other exception when the file is damaged."""


def open_scan(path: str | Path, *, axes: str = "", domain: str = "kspace") -> Scan:
    """Read a raw scan.

    path: a file, or a folder of TIFF pictures with its geometry.toml.
    axes: names for the axes of a plain array, such as "coil,ky,kx" or, for CT, "view,row,column"; "img:y,x,coil"
    chooses the file's variable img.
    domain: "kspace", or "image" if a plain array holds coil images, which are then transformed to k-space.
    Raises ScanError, and nothing else.
    """
    path = Path(path)
    with in_words(path):
        if domain not in DOMAINS:
            raise ScanError(f"There is no domain {domain!r}.", "", f"Use {' or '.join(DOMAINS)}.")
        reader, path = _reader_of(path, axes)
        scan = reader.read(path, axes=axes, domain=domain)
        if isinstance(scan, Projections):
            require_signal(scan)
        if reader.NAMES_ITS_AXES and (axes or domain != "kspace"):
            scan = _note(scan, "The axes and the domain are in the file; what was named was not used.")
        return scan


def guess_axes(path: str | Path) -> AxesGuess:
    """What the axes of a plain array seem to be, for a person to confirm.

    Raises ScanError, and nothing else; also when the file holds several arrays (see `guess_all_axes`).
    """
    from core.formats import arrays

    path = Path(path)
    with in_words(path):
        _check_array(path)
        return arrays.guess(path)


def guess_all_axes(path: str | Path) -> tuple[AxesGuess, ...]:
    """A guess for every array in a file that could be a scan. Raises ScanError, and nothing else."""
    from core.formats import arrays

    path = Path(path)
    with in_words(path):
        _check_array(path)
        return arrays.guess_all(path)


def _check_array(path: Path) -> None:
    from core.formats import arrays

    check_readable(path)
    if not arrays.claims(path):
        raise ScanError(
            f"{path.name} is not a plain array.", "", "Axes are guessed for .npy, .npz and .mat files only."
        )


def _reader_of(path: Path, axes: str) -> tuple[Reader, Path]:
    """The reader that claims the file. A stem that BART's two files share stands for them."""
    pair = path.with_name(path.name + ".cfl") if path.name else path
    if not path.exists() and pair.exists():
        path = pair
    folder = path.is_dir() and bool(path.name)
    if not folder:
        check_readable(path)
    if (found := _claimant(path, folder, named=bool(axes))) is not None:
        return _for_named_views(found, axes), path
    check_readable(path)
    from core.formats.unknown import explain

    raise with_troubles(explain(path))


def _claimant(path: Path, folder: bool, named: bool) -> Reader | None:
    """Formats first; then plug-ins, unless the axes of an array are named; then plain arrays, which tell little."""
    own = _OF_FOLDERS if folder else tuple(name for name in BUILT_IN if name not in _ARRAYS)
    arrays = () if folder else tuple(name for name in BUILT_IN if name in _ARRAYS)
    for reader in map(_module, own):
        if reader.claims(path):
            return reader
    plain = next((reader for reader in map(_module, arrays) if reader.claims(path)), None)
    return plain if plain and named else plugged_reader(path) or plain


def _for_named_views(reader: Reader, axes: str) -> Reader:
    """A plain array is read as projections where its named axes are theirs, whatever it would be read as without."""
    readers = [_module(name) for name in _ARRAYS]
    return readers[names_views(axes)] if axes and reader in readers else reader


def _module(name: str) -> Reader:
    return cast(Reader, importlib.import_module(f"core.formats.{name}"))


def _note(scan: Scan, sentence: str) -> Scan:
    told = scan.provenance
    return scan.with_changes(
        provenance=dataclasses.replace(told, not_understood=(*told.not_understood, sentence)),
    )
