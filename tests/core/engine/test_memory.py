"""How many arrays of the size of the image a run holds at once, and what is done about memory that is short."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from core.engine import memory
from core.engine.events import Started, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.priors.prior import Prior
from core.solvers import total_variation

CPU = torch.device("cpu")
SLICES, SIZE = 48, (32, 28)
VOLUME = SLICES * SIZE[0] * SIZE[1] * 4


class Census(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive, above a size; `peak` is the most there were."""

    def __init__(self, above: int = 0) -> None:
        super().__init__()
        self.above = above
        self.alive: dict[int, int] = {}
        self.now = self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(each, torch.Tensor) and each.layout is torch.strided:
                self._count(each.untyped_storage())
        return out

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if size > self.above and key not in self.alive:
            self.alive[key] = size
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, key)

    def _forget(self, key: int) -> None:
        self.now -= self.alive.pop(key)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done a few slices at a time is done in so small pieces that it does not count."""
    for name in (
        "solvers.slice_tie.SLICES_AT_ONCE",
        "diffusion.dds.ITEMS_AT_ONCE",
        "operators.slicewise.SLICES_AT_ONCE",
    ):
        monkeypatch.setattr(f"core.{name}", 4)
    monkeypatch.setattr("core.engine.problem_ct.SLAB", 4)


@pytest.fixture
def volumes(small_pieces, make_projections, tiny_prior) -> Callable[..., float]:
    """The most volumes that are alive at once in a CT run with these settings, from its first step on."""
    prior = tiny_prior(channels=1, modality="CT", scale_percentile=0.0)
    scan = make_projections(slices=SLICES, views=4, size=SIZE)
    torch.set_num_threads(1)

    def most(samples_at_once: int = 0, **changes: object) -> float:
        settings = ReconSettings(prior=prior, nfe=3, device="cpu", precision="float32").replace(**changes)
        with Census(above=VOLUME // 2) as census:
            for event in run(JobSpec(ScanSource("x"), settings, scan, threads=1, samples_at_once=samples_at_once)):
                if isinstance(event, StepDone) and event.step == 1:
                    census.peak = census.now
        return census.peak / VOLUME

    return most


def test_a_run_holds_seven_volumes_and_one_for_each_direction_it_is_tied_along(volumes) -> None:
    """A* y, the last estimate, the noise, and in conjugate gradients the image, residual, direction and its image."""
    assert volumes() == 7
    assert volumes(rho=0.1) == 8
    assert volumes(rho=0.1, along="volume") == 10
    assert volumes(noiseless=True) == 7


def test_samples_one_after_the_other_take_one_volume_each(volumes) -> None:
    assert volumes(samples_at_once=1, samples=4) == 7 + 3


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"t_start": 50},
        {"t_start": 50, "rho": 0.1, "along": "volume", "admm_steps": 2},
        {"rho": 0.1, "along": "volume"},
        {"rho": 0.1, "samples": 3},
        {"method": "tv"},
    ],
)
@pytest.mark.parametrize("slices", [6, 48])
def test_the_estimate_is_neither_too_low_nor_far_off(
    make_projections, tiny_prior, settings: dict, slices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.engine.estimate._network_bytes", lambda prior, pixels: 0)
    monkeypatch.setattr("core.engine.estimate.matrix_bytes", lambda geometry, grid: 0)
    monkeypatch.setattr(Prior, "_run_network", lambda self, x, timestep: x.clone())
    monkeypatch.setitem(total_variation.iterates.__kwdefaults__, "iterations", 2)
    prior = tiny_prior(channels=1, modality="CT", scale_percentile=0.0)
    scan = make_projections(slices=slices, views=4, size=SIZE)
    chosen = ReconSettings(prior=prior, nfe=3, device="cpu", precision="float32").replace(**settings)
    with Census() as census:
        for event in run(JobSpec(ScanSource("x"), chosen, scan, threads=1)):
            if isinstance(event, Started):
                told = event.estimate.memory_bytes
                before = census.peak = census.now
            if isinstance(event, StepDone):
                event.estimate()
    assert census.peak - before < told < 2 * (census.peak - before)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("x"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_full_memory_is_told_from_other_errors(error: Exception, full: bool) -> None:
    assert memory.is_out_of_memory(error) == full


def test_the_first_batch_follows_the_free_memory_of_a_cuda_device_only(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1000)
    assert memory.planes_at_once(CPU, 1) == 1
    assert memory.planes_at_once(cuda, 100) == 5
    assert memory.planes_at_once(cuda, 10_000) == 1
    assert memory.planes_at_once(cuda, 1) == memory.MOST_PLANES
    assert memory.planes_at_once(cuda, 0) == memory.MOST_PLANES


def test_memory_that_torch_holds_unused_on_a_cuda_device_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("memory_reserved", 50), ("memory_allocated", 20), ("mem_get_info", (100, 400))):
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert memory.available_bytes(torch.device("cuda")) == 130


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_giving_back_harms_nothing(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", platform)
    memory.give_back(CPU)


def test_on_the_cpu_nothing_is_copied_to_the_cpu() -> None:
    x = torch.ones(2, 3)
    assert memory.on_cpu(x) is x
    assert memory.onto(x, CPU) is x
    assert not memory.page_locked((2, 3), torch.float32, CPU).is_pinned()
