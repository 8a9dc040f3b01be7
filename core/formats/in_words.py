"""Whatever goes wrong with a file, told to a person."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ScanError


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Let ScanError through and turn everything else into one; silence the libraries' warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ScanError:
        raise
    except MemoryError as error:
        raise ScanError(
            f"{path.name} does not fit into memory.", "", "Close other programs, or use a machine with more memory."
        ) from error
    except PermissionError as error:
        raise ScanError(
            f"{path.name} may not be read.", "The system refuses access to it.", "Change the file's permissions."
        ) from error
    except RecursionError as error:
        raise _damaged(path, "its structure is nested without end") from error
    except Exception as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _damaged(path: Path, detail: str) -> ScanError:
    return ScanError(
        f"{path.name} cannot be read.",
        f"It seems to be damaged or incomplete ({_shorten(detail)}).",
        "Copy or export it again from its source.",
    )


def _shorten(text: str, longest: int = 160) -> str:
    words = " ".join(text.split())
    return words if len(words) <= longest else words[: longest - 1] + "…"
