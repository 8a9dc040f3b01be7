"""Which numbers the network computes with, and that this is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.engine import precision
from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.precision import choose_precision
from core.engine.run_card import differences
from core.engine.runner import run
from core.engine.settings import ReconSettings

CPU = torch.device("cpu")


@pytest.fixture
def job(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=2, device="cpu")
    return JobSpec(ScanSource("x"), settings, make_scan(ny=24, nx=20, noise=1e-3), threads=1)


def finished(job: JobSpec, setting: str) -> Finished:
    *_, event = run(replace(job, settings=job.settings.replace(precision=setting)))
    assert isinstance(event, Finished), event
    return event


@pytest.mark.parametrize(
    ("setting", "family", "fast", "chosen"),
    [
        ("auto", "small", True, "bfloat16"),
        ("auto", "small", False, "float32"),
        ("auto", "adm", True, "float32"),
        ("auto", "ncsnpp", True, "float32"),
        ("float32", "small", True, "float32"),
        ("bfloat16", "adm", False, "bfloat16"),
    ],
)
def test_auto_is_careful(setting, family, fast, chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "fast_bfloat16", lambda device: fast)
    assert choose_precision(setting, family, CPU) == chosen


def test_a_processor_without_bfloat16_is_not_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert not precision.fast_bfloat16(CPU)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert precision.fast_bfloat16(CPU)


def test_the_network_alone_computes_in_bfloat16(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    exact, short = finished(job, "float32"), finished(job, "bfloat16")
    gap = np.linalg.norm(exact.volume.array - short.volume.array) / np.linalg.norm(exact.volume.array)
    assert 0 < gap < 0.02
    assert short.volume.array.dtype == np.complex64
    assert not torch.is_autocast_enabled("cpu")


def test_the_card_tells_and_another_machine_says_so(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "fast_bfloat16", lambda device: True)
    before = finished(job, "auto").card
    assert before["outcome"]["precision"] == "bfloat16"
    monkeypatch.setattr(precision, "fast_bfloat16", lambda device: False)
    now = finished(job, "auto").card
    assert differences(before, now) == ["precision: was bfloat16, is float32"]
    assert differences(now, now) == []
