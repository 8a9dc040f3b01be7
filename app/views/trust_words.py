"""What the trust panel says of what was found."""

from __future__ import annotations

from app.state.naming import duration
from app.state.runs import Run
from app.state.trust.book import Record
from app.state.trust.found import Calibrated, Doing, Verdict
from app.words import later, tr

NO_RUN = later("Choose an image that was made here, to see how far it can be trusted.")
NOT_FINISHED = later("This run has no image yet.")
NO_SCAN = later("The scan of this run is not open.")
NOT_JUDGED = later("Not yet compared with its measurement; press Residual.")
WAITING = later("Its agreement with the measurement is found as soon as nothing else is going on.")
WHILE_RUNNING = later("Waits until the run that is going on has ended.")
WHILE_EXAMINING = later("One question at a time.")
NOISE_FROM = {
    "noise scan": later("The noise is known from the noise scan."),
    "simulation": later("The noise is known from the simulation."),
    "edge of k-space": later("The noise is estimated from the edge of k-space."),
    "photon count": later("The noise is known from the photon count."),
}


def verdict_words(run: Run, record: Record | None) -> str:
    """The verdict on a finished run, or why there is none."""
    if record is not None and record.verdict is not None:
        return record.verdict.sentence
    if record is not None and record.trouble:
        return tr("It could not be judged: {why}", why=record.trouble)
    return tr(WAITING) if run.is_dds else tr(NOT_JUDGED)


def ratio_words(verdict: Verdict) -> str:
    """Such as "1.11 × noise", or the relative residual where the noise is not known."""
    if verdict.ratio is None:
        return tr("{percent:.2g} % of the measurement", percent=100 * verdict.relative)
    return tr("{ratio:.2f} × noise", ratio=verdict.ratio)


def noise_words(verdict: Verdict) -> str:
    return tr(NOISE_FROM[verdict.source]) if verdict.source in NOISE_FROM else ""


def calibration_words(found: Calibrated) -> str:
    """Such as "Truth lies inside the band of 8 seeds in 59 % of pixels (expected 90 %)."."""
    return tr(
        "The truth lies inside the band of {seeds} seeds in {inside:.0f} % of pixels (expected {expected:.0f} %).",
        seeds=found.seeds,
        inside=100 * found.coverage,
        expected=100 * found.expected,
    )


def doing_words(doing: Doing | None) -> str:
    """Such as "Samples: 3 of 8 · 12 s left"."""
    if doing is None:
        return tr("Preparing")
    parts = [tr(doing.stage)]
    if doing.total > 1:
        parts[0] = tr("{stage}: {done} of {total}", stage=tr(doing.stage), done=int(doing.done), total=doing.total)
    if doing.seconds_left is not None:
        parts.append(tr("{time} left", time=duration(doing.seconds_left)))
    return " · ".join(parts)
