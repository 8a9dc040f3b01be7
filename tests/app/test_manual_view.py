"""The manual in its window: every page opens, links lead on, and nothing is fetched or opened without a question."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app import theme
from app.views.main_window import MainWindow
from app.views.manual import ManualWindow
from app.views.manual_pages import Pages

ROOT = Path(__file__).resolve().parents[2]
IMAGE = QTextDocument.ResourceType.ImageResource.value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real manual, built here."""
    made = tmp_path_factory.mktemp("manual")
    config = str(ROOT / "packaging" / "manual" / "mkdocs.yml")
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q", "-f", config, "-d", str(made)], check=True, cwd=ROOT)
    return made


@pytest.fixture
def manual(qtbot: QtBot, folder: Path) -> Iterator[ManualWindow]:
    theme.apply("dark")
    made = ManualWindow(Pages(folder))
    made.show()
    with qtbot.waitActive(made):
        made.activateWindow()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that the browser was asked to open."""
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()) or True)
    return opened


def shown(manual: ManualWindow) -> str:
    return re.sub(r"\s+", " ", manual.view.toPlainText())


def answer(button: str) -> None:
    """Press a button of the question that will stand there."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert "arxiv.org" in box.informativeText()
        next(one for one in box.buttons() if one.text().replace("&", "") == button).click()

    QTimer.singleShot(50, press)


def test_every_page_opens_with_its_words_and_pictures(manual: ManualWindow, folder: Path) -> None:
    pages = json.loads((folder / "contents.json").read_text("utf-8"))
    assert len(manual.pages) == len(pages) > 15
    for page in manual.pages:
        manual.go_to(page.file)
        assert manual.page is page
        text = shown(manual)
        assert page.title in text
        assert len(text) > 0.5 * len(page.text), page.file
        assert text.endswith("Not for diagnosis.")
        for name in re.findall(r'<img[^>]+src="([^"]+)"', manual.pages.html(page)):
            picture = manual.view.loadResource(IMAGE, QUrl(name))
            assert isinstance(picture, QImage)
            assert 0 < picture.width() / picture.devicePixelRatioF() <= manual.view.viewport().width()


def test_no_page_is_wider_than_the_window(manual: ManualWindow) -> None:
    manual.resize(1280, 720)
    QApplication.processEvents()
    for name in ("index.html", "algorithm.html", "formats.html", "trust.html", "stand.html"):
        manual.go_to(name)
        QApplication.processEvents()
        assert manual.view.horizontalScrollBar().maximum() == 0, name


def test_links_inside_lead_to_pages_and_places(manual: ManualWindow) -> None:
    followed = 0
    for page in manual.pages:
        for link in set(re.findall(r'<a[^>]+href="([^"]+)"', manual.pages.html(page))):
            if "://" in link:
                continue
            manual.go_to(page.file)
            manual.follow(QUrl(link))
            file = link.partition("#")[0] or page.file
            assert manual.page is not None
            assert manual.page.file == file, (page.file, link)
            followed += 1
    assert followed > 10


def test_a_click_on_a_link_turns_the_page_and_back_turns_it_again(manual: ManualWindow, qtbot: QtBot) -> None:
    view = manual.view
    assert manual.page is not None
    assert view.find("Formats and what each needs")
    place = view.cursorRect(view.textCursor()).center() - QPoint(20, 0)
    assert view.anchorAt(place) == "formats.html"
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert manual.page.file == "formats.html"
    QTest.mouseClick(manual.back, Qt.MouseButton.LeftButton)
    assert manual.page.file == "index.html"
    assert not manual.back.isEnabled()
    QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert manual.page.file == "formats.html"
    assert not manual.forth.isEnabled()


def test_the_contents_open_pages(manual: ManualWindow) -> None:
    rows = {manual.list.item(row).text().strip(): row for row in range(manual.list.count())}
    item = manual.list.item(rows["Limits"])
    QTest.mouseClick(manual.list.viewport(), Qt.MouseButton.LeftButton, pos=manual.list.visualItemRect(item).center())
    assert manual.page is not None
    assert manual.page.file == "limits.html"
    assert not manual.list.item(rows["Background"]).flags() & Qt.ItemFlag.ItemIsSelectable


@pytest.mark.parametrize(
    ("words", "file"),
    [("kiosk idle", "stand.html"), ("Hestenes", "algorithm.html"), ("geometry.toml", "formats.html")],
)
def test_search_finds_and_shows_the_word(manual: ManualWindow, words: str, file: str) -> None:
    manual.search.setFocus()
    QTest.keyClicks(manual.search, words)
    files = [manual.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(manual.list.count())]
    assert file in files
    QTest.keyClick(manual.search, Qt.Key.Key_Return)
    assert manual.page is not None
    assert manual.page.file == files[0]
    assert manual.view.textCursor().selectedText().casefold() == words.split()[0].casefold()


def test_search_that_finds_nothing_says_so_and_escape_ends_it(manual: ManualWindow) -> None:
    manual.search.setFocus()
    QTest.keyClicks(manual.search, "xyzzy")
    assert [manual.list.item(row).text() for row in range(manual.list.count())] == ["Nothing was found"]
    QTest.keyClick(manual.search, Qt.Key.Key_Return)
    assert manual.page is not None
    assert manual.page.file == "index.html"
    QTest.keyClick(manual.search, Qt.Key.Key_Escape)
    assert manual.search.text() == ""
    assert manual.list.count() > 15
    assert manual.isVisible()
    QTest.keyClick(manual.search, Qt.Key.Key_Escape)
    assert not manual.isVisible()


