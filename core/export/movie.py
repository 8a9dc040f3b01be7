"""Moving pictures: frames as GIF or MP4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.export import ExportError, writing
from core.export.picture import NOTICE
from core.export.whole import write_whole

Frame = npt.NDArray[np.uint8]
"""(height, width, 3) red, green and blue."""

_CODEC = "mp4v"
_FASTEST = 240.0
_GIF_TICK_MS = 10


def write(frames: Iterable[Frame], path: Path, fps: float) -> None:
    """Write uint8 frames (h, w, 3) in RGB, all alike in size, so many a second, as the name ends: .gif or .mp4.

    They are taken one by one. GIF: of frames in grey all levels are kept, of colours the 256 best; equal neighbours
    become one longer frame, and times are in 1/100 s. MP4: MPEG-4 Part 2, odd sizes padded in black on the right and
    below. The frames carry their research mark themselves. Raises ExportError for no frames, or such as do not fit
    together, and where the disk refuses. Then, and when the iterator raises, nothing is left behind and an older file
    stays.
    """
    writers = {".gif": _write_gif, ".mp4": _write_mp4}
    ending = path.suffix.lower()
    if ending not in writers:
        raise ExportError(f"{path.name} is no name of a movie.", "", "End it in .gif or .mp4.")
    if not 0 < fps <= _FASTEST:
        raise ExportError(f"A movie of {fps:g} frames a second is not made.", "", f"Use up to {_FASTEST:g}.")
    with writing(path):
        write_whole(path, ending, lambda part: writers[ending](_alike(frames), part, fps))


def _alike(frames: Iterable[Frame]) -> Iterator[Frame]:
    shape = None
    for frame in frames:
        shape = frame.shape if shape is None else shape
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or 0 in frame.shape:
            raise ExportError("A frame is no picture.", f"It has shape {frame.shape} of {frame.dtype}.")
        if frame.shape != shape:
            raise ExportError("The frames differ in size.", f"{shape[:2]} and {frame.shape[:2]}.", "Record it again.")
        yield np.ascontiguousarray(frame)
    if shape is None:
        raise ExportError("There are no frames to write.", "", "Record some first.")


def _write_gif(frames: Iterator[Frame], path: Path, fps: float) -> None:
    from PIL import Image

    def picture(frame: Frame) -> Image.Image:
        if (frame == frame[..., :1]).all():
            return Image.fromarray(frame[..., 0])
        return Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE)

    first = picture(next(frames))
    # Pillow rounds down to the format's ticks, and some viewers slow down what has none.
    duration = max(round(1000 / fps / _GIF_TICK_MS), 1) * _GIF_TICK_MS
    rest = (picture(frame) for frame in frames)
    first.save(path, "GIF", save_all=True, append_images=rest, duration=duration, loop=0, comment=NOTICE.encode())


def _write_mp4(frames: Iterator[Frame], path: Path, fps: float) -> None:
    import cv2

    first = next(frames)
    height, width = (n + n % 2 for n in first.shape[:2])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*_CODEC), fps, (width, height))
    count = 0
    try:
        if not writer.isOpened():
            raise OSError("The encoder could not be started")
        for frame in _and(first, frames):
            padded = np.zeros((height, width, 3), np.uint8)
            padded[: frame.shape[0], : frame.shape[1]] = frame[..., ::-1]
            writer.write(padded)
            count += 1
    finally:
        writer.release()
    # The encoder says nothing of a full disk; a file that was cut off has no table of its frames.
    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    found = int(reader.get(cv2.CAP_PROP_FRAME_COUNT)) if reader.isOpened() else 0
    reader.release()
    if found != count:
        raise OSError(f"{found} of {count} frames were kept; the disk may be full")


def _and(first: Frame, rest: Iterator[Frame]) -> Iterator[Frame]:
    yield first
    yield from rest
