"""The option --prior: a checkpoint that nobody knows is used only after asking."""

from __future__ import annotations

import sys

import click

from core.errors import PriorError


def known_prior(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """The name as it was given. Raises PriorError for an unknown checkpoint that the user does not want, or where there
    is nobody to ask; what else is wrong with a prior is told by whoever reads it."""
    if not name:
        return name
    from core.priors.known import doubt_of, refuse_unknown

    try:
        doubt = doubt_of(name)
    except PriorError:
        return name
    if not doubt:
        return name
    if not sys.stdin.isatty():
        refuse_unknown(name)
    if not click.confirm(f"{doubt} Its results may be wrong in ways that nobody can see. Use it?", err=True):
        raise PriorError("Nothing was computed.", "The prior was not wanted.", "Choose another: dds-viewer prior list.")
    return name
