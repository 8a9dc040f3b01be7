"""What leaving the program would end before it is done."""

from __future__ import annotations

from app.bridge.bridge import Bridge
from app.views.reviewing import Reviewing
from app.words import tr


def given_up_on_leaving(bridge: Bridge, reviewing: Reviewing) -> list[str]:
    """What is being made besides runs and would be lost, a sentence each.

    Sweeps and batches are not among it: they go on from where they were left.
    """
    made = []
    if reviewing.pictures.filming is not None:
        made.append(tr("A film is still being written and would be given up."))
    if reviewing.trusting.busy:
        made.append(tr("How far an image can be trusted is being examined; that would be given up."))
    if bridge.simulations.busy:
        made.append(tr("A scan is still being simulated; that would be given up."))
    return made
