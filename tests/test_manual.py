"""The user manual builds without a warning, loads nothing from elsewhere, and says what the program says."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import click
import pytest
from PIL import Image

from app.cli import cli
from core.engine.settings import ReconSettings, help_of

ROOT = Path(__file__).resolve().parents[1]
DOCS, MANUAL = ROOT / "docs", ROOT / "packaging" / "manual"
MOST_PICTURES = 3_000_000
"""Bytes."""


class Marks(HTMLParser):
    """What a page loads, links to, and can be linked to at."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.names |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a":
            self.links += [said["href"]] if "href" in said else []
        else:
            self.loads += [said[name] for name in ("src", "href", "srcset", "data", "poster") if name in said]


def marks_of(page: Path) -> Marks:
    read = Marks()
    read.feed(page.read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manual, built as `make manual` does, but here."""
    folder = tmp_path_factory.mktemp("manual")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(MANUAL / "mkdocs.yml"), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return loaded(MANUAL / "pages.py")


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"manual_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def words(built: Path, name: str) -> str:
    pages = json.loads((built / "contents.json").read_text("utf-8"))
    return re.sub(r"\s+", " ", next(page["text"] for page in pages if page["file"] == name))


def test_every_page_is_built_and_in_the_contents(built: Path) -> None:
    pages = json.loads((built / "contents.json").read_text("utf-8"))
    wanted = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    assert {page["file"] for page in pages} == wanted
    assert pages[0]["file"] == "index.html"
    assert all(page["title"] and page["section"] and len(page["text"]) > 200 for page in pages)


def test_pages_load_nothing_from_elsewhere(built: Path) -> None:
    """Neither a script nor a font nor a picture, and no style that would."""
    for page in built.rglob("*.html"):
        read = marks_of(page)
        assert "script" not in read.tags, page.name
        for address in read.loads:
            assert not re.match(r"(?i)[a-z+.-]+:|//", address), (page.name, address)
            assert (page.parent / unquote(address)).is_file(), (page.name, address)
    for style in built.rglob("*.css"):
        text = style.read_text("utf-8")
        assert "@import" not in text
        assert not re.search(r"url\(\s*(?!['\"]?data:)", text), style.name


def test_links_within_lead_somewhere(built: Path) -> None:
    known = {page: marks_of(page) for page in built.rglob("*.html")}
    for page, read in known.items():
        for link in read.links:
            if re.match(r"(?i)[a-z+.-]+:", link):
                assert link.startswith("https://"), (page.name, link)
                continue
            file, _, place = unquote(link).partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target in known, (page.name, link)
            assert not place or place in known[target].names, (page.name, link)


def test_pictures_are_there_used_and_small() -> None:
    used = set()
    for page in DOCS.rglob("*.md"):
        for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text("utf-8")):
            used.add((page.parent / name).resolve())
    used |= {(ROOT / name).resolve() for name in re.findall(r"\]\((docs/[^)]+png)\)", (ROOT / "README.md").read_text())}
    there = {path.resolve() for path in (DOCS / "pictures").iterdir()}
    assert {path for path in used if path.parent == DOCS / "pictures"} == there
    assert sum(path.stat().st_size for path in there) < MOST_PICTURES
    for path in there:
        with Image.open(path) as picture:
            assert picture.size == (1280, 720) or path.stem == "manual", path.name


def test_every_picture_has_a_scene_that_makes_it() -> None:
    source = (ROOT / "packaging" / "make_pictures.py").read_text("utf-8")
    made = set(re.findall(r"save\([\w.]+, \"(\w+)\"\)", source))
    assert {path.stem for path in (DOCS / "pictures").iterdir()} == made


def commands(group: click.Group, names: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield " ".join((*names, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))


def test_the_command_page_has_every_command_and_option(built: Path) -> None:
    page = words(built, "commands.html")
    told = list(commands(cli, ("dds-viewer",)))
    assert len(told) > 12
    for name, command in told:
        assert name in page
        assert " ".join((command.help or "").split()) in page, name
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[0] in page, (name, option.opts)
                assert " ".join((option.help or "").replace("`", " ").split()) in page, (name, option.opts)


def test_keys_and_settings_are_those_of_the_program(built: Path) -> None:
    from app.actions import DEEDS

    page = words(built, "keys.html")
    assert not [deed for deed in DEEDS.values() if deed.key and f"{deed.key} {deed.about}" not in page]
    page = words(built, "settings.html")
    for name in ReconSettings.__dataclass_fields__:
        assert help_of(name).text in page, name
        assert help_of(name).label in page, name


def test_maps_readers_and_the_keys_of_the_stand_are_those_of_the_program(built: Path) -> None:
    from app.state.kiosk import Policy
    from app.state.trust.study import SHOWS
    from core.formats.plugged import BUILT_IN

    assert all(text in words(built, "trust.html") for text in SHOWS.values())
    assert Policy.escape in words(built, "stand.html")
    assert f"{Policy.idle_s:g} seconds" in words(built, "stand.html")
    page = words(built, "formats.html")
    for name in BUILT_IN:
        about = importlib.import_module(f"core.formats.{name}").__doc__ or ""
        assert about.split("\n")[0] in page, name


def test_every_ending_that_can_be_opened_is_in_the_format_page() -> None:
    from app.views.empty_state import FORMATS

    page = (DOCS / "formats.md").read_text("utf-8").casefold()
    endings = {word for _, said in FORMATS for word in said.split() if word.startswith(".")} - {".tif", ".xml"}
    assert not [ending for ending in endings if f"`{ending}`" not in page]


def test_the_geometry_in_the_format_page_is_one_that_is_read(tmp_path: Path) -> None:
    """As it stands there, with the pictures that it asks for."""
    import tomllib

    page = (DOCS / "formats.md").read_text("utf-8")
    block = re.search(r"(?m)(?:^    .+\n)+", page[page.index("A `geometry.toml`") :])
    assert block is not None
    said = tomllib.loads(block[0].replace("\n    ", "\n").removeprefix("    "))
    from core.formats import tiff_geometry

    known = set(re.findall(r'"(\w+)"', Path(tiff_geometry.__file__).read_text("utf-8")))
    assert set(said) <= known


def test_every_equation_is_of_marks_that_a_browser_and_the_window_know(built: Path) -> None:
    page = (built / "algorithm.html").read_text("utf-8")
    equations = re.findall(r'<p class="equation">(.*?)</p>', page, flags=re.S)
    assert len(equations) >= 10
    for equation in equations:
        assert set(re.findall(r"</?(\w+)", equation)) <= {"sub", "sup"}
        assert "$" not in equation
        assert "\\" not in equation


@pytest.mark.parametrize("source", ["2303.05754", "2010.02502", "jres.049.044", "1561/2200000016", "JOSAA.1.000612"])
def test_the_algorithm_names_its_sources(source: str) -> None:
    assert source in (DOCS / "algorithm.md").read_text("utf-8")


def test_the_reference_has_what_others_build_on(built: Path) -> None:
    pages = " ".join(words(built, f"api_{name}.html") for name in ("scans", "sampling", "runs"))
    for name in (
        "open_scan",
        "LinearOperator",
        "dot_test",
        "conjugate_gradient",
        "sample",
        "load_prior",
        "run",
        "save",
    ):
        assert re.search(rf"\b{name}\b", pages), name
    assert "with the Hermitian inner product" in pages
    assert "(I + gamma A*A) x = x0 + gamma A*y" in pages, "products are not taken for marks"
    assert "_consistent" not in pages, "what is private stays out"


def test_docstrings_keep_their_stars_and_brackets() -> None:
    import markdown

    plain = loaded(MANUAL / "docstrings.py").plain
    text = "A*y and <Ax, y> for a_t * b_t, `A*A` [0, 1]"
    shown = re.sub(r"<[^>]+>", "", markdown.markdown(plain(text))).replace("&lt;", "<").replace("&gt;", ">")
    assert shown == text.replace("`", "")
    assert plain("    code * x") == "    code * x"


def test_a_place_that_there_is_not_stops_the_build(maker: ModuleType) -> None:
    with pytest.raises(KeyError):
        maker.filled("{{ nothing }}")
    with pytest.raises(KeyError):
        maker.filled("{{ readme: No such heading }}")
    for page in DOCS.rglob("*.md"):
        assert "{{" not in maker.filled(page.read_text("utf-8")), page.name


@pytest.mark.parametrize("page", sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")))
def test_menu_paths_that_pages_name_exist(page: str) -> None:
    """Such as "Help › Keys and mouse"."""
    from app.actions import DEEDS, plain
    from app.views.menus import _MENUS, SUBMENUS

    titles = {plain(title) for title, _ in _MENUS} | {plain(title) for title, _ in SUBMENUS.values()}
    names = {plain(deed.text) for deed in DEEDS.values()}
    for path in re.findall(
        r"\b(?:File|Edit|View|Run|Tools|Help)(?: › [A-Z][\w ]+?)+(?=[*,.;)]| \(|$| lists| makes| shows)",
        (DOCS / page).read_text("utf-8"),
        flags=re.M,
    ):
        *above, last = path.split(" › ")
        assert set(above) <= titles, path
        assert last in names | titles, path
