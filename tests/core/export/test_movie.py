"""Movies are read back frame by frame; what goes wrong leaves nothing."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from core.export import ExportError, movie

COUNT = 12


def frames(height: int = 90, width: int = 120, grey: bool = False) -> Iterator[np.ndarray]:
    """A ramp from dark to bright to the right, and a red square that steps to the right."""
    for i in range(COUNT):
        frame = np.empty((height, width, 3), np.uint8)
        frame[:] = np.linspace(0, 200, width, dtype=np.uint8)[None, :, None]
        frame[20:50, 8 * i : 8 * i + 24] = 230 if grey else (230, 40, 60)
        yield frame


def read_mp4(path: Path) -> tuple[list[np.ndarray], float]:
    reader, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while (got := reader.read())[0]:
        found.append(got[1][..., ::-1])
    fps = reader.get(cv2.CAP_PROP_FPS)
    reader.release()
    return found, fps


@pytest.mark.parametrize("size", [(90, 120), (91, 121)])
def test_mp4(tmp_path: Path, size: tuple[int, int]) -> None:
    movie.write(frames(*size), tmp_path / "x.mp4", 12.5)
    found, fps = read_mp4(tmp_path / "x.mp4")
    assert len(found) == COUNT
    assert fps == pytest.approx(12.5)
    for got, wanted in zip(found, frames(*size), strict=True):
        assert got.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
        assert np.abs(got[: size[0], : size[1]].astype(int) - wanted).mean() < 8
    for i, got in enumerate(found):
        red = got[35, :, 0].astype(int) - got[35, :, 1] > 90
        assert np.flatnonzero(red).mean() == pytest.approx(8 * i + 11.5, abs=2)


def test_gif_of_grey_is_exact(tmp_path: Path) -> None:
    movie.write(frames(grey=True), tmp_path / "x.gif", 10)
    with Image.open(tmp_path / "x.gif") as picture:
        assert picture.n_frames == COUNT
        assert picture.info["duration"] == 100
        assert picture.info["loop"] == 0
        assert b"Research use only" in picture.info["comment"]
        for got, wanted in zip(ImageSequence.Iterator(picture), frames(grey=True), strict=True):
            assert np.array_equal(np.asarray(got.convert("RGB")), wanted)


def test_gif_of_colours_is_close(tmp_path: Path) -> None:
    movie.write(frames(), tmp_path / "x.gif", 24)
    with Image.open(tmp_path / "x.gif") as picture:
        assert picture.info["duration"] == 40
        for got, wanted in zip(ImageSequence.Iterator(picture), frames(), strict=True):
            assert np.abs(np.asarray(got.convert("RGB")).astype(int) - wanted).max() < 12


@pytest.mark.parametrize("name", ["x.gif", "x.mp4"])
def test_a_movie_that_is_given_up_leaves_the_older_one(tmp_path: Path, name: str) -> None:
    class Cancelled(Exception):
        pass

    def given_up() -> Iterator[np.ndarray]:
        for i, frame in enumerate(frames()):
            if i == 5:
                raise Cancelled
            yield frame

    path = tmp_path / name
    path.write_bytes(b"older")
    with pytest.raises(Cancelled):
        movie.write(given_up(), path, 10)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["x.gif", "x.mp4"])
def test_bad_frames_are_refused(tmp_path: Path, name: str) -> None:
    good = np.zeros((8, 8, 3), np.uint8)
    for bad in ([], [good, good[:6]], [good[..., 0]], [good.astype(float)], [good[:0]]):
        with pytest.raises(ExportError):
            movie.write(iter(bad), tmp_path / name, 10)
    for fps in (0, -1, float("nan"), 1e6):
        with pytest.raises(ExportError):
            movie.write(iter([good]), tmp_path / name, fps)
    with pytest.raises(ExportError, match="no name of a movie"):
        movie.write(iter([good]), tmp_path / "x.avi", 10)
    with pytest.raises(ExportError, match="does not exist"):
        movie.write(iter([good]), tmp_path / "no" / name, 10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.gif", "x.mp4"])
def test_one_frame(tmp_path: Path, name: str) -> None:
    movie.write([next(frames())], tmp_path / name, 10)
    assert (tmp_path / name).stat().st_size > 100


@pytest.mark.parametrize("name", ["x.gif", "x.mp4"])
def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path, name: str) -> None:
    """The system itself cuts the file off; a video encoder does not tell."""
    noise = np.random.default_rng(0).integers(0, 255, (20, 96, 128, 3), dtype=np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        with pytest.raises(ExportError, match="could not be written"):
            movie.write(noise, tmp_path / name, 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
