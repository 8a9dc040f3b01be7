"""The page of a validation, made from its results alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tests.validation.conclusions import USUAL_NFE, sentences
from tests.validation.costs_told import MEGA, Told, cost_sentences, lines_of
from tests.validation.summary import Group, dds_at, groups_of, places

Results = dict[str, Any]
HEAD = """# Validation

Made by `python -m tests.validation`; do not edit. {notice}

Machine: {processor}, {machine}; one thread, lowest priority. Versions: {versions}.

Seconds are those of one core that has nothing else to do: wall-clock seconds times the share of the core that the
process had while other programs worked. Coil maps and system matrices were there already in the tables of quality, and
not in those of cost. PSNR, SSIM and NRMSE are those of `core.quality`: magnitudes for MRI, attenuation for CT, the data
range is the largest value of the reference, and nothing is rescaled. The residual is ||Ax - y|| / ||y||.

Every method has the settings that the program offers, chosen without the truth of these runs: DDS the recommended
preset of its prior, with the evaluations that are named (50 do not fit below the start that is recommended for CT; they
start at timestep 80); L1-wavelet, TV and CG-SENSE the weight on offer. "Best lambda" is the best of five weights (a
quarter to four times the one on offer), judged by the truth, on the first mask; where it is at the end of that range, a
better one may lie beyond.

