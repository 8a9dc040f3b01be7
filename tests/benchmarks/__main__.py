"""Time the SENSE normal operator, a CG solve and a DDS step against plain references, in turn, in one process."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from core.diffusion.dds import sample
from core.diffusion.schedule import Schedule, timesteps
from core.operators.masks import Undersampling, sampling_mask
from core.operators.sense import Sense
from core.priors import load_prior
from core.solvers.cg import conjugate_gradient
from tests.benchmarks import references


def race(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> dict[str, float]:
    """Both in turn after a warm-up: median milliseconds, and median, least and largest ratio theirs / ours by pair."""
    ours(), theirs()
    pairs = [(clock(ours), clock(theirs)) for _ in range(rounds)]
    ratios = [b / a for a, b in pairs]
    return {
        "ours_ms": statistics.median(a for a, _ in pairs) * 1e3,
        "reference_ms": statistics.median(b for _, b in pairs) * 1e3,
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def clock(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def setup(n: int, coils: int, batch: int, kind: str = "gaussian1d") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(1, coils, n, n, dtype=torch.complex64, generator=generator)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    mask = torch.from_numpy(sampling_mask(Undersampling(kind, 4), n, n))[None]
    return maps, mask, torch.randn(batch, n, n, dtype=torch.complex64, generator=generator)


def normal_operator(rounds: int) -> dict[str, dict[str, float]]:
    results = {}
    for kind in ("gaussian1d", "poisson2d"):
        for coils, batch in ((8, 1), (8, 8), (16, 1), (16, 8)):
            maps, mask, x = setup(320, coils, batch, kind)
            operator = Sense(maps, mask, batch)
            plain = lambda maps=maps, mask=mask, x=x: references.sense_normal(x, maps, mask)  # noqa: E731
            name = f"SENSE normal, 320x320, {kind}, {coils} coils, batch {batch}"
            results[name] = race(lambda operator=operator, x=x: operator.normal(x), plain, rounds)
    return results


def solver(rounds: int) -> dict[str, dict[str, float]]:
    maps, mask, x = setup(320, 8, 1)
    operator = Sense(maps, mask)
    b = operator.normal(x)

    def ours() -> torch.Tensor:
        return conjugate_gradient(lambda v: v + 5 * operator.normal(v), b, x, 5)

    def theirs() -> torch.Tensor:
        return references.conjugate_gradient(lambda v: v + 5 * references.sense_normal(v, maps, mask), b, x, 5)

    return {"CG, 5 iterations, 320x320, 8 coils": race(ours, theirs, rounds)}


def dds_step(rounds: int) -> dict[str, dict[str, float]]:
    """One step with the bundled prior, split; the reference solves with the plain operator and iteration."""
    maps, mask, x = setup(256, 8, 1)
    operator = Sense(maps, mask)
    y = operator.forward(x)
    prior = load_prior("mri-small")
    prior.network.to(memory_format=torch.channels_last)
    walk = Schedule(prior.schedule, tuple(timesteps(2, t_start=300)))
    back = operator.adjoint(y)

    def network() -> torch.Tensor:
        return prior.predict(x, 300)[0]

    def ours() -> object:
        return next(sample(prior, operator, y, schedule=walk, x_T=x))

    def theirs() -> torch.Tensor:
        estimate = network()
        plain = lambda v: v + 5 * references.sense_normal(v, maps, mask)  # noqa: E731
        return references.conjugate_gradient(plain, estimate + 5 * back, estimate, 5)

    results = {"DDS step, 256x256, 8 coils": race(ours, theirs, rounds)}
    results["of which the network (reference: the whole step)"] = race(network, ours, rounds)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with torch.no_grad():
        results = normal_operator(options.rounds) | solver(options.rounds) | dds_step(options.rounds)
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{options.threads} threads, medians of {options.rounds} rounds in turn")
    for name, r in results.items():
        spread = f"{r['ratio']:.2f} times ({r['ratio_min']:.2f} to {r['ratio_max']:.2f})"
        print(f"{name:<62} {r['ours_ms']:8.1f} ms, reference {r['reference_ms']:8.1f} ms: {spread}")


if __name__ == "__main__":
    main()
