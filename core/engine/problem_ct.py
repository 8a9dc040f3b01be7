"""From projections to the equations: the projector of unit norm in a unit near water's, weighed and without holes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Progress
from core.engine.memory import on_cpu
from core.engine.problem import Coding, Watch, prepare
from core.engine.ray_weights import statistical_weights, without_holes
from core.engine.scan_source import resized
from core.engine.settings import LAST_TIMESTEP, ReconSettings
from core.engine.stop import Stop
from core.errors import JobError, ScanError
from core.geometry import ConeBeam
from core.operators.linear import LinearOperator, Scaled, operator_norm
from core.operators.tomography import projector
from core.operators.weighted import Weighted
from core.priors.card import ModelCard
from core.projections import Projections
from core.scan import Scan
from core.solvers import cgls, sirt, total_variation
from core.solvers.fbp import fbp
from core.solvers.fdk import fdk

FloatArray = npt.NDArray[np.float32]

WARM_LAM = 6e-4
"""Weight of the total variation in the image that DDS starts from."""
SLAB = 32
"""Slices that are solved at once where they do not depend on each other, so that memory stays bounded."""
BRIGHT_PERCENTILE, BRIGHT = 99.5, 2.0
"""A scan without Hounsfield units is shown to a prior so that its bright parts are bone of 1000 HU."""
NORM_ITERATIONS = {True: 6, False: 20}
"""Of the power iteration, for a cone beam, whose projector is slow, and for the others."""


@dataclass(frozen=True)
class TomoProblem:
    """The problem of projections. x: attenuation over `unit_mu`: 0 is air, and 1 is water where HU are known.

    scan: of the chosen slices. bare: the projector as it is. weights: square roots of the statistical weights, 0 where
    nothing can be trusted, broadcast over the measurement, or None. known_norm: of the projector, None until it
    is needed: the direct methods do without it, and so without the system matrix.
    """

    scan: Projections = field(repr=False)
    names: tuple[str, ...]
    keys: tuple[int, ...]
    slices: int
    unit_mu: float
    bare: Any = field(repr=False)
    weights: Tensor | None = field(default=None, repr=False)
    nonnegative: bool = True
    known_norm: float | None = None

    @cached_property
    def norm(self) -> float:
        norm = self.known_norm if self.known_norm is not None else self.unit_mu * _norm_of(self)
        if norm == 0:
            raise ScanError(
                "No ray crosses the image.",
                "Seen from the geometry in the file, the image lies beside the detector.",
                "Check distances, offsets and pixel sizes.",
            )
        return norm

    @cached_property
    def operator(self) -> LinearOperator:
        weighed = self.bare if self.weights is None else Weighted(self.bare, self.weights)
        return Scaled(weighed, self.unit_mu / self.norm)

    @cached_property
    def y(self) -> Tensor:
        y = torch.from_numpy(np.ascontiguousarray(self.scan.data)).to(self.bare.device) / self.norm
        return y if self.weights is None else y * self.weights

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.scan.grid.shape

    @property
    def support(self) -> Tensor:
        """Everywhere: what no ray crosses is left to the penalty or the prior, which is warned of."""
        return torch.ones(1, 1, 1, dtype=torch.bool, device=self.bare.device)

    @property
    def lowest(self) -> float | None:
        return 0.0 if self.nonnegative else None

    def to_image(self, x: Tensor) -> FloatArray:
        """(slice, y, x) float32 in HU, or in 1/mm where HU are not known."""
        if not self.scan.hounsfield:
            return self.deviation(x)
        # As hu_from_mu, in one copy.
        image: FloatArray = (on_cpu(x).float() * (1000 * self.unit_mu / self.scan.mu_water)).sub_(1000).numpy()
        return image

    def deviation(self, x: Tensor) -> FloatArray:
        unit = self.unit_mu * (1000 / self.scan.mu_water if self.scan.hounsfield else 1)
        deviation: FloatArray = (on_cpu(x).float() * unit).numpy()
        return deviation

    def iterates(self, method: str, settings: ReconSettings, watch: Watch) -> Iterator[tuple[Tensor, int]]:
        if method in ("fbp", "fdk"):
            yield self._direct(method, settings), 1
        elif method == "tv":
            yield from self._total_variation(settings, watch)
        else:
            operator, count = watch(self.operator), settings.iterations
            runs = {
                "cgls": lambda: cgls.iterates(operator, self.y, count),
                "sirt": lambda: sirt.iterates(operator, self.y, count, self.lowest),
            }
            if method not in runs:
                raise JobError(f"{method} is no method for CT.", "", "Use dds, fbp, fdk, tv, cgls or sirt.")
            for x in runs[method]():
                yield x, count

    def _direct(self, method: str, settings: ReconSettings) -> Tensor:
        """Filtered back-projection, or Feldkamp's for a cone beam."""
        if (method == "fdk") is not isinstance(self.scan.geometry, ConeBeam):
            raise JobError(f"{method.upper()} does not fit this geometry.", "", "Use FDK for cone beams, else FBP.")
        sinogram = torch.from_numpy(without_holes(self.scan)).to(self.bare.device)
        reconstruct = fdk if method == "fdk" else fbp
        return reconstruct(self.bare, sinogram, settings.filter) / self.unit_mu

    def _total_variation(self, settings: ReconSettings, watch: Watch) -> Iterator[tuple[Tensor, int]]:
        along: str = settings.along
        along = along if along != "auto" else ("volume" if self.slices > 1 else "slice")
        parts = [self] if along != "slice" or self.operator.joint > 1 else list(self.slabs(SLAB))
        if len(parts) == 1:
            for x in total_variation.iterates(
                watch(self.operator), self.y, settings.lam, lowest=self.lowest, slices=self.slices, along=along
            ):
                yield x, total_variation.ITERATIONS
            return
        whole = torch.zeros(self.operator.domain_shape, dtype=self.operator.dtype, device=self.y.device)
        first = 0
        for part in parts:
            goal = whole[first : first + part.slices]
            for x in total_variation.iterates(watch(part.operator), part.y, settings.lam, lowest=self.lowest):
                goal.copy_(x)
                yield whole, total_variation.ITERATIONS * len(parts)
            first += part.slices

    def slabs(self, size: int) -> Iterator[TomoProblem]:
        """The problem in parts of so many slices, which do not depend on each other."""
        for first in range(0, self.slices, size):
            last = min(first + size, self.slices)
            scan = some_slices(self.scan, (first, last))
            bare = projector(scan.geometry, scan.grid, scan.rows, device=self.bare.device)
            weights = self.weights[first:last] if self.weights is not None and len(self.weights) > 1 else self.weights
            yield replace(
                self,
                known_norm=self.norm,
                names=self.names[first:last],
                keys=self.keys[first:last],
                slices=last - first,
                scan=scan,
                bare=bare,
                weights=weights,
            )

    def warm_start(self, settings: ReconSettings) -> tuple[str, ReconSettings] | None:
        if settings.t_start == LAST_TIMESTEP:
            return None
        return "tv", settings.replace(lam=WARM_LAM, along="slice")

    def coding(self, card: ModelCard, classical: Tensor) -> Coding:
        """HU / 1000 where the card says so; else the percentile of the card is 1 and air is 0."""
        if card.scale_percentile > 0:
            flat = classical.flatten()[:: max(classical.numel() // 1_000_000, 1)]
            scale = float(np.percentile(flat.cpu().numpy(), card.scale_percentile))
            return Coding(0.0, scale if scale > 0 else 1.0)
        if self.scan.hounsfield:
            return Coding(1.0, 1.0)
        bright = 1000 * (BRIGHT - 1)
        return Coding(
            1.0,
            1.0,
            f"The grey values of this scan are no Hounsfield units. The prior {card.name}, which knows HU, is shown its"
            f" bright parts as {bright:.0f} HU and air as -1000 HU.",
        )

    def reference(self, whole: Scan, slices: tuple[int, int] | None) -> FloatArray:
        """The FBP or FDK of all views, with the filter that every run shows."""
        assert isinstance(whole, Projections)
        scan = some_slices(whole, slices)
        bare = projector(scan.geometry, scan.grid, scan.rows, device=self.bare.device)
        full = replace(self, scan=scan, bare=bare)
        method = "fdk" if isinstance(scan.geometry, ConeBeam) else "fbp"
        return full.to_image(full._direct(method, ReconSettings()))

    def facts(self) -> dict[str, Any]:
        return {"operator_norm": self.norm, "unit_mu": self.unit_mu, "weighted": self.weights is not None}


@prepare.register
def prepare_projections(
    scan: Projections,
    slices: tuple[int, int] | None,
    device: torch.device,
    stop: Stop,
    settings: ReconSettings | None = None,
) -> Generator[Progress, None, TomoProblem]:
    """See `prepare`: the system matrix first."""
    settings = settings or ReconSettings()
    stop.check()
    yield Progress("Geometry", 0, 1)
    first = slices[0] if slices else 0
    scan = some_slices(scan, slices)
    bare = projector(scan.geometry, scan.grid, scan.rows, device=device)
    count = scan.grid.shape[0]
    return TomoProblem(
        scan,
        tuple(f"slice {first + k + 1}" for k in range(count)),
        tuple(range(first, first + count)),
        count,
        scan.mu_water if scan.hounsfield else bright_unit(scan),
        bare,
        statistical_weights(scan, settings, device),
        settings.nonnegative,
    )


def some_slices(scan: Projections, slices: tuple[int, int] | None) -> Projections:
    """The scan of only these slices (first, one past the last). Raises ScanError where that cannot be."""
    if slices is None:
        return scan
    count = scan.grid.shape[0]
    first, last = slices
    if not 0 <= first < last <= count:
        raise ScanError(
            f"There are no slices {first}:{last}.", f"The scan has {count}, counted from 0.", f"Use 0:{count} or less."
        )
    if (first, last) == (0, count):
        return scan
    if scan.is_volume:
        raise ScanError(
            "This scan cannot be reconstructed slice by slice.",
            "Its rays form a cone, which ties all slices together.",
            "Reconstruct all slices.",
        )
    x, y, z = scan.grid.centre_mm
    moved = z + ((first + last) - count) / 2 * scan.grid.spacing_mm[2]
    affine = scan.affine
    if affine is not None:
        affine = affine.copy()
        affine[:3, 3] += affine[:3, 2] * first
    valid = scan.valid
    return scan.with_changes(
        data=scan.data[first:last],
        grid=replace(scan.grid, shape=(last - first, *scan.grid.shape[1:]), centre_mm=(x, y, moved)),
        affine=affine,
        valid=valid[first:last] if valid is not None and len(valid) > 1 else valid,
    )


def bright_unit(scan: Projections) -> float:
    """The attenuation in 1/mm that stands for water where HU are not known, from a coarse image of the scan."""
    coarse = resized(scan, min(max(*scan.grid.shape[1:], 8), 128))
    if not scan.is_volume:
        densest = int(scan.data.sum(axis=(1, 2), dtype=np.float64).argmax())
        coarse = some_slices(coarse, (densest, densest + 1))
    bare: Any = projector(coarse.geometry, coarse.grid, coarse.rows)
    reconstruct = fdk if scan.is_volume else fbp
    mu = reconstruct(bare, torch.from_numpy(without_holes(coarse)), "hann").numpy()
    bright = float(np.percentile(mu, BRIGHT_PERCENTILE))
    return bright / BRIGHT if bright > 0 else float(np.abs(mu).max()) or 1.0


def _norm_of(problem: TomoProblem) -> float:
    """Of the projector without weights; of one slice where slices do not depend on each other."""
    scan = problem.scan
    if scan.is_volume or scan.rows == 1:
        return operator_norm(problem.bare, NORM_ITERATIONS[scan.is_volume])
    grid = replace(scan.grid, shape=(1, *scan.grid.shape[1:]))
    return operator_norm(projector(scan.geometry, grid, 1, device=problem.bare.device))
