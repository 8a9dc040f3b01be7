"""What kind of file a supposed checkpoint is, by its first bytes; its name is not trusted."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

SAFETENSORS = "safetensors"
TORCH_ZIP = "torch"
TORCH_OLD = "torch before 1.6"

_LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the .safetensors format."""

_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x89HDF", "an HDF5 file, such as raw data or a Keras network"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a file packed with gzip"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"GGUF", "a GGUF language model"),
    (b"NRRD", "an NRRD volume"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"\x08\x03\x12", "perhaps an ONNX network"),
)


def kind_of(path: Path) -> str:
    """SAFETENSORS, TORCH_ZIP, TORCH_OLD, or what else it is, such as "a PNG picture". OSError if it cannot be read."""
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return "an empty file"
    for magic, words in _MAGIC:
        if start.startswith(magic):
            return words
    if start[128:132] == b"DICM":
        return "a DICOM image"
    if start[:4] == b"PK\x03\x04":
        return _kind_of_zip(path)
    if start[257:262] == b"ustar":
        return "a tar archive"
    length = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and length <= _LONGEST_HEADER:
        return SAFETENSORS
    # Protocol 2 and above begins so; torch.save has never used an earlier one.
    if start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return TORCH_OLD
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return "a text file"
    return "no kind of file that is known here"


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] or name for name in archive.namelist()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error):
        return TORCH_ZIP  # a cut-off one: its list of contents stood at the end
    if "data.pkl" in names:
        return "a TorchScript program" if "constants.pkl" in names else TORCH_ZIP
    if any(name.endswith(".npy") for name in names):
        return "a NumPy archive (.npz)"
    return f"a zip archive of {len(names)} files"
