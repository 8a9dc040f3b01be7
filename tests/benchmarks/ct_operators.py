"""Time the CT projectors and a data-consistency solve against a plain rotating Radon transform, in turn.

python -m tests.benchmarks.ct_operators [--views 8,60,180] [--slices 1,32,128] [--size 256] [--rounds 3] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from core.geometry import Grid, ParallelBeam, evenly_spread
from core.operators.slicewise import forget
from core.operators.tomography import projector
from core.solvers.cg import conjugate_gradient
from tests.benchmarks import references, references_ct
from tests.benchmarks.__main__ import race

GAMMA = 5.0
CG_STEPS = 5


def blobs(n: int) -> torch.Tensor:
    """An image that no turn or flip maps to itself, smooth, so that both projectors must agree on it."""
    line = torch.linspace(-1, 1, n)
    places = ((0.3, -0.2, 0.1), (-0.4, 0.1, 0.2), (0.1, 0.5, 0.05))
    return torch.stack([torch.exp(-((line[:, None] - y) ** 2 + (line - x) ** 2) / s) for y, x, s in places]).sum(dim=0)


def cases(views: int, slices: int, n: int, rounds: int) -> dict[str, dict[str, float]]:
    """Forward, transpose and CG for a square image; the norm of the operator is about 1, as in a run."""
    angles = evenly_spread(views)
    started = time.perf_counter()
    operator = projector(ParallelBeam(angles, n, 1.0), Grid((slices, n, n), (1.0, 1.0, 1.0)), slices)
    built = time.perf_counter() - started
    plain = [float(a) for a in angles]
    x = blobs(n).expand(operator.domain_shape).contiguous()
    y = operator.forward(x)
    theirs = references_ct.radon(x, plain)
    inside = float(torch.linalg.vector_norm(theirs - y) / torch.linalg.vector_norm(y))
    b, gamma = operator.adjoint(y) / n, GAMMA / (n * views)

    def solve() -> torch.Tensor:
        return conjugate_gradient(lambda v: v + gamma * operator.normal(v), b, x, CG_STEPS)

    def reference_normal(v: torch.Tensor) -> torch.Tensor:
        return v + gamma * references_ct.back_projection(references_ct.radon(v, plain), plain)

    def reference_solve() -> torch.Tensor:
        return references.conjugate_gradient(reference_normal, b, x, CG_STEPS)

    name = f"{views} views, {slices} slices"
    results = {
        f"forward, {name}": race(lambda: operator.forward(x), lambda: references_ct.radon(x, plain), rounds),
        f"transpose, {name}": race(
            lambda: operator.adjoint(y), lambda: references_ct.back_projection(theirs, plain), rounds
        ),
        f"CG, {CG_STEPS} iterations, {name}": race(solve, reference_solve, rounds),
    }
    return {key: value | {"built_s": built, "apart": inside} for key, value in results.items()}


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=numbers, default=[8, 60, 180])
    parser.add_argument("--slices", type=numbers, default=[1, 32, 128])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results: dict[str, dict[str, float]] = {}
    with torch.no_grad():
        for views in options.views:
            for slices in options.slices:
                results |= cases(views, slices, options.size, options.rounds)
            forget()
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{options.size}x{options.size}, {options.threads} threads, medians of {options.rounds} rounds in turn")
    for name, r in results.items():
        spread = f"{r['ratio']:.2f} times ({r['ratio_min']:.2f} to {r['ratio_max']:.2f})"
        told = f"matrix there in {r['built_s']:.2f} s, projections {r['apart']:.1%} apart"
        print(f"{name:<42} {r['ours_ms']:8.1f} ms, reference {r['reference_ms']:8.1f} ms: {spread}; {told}")


if __name__ == "__main__":
    main()
