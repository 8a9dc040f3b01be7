"""dds-viewer bench, as its users type it, and what it makes of its measurements."""

from __future__ import annotations

import getpass
import json
import math
import platform
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from app import cli_bench
from core.engine import bench
from core.engine.bench_probes import Probe, probes

ROOT = Path(__file__).parents[2]
UNITS = ("_ms", "_s", "_gib", "_percent")
MACHINE = {
    *("processor", "cores_physical", "cores_logical", "memory_gib", "gpu", "versions"),
    *("device", "threads", "precision", "others_percent"),
}
WITHOUT_UNIT = {"what", "repeats", "sentence", "evaluations_mri", "evaluations_ct"}


def test_one_object_with_units_and_without_identity(dds_viewer: Callable[..., object]) -> None:
    outcome = dds_viewer("bench", "--json", "--seconds", "0.1", "--no-viewer")
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    assert (report["schema"], report["schema_version"]) == ("dds-viewer-bench", 1)
    measured, left_out = report["results"], report["left_out"]
    assert set(measured) | set(left_out) == {probe.name for probe in probes()} | {"viewer"}
    first = measured["dds_step_mri_320"]
    assert 0 < first["least_ms"] <= first["quartile_low_ms"] <= first["median_ms"] <= first["quartile_high_ms"]
    for keys in (*measured.values(), report["expect"]):
        assert all(key in WITHOUT_UNIT or key.endswith(UNITS) for key in keys)
    assert report["machine"]["versions"]["torch"] == torch.__version__
    assert set(report["machine"]) == MACHINE
    words = {*outcome.out.replace('"', " ").split(), *outcome.err.split()}
    assert not words & {platform.node(), getpass.getuser()}
    assert str(Path.home()) not in outcome.out
    assert "DDS step, MRI, 320 x 320, 8 coils: " in outcome.err


def test_the_table_says_what_was_left_out(dds_viewer: Callable[..., object], only: Callable[..., None]) -> None:
    only(bench.Measured("x", "A piece", (1.0, 2.0, 4.0)), bench.LeftOut("y", "Another", "The time was over."))
    outcome = dds_viewer("bench", "--no-viewer")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert next(line for line in lines if line.startswith("A piece")).split()[-6:] == [
        "2.0",
        "1.5",
        "to",
        "3.0",
        "3",
        "ms",
    ]
    assert "Another" in outcome.out
    assert "The time was over." in outcome.out
    assert lines[-1] == "There was too little time to say what to expect."


def test_interrupted(dds_viewer: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> Iterator[bench.Measured]:
        yield bench.Measured("x", "A piece", (1.0,))
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measurements", interrupted)
    outcome = dds_viewer("bench", "--json", "--no-viewer")
    assert outcome.code == 130
    assert outcome.out == ""


def test_a_viewer_that_cannot_be_shown_is_told(
    dds_viewer: Callable[..., object], only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def aborted(*words: object, **options: object) -> None:
        raise subprocess.CalledProcessError(-6, "bench")

    only()
    monkeypatch.setattr(cli_bench.subprocess, "run", aborted)
    outcome = dds_viewer("bench", "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["left_out"] == {"viewer": "It could not be shown here (CalledProcessError)."}


def test_frames_of_the_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    found = {each.name: each for each in cli_bench._viewer(0.3)}
    assert set(found) == {"wheel_axial_256", "wheel_sagittal_256", "window_level_256"}
    assert all(isinstance(each, bench.Measured) and min(each.times_ms) > 0 for each in found.values())


def test_every_probe_runs() -> None:
    wanted = tuple(probe for probe in probes() if not probe.name.startswith("run_"))
    for probe in wanted:
        torch.manual_seed(0)
        result = probe.make(torch.device("cpu"))()
        tensors = [part for part in (result if isinstance(result, tuple) else (result,)) if torch.is_tensor(part)]
        assert all(torch.isfinite(torch.view_as_real(t) if t.is_complex() else t).all() for t in tensors), probe.name


def test_time_is_shared_and_nothing_starts_after_it() -> None:
    calls: dict[str, int] = {}

    def probe(name: str) -> Probe:
        def call() -> None:
            calls[name] = calls.get(name, 0) + 1

        return Probe(name, name, lambda device: call)

    threads = torch.get_num_threads()
    found = list(bench.measurements(60.0, (probe("a"), probe("b"))))
    assert [len(each.times_ms) for each in found] == [bench.MOST, bench.MOST]
    assert calls == {"a": bench.MOST + 1, "b": bench.MOST + 1}
    calls.clear()
    assert [type(each) for each in bench.measurements(0.0, (probe("a"),))] == [bench.LeftOut]
    assert not calls
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("medians", "told"),
    [
        ({}, "There was too little time to say what to expect."),
        (
            {"dds_step_mri_320": 1200.0, "dds_step_mri_256": 700.0, "run_mri_256": 15_000.0, "run_ct_256": 4000.0},
            "Expect about 26 s for a 320 x 320 slice of 8 coils with 20 evaluations, and 4.0 s for a 256 x 256 CT slice"
            " with 20.",
        ),
        ({"dds_step_mri_320": 100.0}, "Expect about 2.0 s for a 320 x 320 slice of 8 coils with 20 evaluations."),
    ],
)
def test_what_to_expect(medians: dict[str, float], told: str) -> None:
    found = bench.expected(medians)
    assert found["sentence"] == told
    if "run_mri_256" in medians:
        assert math.isclose(found["mri_slice_320_s"], 24 + 1 * (320 / 256) ** 2, abs_tol=0.01)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Nothing is measured; these are the results."""

    def set_results(*results: object) -> None:
        monkeypatch.setattr(bench, "measurements", lambda seconds: iter(results))

    return set_results
