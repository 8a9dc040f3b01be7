"""What leaving the program would end before it is done."""

from __future__ import annotations

from app.bridge.bridge import Bridge
from app.views.aside import Aside
from app.views.reviewing import Reviewing
from app.words import tr


def given_up_on_leaving(bridge: Bridge, reviewing: Reviewing, aside: Aside | None = None) -> list[str]:
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
    if any(pane.rendering is not None and pane.rendering.export.busy for pane in reviewing.page.panes):
        made.append(tr("A rendering is still being saved; that would be given up."))
    if aside is not None and aside.copying:
        made.append(tr("Images are still being de-identified; that would be given up."))
    return made