@pytest.mark.parametrize(("button", "opened"), [("Cancel", []), ("Open", ["https://arxiv.org/abs/2303.05754"])])
def test_an_address_outside_is_opened_only_after_a_yes(
    manual: ManualWindow, asked: list[str], button: str, opened: list[str]
) -> None:
    manual.go_to("algorithm.html")
    answer(button)
    manual.follow(QUrl("https://arxiv.org/abs/2303.05754"))
    assert asked == opened
    assert manual.page is not None
    assert manual.page.file == "algorithm.html"


@pytest.mark.parametrize("link", ["file:///etc/passwd", "javascript:alert(1)", "../../secret.html", "nowhere.html"])
def test_other_addresses_lead_nowhere(manual: ManualWindow, asked: list[str], link: str) -> None:
    manual.follow(QUrl(link))
    assert manual.page is not None
    assert manual.page.file == "index.html"
    assert asked == []


@pytest.mark.parametrize(
    "name", ["https://example.org/a.png", "file:///etc/passwd", "../contents.json", "/etc/hostname", "pictures/no.png"]
)
def test_pictures_come_from_the_manual_alone(manual: ManualWindow, folder: Path, name: str) -> None:
    (folder.parent / "contents.json").write_text("{}")
    assert manual.view.loadResource(IMAGE, QUrl(name)) is None


def test_colours_follow_the_theme(manual: ManualWindow, qtbot: QtBot) -> None:
    before = manual.view.document().toHtml()
    theme.apply("light")
    qtbot.waitUntil(lambda: theme.current().text in manual.view.document().toHtml())
    qtbot.waitUntil(lambda: not manual._due.isActive())
    assert manual.view.document().toHtml() != before
    theme.apply("dark")
    qtbot.waitUntil(lambda: theme.current().text in manual.view.document().toHtml())


def test_a_wider_window_has_wider_pictures_and_stays_at_its_place(manual: ManualWindow, qtbot: QtBot) -> None:
    manual.go_to("clinicians.html")
    bar = manual.view.verticalScrollBar()
    bar.setValue(bar.maximum())
    name = QUrl("pictures/review_swipe.png")
    before = manual.view.loadResource(IMAGE, name).width()
    manual.resize(1280, 720)
    qtbot.waitUntil(lambda: not manual._due.isActive())
    assert manual.view.loadResource(IMAGE, name).width() > before
    assert bar.value() == bar.maximum()


@pytest.mark.parametrize("kept", [None, "{", '[{"title": "x"}]'])
def test_a_copy_without_a_manual_says_how_to_build_it(qtbot: QtBot, tmp_path: Path, kept: str | None) -> None:
    if kept is not None:
        (tmp_path / "contents.json").write_text(kept)
    bare = ManualWindow(Pages(tmp_path))
    qtbot.addWidget(bare)
    assert "make manual" in shown(bare)
    bare.close()


def test_pages_in_folders_find_their_neighbours(qtbot: QtBot, tmp_path: Path) -> None:
    """As those of the validation do."""
    names = ("index.html", "deep/index.html", "deep/more.html")
    pages = [{"title": name, "section": "S", "file": name, "text": name} for name in names]
    (tmp_path / "contents.json").write_text(json.dumps(pages))
    (tmp_path / "deep" / "curves").mkdir(parents=True)
    for name in names:
        (tmp_path / name).write_text(f"<!-- text --><p>{name}</p><h2 id='here'>x</h2><!-- end -->")
    picture = QImage(10, 10, QImage.Format.Format_RGB32)
    assert picture.save(str(tmp_path / "deep" / "curves" / "a.png"))
    manual = ManualWindow(Pages(tmp_path))
    qtbot.addWidget(manual)
    for link, file in (
        ("deep/index.html", "deep/index.html"),
        ("more.html#here", "deep/more.html"),
        ("#here", "deep/more.html"),
        ("index.html", "deep/index.html"),
        ("../index.html", "index.html"),
    ):
        manual.follow(QUrl(link))
        assert manual.page is not None
        assert manual.page.file == file, link
    assert manual.view.loadResource(IMAGE, QUrl("curves/a.png")) is None
    manual.go_to("deep/index.html")
    assert manual.view.loadResource(IMAGE, QUrl("curves/a.png")) is not None
    manual.close()


def test_a_page_that_is_gone_costs_the_page(qtbot: QtBot, tmp_path: Path) -> None:
    one = {"title": "A", "section": "S", "file": "a.html", "text": "words"}
    (tmp_path / "contents.json").write_text(json.dumps([one]))
    bare = ManualWindow(Pages(tmp_path))
    qtbot.addWidget(bare)
    assert "make manual" in shown(bare)
    bare.close()


class TestInTheProgram:
    @pytest.fixture(autouse=True)
    def real(self, window: MainWindow, folder: Path) -> None:
        window.manual._pages = Pages(folder)

    def test_the_key_opens_one_window_that_goes_with_the_program(self, window: MainWindow, qtbot: QtBot) -> None:
        QTest.keyClick(window, Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
        opened = window.manual.window
        assert opened is not None
        qtbot.waitUntil(opened.isVisible)
        opened.close()
        window.actions_["manual"].trigger()
        assert window.manual.window is opened
        assert opened.isVisible()
        window.leave()
        assert not opened.isVisible()

    def test_it_is_the_first_thing_in_the_help_menu(self, window: MainWindow) -> None:
        assert window.menus.menus[-1].actions()[0] is window.actions_["manual"]

    def test_it_opens_at_a_page_and_does_not_stop_the_work(self, window: MainWindow) -> None:
        window.manual.open("stand.html")
        opened = window.manual.window
        assert opened is not None
        assert opened.page is not None
        assert opened.page.file == "stand.html"
        assert QApplication.activeModalWidget() is None
