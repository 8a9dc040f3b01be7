"""Copies of DICOM series that tell of nobody who was scanned: PS3.15 Annex E, Basic Profile."""

from __future__ import annotations

import secrets
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import ScanError
from core.export import ExportError, writing
from core.export.deidentify_dataset import Cover, cover_dataset
from core.export.whole import write_whole_folder
from core.formats.files import head_of, require_memory
from core.formats.volume_parts import Tell

DOCUMENT, BURNED_IN, DAMAGED, FOREIGN = "no image", "words in the picture", "damaged", "no DICOM image"

_DICOMDIR = "1.2.840.10008.1.3.10"
_PICTURES = (
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.77.1",
)
"""Roots of the classes of Secondary Captures, ultrasound, and photographs and films (PS3.4 B.5)."""
_SCREENS = ("US", "IVUS", "ES", "XC", "GM", "OT")
_SHARE_LEFT = 1.1


@dataclass(frozen=True, kw_only=True)
class Options:
    """salt: any text; calls with the same one give the same patient the same new ids, "" for one that nobody knows.
    shift_dates: dates are moved by a secret number of days and not taken out. allow_burned_in: pictures with words in
    their pixels are copied too, words and all."""

    salt: str = field(default="", repr=False)
    shift_dates: bool = False
    allow_burned_in: bool = False


@dataclass(frozen=True)
class Skipped:
    """A file that was left out. why: in words. fault: the user must know, because it looked like one to be copied."""

    path: Path
    kind: str
    why: str

    @property
    def fault(self) -> bool:
        return self.kind != FOREIGN


@dataclass(frozen=True)
class Outcome:
    """images and series: how many were written. burned_in: pictures among them that may have words in their pixels."""

    images: int
    series: int
    skipped: tuple[Skipped, ...]
    burned_in: int = 0

    @property
    def faults(self) -> tuple[Skipped, ...]:
        return tuple(one for one in self.skipped if one.fault)


class _Refused(Exception):
    """kind and words of why a file is left out."""


def deidentify(sources: Sequence[Path], out: Path, options: Options | None = None, tell: Tell | None = None) -> Outcome:
    """Write a copy of every DICOM image in files and folders to out/series-1/0001.dcm, ..., as the profile has it.

    UIDs are replaced alike over the whole call, so that series, frames of reference and references hold together.
    Pixels, their compression and the geometry stay. Documents, reports and pictures that may have a name in their
    pixels are left out, as are damaged files; the outcome says which and why. tell: told of every file; what it raises
    ends the call.

    Raises ExportError, and then nothing is left behind: for `out` that is there and not empty or lies within a source,
    where there is no image, and for what the disk says.
    """
    chosen = options or Options()
    cover = Cover((chosen.salt or secrets.token_hex(32)).encode(), chosen.shift_dates)
    with writing(out):
        files = _files(sources)
        _check_target(sources, out, files)
        made = _Copies(cover, chosen, tell)
        write_whole_folder(out, lambda part: made.write(files, part))
    return Outcome(made.images, len(made.series), tuple(made.skipped), made.burned_in)


