"""The random numbers of a run where they are needed: plane by plane, and ahead of a fast device."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from core.engine.memory import onto, page_locked
from core.engine.noise import NoiseSource


class Draws:
    """What a NoiseSource of these seeds and keys draws, bit for bit, on the device of `like`.

    Planes go one by one into the array that is handed out, so that there is never a second one. ahead: a thread draws
    for step k + 1 while k is used, by default for a CUDA device, which would wait for the CPU. Close it in the end.
    steps: how many steps there will be. like: one frame of one sample, (1, a, b), gives shape, dtype and device.
    """

    def __init__(
        self, seeds: tuple[int, ...], keys: tuple[int, ...], like: Tensor, steps: int, ahead: bool | None = None
    ) -> None:
        here = torch.empty_like(like, device="cpu")
        self.seeds, self.steps = seeds, steps
        self.device = like.device
        self._planes = [NoiseSource((seed,), (key,), like=here) for seed in seeds for key in keys]
        self._like = here
        wanted = like.device.type == "cuda" if ahead is None else ahead
        self._thread = ThreadPoolExecutor(1, "draws") if wanted else None
        self._next: tuple[int, Future[Tensor]] | None = None

    def start(self) -> Tensor:
        """The draw that the walk starts from."""
        return onto(self._filled(NoiseSource.start), self.device)

    def __call__(self, step: int) -> Tensor:
        """The draw of a step, (seeds * keys, a, b)."""
        known, self._next = self._next, None
        drawn = known[1].result() if known and known[0] == step else self._filled(lambda source: source(step))
        if self._thread is not None and step + 1 < self.steps:
            self._next = step + 1, self._thread.submit(self._filled, lambda source: source(step + 1))
        return onto(drawn, self.device)

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None

    def _filled(self, draw: Callable[[NoiseSource], Tensor]) -> Tensor:
        shape = (len(self._planes), *self._like.shape[1:])
        planes = page_locked(shape, self._like.dtype, self.device)
        for plane, source in zip(planes, self._planes, strict=True):
            plane.copy_(draw(source)[0])
        return planes
