"""Prior and operator as the runner hands them to the sampler: timed, in small pieces, stoppable between them."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from core.engine.precision import FLOAT32, computing_in
from core.engine.settings import Precision
from core.engine.stop import Stop
from core.operators.linear import LinearOperator
from core.priors.prior import Prior


class WatchedPrior:
    """A prior that runs a few planes at a time, looks at `stop` in between, and counts its seconds.

    support: bool, broadcast over the planes; where it is False nothing was measured and the estimate is `nothing`, so
    that the prior cannot make anything up there. precision: see core.engine.precision.
    """

    def __init__(
        self,
        prior: Prior,
        stop: Stop,
        planes_at_once: int,
        support: Tensor,
        precision: Precision = FLOAT32,
        nothing: float = 0.0,
    ) -> None:
        self.prior = prior
        self.precision = precision
        self.support = support
        self.nothing = nothing
        self.stop = stop
        self.planes_at_once = planes_at_once
        self.seconds = 0.0

    def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        denoised, noise = torch.empty_like(x), torch.empty_like(x)
        parts = (torch.split(each, self.planes_at_once) for each in (x, denoised, noise))
        for chunk, chunk_denoised, chunk_noise in zip(*parts, strict=True):
            self.stop.check()
            started = time.perf_counter()
            with computing_in(self.precision, x.device):
                found = self.prior.predict(chunk, timestep)
            chunk_denoised.copy_(found[0])
            chunk_noise.copy_(found[1])
            if x.device.type == "cuda":
                torch.cuda.synchronize(x.device)
            self.seconds += time.perf_counter() - started
        if not bool(self.support.all()):
            denoised.masked_fill_(~self.support, self.nothing)
        return denoised, noise


class WatchedOperator(LinearOperator):
    """An operator that looks at `stop` before each application, so before each step of a solver."""

    def __init__(self, operator: LinearOperator, stop: Stop) -> None:
        self.operator = operator
        self.stop = stop
        self.domain_shape, self.range_shape = operator.domain_shape, operator.range_shape
        self.dtype, self.device, self.joint = operator.dtype, operator.device, operator.joint

    def forward(self, x: Tensor) -> Tensor:
        self.stop.check()
        return self.operator.forward(x)

    def adjoint(self, y: Tensor) -> Tensor:
        self.stop.check()
        return self.operator.adjoint(y)

    def normal(self, x: Tensor) -> Tensor:
        self.stop.check()
        return self.operator.normal(x)
