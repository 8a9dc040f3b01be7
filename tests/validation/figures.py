"""The pictures of a validation: curves of every scan, images of the bundled phantoms alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, ScalarFormatter

from core.export.picture import NOTICE
from tests.validation.cases import Case
from tests.validation.costs_told import MEGA, lines_of
from tests.validation.summary import Group, groups_of, places

mpl.use("Agg")
DPI = 110
COLOURS = {
    "zero-filled": "#888888",
    "FBP": "#888888",
    "CG-SENSE": "#b07aa1",
    "CGLS": "#b07aa1",
    "L1-wavelet": "#59a14f",
    "SIRT": "#59a14f",
    "TV": "#f28e2b",
    "DDS, NFE 10": "#a0cbe8",
    "DDS, NFE 20": "#4e79a7",
    "DDS, NFE 50": "#1b3a5c",
}
SHOWN = ("zero-filled", "FBP", "TV", "DDS, NFE 20")
"""Methods whose images are shown."""


def draw(results: dict[str, Any], cases: Sequence[Case], folder: Path) -> list[str]:
    """Write all pictures; returns their names."""
    groups = groups_of(results["cells"])
    made: list[tuple[str, Figure]] = []
    for case in cases:
        own = [g for g in groups if g.case == case.name]
        name = case.name.replace(" ", "_").replace(",", "")
        made.append((f"psnr_{name}.png", quality_figure(case, own)))
        if case.bundled and any(cell.get("image") for g in own for cell in g.cells):
            made.append((f"images_{name}.png", image_figure(case, own)))
    if results["costs"]:
        made.append(("cost.png", cost_figure(results["costs"])))
        made.append(("memory.png", memory_figure(results["costs"])))
    for name, figure in made:
        figure.savefig(folder / name, dpi=DPI, metadata={"Software": None})
        _in_few_colours(folder / name)
    return [name for name, _ in made]


def _in_few_colours(path: Path) -> None:
    """A third of the size."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def quality_figure(case: Case, groups: Sequence[Group]) -> Figure:
    """PSNR by sampling, least to most as bars; at the right against the seconds of the middle sampling."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
    samplings = list(dict.fromkeys(g.sampling for g in groups))
    labels = [label for label in COLOURS if any(g.label == label for g in groups)]
    for k, label in enumerate(labels):
        own = {g.sampling: g for g in groups if g.label == label}
        x = np.array([i for i, s in enumerate(samplings) if s in own]) + (k - len(labels) / 2) * 0.05
        chosen = [own[s] for s in samplings if s in own]
        means = [g.mean("psnr_db") for g in chosen]
        spread = [
            [m - min(g.values("psnr_db")) for m, g in zip(means, chosen, strict=True)],
            [max(g.values("psnr_db")) - m for m, g in zip(means, chosen, strict=True)],
        ]
        left.errorbar(x, means, spread, fmt="o-", ms=4, lw=1, capsize=2, color=COLOURS[label], label=label)
        middle = own.get(samplings[len(samplings) // 2])
        if middle is not None:
            right.plot(middle.median("core_seconds"), middle.mean("psnr_db"), "o", color=COLOURS[label])
    left.set_xticks(range(len(samplings)), samplings, fontsize=8)
    left.set_ylabel("PSNR (dB), mean, least to most")
    left.set_title(case.name)
    figure.legend(*left.get_legend_handles_labels(), fontsize=7, ncols=len(labels), loc="outside lower center")
    right.set_xscale("log")
    right.set_xlabel("seconds of one core")
    right.set_title(samplings[len(samplings) // 2], fontsize=9)
    _grid(left, right)
    return figure


def image_figure(case: Case, groups: Sequence[Group]) -> Figure:
    """Truth and images of the middle sampling, and below them how far they are from the truth, five times as bright."""
    own = list(places(groups).items())
    (_, sampling), chosen = own[len(own) // 2]
    truth = case.pose(sampling, 0).truth
    assert truth is not None
    kept = [(g.label, cell["image"]) for g in chosen if g.label in SHOWN for cell in g.cells if cell["image"]]
    figure = Figure(figsize=(2.1 * (len(kept) + 1), 4.6), layout="constrained", facecolor="black")
    rows = figure.subplots(2, len(kept) + 1)
    true = np.abs(truth[0])
    peak = float(np.percentile(true, 99.8))
    for axes in rows.flat:
        axes.axis("off")
    _show(rows[0, 0], true, peak, f"truth, {sampling}")
    for k, (label, path) in enumerate(kept):
        image = in_unit_of_truth(np.load(path)[0], chosen[0])
        _show(rows[0, k + 1], image, peak, label)
        _show(rows[1, k + 1], np.abs(image - true), peak / 5, "error x 5")
    figure.text(0.01, 0.01, NOTICE, color="#bbbbbb", fontsize=7)
    return figure


def in_unit_of_truth(image: Any, group: Group) -> Any:
    """Magnitudes, or attenuation where the image is in HU and the truth in 1/mm."""
    from core.hounsfield import mu_from_hu

    if np.iscomplexobj(image):
        return np.abs(image)
    return mu_from_hu(image) if group.cells[0]["unit"] == "1/mm" and image.min() < -500 else image


def _show(axes: Axes, image: Any, peak: float, title: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=peak, interpolation="nearest")
    axes.set_title(title, color="white", fontsize=8)


def cost_figure(records: Sequence[dict[str, Any]]) -> Figure:
    """Seconds along each size on logarithmic axes, with the fitted laws."""
    told = lines_of(records)
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    parts = (("total_s", "all", "#1b3a5c"), ("network_s", "network", "#4e79a7"), ("solver_s", "solver", "#f28e2b"))
    for axes, each in _panels(figure, told):
        for part, label, colour in parts:
            law, sizes = each.laws[part], np.array(each.sizes)
            axes.loglog(sizes, each.costs(part), "o", color=colour, ms=4)
            if law is not None:
                axes.loglog(sizes, [law(s) for s in sizes], "-", lw=1, color=colour, label=f"{label}: {law}")
        axes.set_ylabel("s", fontsize=8)
        axes.set_xticks(each.sizes, [f"{size:g}" for size in each.sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(top=axes.get_ylim()[1] * 4)
        axes.legend(fontsize=6.5, loc="upper left")
    return figure


def memory_figure(records: Sequence[dict[str, Any]]) -> Figure:
    """Measured peak against the estimate of the program."""
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = figure.subplots()
    for kind, colour in (("MRI", "#4e79a7"), ("CT", "#f28e2b")):
        own = [r for r in records if r["kind"] == kind]
        peaks, bounds = ([r[key] / MEGA for r in own] for key in ("peak_bytes", "estimate_bytes"))
        axes.loglog(peaks, bounds, "o", color=colour, ms=4, label=kind)
    low, high = axes.get_xlim()
    axes.loglog([low, high], [low, high], "-", color="#888888", lw=1, label="as measured")
    axes.set_xlabel("measured peak (MB)")
    axes.set_ylabel("estimate of the program (MB)")
    axes.legend(fontsize=8)
    _grid(axes)
    return figure


def _panels(figure: Figure, told: Sequence[Any]) -> Iterator[tuple[Axes, Any]]:
    kinds = list(dict.fromkeys(each.line.kind for each in told))
    columns = max(sum(each.line.kind == kind for each in told) for kind in kinds)
    grid = figure.subplots(len(kinds), columns, squeeze=False)
    where: Callable[[str], int] = kinds.index
    taken = dict.fromkeys(kinds, 0)
    for each in told:
        axes = grid[where(each.line.kind), taken[each.line.kind]]
        taken[each.line.kind] += 1
        axes.set_title(f"{each.line.kind}, {each.line.along}", fontsize=9)
        _grid(axes)
        yield axes, each


def _grid(*many: Axes) -> None:
    for axes in many:
        axes.grid(True, which="both", lw=0.3, color="#cccccc")
        axes.tick_params(labelsize=8)
