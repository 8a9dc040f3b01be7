"""The page of the validation says what its results say, and its command makes both."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.validation import __main__ as command
from tests.validation import quality
from tests.validation.cases import HEAD_SLICE, cases, head_images
from tests.validation.conclusions import verdict
from tests.validation.cost import MRI, Point, done_costs, measured
from tests.validation.costs_told import lines_of
from tests.validation.fits import power_law
from tests.validation.scale import QUICK
from tests.validation.summary import BEST, groups_of
from tests.validation.tables import page

PAGE = Path(__file__).parents[1] / "docs" / "validation"
TINY = replace(QUICK, size=48, nfe=(2, 3), seeds=2, masks=2, weights=(2.0,), views=(20,), paper=())


def test_the_page_in_the_documentation_agrees_with_its_results() -> None:
    results = json.loads((PAGE / "results.json").read_text("utf-8"))
    assert (PAGE / "index.md").read_text("utf-8") == page(results, results["figures"])
    for name in results["figures"]:
        assert (PAGE / name).read_bytes().startswith(b"\x89PNG")
    with (PAGE / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["psnr_db"]) for row in rows] == [cell["psnr_db"] for cell in results["cells"]]


def test_no_pictures_of_real_scans_and_no_paths_of_a_machine() -> None:
    results = json.loads((PAGE / "results.json").read_text("utf-8"))
    bundled = {case["name"].replace(" ", "_") for case in results["cases"] if case["bundled"]}
    pictured = {name.removeprefix("images_").removesuffix(".png") for name in results["figures"] if "images" in name}
    assert pictured <= bundled
    assert not re.search(r'"image"|"/[a-z]+/', (PAGE / "results.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(the page's folder, the cells') of a tiny validation of the phantoms."""
    root = tmp_path_factory.mktemp("validation")
    command.validate(TINY, root / "page", root / "cells", None)
    return root / "page", root / "cells"


def test_the_command_makes_page_results_and_pictures(made: tuple[Path, Path]) -> None:
    folder, _ = made
    results = json.loads((folder / "results.json").read_text("utf-8"))
    assert (folder / "index.md").read_text("utf-8") == page(results, results["figures"])
    assert {p.name for p in folder.iterdir()} == {"index.md", "results.json", "results.csv", *results["figures"]}
    groups = {(g.case, g.sampling, g.label): g for g in groups_of(results["cells"])}
    dds = groups["head phantom", "gaussian1d:4", "DDS, NFE 3"]
    assert len(dds.cells) == TINY.seeds * TINY.masks
    assert len({cell["psnr_db"] for cell in dds.cells}) == 4
    assert groups["head phantom", "gaussian1d:4", "CG-SENSE"].mean("psnr_db") > 15
    assert groups["chest phantom", "20 views", "TV"].mean("ssim") > groups["chest phantom", "20 views", "FBP"].mean(
        "ssim"
    )
    assert all(0 < cell["core_seconds"] < 60 for cell in results["cells"])
    assert sum(BEST in label for *_, label in groups) == 4


def test_what_is_done_is_not_done_again(made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, cells = made
    again: list[str] = []
    wanted = list(cases(TINY, None))
    before = quality.done_cells(wanted, TINY, cells, again.append)
    assert not again
    victim = next((cells / "cells").glob("*.json"))
    victim.unlink()
    after = quality.done_cells(wanted, TINY, cells, again.append)
    assert len(again) == 1
    assert [c["psnr_db"] for c in after] == pytest.approx([c["psnr_db"] for c in before], abs=1e-3)


def test_a_cell_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(TINY, patterns=("gaussian1d:40",), views=())
    with pytest.raises(Exception, match=r"leaves nothing to undersample"):
        quality.done_cells(cases(broken, None), broken, tmp_path, lambda text: None)


def test_the_phantom_is_that_of_the_bundled_scan() -> None:
    from core.formats import open_scan
    from core.operators.planes import to_planes

    scan = open_scan(Path(__file__).parents[1] / "resources" / "demo" / "mri_head.h5")
    seen = np.sqrt((abs(np.fft.ifft2(to_planes(scan, (HEAD_SLICE, HEAD_SLICE + 1)).data[0])) ** 2).sum(0))
    coarse = np.fft.fftshift(seen).reshape(64, 4, 64, 4).mean(axis=(1, 3))
    truth = abs(head_images(64)[HEAD_SLICE])
    assert np.corrcoef(coarse.ravel(), truth.ravel())[0, 1] > 0.9
    assert np.corrcoef(coarse[:, ::-1].ravel(), truth.ravel())[0, 1] < np.corrcoef(coarse.ravel(), truth.ravel())[0, 1]


def test_exponents_and_their_uncertainty() -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    exact = power_law(sizes, [3 * s**1.5 for s in sizes])
    assert exact.exponent == pytest.approx(1.5)
    assert exact.uncertainty == pytest.approx(0, abs=1e-6)
    assert exact(16.0) == pytest.approx(3 * 64)
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        law = power_law(sizes, [s**2 * math.exp(rng.normal(0, 0.1)) for s in sizes])
        held += abs(law.exponent - 2) <= law.uncertainty
    assert 0.91 < held / 400 < 0.98
    with pytest.raises(ValueError, match="three"):
        power_law([1, 2], [1, 2])


@pytest.mark.parametrize(
    ("gains", "told"),
    [
        ({"a": 1.0, "b": 2.04}, "1.0 to 2.0 dB ahead everywhere"),
        ({"a": 1.0, "b": -0.5}, "1.0 dB ahead at a and 0.5 dB **behind** at b"),
        ({"a": -0.2}, "0.2 dB **behind** everywhere"),
    ],
)
def test_losses_are_told_as_plainly_as_wins(gains: dict[str, float], told: str) -> None:
    assert verdict(gains) == told


def test_costs_are_kept_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(point: Point) -> dict[str, float]:
        seconds = 2.0 * point.slices
        return {
            "total_s": 1.5 * seconds,
            "network_s": 0.8 * seconds,
            "solver_s": 0.2 * seconds,
            "estimate_s": seconds,
            "share": 1.0,
            "peak_bytes": 1e6 * point.slices,
            "estimate_bytes": 2e6 * point.slices,
        }

    monkeypatch.setattr("tests.validation.cost.measured", fake)
    wanted = [replace(MRI, slices=n) for n in (1, 2, 4, 8)]
    told: list[str] = []
    done_costs(iter(wanted[:2]), tmp_path, told.append)
    with (tmp_path / "costs.jsonl").open("a") as file:
        file.write('{"words": "cut o')
    records = done_costs(iter(wanted), tmp_path, told.append)
    assert len(told) >= 4
    (line,) = lines_of(records)
    assert line.laws["total_s"].exponent == pytest.approx(1)
    assert line.laws["peak_bytes"].exponent == pytest.approx(1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are those of Linux")
def test_a_run_in_a_process_of_its_own_is_measured() -> None:
    told = measured(Point("MRI", size=64, nfe=3))
    assert 0 < told["network_s"] < told["total_s"] < 120
    assert 2**20 < told["peak_bytes"] < 2**31
    assert told["estimate_bytes"] > 0