@dataclass
class _Copies:
    cover: Cover
    options: Options
    tell: Tell | None
    images: int = 0
    burned_in: int = 0
    series: dict[str, list[int]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def write(self, files: Sequence[Path], folder: Path) -> None:
        for done, path in enumerate(files):
            if self.tell is not None:
                self.tell("De-identifying", done, len(files))
            try:
                self._write(path, folder)
            except _Refused as refused:
                self.skipped.append(Skipped(path, *refused.args))
        if not self.images:
            raise ExportError("No image was written.", *_reasons(self.skipped))

    def _write(self, path: Path, folder: Path) -> None:
        with warnings.catch_warnings():
            # They would quote the values that are to be taken out.
            warnings.simplefilter("ignore")
            dataset = _read(path)
            words = burned_in(dataset)
            if words and not self.options.allow_burned_in:
                raise _Refused(BURNED_IN, words)
            try:
                cover_dataset(dataset, self.cover)
            except Exception as error:
                raise _Refused(DAMAGED, f"Its header cannot be read ({type(error).__name__}).") from error
            instance = str(dataset.SOPInstanceUID)
            if instance in self.seen:
                raise _Refused(FOREIGN, "The same image is there twice.")
            place = self.series.setdefault(str(dataset.get("SeriesInstanceUID", "")), [len(self.series) + 1, 0])
            target = folder / f"series-{place[0]}" / f"{place[1] + 1:04d}.dcm"
            target.parent.mkdir(exist_ok=True)
            _save(dataset, target)
        place[1] += 1
        self.seen.add(instance)
        self.images += 1
        self.burned_in += bool(words)


def _save(dataset: Any, target: Path) -> None:
    try:
        dataset.save_as(target, enforce_file_format=True)
    except OSError:
        raise
    except Exception as error:
        target.unlink(missing_ok=True)
        raise _Refused(DAMAGED, f"It cannot be written again ({type(error).__name__}).") from error


def _read(path: Path) -> Any:
    """The data set of an image with all its pixels. Raises _Refused."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        if head_of(path, 4, 128) != b"DICM":
            raise _Refused(FOREIGN, "It is no DICOM file.")
        require_memory(2.5 * path.stat().st_size, "The file")
        dataset = pydicom.dcmread(path)
    except InvalidDicomError as error:
        raise _Refused(FOREIGN, "It is no DICOM file.") from error
    except ScanError as error:
        raise _Refused(DAMAGED, str(error)) from error
    except _Refused:
        raise
    except Exception as error:
        raise _Refused(DAMAGED, f"It cannot be read ({type(error).__name__}).") from error
    if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DICOMDIR:
        raise _Refused(FOREIGN, "It is a list of files.")
    if not (
        dataset.get("SOPClassUID") and dataset.get("SOPInstanceUID") and dataset.file_meta.get("TransferSyntaxUID")
    ):
        raise _Refused(DAMAGED, "It does not say what it is.")
    if "PixelData" not in dataset and "FloatPixelData" not in dataset and "DoubleFloatPixelData" not in dataset:
        if "Rows" in dataset:
            raise _Refused(DAMAGED, "It ends before its pixels.")
        raise _Refused(DOCUMENT, "It holds no pixels: reports and documents tell of the patient in free text.")
    if _cut_off(dataset):
        raise _Refused(DAMAGED, "Its pixels are cut off.")
    return dataset


def _cut_off(dataset: Any) -> bool:
    """Fewer bytes of uncompressed pixels than rows, columns and frames need."""
    if "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_compressed:
        return False
    try:
        wanted = dataset.Rows * dataset.Columns * dataset.get("SamplesPerPixel", 1) * dataset.BitsAllocated / 8
        wanted *= int(dataset.get("NumberOfFrames", 1) or 1)
        packed = str(dataset.get("PhotometricInterpretation", "")) == "YBR_FULL_422"
    except (AttributeError, TypeError, ValueError):
        return True
    return len(dataset.PixelData) < int(wanted * (2 / 3 if packed else 1))


def burned_in(dataset: Any) -> str:
    """Why a picture may tell a name in its pixels, one sentence; "" for one that says or by its kind does not."""
    said = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    if said == "YES":
        return "Words are burned into its pixels, and may be a name."
    if said == "NO":
        return ""
    kind = str(dataset.get("SOPClassUID", ""))
    if kind.startswith(_PICTURES) or "ConversionType" in dataset:
        return "It is a picture of a screen or a photograph, which may show a name."
    if str(dataset.get("Modality", "")) in _SCREENS:
        return "Pictures of this kind often show a name."
    return ""


def _files(sources: Sequence[Path]) -> list[Path]:
    """All files, each once, in the order of their names."""
    return list(dict.fromkeys(path for source in sources for path in _inside(source)))


def _inside(source: Path) -> Iterator[Path]:
    if not source.exists():
        raise ExportError(f"There is nothing at {source}.", "", "Check the name.")
    if source.is_file():
        yield source
        return
    yield from (path for path in sorted(source.rglob("*")) if path.is_file())


def _check_target(sources: Sequence[Path], out: Path, files: Sequence[Path]) -> None:
    if out.exists() and (out.is_symlink() or not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out.name} is there already.", "It is not empty.", "Choose a new folder.")
    where = out.resolve()
    if any(where.is_relative_to(source.resolve()) for source in sources if source.is_dir()):
        raise ExportError("The copies would lie among the originals.", "", "Choose a folder outside of them.")
    needed = _SHARE_LEFT * sum(path.stat().st_size for path in files)
    if shutil.disk_usage(out.parent).free < needed:
        raise ExportError("The disk is too full.", f"The copies need {needed / 1e6:.0f} MB.", "Make room.")


def _reasons(skipped: Sequence[Skipped]) -> tuple[str, str]:
    """Of a call that wrote nothing: the cause, and what to do."""
    faults = [one for one in skipped if one.fault]
    if not faults:
        return "There are no DICOM images there.", "Choose the folder of a series."
    hint = "See --allow-burned-in." if faults[0].kind == BURNED_IN else ""
    return f"{len(faults)} files were left out. {faults[0].path.name}: {faults[0].why}", hint
