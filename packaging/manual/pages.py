"""What MkDocs asks while it builds the manual: puts into the pages what the program knows, so that they stay true.

{{ commands }} becomes the help of the command line, {{ keys }} the table of keys, {{ settings }} that of the settings,
{{ readers }} what the readers of files say of themselves, {{ maps }} what the maps of the trust panel show, {{ stand }}
the keys of the stand, {{ readme: HEADING }} a section of the README.
"""

from __future__ import annotations

import dataclasses
import html
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
VALIDATION = "validation/index.md"
CONTENTS = "contents.json"
"""For the window: the pages in their order, with their words."""
_PLACE = re.compile(r"\{\{ (\w+)(?:: ([^}]+))? \}\}")

_built: list[dict[str, str]] = []
_order: list[str] = []


def on_config(config: Any) -> Any:
    """The version, and the pages of the validation where they have been made."""
    import core

    _built.clear()
    config.extra["version"] = core.__version__
    if (Path(config.docs_dir) / VALIDATION).is_file():
        background = next(part["Background"] for part in config.nav if "Background" in part)
        if not any("Validation" in one for one in background):
            background.insert(1, {"Validation": VALIDATION})
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    return filled(markdown)


def on_page_content(content: str, page: Any, **_: Any) -> str:
    section = page.parent.title if page.parent else "More"
    _built.append({"title": page.title, "section": section, "file": page.url, "text": words_of(content)})
    return content


def on_nav(nav: Any, **_: Any) -> Any:
    _order[:] = [page.url for page in nav.pages]
    return nav


def on_post_build(config: Any) -> None:
    pages = sorted(_built, key=lambda page: _order.index(page["file"]) if page["file"] in _order else len(_order))
    Path(config.site_dir, CONTENTS).write_text(json.dumps(pages, ensure_ascii=False), "utf-8")


def filled(markdown: str) -> str:
    """A page with its places filled. Raises KeyError for a place that there is not."""
    return _PLACE.sub(lambda found: MAKERS[found[1]](found[2] or ""), markdown)


def words_of(content: str) -> str:
    """The words of a page without its marks, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def commands(_: str = "") -> str:
    """Every command with its help, as click prints it, and its options as a table."""
    from app.cli import cli

    return "\n".join(_command(("dds-viewer",), cli, 2))


def _command(names: tuple[str, ...], command: click.Command, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(names))
    yield f"{'#' * min(level, 4)} {' '.join(names)}\n"
    yield f"    {' '.join(names)} {' '.join(command.collect_usage_pieces(context))}\n"
    yield f"{_cell(command.help)}\n"
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield "| option | what it does |\n| --- | --- |"
        for option in options:
            record = option.get_help_record(context)
            if record is not None:
                yield f"| `{record[0].replace('|', ' or ')}` | {_cell(record[1])} |"
        yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _command((*names, name), inner, level + 1)


def keys(_: str = "") -> str:
    """The keys of the window, from the table of its actions."""
    from app.actions import DEEDS, MOUSE

    lines = ["| key | what it does |", "| --- | --- |"]
    lines += [f"| {deed.key} | {_cell(deed.about)} |" for deed in DEEDS.values() if deed.key]
    lines += [f"| {key} | {_cell(tip)} |" for key, tip in MOUSE]
    return "\n".join(lines)


def settings(_: str = "") -> str:
    """The settings of a reconstruction, from the dataclass that form, command line and files are made of."""
    from core.engine.settings import ReconSettings, help_of

    lines = ["| setting | range | usual | used by | what it does |", "| --- | --- | --- | --- | --- |"]
    for field in dataclasses.fields(ReconSettings):
        about = help_of(field.name)
        span = "" if about.low is None else f"{about.low:g} to {about.high:g}"
        who = "all" if len(about.methods) > 5 else ", ".join(about.methods)
        lines.append(
            f"| {about.label} | {f'{span} {about.unit}'.strip()} | {field.default} | {who} | {_cell(about.text)} |"
        )
    return "\n".join(lines)


def readers(kind: str = "scans") -> str:
    """What the readers of "scans" or "volumes" say of themselves."""
    from core.formats.plugged import BUILT_IN
    from core.formats.volumes import _READERS

    names = {"scans": BUILT_IN, "volumes": _READERS}[kind.strip()]
    modules = (importlib.import_module(f"core.formats.{name}") for name in names)
    return "\n".join(f"- {_cell((module.__doc__ or '').split(chr(10))[0])}" for module in modules)


def maps(_: str = "") -> str:
    """What the maps of the trust panel show."""
    from app.state.trust.study import NAMES, SHOWS

    return "\n".join(f"- **{NAMES[part]}**: {_cell(text)}" for part, text in SHOWS.items())


def stand(_: str = "") -> str:
    """The keys that close the stand."""
    from app.state.kiosk import Policy

    return Policy.escape


def readme(heading: str) -> str:
    """A section of the README without its heading."""
    parts = re.split(r"^## (.+)$", (ROOT / "README.md").read_text("utf-8"), flags=re.M)
    section = dict(zip(parts[1::2], parts[2::2], strict=True))[heading.strip()]
    return section.replace("](docs/", "](").strip()


def _cell(text: str | None) -> str:
    """In one line, with nothing that would end a cell or begin a mark."""
    return re.sub(r"([|*_<>])", r"\\\1", " ".join((text or "").split()))


MAKERS: dict[str, Callable[[str], str]] = {
    "commands": commands,
    "keys": keys,
    "settings": settings,
    "readers": readers,
    "maps": maps,
    "stand": stand,
    "readme": readme,
}
