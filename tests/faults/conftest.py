"""Scans, a prior that fits into a test, and disks that fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.diffusion.small_unet import SmallUNet
from core.engine import lost_device
from core.engine.job import JobSpec, ScanSource
from core.engine.settings import ReconSettings
from core.priors.card import ModelCard
from core.priors.checkpoint import sha256_of
from core.priors.held import let_go
from tests.core.conftest import build_projections, build_scan


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def card_is_there(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test believes that an earlier one has lost the graphics card."""
    monkeypatch.setattr(lost_device, "_lost", [])
    yield
    let_go()


@pytest.fixture
def prior(tmp_path: Path) -> str:
    """The path of a small random prior."""
    return write_prior(tmp_path / "tiny.safetensors")


def write_prior(path: Path) -> str:
    torch.manual_seed(0)
    config = {"channels": 2, "widths": [16, 16], "blocks": 1, "time_width": 16}
    network = SmallUNet(**config)
    torch.nn.init.normal_(network.head.weight, std=0.02)
    save_file(network.state_dict(), path)
    card = ModelCard("tiny", "small", config, 2, parametrization="v", sha256=sha256_of(path))
    path.with_suffix(".json").write_text(card.to_json())
    return str(path)


@pytest.fixture
def make_job(prior: str) -> Callable[..., JobSpec]:
    """make_job(nfe=4, ...): DDS of four slices of an MRI scan; make_job(method="tv", ...): a classical method."""

    def make(slices: int = 4, **changes: object) -> JobSpec:
        settings = ReconSettings(**{"prior": prior, "nfe": 4, **changes})  # type: ignore[arg-type]
        return JobSpec(ScanSource("x"), settings, build_scan(24, 20, slices=slices, noise=1e-3), threads=1)

    return make


@pytest.fixture
def make_ct_job() -> Callable[..., JobSpec]:
    def make(**changes: object) -> JobSpec:
        settings = ReconSettings(**changes)  # type: ignore[arg-type]
        return JobSpec(ScanSource("x"), settings, build_projections(slices=2), threads=1)

    return make


@dataclass
class Disk:
    """A disk of a quarter of a megabyte, in memory."""

    folder: Path

    def fill(self, leave: int = 2) -> None:
        """Up to a few kilobytes. leave: blocks of four of them that stay free."""
        with (self.folder / "ballast").open("wb") as file:
            room = os.statvfs(self.folder)
            file.write(bytes(max(room.f_bavail - leave, 0) * room.f_frsize))

    def lock(self, *, locked: bool = True) -> None:
        """Let nothing be written, whoever wants to."""
        subprocess.run(["mount", "-o", f"remount,{'ro' if locked else 'rw'}", self.folder], check=True)

    def held(self) -> dict[str, bytes]:
        """All that lies there, but for the ballast."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name != "ballast")
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may make a small disk")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)
