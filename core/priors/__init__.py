"""Diffusion priors: networks with their model cards, bundled or added by the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from core.priors.prior import Prior


def load_prior(path_or_name: str | Path, config: dict[str, Any] | str | Path | None = None) -> Prior:
    """A prior by its name or from a checkpoint file; see core.priors.registry.load_prior."""
    from core.priors import registry

    return registry.load_prior(path_or_name, config)
