"""The prior that was used last, kept in memory for the next run."""

from __future__ import annotations

from functools import lru_cache

from core.formats.fingerprint import Signature, signature_of
from core.priors.catalogue import find_prior, of_plugin
from core.priors.prior import Prior
from core.priors.registry import load_prior


def held_prior(name: str) -> Prior:
    """As load_prior, but read again only where its files have changed or another prior was used since.

    Whoever takes it may move it to a device, and must not change its weights. Raises PriorError.
    """
    if of_plugin(name):
        return load_prior(name)
    weights = find_prior(name)
    return _read(name, signature_of(weights) + signature_of(weights.with_suffix(".json")))


def let_go() -> None:
    """Hold none: the next one is read again."""
    _read.cache_clear()


@lru_cache(maxsize=1)
def _read(name: str, signature: Signature) -> Prior:
    return load_prior(name)