Read it with care. The presets of the priors were chosen on some of the images that the rows of brain, body and head
come from, so those are no independent test. Two masks, one to three seeds and one slice of each object are few. An
error against a measured reference has the noise of that reference in it.
"""


def page(results: Results, figures: Iterable[str]) -> str:
    """The whole page as Markdown. figures: names of the pictures beside it."""
    groups = groups_of(results["cells"])
    pictures = {name.rsplit(".", 1)[0]: name for name in figures}
    parts = [head(results), conclusions(results, groups)]
    for case in results["cases"]:
        own = [g for g in groups if g.case == case["name"]]
        if own:
            parts.append(case_section(case, own, pictures))
    parts.append(spread_section(groups))
    if results["costs"]:
        parts.append(cost_section(results["costs"], pictures))
    return "\n".join(parts)


def head(results: Results) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in sorted(results["versions"].items()))
    told = {key: results[key] for key in ("notice", "processor", "machine")}
    return HEAD.format(**told, versions=versions)


def conclusions(results: Results, groups: Sequence[Group]) -> str:
    told = [*sentences(groups), *(cost_sentences(results["costs"]) if results["costs"] else ())]
    return "## In short\n\n" + "".join(f"- {sentence}\n" for sentence in told)


def case_section(case: dict[str, Any], groups: Sequence[Group], pictures: dict[str, str]) -> str:
    cell = groups[0].cells[0]
    peaks = sorted({float(f"{c['data_range']:.4g}") for g in groups for c in g.cells})
    peak = f"{peaks[0]:g}" if len(peaks) == 1 else f"{peaks[0]:g} to {peaks[-1]:g}"
    name = case["name"].replace(" ", "_").replace(",", "")
    shown = [f"![{case['name']}: PSNR by sampling]({pictures[k]})\n" for k in (f"psnr_{name}",) if k in pictures]
    shown += [f"![{case['name']}: images]({pictures[k]})\n" for k in (f"images_{name}",) if k in pictures]
    rows = [quality_row(g) for own in places(groups).values() for g in own]
    header = ("sampling", "method", "PSNR (dB)", "SSIM", "NRMSE", "residual", "s", "runs")
    text = f"{case['about']} Data range {peak} ({cell['unit']}). Mean (least to most) over seeds and masks.\n"
    return "\n".join([f"## {case['name'].capitalize()}\n", text, *shown, table(header, rows)])


def quality_row(group: Group) -> tuple[str, ...]:
    return (
        group.sampling,
        group.label,
        mean_and_range(group.values("psnr_db"), 2),
        mean_and_range(group.values("ssim"), 3),
        mean_and_range(group.values("nrmse"), 3),
        f"{group.mean('residual'):.4f}",
        f"{group.median('core_seconds'):.2f}",
        str(len(group.cells)),
    )


def mean_and_range(values: Sequence[float], digits: int) -> str:
    mean = f"{sum(values) / len(values):.{digits}f}"
    if len(values) == 1:
        return mean
    return f"{mean} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def spread_section(groups: Sequence[Group]) -> str:
    """Standard deviations of DDS at the usual number of evaluations."""
    rows = []
    for (case, sampling), own in places(groups).items():
        usual = dds_at(own, USUAL_NFE)
        if usual is not None:
            names = ("psnr_db", "ssim")
            seeds = [number(usual.deviation_of_seeds(n), d) for n, d in zip(names, (2, 4), strict=True)]
            masks = [number(usual.deviation_of_masks(n), d) for n, d in zip(names, (2, 4), strict=True)]
            rows.append((case, sampling, seeds[0], masks[0], seeds[1], masks[1], str(len(usual.cells))))
    header = ("scan", "sampling", "PSNR, seeds (dB)", "PSNR, masks (dB)", "SSIM, seeds", "SSIM, masks", "runs")
    text = (
        f"Standard deviations of DDS with {USUAL_NFE} evaluations: over the seeds of a mask (mean over the masks), and"
        " of the means of the masks. With two or three of each they are rough.\n"
    )
    return "\n".join(["## Spread over seeds and masks\n", text, table(header, rows)])


def number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def cost_section(records: Sequence[dict[str, Any]], pictures: dict[str, str]) -> str:
    told = lines_of(records)
    header = ("", "along", "total", "network", "solver", "before the steps", "peak memory")
    rows = [law_row(each) for each in told]
    least, most = (which(record["share"] for record in records) for which in (min, max))
    text = (
        "Exponents p of cost = c · size^p, by least squares on the logarithms, with the half-width of the 95 %"
        " interval. DDS as recommended on made-up discs, MRI at R = 4; what is not varied is 1 slice, 256 x 256 pixels,"
        " 8 coils or 30 views, and 10 evaluations. Each point is one run in a process of its own. What costs the same"
        f" at any size lowers an exponent. The process had {least:.0%} to {most:.0%} of a core, so that seconds and"
        " what follows from them are rough; where the interval holds 0, no growth was shown.\n"
    )
    shown = [f"![{k}]({pictures[k]})\n" for k in ("cost", "memory") if k in pictures]
    all_header = ("run", "s", "network (s)", "solver (s)", "estimate (s)", "peak (MB)", "estimate (MB)", "ratio")
    about = (
        "All points. Peak: the most memory above that of the program with its libraries loaded. The estimate in seconds"
        " is for the steps alone, as the program shows it before a run; that in MB is meant as an upper bound,"
        " as it is now: its number of arrays for MRI was raised after runs of these sizes had shown it to be too"
        " low, so that only the last four, which came later, test it.\n"
    )
    return "\n".join(
        [
            "## Cost and memory\n",
            text,
            *shown,
            table(header, rows),
            about,
            table(all_header, [cost_row(r) for r in records]),
        ]
    )


def law_row(told: Told) -> tuple[str, ...]:
    parts = ("total_s", "network_s", "solver_s", "rest_s", "peak_bytes")
    laws = (str(told.laws[part] or "") for part in parts)
    return (told.line.kind, f"{told.line.along} {', '.join(str(v) for v in told.line.values)}", *laws)


def cost_row(record: dict[str, Any]) -> tuple[str, ...]:
    peak, bound = record["peak_bytes"] / MEGA, record["estimate_bytes"] / MEGA
    seconds = (record["total_s"], record["network_s"], record["solver_s"], record["estimate_s"] * record["share"])
    return (record["words"], *(f"{s:.2f}" for s in seconds), f"{peak:.0f}", f"{bound:.0f}", f"{bound / peak:.2f}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(line + "\n" for line in _lines(header, rows))


def _lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join("---" for _ in header) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
