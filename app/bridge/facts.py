"""What core says of a scan, as lines for the scan card."""

from __future__ import annotations

Facts = list[tuple[str, str]]

_ELSEWHERE = ("File", "Simulated", "Undersampled")
"""Shown in the card's head."""
_UNKNOWN = "unknown"
_IMPORTANT = ("Orientation", "Field of view")


def facts_of(lines: Facts) -> tuple[tuple[str, str], ...]:
    """The lines in their order; a label that repeats is shown once, and what is not known is gathered in one line."""
    shown: Facts = []
    absent = []
    last = ""
    for label, words in lines:
        if label in _ELSEWHERE:
            continue
        if words == _UNKNOWN and label not in _IMPORTANT:
            absent.append(label.lower())
            continue
        shown.append(("" if label == last else label, words))
        last = label
    if absent:
        shown.append(("Not in the file", ", ".join(absent)))
    return tuple(shown)
