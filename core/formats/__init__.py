"""Raw scans and volumes in: one file for each format, and a registry that opens any of them."""

from core.formats.axes import AxesGuess
from core.formats.registry import guess_all_axes, guess_axes, open_scan

__all__ = ["AxesGuess", "guess_all_axes", "guess_axes", "open_scan"]
