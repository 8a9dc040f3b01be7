"""The random numbers of a run are those of their source, drawn in advance or not."""

from __future__ import annotations

import threading

import pytest
import torch

from core.engine.draws import Draws
from core.engine.noise import NoiseSource

SEEDS, KEYS = (3, 4), (0, 7, 2)


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_they_are_the_sources_own(ahead: bool, dtype: torch.dtype) -> None:
    like = torch.empty(1, 4, 5, dtype=dtype)
    source, draws = NoiseSource(SEEDS, KEYS, like), Draws(SEEDS, KEYS, like, 4, ahead)
    assert torch.equal(draws.start(), source.start())
    for step in (0, 1, 3, 2):
        assert torch.equal(draws(step), source(step))
    draws.close()


def test_what_comes_next_is_drawn_while_the_last_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, bool]] = []
    call = NoiseSource.__call__

    def watched(self: NoiseSource, step: int) -> torch.Tensor:
        drawn.append((step, threading.current_thread() is threading.main_thread()))
        return call(self, step)

    monkeypatch.setattr(NoiseSource, "__call__", watched)
    draws = Draws((3,), (0,), torch.empty(1, 4, 5), 3, ahead=True)
    for step in range(3):
        draws(step)
    draws.close()
    assert drawn == [(0, True), (1, False), (2, False)]


def test_closing_ends_the_thread_and_can_be_done_twice() -> None:
    draws = Draws((3,), (0,), torch.empty(1, 4, 5), 9, ahead=True)
    draws(0)
    draws.close()
    draws.close()
    assert torch.equal(draws(5), Draws((3,), (0,), torch.empty(1, 4, 5), 9)(5))
