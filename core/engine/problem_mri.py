"""From k-space to the equations: coil maps, the SENSE operator of unit norm, the scaled measurement."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Progress
from core.engine.problem import Coding, Image, Watch, prepare
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.errors import ScanError
from core.operators.coils import MAX_COILS, compression_matrix, espirit
from core.operators.linear import LinearOperator, Scaled, operator_norm
from core.operators.planes import Planes, to_planes
from core.operators.sense import Sense
from core.priors.card import ModelCard
from core.scan import KSpace, Scan
from core.solvers import l1_wavelet, total_variation
from core.solvers.baselines import cg_sense, zero_filled

Complex = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class SenseProblem:
    """The problem of multi-coil k-space, in the units of the scan.

    compression: (virtual coils, coils) matrix if the coils were compressed, else None.
    """

    operator: LinearOperator
    y: Tensor = field(repr=False)
    norm: float
    names: tuple[str, ...]
    keys: tuple[int, ...]
    slices: int
    planes: Planes = field(repr=False)
    maps: Tensor = field(repr=False)
    compression: Complex | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        frames, height, width = self.to_image(torch.zeros(self.operator.domain_shape)).shape
        return frames, height, width

    @property
    def support(self) -> Tensor:
        """bool (planes or 1, a, b): where at least one coil sees something. Elsewhere nothing was measured."""
        return (self.maps != 0).any(dim=1).to(self.y.device)

    @property
    def lowest(self) -> None:
        return None

    def to_image(self, x: Tensor) -> Complex:
        """Solved images, (planes, a, b), as frames (frame, y, x) complex64 in the scale of the coil-combined data."""
        return self.planes.to_frames(x.to("cpu", torch.complex64).numpy())

    def deviation(self, x: Tensor) -> npt.NDArray[np.float32]:
        return np.ascontiguousarray(self.to_image(x).real)

    def iterates(self, method: str, settings: ReconSettings, watch: Watch) -> Iterator[tuple[Tensor, int]]:
        operator, y, lam = watch(self.operator), self.y, settings.lam
        if method == "zero-filled":
            yield zero_filled(operator, y), 1
        elif method == "cg-sense":
            yield cg_sense(operator, y, lam=lam), 1
        elif method == "tv":
            along = settings.along if settings.along != "auto" else "slice"
            for x in total_variation.iterates(operator, y, lam, slices=self.slices, along=along):
                yield x, total_variation.ITERATIONS
        else:
            for x in l1_wavelet.iterates(operator, y, lam):
                yield x, l1_wavelet.ITERATIONS

    def warm_start(self, settings: ReconSettings) -> None:
        """CG-SENSE, which every run shows."""
        return None

    def coding(self, card: ModelCard, classical: Tensor) -> Coding:
        """The percentile of the card is 1."""
        return Coding(0.0, intensity_scale(classical, card.scale_percentile))

    def reference(self, whole: Scan, slices: tuple[int, int] | None) -> Complex:
        assert isinstance(whole, KSpace)
        return self.combine(to_planes(whole, slices))

    def combine(self, planes: Planes) -> Complex:
        """Coil-combine the k-space of other planes of the same scan: the image of all that they hold."""
        y = _tensor(_compress(planes, self.compression).data)
        everything = Sense(self.maps, torch.ones(1, y.shape[-2], 1, dtype=torch.bool), batch=len(y))
        return planes.to_frames(everything.adjoint(y).numpy())

    def facts(self) -> dict[str, Any]:
        return {"coils_compressed": self.compression is not None, "operator_norm": self.norm}


@prepare.register
def prepare_kspace(
    scan: KSpace,
    slices: tuple[int, int] | None,
    device: torch.device,
    stop: Stop,
    settings: ReconSettings | None = None,
) -> Generator[Progress, None, SenseProblem]:
    """See `prepare`: coil maps first."""
    planes = to_planes(scan, slices)
    coils = planes.data.shape[1]
    middle = planes.calibration[len(planes.calibration) // 2]
    compression = compression_matrix(middle) if coils > MAX_COILS else None
    planes = _compress(planes, compression)
    maps = []
    for position, calibration in enumerate(planes.calibration):
        stop.check()
        maps.append(cached_maps(calibration, planes.data.shape[-2:]))
        yield Progress("Coil maps", position + 1, len(planes.calibration))
    stacked = torch.stack(maps)
    every = stacked[torch.from_numpy(planes.position_of)] if len(stacked) > 1 else stacked
    sense = Sense(every.to(device), torch.tensor(planes.mask, device=device), batch=len(planes.data))
    norm = operator_norm(sense)
    if norm == 0:
        raise ScanError(
            "No coil sees anything.",
            "The centre of k-space, from which the coil maps are made, holds no signal.",
            "Check that the file is complete and the axes are right.",
        )
    y = _tensor(planes.data).to(device) / norm
    # Planes across the readout are no slices of a stack that could be tied by their differences.
    slices_of_stack = 1 if planes.sagittal else len(planes.calibration)
    operator = Scaled(sense, 1 / norm)
    return SenseProblem(operator, y, norm, planes.names, planes.keys, slices_of_stack, planes, every, compression)


def intensity_scale(image: Tensor, percentile: float) -> float:
    """The magnitude that a prior knows as 1: a percentile of the classical image."""
    magnitude = image.abs().cpu().numpy()
    return float(np.percentile(magnitude, percentile)) or float(magnitude.max()) or 1.0


def _tensor(array: Image) -> Tensor:
    """An array as a tensor: shared where it may be written to, which torch takes for granted."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _compress(planes: Planes, matrix: Complex | None) -> Planes:
    if matrix is None:
        return planes
    return replace(
        planes,
        data=np.einsum("vc,ncab->nvab", matrix, planes.data),
        calibration=tuple(np.einsum("vc,cab->vab", matrix, c) for c in planes.calibration),
    )


_CACHE: OrderedDict[str, Tensor] = OrderedDict()
_CACHE_BYTES = 2**28


def cached_maps(calibration: Complex, shape: tuple[int, int]) -> Tensor:
    """Coil maps of a calibration, from memory when the same one was seen lately (by its content)."""
    digest = hashlib.blake2b(np.ascontiguousarray(calibration).tobytes(), digest_size=16)
    digest.update(repr((calibration.shape, shape)).encode())
    key = digest.hexdigest()
    if key not in _CACHE:
        single = calibration.shape[0] == 1
        _CACHE[key] = torch.ones(1, *shape, dtype=torch.complex64) if single else espirit(_tensor(calibration), shape)
        while len(_CACHE) > 1 and sum(m.numel() * 8 for m in _CACHE.values()) > _CACHE_BYTES:
            _CACHE.popitem(last=False)
    _CACHE.move_to_end(key)
    return _CACHE[key]
