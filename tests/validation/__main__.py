"""Tables and figures of quality and cost, made from the data at hand; what was done before a kill is not done again.

python -m tests.validation [--quick] [--as-it-is] [--out docs/validation] [--cells out/validation] [--data FOLDER]

The bundled phantoms are always there; real scans are taken from $DDS_VIEWER_DATA or the folder of the tests. Of these
only figures are written down. Without --quick it takes about half an hour of one core.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from core.engine.machine import in_short, machine
from core.engine.run_card import NOTICE
from core.export.whole import write_json
from tests.validation.cases import ROOT, Case, cases
from tests.validation.cost import done_costs, kept_costs, points
from tests.validation.figures import draw
from tests.validation.quality import done_cells, kept_cells
from tests.validation.scale import FULL, QUICK, Scale
from tests.validation.tables import page

FORMAT = 1


def validate(scale: Scale, out: Path, cells: Path, data: Path | None, as_it_is: bool = False) -> None:
    """Do what is missing in `cells` and write index.md, results.json, results.csv and the pictures into `out`.

    as_it_is: do nothing, and write what is there already.
    """
    for folder in (out, cells):
        folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    tell = partial(print, flush=True)
    wanted = list(cases(scale, data))
    if as_it_is:
        done = kept_cells(wanted, scale, cells)
        costs = kept_costs(points(), cells) if scale.costs else []
    else:
        done = done_cells(wanted, scale, cells, tell)
        costs = done_costs(points(), cells, tell) if scale.costs else []
    write(done, costs, [case for case in wanted if any(cell["case"] == case.name for cell in done)], out)


def write(done: list[dict[str, Any]], costs: list[dict[str, Any]], wanted: Sequence[Case], out: Path) -> None:
    """Results, pictures, and last the page that is made of them."""
    about = machine()
    results: dict[str, Any] = {
        "format": FORMAT,
        "notice": NOTICE,
        "machine": in_short(about),
        "processor": about["processor"],
        "threads": 1,
        "versions": about["versions"],
        "cases": [{"name": c.name, "about": c.about, "bundled": c.bundled} for c in wanted],
        "cells": done,
        "costs": costs,
    }
    names = draw(results, wanted, out)
    results["cells"] = [{key: value for key, value in cell.items() if key != "image"} for cell in done]
    results["figures"] = names
    write_json(results, out / "results.json")
    with (out / "results.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(results["cells"][0]))
        writer.writeheader()
        writer.writerows(results["cells"])
    (out / "index.md").write_text(page(json.loads((out / "results.json").read_text("utf-8")), names), "utf-8")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the bundled phantoms alone, in a minute")
    parser.add_argument("--as-it-is", action="store_true", help="write the page of what is done, and do nothing")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "validation")
    parser.add_argument("--cells", type=Path, default=ROOT / "out" / "validation", help="where done cells are kept")
    parser.add_argument("--data", type=Path, default=os.environ.get("DDS_VIEWER_DATA", ROOT.parent / "shared" / "data"))
    options = parser.parse_args(words)
    data = Path(options.data)
    validate(
        QUICK if options.quick else FULL, options.out, options.cells, data if data.is_dir() else None, options.as_it_is
    )


if __name__ == "__main__":
    main()
