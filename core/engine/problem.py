"""From a scan to the equations that are solved: coil maps, the operator of unit norm, the scaled measurement."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Progress
from core.engine.stop import Stop
from core.errors import ScanError
from core.operators.coils import MAX_COILS, compression_matrix, espirit
from core.operators.linear import LinearOperator, Scaled, operator_norm
from core.operators.planes import Planes, to_planes
from core.operators.sense import Sense
from core.scan import KSpace

Image = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class Problem:
    """A x = y, ready to solve. operator has unit norm; y is divided by that norm, in the units of the scan.

    norm: of the operator before. compression: (virtual coils, coils) matrix if
    the coils were compressed, else None.
    """

    operator: LinearOperator
    y: Tensor = field(repr=False)
    norm: float
    planes: Planes = field(repr=False)
    maps: Tensor = field(repr=False)
    compression: Image | None = field(default=None, repr=False)

    @property
    def support(self) -> Tensor:
        """bool (planes or 1, a, b): where at least one coil sees something. Elsewhere nothing was measured."""
        return (self.maps != 0).any(dim=1).to(self.y.device)

    def to_image(self, x: Tensor) -> Image:
        """Solved images, (planes, a, b), as frames (frame, y, x) complex64 in the scale of the coil-combined data."""
        return self.planes.to_frames(x.to("cpu", torch.complex64).numpy())

    def combine(self, planes: Planes) -> Image:
        """Coil-combine the k-space of other planes of the same scan: the image of all that they hold."""
        y = _tensor(_compress(planes, self.compression).data)
        everything = Sense(self.maps, torch.ones(1, y.shape[-2], 1, dtype=torch.bool), batch=len(y))
        return planes.to_frames(everything.adjoint(y).numpy())


def prepare(
    scan: KSpace, slices: tuple[int, int] | None, device: torch.device, stop: Stop
) -> Generator[Progress, None, Problem]:
    """Yield the progress of the coil maps; return the Problem. Raises ScanError if the scan does not allow it."""
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
    return Problem(Scaled(sense, 1 / norm), y, norm, planes, every, compression)


def residual(problem: Problem, x: Tensor) -> float:
    """||A x - y|| / ||y|| over all that was measured."""
    gap = torch.linalg.vector_norm(problem.operator.forward(x) - problem.y)
    return float(gap / torch.linalg.vector_norm(problem.y))


def intensity_scale(image: Tensor, percentile: float) -> float:
    """The magnitude that a prior knows as 1: a percentile of the classical image."""
    magnitude = image.abs().cpu().numpy()
    return float(np.percentile(magnitude, percentile)) or float(magnitude.max()) or 1.0


def _tensor(array: Image) -> Tensor:
    """An array as a tensor: shared where it may be written to, which torch takes for granted."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _compress(planes: Planes, matrix: Image | None) -> Planes:
    if matrix is None:
        return planes
    return replace(
        planes,
        data=np.einsum("vc,ncab->nvab", matrix, planes.data),
        calibration=tuple(np.einsum("vc,cab->vab", matrix, c) for c in planes.calibration),
    )


_CACHE: OrderedDict[str, Tensor] = OrderedDict()
_CACHE_BYTES = 2**28


def cached_maps(calibration: Image, shape: tuple[int, int]) -> Tensor:
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
