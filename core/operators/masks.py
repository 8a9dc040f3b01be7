"""Sampling masks for undersampling on purpose: each delivers the acceleration it names, its ACS counted in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Undersampling:
    """An undersampling on purpose: which pattern, R, the fully sampled centre (ACS), and the seed.

    acs: a number of lines if at least 1, a fraction of all lines if less.
    """

    kind: str
    acceleration: float
    acs: float = 0.08
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.acceleration:g}:{self.acs:g}:{self.seed}"

    def acs_lines(self, lines: int) -> int:
        return round(self.acs * lines) if self.acs < 1 else round(self.acs)


def parse_undersampling(text: str) -> Undersampling:
    """Read "KIND:R[:ACS[:SEED]]". Raises ScanError in words for anything else."""
    hint = f"Write KIND:R[:ACS[:SEED]], for example gaussian1d:4:0.08:0. Kinds are {', '.join(MASKS)}."
    kind, *numbers = text.split(":")
    if kind not in MASKS:
        raise ScanError(f"There is no sampling pattern {kind!r}.", "", hint)
    try:
        acceleration = float(numbers[0])
        acs = float(numbers[1]) if len(numbers) > 1 else 0.08
        seed = int(numbers[2]) if len(numbers) > 2 else 0
    except (IndexError, ValueError) as error:
        raise ScanError(f"The undersampling {text!r} cannot be read.", "", hint) from error
    if len(numbers) > 3 or not 1 <= acceleration <= 1000 or not 0 <= acs < 1e6 or seed < 0:
        raise ScanError(
            f"The undersampling {text!r} is out of range.", "R is at least 1, ACS and seed are not negative.", hint
        )
    return Undersampling(kind, acceleration, acs, seed)


def sampling_mask(pattern: Undersampling, ny: int, nx: int) -> BoolArray:
    """The mask of a pattern: (ny, 1) for whole lines along x, (ny, nx) for a pattern in two directions.

    It holds round(total / R) places with its ACS, centred at n // 2. Raises ScanError when the ACS alone is more.
    """
    two_dimensional = pattern.kind in _TWO_DIMENSIONAL
    shape = (ny, nx) if two_dimensional else (ny, 1)
    centre = np.zeros(shape, dtype=bool)
    box = tuple(_centre(n, pattern.acs_lines(n)) if n > 1 else slice(None) for n in shape)
    centre[box] = True
    wanted = round(centre.size / pattern.acceleration)
    if centre.sum() > wanted:
        raise ScanError(
            f"An ACS of {pattern.acs:g} leaves nothing to undersample at R = {pattern.acceleration:g}.",
            f"The centre alone has {centre.sum()} of the {wanted} places that may be measured.",
            "Take a smaller ACS or a smaller R.",
        )
    rng = np.random.default_rng(pattern.seed)
    return centre | MASKS[pattern.kind](~centre, int(wanted - centre.sum()), rng)


def _centre(n: int, width: int) -> slice:
    start = n // 2 - min(width, n) // 2
    return slice(start, start + min(width, n))


def _weighted(free: BoolArray, count: int, rng: np.random.Generator, density: FloatArray) -> BoolArray:
    """`count` of the free places, without replacement, by density."""
    chosen = np.zeros(free.shape, dtype=bool)
    weights = np.where(free, density, 0).ravel()
    if count:
        places = rng.choice(free.size, size=count, replace=False, p=weights / weights.sum())
        chosen.flat[places] = True
    return chosen


def _uniform(free: BoolArray, count: int, rng: np.random.Generator) -> BoolArray:
    return _weighted(free, count, rng, np.ones(free.shape))


def _gaussian(free: BoolArray, count: int, rng: np.random.Generator) -> BoolArray:
    """Density of a normal distribution around the centre; its tails never vanish, so that R = 1 can be reached."""
    return _weighted(free, count, rng, np.exp(-0.5 * (_radius(free.shape) / 0.4) ** 2) + 1e-6)


def _equispaced(free: BoolArray, count: int, rng: np.random.Generator) -> BoolArray:
    """Lines at equal distances among those outside the ACS, from a random first one."""
    chosen = np.zeros(free.shape, dtype=bool)
    outside = np.flatnonzero(free)
    if count:
        distance = len(outside) / count
        places = (rng.uniform(0, distance) + distance * np.arange(count)).astype(int)
        chosen.flat[outside[np.minimum(places, len(outside) - 1)]] = True
    return chosen


def _poisson(free: BoolArray, count: int, rng: np.random.Generator) -> BoolArray:
    """Variable-density Poisson disc: no two places closer than a radius that grows with the distance from the centre.

    Bridson 2007 (doi 10.1145/1278780.1278807) in spirit, by dart throwing. The base radius is found by bisection; what
    is over or missing then is taken away or added at random.
    """
    order = rng.permutation(np.flatnonzero(free))
    low, high = 0.0, float(max(free.shape))
    best = np.zeros(free.shape, dtype=bool)
    for _ in range(14):
        radius = (low + high) / 2
        thrown = _throw(free, order, radius * (0.3 + _radius(free.shape)))
        if abs(int(thrown.sum()) - count) < abs(int(best.sum()) - count):
            best = thrown
        low, high = (radius, high) if thrown.sum() > count else (low, radius)
    difference = count - int(best.sum())
    if difference < 0:
        best &= ~_uniform(best, -difference, rng)
    return best | _uniform(free & ~best, max(difference, 0), rng)


def _throw(free: BoolArray, order: npt.NDArray[np.int64], radii: FloatArray) -> BoolArray:
    """Take places in the given order, each blocking the disc around it."""
    blocked, chosen = ~free, np.zeros(free.shape, dtype=bool)
    reach = int(np.ceil(radii.max()))
    offsets = np.arange(-reach, reach + 1)
    distance = np.hypot(offsets[:, None], offsets[None, :])
    for place in order:
        y, x = divmod(int(place), free.shape[1])
        if blocked[y, x]:
            continue
        chosen[y, x] = True
        r = radii[y, x]
        k = int(r)
        top, left = max(y - k, 0), max(x - k, 0)
        near = blocked[top : y + k + 1, left : x + k + 1]
        window = distance[reach - (y - top) :, reach - (x - left) :][: near.shape[0], : near.shape[1]]
        near |= window <= r
    return chosen


def _radius(shape: tuple[int, ...]) -> FloatArray:
    """Distance from the centre; 1 at the middle of an edge. A size-1 axis does not count."""
    squares = [((np.arange(n) - n // 2) / max(n / 2, 1)) ** 2 if n > 1 else np.zeros(1) for n in shape]
    return np.asarray(np.sqrt(squares[0][:, None] + squares[1][None, :]))


_TWO_DIMENSIONAL = ("gaussian2d", "uniformrandom2d", "poisson2d")

MASKS: dict[str, Callable[[BoolArray, int, np.random.Generator], BoolArray]] = {
    "uniform1d": _uniform,
    "gaussian1d": _gaussian,
    "equispaced1d": _equispaced,
    "gaussian2d": _gaussian,
    "uniformrandom2d": _uniform,
    "poisson2d": _poisson,
}
"""Patterns by name: free places, how many, random numbers, to the places taken. Names ending in 1d are whole lines."""
