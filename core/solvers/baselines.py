"""The classical methods: what the measurement gives without a prior."""

from __future__ import annotations

from torch import Tensor

from core.operators.linear import LinearOperator
from core.solvers.cg import conjugate_gradient

CG_SENSE_ITERATIONS = 30
CG_SENSE_LAMBDA = 3e-3


def zero_filled(operator: LinearOperator, y: Tensor) -> Tensor:
    """A* y: what was not measured counts as zero."""
    return operator.adjoint(y)


def cg_sense(
    operator: LinearOperator, y: Tensor, iterations: int = CG_SENSE_ITERATIONS, lam: float = CG_SENSE_LAMBDA
) -> Tensor:
    """argmin ||A x - y||^2 + lam ||x||^2 by conjugate gradients, for an operator of unit norm.

    Pruessmann et al. 2001 (doi 10.1002/mrm.1241) with Tikhonov's regularisation.
    """
    return conjugate_gradient(
        lambda x: operator.normal(x) + lam * x,
        operator.adjoint(y),
        iterations=iterations,
        tolerance=1e-4,
        joint=operator.joint,
    )
