"""The examples of docs/python.md run as they stand, one after the other, and do what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the examples define when all have run."""
    folder = tmp_path_factory.mktemp("page")
    before, threads = Path.cwd(), torch.get_num_threads()
    torch.set_num_threads(1)
    found: dict[str, Any] = {"__name__": "page"}
    try:
        os.chdir(folder)
        for number, code in enumerate(EXAMPLES, 1):
            with torch.no_grad():
                exec(compile(code, f"example {number} of {PAGE.name}", "exec"), found)
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)
    return found | {"folder": folder}


def test_there_are_six() -> None:
    assert len(EXAMPLES) == 6


def test_the_picture_is_written_and_the_classical_image_fits(names: dict[str, Any]) -> None:
    assert (names["folder"] / "head.png").stat().st_size > 1000
    assert names["finished"].volume.array.shape == (1, 256, 256)
    assert float(names["residual"]) < 0.2


def test_the_image_of_the_steps_is_better_than_nothing_and_fits(names: dict[str, Any]) -> None:
    A, y, scale = names["A"], names["y"], names["scale"]
    x = torch.from_numpy(names["image"]) / scale
    assert torch.isfinite(x.abs()).all()
    gap = torch.linalg.vector_norm(A.forward(x) - y / scale) / torch.linalg.vector_norm(y / scale)
    assert float(gap) < 0.2
    assert not x[~names["problem"].support].any()
    like = torch.linalg.vector_norm(x - names["truth"]) / torch.linalg.vector_norm(names["truth"])
    assert float(like) < 0.3


def test_inpainting_knows_more_than_the_pixels_and_keeps_them(names: dict[str, Any]) -> None:
    assert float(names["error"]) < 0.4 * float(names["empty"])
    known, gap = names["known"], (names["filled"] - names["truth"]).abs()
    assert float(gap[known].mean()) < 0.3 * float(gap[~known].mean())


def test_a_prior_of_ones_own_denoises(names: dict[str, Any]) -> None:
    truth, smooth = names["truth"], names["smooth"]
    a, s = smooth.schedule.levels(300)
    noise = torch.randn(truth.shape, dtype=truth.dtype, generator=torch.Generator().manual_seed(1)) * 2**0.5
    denoised, _ = smooth.predict(a * truth + s * noise, 300)
    assert (denoised - truth).abs().square().mean() < 0.25 * (s / a * noise).abs().square().mean()


def test_the_ensemble_has_a_spread_within_its_percentiles(names: dict[str, Any]) -> None:
    assert len(names["samples"]) == 3
    assert (names["low"] <= names["median"]).all()
    assert (names["median"] <= names["high"]).all()
    assert 0 < float(names["spread"][names["inside"]].median()) < float(names["mean"].abs().max())


def test_a_script_needs_no_torch_to_begin_and_never_qt() -> None:
    code = (
        "import sys, core, core.plugins, core.engine.settings, core.engine.as_text\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
        "import core.engine.by_hand\n"
        "assert not any(name.startswith('PySide6') for name in sys.modules), 'Qt'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PAGE.parents[1])


@pytest.mark.parametrize("word", ["FormatPlugin", "OperatorPlugin", "PriorPlugin", "MethodPlugin"])
def test_the_page_names_what_there_is(word: str) -> None:
    module = re.search(rf"`([a-z_.]+)\.{word}`", PAGE.read_text("utf-8"))
    assert module is not None
    assert hasattr(__import__(module[1], fromlist=[word]), word)
