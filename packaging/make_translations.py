"""Bring the catalogues of words up to date: `python packaging/make_translations.py [de fr ...]`.

Collects the English texts of the program, writes them into resources/i18n/dds-viewer_<language>.ts beside the
translations that are there, and compiles each catalogue that is complete into a .qm. Without languages: those that have
a .ts. Translate with pyside6-linguist, or in the .ts itself, and run it again.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "i18n"
CONTEXT = "dds-viewer"
SOURCES = ("app/**/*.py", "core/engine/settings.py")
CALLS = {"tr": (0,), "later": (0,), "Deed": (0, 2), "Help": (0, 1), "setting": (1, 2)}
"""Calls that hold texts, and which of their arguments do."""
KEYWORDS = {"Deed": ("text", "tip"), "Help": ("label", "text", "unit"), "setting": ("label", "text", "unit")}


def texts(root: Path = ROOT) -> list[str]:
    """Every English text that is looked up in a catalogue, once, in the order of the files."""
    paths = sorted({path for pattern in SOURCES for path in root.glob(pattern)})
    found = (text for path in paths for text in texts_of(path.read_text("utf-8")))
    return list(dict.fromkeys(text for text in found if text))


def texts_of(source: str) -> Iterator[str]:
    """The texts in the source of one file."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        places = [node.args[i] for i in CALLS.get(name, ()) if i < len(node.args)]
        places += [word.value for word in node.keywords if word.arg in KEYWORDS.get(name, ())]
        for place in places:
            if isinstance(place, ast.Constant) and isinstance(place.value, str):
                yield place.value


def read(path: Path) -> dict[str, str]:
    """The finished translations in a .ts; none where there is no file."""
    if not path.is_file():
        return {}
    known = {}
    for message in ET.parse(path).getroot().iter("message"):
        told = message.find("translation")
        if told is not None and told.text and told.get("type") is None:
            known[message.findtext("source", "")] = told.text
    return known


def write(path: Path, language: str, sources: list[str], known: dict[str, str]) -> int:
    """Write a .ts; returns how many texts have no translation. What the program no longer says is dropped."""
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en")
    context = ET.SubElement(root, "context")
    ET.SubElement(context, "name").text = CONTEXT
    for source in sources:
        message = ET.SubElement(context, "message")
        ET.SubElement(message, "source").text = source
        told = ET.SubElement(message, "translation")
        if source in known:
            told.text = known[source]
        else:
            told.set("type", "unfinished")
    ET.indent(root, " ")
    body = ET.tostring(root, encoding="unicode")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', "utf-8")
    return sum(source not in known for source in sources)


def compile_catalogue(path: Path) -> Path:
    """Make a .qm beside a .ts. Raises FileNotFoundError where there is no pyside6-lrelease, CalledProcessError."""
    tool = shutil.which("pyside6-lrelease", path=str(Path(sys.executable).parent)) or shutil.which("pyside6-lrelease")
    if tool is None:
        raise FileNotFoundError("pyside6-lrelease, which comes with PySide6")
    made = path.with_suffix(".qm")
    subprocess.run([tool, "-silent", str(path), "-qm", str(made)], check=True, capture_output=True)
    return made


def main(languages: list[str]) -> None:
    sources = texts()
    for language in languages or [path.stem.split("_")[-1] for path in sorted(FOLDER.glob("*.ts"))]:
        path = FOLDER / f"{CONTEXT}_{language}.ts"
        left = write(path, language, sources, read(path))
        print(f"{path.relative_to(ROOT)}: {len(sources)} texts, {left} without a translation")
        if left:
            path.with_suffix(".qm").unlink(missing_ok=True)
        else:
            compile_catalogue(path)


if __name__ == "__main__":
    main(sys.argv[1:])
