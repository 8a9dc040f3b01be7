"""Catalogues: which texts are looked up, how a .ts is brought up to date, and a language from file to window."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtWidgets import QApplication

from app import translating, words
from app.actions import DEEDS, MOUSE
from app.views import menus
from app.views.tour import STEPS
from app.words import tr

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_translations", ROOT / "packaging" / "make_translations.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    yield
    translating.remove()


def test_every_text_of_the_tables_is_in_the_catalogue(maker: ModuleType) -> None:
    known = set(maker.texts())
    said = {text for deed in DEEDS.values() for text in (deed.text, deed.tip) if text}
    said |= {text for pair in MOUSE for text in pair}
    said |= {title for title, _ in menus._MENUS} | {title for title, _ in menus.SUBMENUS.values()}
    said |= {text for step in STEPS for text in (step.title, step.text)}
    assert said <= known


WORDED = ("setText", "setWindowTitle", "setToolTip", "setPlaceholderText", "setAccessibleName", "QLabel", "QPushButton")
OURS = (
    *("actions", "commands", "views/appearance", "views/axes_dialog", "views/banner", "views/command_palette"),
    *("views/ct_form", "views/denoising_curve", "views/dialogs", "views/empty_state", "views/help_dialogs"),
    *("views/keys_dialog", "views/main_window", "views/menus", "views/opening", "views/parameters", "views/plan_rows"),
    *("views/planes_view", "views/preset_box", "views/prior_card", "views/prior_details", "views/priors_dialog"),
    *("views/residual_curve", "views/run_list", "views/run_panel", "views/setting_rows"),
    *("views/simulate_dialog", "views/slice_view", "views/tour", "views/undersampling", "views/undoing"),
    *("views/viewer", "views/viewer_bar", "views/volume_pane", "views/wiring", "views/workplace"),
)
"""Files whose words are translated."""


@pytest.mark.parametrize("name", OURS)
def test_words_that_are_shown_go_through_tr(name: str) -> None:
    bare = []
    for node in ast.walk(ast.parse((ROOT / "app" / f"{name}.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in WORDED:
            bare += [
                ast.unparse(node)
                for word in node.args
                if isinstance(word, ast.Constant | ast.JoinedStr) and has_letters(word)
            ]
    assert not bare


def has_letters(word: ast.expr) -> bool:
    """There are words outside the {fields}."""
    parts = word.values if isinstance(word, ast.JoinedStr) else [word]
    return any(
        isinstance(p, ast.Constant) and isinstance(p.value, str) and any(c.isalpha() for c in p.value) for p in parts
    )


def test_texts_are_found_in_calls_only(maker: ModuleType) -> None:
    source = (
        'tr("a"); words.tr("b {x}", x="no"); later("c"); Deed("d", "Ctrl+D", tip="e"); tr(name); print("no"); tr("a")'
    )
    assert sorted(set(maker.texts_of(source))) == ["a", "b {x}", "c", "d", "e"]


def test_fields_of_texts_can_be_filled(maker: ModuleType) -> None:
    """A text with a brace that is no field would fail where it is filled in."""
    import string

    for text in maker.texts():
        if "{" in text:
            fields = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
            assert all(field.isidentifier() for field in fields), text


def test_a_catalogue_is_kept_up_to_date(maker: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "i18n" / "dds-viewer_de.ts"
    assert maker.write(path, "de", ["Open", "Save <it> & go"], {"Open": "Öffnen"}) == 1
    assert maker.read(path) == {"Open": "Öffnen"}
    assert maker.write(path, "de", ["Save <it> & go", "Open"], {**maker.read(path), "Save <it> & go": "Gut"}) == 0
    assert maker.write(path, "de", ["Open"], maker.read(path)) == 0
    assert maker.read(path) == {"Open": "Öffnen"}


@pytest.fixture
def german(maker: ModuleType, tmp_path: Path) -> Path:
    """A folder with a compiled catalogue of two texts."""
    path = tmp_path / "dds-viewer_de.ts"
    maker.write(path, "de", ["&Open…", "Saved {name}"], {"&Open…": "Ö&ffnen…", "Saved {name}": "{name} gesichert"})
    try:
        maker.compile_catalogue(path)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no lrelease here: {error}")
    return tmp_path


def test_a_language_from_its_file_to_the_window(german: Path) -> None:
    assert translating.catalogues(german).keys() == {"de"}
    assert translating.install("de", german) == "de"
    assert DEEDS["open"].words == "Ö&ffnen…"
    assert tr("Saved {name}", name="a") == "a gesichert"
    assert tr("Save") == "Save"
    assert translating.install("en", german) == "en"
    assert DEEDS["open"].words == "&Open…"


def test_a_language_without_words_is_english(german: Path, tmp_path: Path) -> None:
    assert translating.install("fr", german) == "en"
    (tmp_path / "dds-viewer_es.qm").write_bytes(b"no catalogue")
    assert translating.install("es", tmp_path) == "en"
    assert tr("Open") == "Open"
    assert translating.install("nonsense", german) == "en"


def test_the_desktop_is_asked(german: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Desktop:
        def uiLanguages(self) -> list[str]:  # noqa: N802
            return ["it-IT", "de-AT", "en"]

    monkeypatch.setattr(translating.QLocale, "system", staticmethod(Desktop))
    assert translating.resolve("system", translating.catalogues(german)) == "de"
    assert translating.resolve("system", {}) == "en"


def test_catalogues_that_are_shipped_are_complete_and_fit(maker: ModuleType) -> None:
    """Only complete ones are compiled; fields are the same as in English."""
    import string

    def fields(text: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(text)} - {None}

    for language in translating.catalogues():
        known = maker.read(ROOT / "resources" / "i18n" / f"dds-viewer_{language}.ts")
        assert set(maker.texts()) <= known.keys(), language
        for source, told in known.items():
            assert fields(source) == fields(told), (language, source)


def test_state_says_its_words_without_qt() -> None:
    code = "import sys; sys.modules['PySide6'] = None; import app.state.recorder, app.commands, app.words"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
    assert words.later("x") == "x"
