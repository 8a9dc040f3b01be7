"""What the figures say, in sentences made from them, so that they cannot say anything else."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.validation.summary import AT_THE_END, BEST, Group, best, dds_at, places

USUAL_NFE = 20
Results = dict[str, Any]


def sentences(groups: Sequence[Group]) -> Iterator[str]:
    """One conclusion each, those against DDS as well as those for it."""
    yield from by_case(groups)
    yield from by_ssim(groups)
    yield from by_evaluations(groups)
    yield from from_noise(groups)
    yield from by_spread(groups)


def by_case(groups: Sequence[Group]) -> Iterator[str]:
    """DDS against the best classical method as offered, and with the best weight, in PSNR."""
    for case in dict.fromkeys(group.case for group in groups):
        mine = {s: own for (c, s), own in places(groups).items() if c == case and dds_at(own, USUAL_NFE)}
        if not mine:
            continue
        gains = {s: gain([g for g in own if g.offered]) for s, own in mine.items()}
        told = f"{case}: with {USUAL_NFE} evaluations DDS is, against the best classical method as offered, "
        told += verdict(gains)
        sought = {s: gain(on_first_mask(own)) for s, own in mine.items() if any(BEST in g.label for g in own)}
        if sought:
            told += f"; where those get the best of five weights, which no user knows, {verdict(sought)}"
            told += f" (first mask{ends(mine)})"
        yield f"{told}."


def ends(mine: dict[str, Sequence[Group]]) -> str:
    """How often the best weight of TV was the least or the most that was tried, so that a better one may lie beyond."""
    tv = [g for own in mine.values() for g in own if g.method == "tv" and BEST in g.label]
    count = sum(AT_THE_END in g.label for g in tv)
    return f"; of TV at the end of the range in {count} of {len(tv)}" if count else ""


def on_first_mask(own: Sequence[Group]) -> list[Group]:
    """The groups with the cells of one mask alone: weights were sought on no other."""
    return [replace(g, cells=tuple(cell for cell in g.cells if cell["mask"] == 0)) for g in own]


def gain(own: Sequence[Group]) -> float:
    """dB of DDS above the best classical method."""
    ours = dds_at(own, USUAL_NFE)
    theirs = best(own, "psnr_db", lambda g: g.classical)
    assert ours is not None
    assert theirs is not None
    return ours.mean("psnr_db") - theirs.mean("psnr_db")


def verdict(gains: dict[str, float]) -> str:
    """Wins and losses in words: "0.3 to 2.1 dB ahead everywhere"."""
    wins = {s: g for s, g in gains.items() if g > 0}
    losses = {s: -g for s, g in gains.items() if g <= 0}
    parts = []
    for found, word in ((wins, "ahead"), (losses, "**behind**")):
        if found:
            where = "everywhere" if len(found) == len(gains) else f"at {', '.join(found)}"
            parts.append(f"{span(list(found.values()))} dB {word} {where}")
    return " and ".join(parts)


def by_ssim(groups: Sequence[Group]) -> Iterator[str]:
    """Where a classical method has the higher SSIM."""
    lost = []
    for (case, sampling), own in places(groups).items():
        ours, theirs = dds_at(own, USUAL_NFE), best(own, "ssim", lambda g: g.classical and g.offered)
        if ours and theirs and theirs.mean("ssim") > ours.mean("ssim"):
            lost.append(f"{case}, {sampling} ({theirs.label} {theirs.mean('ssim'):.3f}, DDS {ours.mean('ssim'):.3f})")
    if lost:
        yield f"In SSIM a classical method as offered is ahead of DDS in {len(lost)} of {len(places(groups))}: " + (
            "; ".join(lost) + "."
        )
    else:
        yield f"In SSIM DDS is ahead of every classical method as offered, in all {len(places(groups))} samplings."


def by_evaluations(groups: Sequence[Group]) -> Iterator[str]:
    """What more evaluations bring, and cost."""
    for few, many in ((10, 20), (20, 50)):
        pairs = [(dds_at(own, few), dds_at(own, many)) for own in places(groups).values()]
        both = [(of_first_seed(a), of_first_seed(b)) for a, b in pairs if a and b]
        alike = [(a, b) for a, b in both if start_of(a) == start_of(b)]
        others = [(a, b) for a, b in both if start_of(a) != start_of(b)]
        for chosen, how in (
            (alike, "from the same start"),
            (others, "with another start, so not by their number alone,"),
        ):
            if chosen:
                gains = [b.mean("psnr_db") - a.mean("psnr_db") for a, b in chosen]
                dearer = statistics.median(b.median("core_seconds") / a.median("core_seconds") for a, b in chosen)
                worse = f"less in {sum(g < 0 for g in gains)} of {len(gains)}"
                yield (
                    f"From {few} to {many} evaluations, {how} the PSNR changes by {statistics.fmean(gains):+.2f} dB"
                    f" in the mean ({min(gains):+.2f} to {max(gains):+.2f}, {worse}), at {dearer:.1f}"
                    " times the seconds (one seed)."
                )


def of_first_seed(group: Group) -> Group:
    return replace(group, cells=tuple(cell for cell in group.cells if cell["seed"] == 0))


def start_of(group: Group) -> int:
    return int(group.cells[0]["t_start"])


def from_noise(groups: Sequence[Group]) -> Iterator[str]:
    """The paper's settings, which start from pure noise, with the small bundled priors."""
    for case in dict.fromkeys(group.case for group in groups):
        ours, theirs, cold = [], [], []
        for own in (own for (c, _), own in places(groups).items() if c == case):
            pure = best(own, "psnr_db", lambda g: "noise" in g.label)
            first = on_first_mask(own)
            usual, classical = dds_at(first, USUAL_NFE), best(first, "psnr_db", lambda g: g.classical and g.offered)
            if pure and usual and classical:
                usual = of_first_seed(usual)
                cold.append(pure.mean("psnr_db"))
                ours.append(usual.mean("psnr_db"))
                theirs.append(classical.mean("psnr_db"))
        if cold:
            warm = [a - b for a, b in zip(ours, cold, strict=True)]
            plain = [a - b for a, b in zip(theirs, cold, strict=True)]
            words = f"{span(plain)} dB behind" if min(plain) > 0 else f"{signed_span([-p for p in plain])} dB against"
            yield (
                f"{case}: from pure noise with the paper's settings (the better of its presets) DDS is {span(warm)} dB"
                f" behind the recommended warm start, and {words} the best classical method (one mask and seed of it)."
            )


def by_spread(groups: Sequence[Group]) -> Iterator[str]:
    """How far seeds and masks lie apart."""
    usual = [g for own in places(groups).values() if (g := dds_at(own, USUAL_NFE))]
    cases = dict.fromkeys(g.case for g in usual)
    seeds = [d for g in usual if (d := g.deviation_of_seeds()) is not None]
    masks = {case: [d for g in usual if g.case == case and (d := g.deviation_of_masks()) is not None] for case in cases}
    if seeds:
        middle = f"(median {statistics.median(seeds):.2f})"
        yield f"Seeds of DDS differ by a standard deviation of {span(seeds, 2)} dB {middle}."
    told = [f"{span(found, 2)} dB ({case})" for case, found in masks.items() if found]
    if told:
        yield f"The means of masks, or of draws of the noise where there is no mask, differ by {', '.join(told)}."


def span(values: Sequence[float], digits: int = 1) -> str:
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low} to {high}"


def signed_span(values: Sequence[float]) -> str:
    low, high = f"{min(values):+.1f}", f"{max(values):+.1f}"
    return low if low == high else f"{low} to {high}"
