"""Languages of the window: the catalogues in resources/i18n, and Qt's own."""

from __future__ import annotations

from functools import partial
from importlib.resources import as_file, files
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app import words

CONTEXT = "dds-viewer"
SYSTEM, ENGLISH = "system", "en"
LANGUAGES = (SYSTEM, ENGLISH, "de", "fr", "es", "zh")
"""What can be chosen where a catalogue exists; English needs none."""

_installed: list[QTranslator] = []


def catalogues(folder: Path | None = None) -> dict[str, Path]:
    """The catalogues that exist, by language. folder: where to look, resources/i18n if None."""
    if folder is None:
        with as_file(files("resources") / "i18n") as found:
            folder = Path(found)
    paths = {language: folder / f"{CONTEXT}_{language}.qm" for language in LANGUAGES[2:]}
    return {language: path for language, path in paths.items() if path.is_file()}


def resolve(language: str, there: dict[str, Path]) -> str:
    """A language that there are words for; "system" asks the desktop for those that it wants, the best one first."""
    wanted = [language] if language != SYSTEM else [name.split("-")[0] for name in QLocale.system().uiLanguages()]
    return next((name for name in wanted if name == ENGLISH or name in there), ENGLISH)


def install(language: str, folder: Path | None = None) -> str:
    """Use a language for all that is made from now on; returns the one that it has become."""
    remove()
    there = catalogues(folder)
    chosen = resolve(language, there)
    if chosen == ENGLISH:
        return ENGLISH
    ours, qts = QTranslator(), QTranslator()
    if not ours.load(str(there[chosen])):
        return ENGLISH
    if qts.load(QLocale(chosen), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        _add(qts)
    _add(ours)
    words.use(partial(QCoreApplication.translate, CONTEXT))
    return chosen


def remove() -> None:
    """English again, for all that is made from now on."""
    for translator in _installed:
        QCoreApplication.removeTranslator(translator)
    _installed.clear()
    words.use(None)


def _add(translator: QTranslator) -> None:
    QCoreApplication.installTranslator(translator)
    _installed.append(translator)
