"""From the cells of a validation to its groups: means and spreads over seeds and masks."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.validation.quality import AS_OFFERED, OTHER_WEIGHT

Cell = dict[str, Any]
LABELS = {
    "zero-filled": "zero-filled",
    "cg-sense": "CG-SENSE",
    "l1-wavelet": "L1-wavelet",
    "tv": "TV",
    "fbp": "FBP",
    "cgls": "CGLS",
    "sirt": "SIRT",
    "dds": "DDS",
}
BEST = "best lambda"
AT_THE_END = ", end of range"


@dataclass(frozen=True)
class Group:
    """The cells of one method on one sampling, by seeds and masks. label: the method in words."""

    case: str
    sampling: str
    method: str
    label: str
    cells: tuple[Cell, ...]

    def values(self, name: str) -> list[float]:
        return [float(cell[name]) for cell in self.cells]

    def mean(self, name: str) -> float:
        return statistics.fmean(self.values(name))

    def median(self, name: str) -> float:
        return statistics.median(self.values(name))

    @property
    def classical(self) -> bool:
        return self.method != "dds"

    @property
    def offered(self) -> bool:
        """With settings that a user gets without knowing the truth."""
        return BEST not in self.label and "noise" not in self.label

    def deviation_of_seeds(self, name: str = "psnr_db") -> float | None:
        """Standard deviation over the seeds of one mask, the mean over the masks; None for single seeds."""
        found = [statistics.stdev(values) for values in self._by_mask(name) if len(values) > 1]
        return statistics.fmean(found) if found else None

    def deviation_of_masks(self, name: str = "psnr_db") -> float | None:
        """Standard deviation of the means of the masks; None for a single mask."""
        means = [statistics.fmean(values) for values in self._by_mask(name)]
        return statistics.stdev(means) if len(means) > 1 else None

    def _by_mask(self, name: str) -> list[list[float]]:
        masks: dict[int, list[float]] = {}
        for cell in self.cells:
            masks.setdefault(cell["mask"], []).append(float(cell[name]))
        return list(masks.values())


def groups_of(cells: Iterable[Cell]) -> list[Group]:
    """In the order of the cells; of the weights that were tried one group with the best."""
    found: dict[tuple[str, str, str, str], list[Cell]] = {}
    tried: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        place = cell["case"], cell["sampling"], cell["method"]
        if cell["detail"].startswith(OTHER_WEIGHT):
            tried.setdefault(place, []).append(cell)
            found.setdefault((*place, BEST), [])
        else:
            found.setdefault((*place, cell["detail"]), []).append(cell)
    groups = []
    for (case, sampling, method, detail), own in found.items():
        if detail == BEST:
            first = next(cell for cell in found[case, sampling, method, AS_OFFERED] if cell["mask"] == 0)
            every = [first, *tried[case, sampling, method]]
            top = max(every, key=lambda cell: cell["psnr_db"])
            weights = [cell["lam"] for cell in every]
            end = AT_THE_END if top["lam"] in (min(weights), max(weights)) else ""
            groups.append(Group(case, sampling, method, f"{LABELS[method]}, {BEST} ({top['lam']:.2g}{end})", (top,)))
        else:
            label = LABELS[method] if detail == AS_OFFERED else f"{LABELS[method]}, {detail}"
            groups.append(Group(case, sampling, method, label, tuple(own)))
    return groups


def best(groups: Sequence[Group], name: str, allowed: Callable[[Group], bool]) -> Group | None:
    """That of the highest mean among those allowed."""
    return max((g for g in groups if allowed(g)), key=lambda g: g.mean(name), default=None)


def places(groups: Sequence[Group]) -> dict[tuple[str, str], list[Group]]:
    """The groups by case and sampling."""
    found: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        found.setdefault((group.case, group.sampling), []).append(group)
    return found


def dds_at(groups: Sequence[Group], nfe: int) -> Group | None:
    """DDS as recommended with so many evaluations."""
    return next((g for g in groups if g.label == f"{LABELS['dds']}, NFE {nfe}"), None)
