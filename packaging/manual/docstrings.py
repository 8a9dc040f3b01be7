"""Makes docstrings safe as Markdown: in them A*y is a product, not a word in italics, and <Ax, y> no mark of HTML."""

from __future__ import annotations

import html
import re
from typing import Any

from griffe import Extension, Object


class PlainDocstrings(Extension):
    """Escapes what Markdown would take for marks, outside of code."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = plain(obj.docstring.value)


def plain(text: str) -> str:
    """Indented lines are left alone: Markdown shows them as they are."""
    return "\n".join(line if line.startswith("    ") else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    parts = re.split(r"(`[^`]*`)", line)
    return "".join(part if part.startswith("`") else _of_words(part) for part in parts)


def _of_words(part: str) -> str:
    return re.sub(r"([\\*_\[\]])", r"\\\1", html.escape(part, quote=False))
