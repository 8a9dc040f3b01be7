"""No file runs code: a canary stands in every kind that could hold some, and is still there afterwards."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from scipy import io

from core.engine.settings_text import read_settings_file
from core.errors import JobError, PriorError, ScanError, UserError
from core.export import project_file as writer
from core.formats import guess_all_axes, open_scan, project_file
from core.formats.folder import contents
from core.formats.volumes import open_volume
from core.priors import load_prior
from core.priors.checkpoint import read_state_dict
from tests.fuzz.judge import Watch

WATCH = Watch()


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.canary,))


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "sprung"


def refused(look: Callable[[], object], canary: Path, words: str | None = None) -> None:
    with WATCH.over(canary.parent) as seen, pytest.raises(UserError, match=words):
        look()
    assert not canary.exists()
    assert not seen


def test_the_trap_works(canary: Path) -> None:
    pickle.loads(pickle.dumps(Trap(canary)))  # noqa: S301
    assert canary.exists()


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("look", [open_scan, open_volume, guess_all_axes])
def test_arrays_of_objects(tmp_path: Path, canary: Path, suffix: str, look: Callable[[Path], object]) -> None:
    array = np.array([[Trap(canary), 1], [2, 3]], dtype=object)
    path = tmp_path / f"a.{suffix}"
    np.save(path, array, allow_pickle=True) if suffix == "npy" else np.savez(path, a=array)
    refused(lambda: look(path), canary)
    contents(tmp_path)
    assert not canary.exists()


def test_an_array_of_objects_that_claims_to_be_numbers(tmp_path: Path, canary: Path) -> None:
    """The header says complex numbers, and a pickle follows."""
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<c8", "fortran_order": False, "shape": (2, 8)})
        pickle.dump([Trap(canary)] * 20, file)
    for look in (open_scan, open_volume):
        with suppress(ScanError):
            look(path)
    assert not canary.exists()


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    "wrap", [lambda t: t, lambda t: {"state_dict": {"w": t}}, lambda t: {"w": torch.zeros(1), 1: t}]
)
def test_checkpoints(tmp_path: Path, canary: Path, new: bool, wrap: Callable[[Any], Any]) -> None:
    path = tmp_path / "a.pt"
    torch.save(wrap(Trap(canary)), path, _use_new_zipfile_serialization=new)
    refused(lambda: load_prior(path), canary, "refused")
    path.rename(tmp_path / "a.safetensors")
    refused(lambda: load_prior(tmp_path / "a.safetensors"), canary, "refused")


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_bare_pickles(tmp_path: Path, canary: Path, protocol: int) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(pickle.dumps({"w": Trap(canary)}, protocol))
    refused(lambda: load_prior(path), canary)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_not_run(tmp_path: Path, canary: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "a.pt"))
    refused(lambda: load_prior(tmp_path / "a.pt"), canary, "TorchScript")


def test_packed_checkpoints_and_tensors_without_numbers(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(4)}, tmp_path / "a.pt")
    with (
        zipfile.ZipFile(tmp_path / "a.pt") as old,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(PriorError, match="packed"):
        read_state_dict(tmp_path / "b.pt")
    torch.save({"w": torch.zeros(1, dtype=torch.float16).expand(10**6, 10**6)}, tmp_path / "c.pt")
    with pytest.raises(PriorError, match="does not hold"):
        read_state_dict(tmp_path / "c.pt")
    torch.save({"w": torch.zeros(3, 3, device="meta")}, tmp_path / "d.pt")
    with pytest.raises(PriorError):
        read_state_dict(tmp_path / "d.pt")


def test_matlab_files(tmp_path: Path, canary: Path) -> None:
    """Objects, cells and structs are not opened up; functions are data that nobody calls."""
    cells = np.array([[f"@() system('touch {canary}')", 1.0]], dtype=object)
    io.savemat(tmp_path / "a.mat", {"f": cells, "s": {"o": cells}})
    refused(lambda: open_scan(tmp_path / "a.mat"), canary, "no array of numbers")
    # mxOBJECT_CLASS (3), mxFUNCTION_CLASS (16) and mxOPAQUE_CLASS (17) in the place of a double (6).
    io.savemat(tmp_path / "b.mat", {"k": np.ones((4, 4))})
    held = (tmp_path / "b.mat").read_bytes()
    place = held.index(b"\x06\0\0\0\x08\0\0\0") + 8
    for kind in (3, 16, 17):
        (tmp_path / "b.mat").write_bytes(held[:place] + bytes([kind]) + held[place + 1 :])
        refused(lambda: open_scan(tmp_path / "b.mat", axes="ky,kx"), canary)


def test_hdf5_that_holds_pickles(tmp_path: Path, canary: Path) -> None:
    held = np.void(pickle.dumps(Trap(canary)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["kspace"] = held
        file.attrs["kspace"] = held
        file["dataset/data"] = held
    refused(lambda: open_scan(tmp_path / "a.h5"), canary)


@pytest.mark.parametrize(
    "text",
    [
        "nfe: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{canary}']]",
        "nfe: !!python/object/new:os.system [touch {canary}]",
        "!!python/object/apply:os.system [touch {canary}]",
        "nfe: !!python/name:os.system",
        "vary: {{nfe: [!!python/tuple [1, 2]]}}",
        "? !!python/object/apply:os.system [touch {canary}]\n: 3",
        "!<tag:yaml.org,2002:python/object/apply:os.system> [touch {canary}]",
    ],
)
def test_settings(tmp_path: Path, canary: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text.format(canary=canary))
    refused(lambda: read_settings_file(tmp_path / "a.yaml"), canary, "not YAML")


def test_settings_that_grow_without_end(tmp_path: Path) -> None:
    """Each line names the one before ten times; and merges, which YAML itself would carry out."""
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    (tmp_path / "a.yaml").write_text("\n".join(lines))
    with pytest.raises(JobError, match="one value"):
        read_settings_file(tmp_path / "a.yaml")
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{i}: &a{i} {{!!merge <<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 30)]
    (tmp_path / "a.yaml").write_text("\n".join(lines))
    with pytest.raises(JobError, match="not YAML"):
        read_settings_file(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_text("vary: &a {nfe: [*a]}")
    with pytest.raises(JobError):
        read_settings_file(tmp_path / "a.yaml")


def test_projects(tmp_path: Path, canary: Path) -> None:
    path = tmp_path / "a.ddsproj"
    writer.write(path, {"scan": {}}, {"arrays/1.npy": np.ones((1, 2, 2), np.float32)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("arrays/2.npy", pickle.dumps(Trap(canary)))
    found = project_file.read(path)
    assert list(found.arrays) == ["arrays/1.npy"]
    assert not canary.exists()
