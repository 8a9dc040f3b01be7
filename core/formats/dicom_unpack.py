"""Unpacks pixels of DICOM files; run as a script in a process of its own, see core.formats.dicom_pixels.

As a script it reads a JSON list of [file, [frame numbers]] from its input and writes, for each frame, a line of JSON
(dtype and shape) with its bytes behind it; a line with "error" is the last. Any other end is a crash of a decoder.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import zlib
from collections.abc import Iterator
from typing import Any

_SECONDS = 60
"""A decoder that needs longer for a frame hangs."""
_MOST_MEMORY = 2**33
_SMALL = 2**20
_PLAIN, _MOST_GROWTH = 2**26, 64
"""A deflated data set may become so many bytes, and beyond that by so much more than it has."""
_LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""
_EXTENDED = "1.2.840.10008.1.2.4.51"


class Bounded(io.BufferedReader):
    """A DICOM file whose reads take no memory for what it announces and does not hold.

    The library reads all that is left only of a deflated data set, which it then unpacks as a whole: ValueError where
    that would be out of all proportion.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            _check_deflated(rest := super().read())
            return rest
        return super().read(size if size < _SMALL else min(size, max(self._size - self.tell(), 0)))


def _check_deflated(packed: bytes) -> None:
    stream, total, most = zlib.decompressobj(-zlib.MAX_WBITS), 0, _PLAIN + _MOST_GROWTH * len(packed)
    while packed and not stream.eof:
        try:
            total += len(stream.decompress(packed, _SMALL))
        except zlib.error:
            return
        if total > most:
            raise ValueError("it unpacks to far more than a picture")
        packed = stream.unconsumed_tail


def unpacked(file: str, numbers: list[int]) -> Iterator[Any]:
    """The stored numbers (rows, columns) of some frames; colours as their luminance. Raises what the decoders raise.

    NotImplementedError: there is no decoder for the file's transfer syntax.
    """
    import pydicom
    from pydicom.pixels import get_decoder, iter_pixels

    with Bounded(file) as held:
        header = pydicom.dcmread(held, stop_before_pixels=True)
    syntax = header.file_meta.TransferSyntaxUID
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:
        known = False
    if not known:
        raise NotImplementedError(syntax.name)
    if syntax == _EXTENDED and int(header.BitsStored) > 8:
        yield from _twelve_bits(file, numbers)
        return
    told = {} if "PhotometricInterpretation" in header else {"photometric_interpretation": "MONOCHROME2"}
    # A frame that is read from the file leaves the others there.
    with Bounded(file) as held:
        source: Any = held
        if told or syntax.is_deflated:
            source = pydicom.dcmread(held)
            source.PhotometricInterpretation = header.get("PhotometricInterpretation", "MONOCHROME2")
        for pixels in iter_pixels(source, indices=numbers):
            yield _grey(pixels, header)


def _grey(pixels: Any, header: Any) -> Any:
    import numpy as np
    from pydicom.pixels import apply_color_lut

    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, header)
    if pixels.ndim == 2:
        return pixels
    return np.rint(pixels[..., :3] @ np.asarray(_LUMINANCE)).astype(np.int32)


def _twelve_bits(file: str, numbers: list[int]) -> Iterator[Any]:
    """JPEG Extended beyond 8 bits, which pydicom's plug-ins leave out."""
    import gdcm  # type: ignore[import-untyped]
    import numpy as np

    reader = gdcm.ImageReader()
    reader.SetFileName(file)
    if not reader.Read():
        raise ValueError("the decoder refuses it")
    image = reader.GetImage()
    if image.GetPixelFormat().GetSamplesPerPixel() != 1 or image.GetPixelFormat().GetBitsAllocated() != 16:
        raise ValueError("it is no grey picture of 16 bits")
    sizes = list(image.GetDimensions())
    signed = image.GetPixelFormat().GetPixelRepresentation()
    data = image.GetBuffer().encode("utf-8", "surrogateescape")
    frames = np.frombuffer(data, "<i2" if signed else "<u2").reshape(-1, sizes[1], sizes[0])
    for number in numbers:
        yield frames[number]


def _limit() -> None:
    """A crash is expected here; it shall not fill the disk, nor a damaged size the memory."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


def _serve(out: Any) -> None:
    import faulthandler

    import numpy as np

    silence = open(os.devnull, "w")  # noqa: SIM115
    for file, numbers in json.load(sys.stdin):
        frames = unpacked(file, numbers)
        for _ in numbers:
            # Its clock runs without the interpreter, which the decoders do not let go.
            faulthandler.dump_traceback_later(_SECONDS, exit=True, file=silence)
            pixels = np.ascontiguousarray(next(frames))
            faulthandler.cancel_dump_traceback_later()
            out.write(json.dumps({"dtype": pixels.dtype.str, "shape": pixels.shape}).encode() + b"\n")
            out.write(pixels.tobytes())


def main(arguments: list[str]) -> int:
    """Without arguments; all is told by what is written. Returns the exit status."""
    # The decoders print what they do not like, which must not get among the pixels.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit()
    try:
        _serve(out)
    except Exception as error:
        absent = isinstance(error, NotImplementedError)
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        out.write(json.dumps({"error": " ".join(said.split())[:160], "absent": absent}).encode() + b"\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
