"""Prior and operator as the runner hands them to the sampler: timed, in small pieces, stoppable between them."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from core.engine.memory import give_back, is_out_of_memory
from core.engine.precision import FLOAT32, computing_in
from core.engine.settings import Precision
from core.engine.stop import Stop
from core.errors import JobError
from core.operators.linear import LinearOperator
from core.priors.prior import Prior


class WatchedPrior:
    """A prior that runs a few planes at a time, looks at `stop` in between, and counts its seconds.

    Where so many planes do not fit into memory, it goes on with half as many from the same plane, and stays there.
    support: bool, broadcast over the planes; where it is False nothing was measured and the estimate is `nothing`, so
    that the prior cannot make anything up there. precision: see core.engine.precision. notes: what to tell the user.
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
        self.outside = None if bool(support.all()) else ~support
        self.nothing = nothing
        self.stop = stop
        self.planes_at_once = planes_at_once
        self.seconds = 0.0
        self.notes: list[str] = []

    def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        """See Prior.predict. Raises JobError where not even one plane fits into memory, Halt when the run shall end."""
        denoised, noise = torch.empty_like(x), torch.empty_like(x)
        first = 0
        while first < len(x):
            self.stop.check()
            started = time.perf_counter()
            last = min(first + self.planes_at_once, len(x))
            found = self._predicted(x[first:last], timestep)
            if found is None:
                self._take_fewer(last - first, x.device)
            else:
                denoised[first:last], noise[first:last] = found
                first = last
            self.seconds += time.perf_counter() - started
        self._wait_for(x.device)
        if self.outside is not None:
            denoised.masked_fill_(self.outside, self.nothing)
        return denoised, noise

    def _predicted(self, planes: Tensor, timestep: int) -> tuple[Tensor, Tensor] | None:
        """None where the memory ran out. By then nothing of the attempt is held any more."""
        try:
            with computing_in(self.precision, planes.device):
                return self.prior.predict(planes, timestep)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _take_fewer(self, planes: int, device: torch.device) -> None:
        give_back(device)
        if planes == 1:
            where = "of the graphics card" if device.type == "cuda" else "of this machine"
            raise JobError(
                "The memory is too small for the network.",
                f"Not even one slice at a time fits into what is free {where}.",
                "Close other programs, make the image smaller, choose a smaller prior"
                + (", or reconstruct on the CPU." if device.type == "cuda" else "."),
            )
        self.planes_at_once = planes // 2
        self.notes.append(f"The memory was short: the network goes on with {self.planes_at_once} slices at a time.")

    def _wait_for(self, device: torch.device) -> None:
        """Once a step: waiting after each call would leave the device idle in between."""
        if device.type == "cuda":
            started = time.perf_counter()
            torch.cuda.synchronize(device)
            self.seconds += time.perf_counter() - started


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
