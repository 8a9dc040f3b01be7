"""The words of the program in the language of the user. No Qt: the window puts the translator in place."""

from __future__ import annotations

from collections.abc import Callable

Translate = Callable[[str], str]


def _as_written(text: str) -> str:
    return text


_translate: list[Translate] = [_as_written]


def tr(text: str, **values: object) -> str:
    """An English text in the language of the user, with its {fields} filled in.

    A translation whose fields do not fit is not used: English words are better than none.
    """
    said = _translate[0](text)
    if not values:
        return said
    try:
        return said.format(**values)
    except (KeyError, IndexError, ValueError):
        return text.format(**values)


def later(text: str) -> str:
    """A text of a table that is made before the language is known; `tr` is called on it where it is shown.

    packaging/make_translations.py finds both.
    """
    return text


def use(translate: Translate | None) -> None:
    """Ask this function from now on; None for the words as they are written."""
    _translate[0] = translate or _as_written
