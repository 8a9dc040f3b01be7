"""The file of a scan that goes, is cut off or is written over: while it is read, before a run, during it, and after."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import app.cli
from core.engine.events import Finished, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.offers import quick_methods
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.engine.sweep import run_sweep
from core.engine.sweep_plan import Axis, plan_sweep
from core.errors import ScanError, UserError
from core.export.dataexchange import save_projections
from core.export.ismrmrd_scan import save_kspace
from core.export.sweep_folder import SweepFolder
from core.formats import open_scan
from core.formats.file_bytes import FileBytes
from core.projections import Projections
from core.scan import KSpace
from tests.core.conftest import build_projections, build_scan
from tests.core.formats.twix_writer import Measurement, readouts_of, write_twix

AXES = "coil,ky,kx"


def kspace() -> np.ndarray:
    return build_scan(24, 20, slices=1).data[0, 0, 0, :, 0]


def bart(folder: Path) -> Path:
    data = kspace()
    dims = [data.shape[2], data.shape[1], 1, data.shape[0], *[1] * 12]
    (folder / "s.hdr").write_text("# Dimensions\n" + " ".join(map(str, dims)) + "\n")
    (folder / "s.cfl").write_bytes(data.transpose(2, 1, 0).tobytes(order="F"))
    return folder / "s.cfl"


def npy(folder: Path) -> Path:
    np.save(folder / "s.npy", kspace())
    return folder / "s.npy"


def npz(folder: Path) -> Path:
    np.savez(folder / "s.npz", k=kspace())
    return folder / "s.npz"


def twix(folder: Path) -> Path:
    return write_twix(folder / "s.dat", Measurement(readouts_of(kspace()[None])))


def mrd(folder: Path) -> Path:
    save_kspace(build_scan(24, 20).with_changes(simulated=True), folder / "s.h5")
    return folder / "s.h5"


def exchange(folder: Path) -> Path:
    save_projections(build_projections(slices=2, photons=1e5), folder / "ct.h5")
    return folder / "ct.h5"


def sinogram(folder: Path) -> Path:
    data = build_projections().data[0]
    np.savez(folder / "ct.npz", sinogram=data, angles=np.linspace(0, np.pi, len(data), endpoint=False))
    return folder / "ct.npz"


FORMATS = [bart, npy, npz, twix, mrd, exchange, sinogram]


def opened(path: Path) -> KSpace | Projections:
    return open_scan(str(path), axes=AXES if path.name in ("s.npy", "s.npz") else "")


def cut(path: Path) -> None:
    os.truncate(path, 0)


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def remove(path: Path) -> None:
    path.unlink()


CHANGES = [cut, shorten, overwrite, remove]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("make", FORMATS)
def test_what_was_read_stays_what_it_was(
    tmp_path: Path, make: Callable[[Path], Path], change: Callable[[Path], None]
) -> None:
    """Where a file is only mapped into memory, cutting it off ends the whole program (SIGBUS)."""
    path = make(tmp_path)
    scan = opened(path)
    before = scan.data.tobytes()
    change(path)
    assert scan.data.tobytes() == before
    if make is not twix:  # whose measurement is too small for coil maps
        method = quick_methods(scan)[-1]
        *_, finished = run(JobSpec(ScanSource(str(path)), ReconSettings(method=method), scan, threads=1))
        assert isinstance(finished, Finished)


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_goes_on_over_what_it_has(tmp_path: Path, prior: str, change: Callable[[Path], None]) -> None:
    path = bart(tmp_path)
    job = JobSpec(ScanSource(str(path)), ReconSettings(prior=prior, nfe=3), threads=1)  # it reads the file itself
    *_, plain = run(job)
    last = None
    for event in run(job):
        if isinstance(event, StepDone) and event.step == 1:
            change(path)
        last = event
    assert isinstance(last, Finished)
    assert isinstance(plain, Finished)
    assert last.volume.array.tobytes() == plain.volume.array.tobytes()
    assert last.card["inputs"] == plain.card["inputs"], "the hash is that of what was read"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("make", FORMATS)
def test_opened_again_it_is_told_in_words(
    tmp_path: Path, make: Callable[[Path], Path], change: Callable[[Path], None]
) -> None:
    path = make(tmp_path)
    opened(path)
    change(path)
    if change is not overwrite:
        with pytest.raises(UserError):
            opened(path)
        return
    with suppress(UserError):  # zeros where numbers were can still be a scan
        assert not opened(path).data.any()


def test_a_twix_file_is_cut_off_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = twix(tmp_path)
    whole, reads = FileBytes.__getitem__, list[int]()

    def reading(self: FileBytes, piece: slice) -> object:
        reads.append(0)
        if len(reads) == 9:
            shorten(path)
        return whole(self, piece)

    monkeypatch.setattr(FileBytes, "__getitem__", reading)
    with pytest.raises(ScanError, match="cut off while it was read"):
        open_scan(str(path))


def test_bytes_of_a_file_are_those_of_an_array(tmp_path: Path) -> None:
    held = np.random.default_rng(0).integers(0, 255, 1000, np.uint8)
    (tmp_path / "x").write_bytes(held.tobytes())
    file = FileBytes(tmp_path / "x")
    assert len(file) == 1000
    for piece in (slice(0, 10), slice(990, 1010), slice(5, 5), slice(8, 3), slice(None), slice(-4, None), slice(2000)):
        assert np.array_equal(file[piece], held[piece])


@pytest.mark.parametrize("change", CHANGES)
def test_a_sweep_goes_on_over_the_scan_that_it_has(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = bart(tmp_path)
    axes = [Axis("lam", (1e-3, 1e-2))]
    sweep = plan_sweep(opened(path), ScanSource(str(path)), axes, given={"method": "cg-sense"}, threads=1)
    store = SweepFolder(tmp_path / "out", resume=True)
    events = []
    for event in run_sweep(sweep, Stop(), store):
        events.append(event)
        change(path) if len(events) == 2 and path.exists() else None
    assert (events[-1].done, events[-1].failed) == (2, 0)


@pytest.mark.parametrize("change", [cut, shorten, remove])
def test_made_again_from_its_card_it_is_told(
    tmp_path: Path, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bart(tmp_path)
    done = CliRunner().invoke(
        app.cli.cli, ["recon", str(path), "--out", str(tmp_path / "x.npy"), "--method", "cg-sense"]
    )
    assert done.exit_code == 0, done.output
    change(path)
    again = CliRunner().invoke(app.cli.cli, ["rerun", str(tmp_path / "x.card.json"), "--out", str(tmp_path / "y.npy")])
    assert isinstance(again.exception, UserError)
    assert not (tmp_path / "y.npy").exists()
