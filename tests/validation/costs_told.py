"""From the cost records to exponents, and to how good the program's own estimates are."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.validation.cost import HELD_OUT, LINES, Line, Point
from tests.validation.fits import PowerLaw, power_law

Record = dict[str, Any]
PARTS = ("total_s", "network_s", "solver_s", "rest_s", "peak_bytes")
"""rest_s: coil maps or matrix, classical images, and what the estimate times."""
MEGA = 1e6


@dataclass(frozen=True)
class Told:
    """A line of points with its records and the law of each part; None where a part is nothing."""

    line: Line
    records: tuple[Record, ...]
    laws: dict[str, PowerLaw | None]

    @property
    def sizes(self) -> list[float]:
        return [float(record[self.line.field]) for record in self.records]

    def costs(self, part: str) -> list[float]:
        return [cost(record, part) for record in self.records]


def cost(record: Record, part: str) -> float:
    if part == "rest_s":
        return float(record["total_s"] - record["network_s"] - record["solver_s"])
    return float(record[part])


def lines_of(records: Sequence[Record]) -> list[Told]:
    """The lines of which at least three points are there."""
    known = {record["words"]: record for record in records}
    found = []
    for line in LINES:
        there = tuple(known[point.words] for point in line.points if point.words in known)
        if len(there) >= 3:
            found.append(Told(line, there, {part: law_of(line, there, part) for part in PARTS}))
    return found


def law_of(line: Line, records: Sequence[Record], part: str) -> PowerLaw | None:
    costs = [cost(record, part) for record in records]
    if min(costs) <= 0:
        return None
    return power_law([float(record[line.field]) for record in records], costs)


def memory_ratios(records: Sequence[Record]) -> list[float]:
    """Estimated over measured bytes of each record."""
    return [record["estimate_bytes"] / record["peak_bytes"] for record in records]


def second_ratios(records: Sequence[Record]) -> list[float]:
    """Estimated seconds over those that network and solver took."""
    return [record["estimate_s"] * record["share"] / (record["network_s"] + record["solver_s"]) for record in records]


def cost_sentences(records: Sequence[Record]) -> Iterator[str]:
    """What the records say."""
    told = [each for each in lines_of(records) if each.laws["total_s"] is not None]
    for kind in dict.fromkeys(each.line.kind for each in told):
        powers = [f"{each.laws['total_s']} of the {each.line.along}" for each in told if each.line.kind == kind]
        yield f"{kind}: the seconds of a first run grow with the power {', '.join(powers)}."
    memory, seconds = memory_ratios(records), second_ratios(records)
    under = [r["words"] for r, ratio in zip(records, memory, strict=True) if ratio < 1]
    yield (
        f"The program's estimate of memory, an upper bound, is {span(memory)} times what was used; "
        + (f"it is **too low** for {'; '.join(under)}." if under else f"it is never too low{held_out(records)}.")
    )
    yield (f"Its estimate of the seconds of the steps is {span(seconds)} times what they took.")
    first = [r["total_s"] / (r["network_s"] + r["solver_s"]) for r in records]
    yield (
        f"A first run takes {span(first)} times as long as its steps: coil maps or the system matrix, the classical"
        " images and the estimate itself come before them. Coil maps and matrices are kept for the next run."
    )


def held_out(records: Sequence[Record]) -> str:
    """The same of the sizes by which it was not set."""
    words = {point.words for point in HELD_OUT}
    ratios = memory_ratios([record for record in records if record["words"] in words])
    return f"; {span(ratios)} for sizes by which it was not set" if ratios else ""


def span(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f} (median {statistics.median(values):.2f})"


__all__ = ["MEGA", "PARTS", "Point", "Told", "cost", "cost_sentences", "lines_of", "memory_ratios"]
