"""A viewing room whose panes are saved as pictures and films."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.pictures import GivenUp
from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.room import Room
from app.views.room_cine import Cine
from app.views.room_page import RoomPage
from app.views.room_pictures import Pictures
from core.formats.identity import Identity
from core.formats.volume_parts import Opened
from core.scan import Volume

PATIENT = "DOE_JANE"


def made(key: str = "a", stacks: int = 1, shape: tuple[int, int, int] = (5, 60, 80), **values: Any) -> Item:
    """Of a file that is named after its patient."""
    voxels = np.arange(stacks * np.prod(shape), dtype=np.float32).reshape(stacks, *shape)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    volume = Volume(voxels[0], "HU", affine, (1.0, 1.0, 2.0))
    origin = Opened(volume, f"/scans/{PATIENT}.dcm", "DICOM", identity=Identity(patient_name=PATIENT, patient_id="12"))
    plain: dict[str, Any] = {"kind": Kind.VOLUME, "origin": replace(origin, modality="CT"), "name": f"{PATIENT}.dcm"}
    return Item(
        key,
        stacks=voxels,
        affine=affine,
        placed=True,
        unit="HU",
        offered=Levels(0, float(voxels.max())),
        **{**plain, **values},
    )


class Answers:
    """Paths that a test gives, and what was proposed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scale = folder, 1
        self.picture, self.film = "out.png", "out.mp4"
        self.proposed: list[str] = []

    def picture_to_save(self, parent: object, proposal: str) -> tuple[str, int]:
        self.proposed.append(proposal)
        return str(self.folder / self.picture) if self.picture else "", self.scale

    def film_to_save(self, parent: object, proposal: str) -> str:
        self.proposed.append(proposal)
        return str(self.folder / self.film) if self.film else ""


class FakeMovie:
    """Keeps frames in the place of a file; waits at the first one while `go` is not set."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.fps = 0.0
        self.given_up = False
        self.fails: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.threads: set[int] = set()

    def __call__(self, frames: Iterable[np.ndarray], path: Path, fps: float) -> None:
        self.fps = fps
        try:
            for frame in frames:
                self.threads.add(threading.get_ident())
                self.go.wait()
                self.frames.append(frame)
                if self.fails is not None:
                    raise self.fails
        except GivenUp:
            self.given_up = True
            raise
        path.write_bytes(b"film")


@pytest.fixture
def room() -> Room:
    found = Room()
    found.put(made())
    return found


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path)


@pytest.fixture
def movie() -> Iterator[FakeMovie]:
    made = FakeMovie()
    yield made
    made.go.set()


@pytest.fixture
def pictures(qtbot: QtBot, room: Room, answers: Answers, movie: FakeMovie) -> Iterator[Pictures]:
    theme.apply("dark")
    page = RoomPage(room)
    cine = Cine(page)
    found = Pictures(page, answers, cine, lambda: "/home/me", movie)
    page.resize(700, 500)
    with qtbot.waitExposed(page):
        page.show()
    QApplication.processEvents()
    yield found
    movie.go.set()
    found.release()
    cine.release()
    page.release()
    page.deleteLater()


def pixels(path: Path | str) -> np.ndarray:
    with Image.open(path) as found:
        return np.asarray(found.convert("RGB"))


def saved(pictures: Pictures, qtbot: QtBot, *, layout: bool = False) -> np.ndarray:
    with qtbot.waitSignal(pictures.saved) as said:
        pictures.save_layout() if layout else pictures.save_pane()
    return pixels(said.args[0])
