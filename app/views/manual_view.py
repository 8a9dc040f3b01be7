"""A page of the manual as it is drawn: in the colours of the theme, with pictures that fit, nothing from outside."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget

from app import theme
from app.views.manual_pages import Pages
from app.words import tr

MARGIN = 26


class ManualView(QTextBrowser):
    """Shows the text of a page in the colours of the theme, its pictures no wider than itself."""

    def __init__(self, pages: Pages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages, self._folder = pages, ""
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # so that pictures fit at once
        self.setAccessibleName(tr("Page of the manual"))
        self.document().setDocumentMargin(MARGIN)

    def show_html(self, html: str, folder: str = "") -> None:
        """folder: of the page under that of the manual, from which its pictures are counted."""
        self._folder = folder
        self.document().setDefaultStyleSheet(style_sheet())
        self.setHtml(f"{html}<p class='end'>{tr('Research use only. Not for diagnosis.')}</p>")

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Pictures of the manual; everything else, whatever a page asks for, is nothing."""
        path = self._pages.path(str(PurePosixPath(self._folder, name.path()))) if name.isRelative() else None
        if kind != QTextDocument.ResourceType.ImageResource.value or path is None:
            return None
        picture, widest = QImage(str(path)), self.viewport().width() - 2 * MARGIN - 4
        if picture.width() > widest > 0:
            ratio = self.devicePixelRatioF()
            picture = picture.scaledToWidth(round(widest * ratio), Qt.TransformationMode.SmoothTransformation)
            picture.setDevicePixelRatio(ratio)
        return picture


def style_sheet() -> str:
    """Of the pages, in the colours of the theme."""
    c = theme.current()
    return (
        f"body, p, li, td, th {{ color: {c.text}; }} a {{ color: {c.link}; }}"
        f"h1, h2, h3, h4 {{ color: {c.text}; margin-top: 18px; }}"
        f"code, pre {{ background-color: {c.panel}; font-family: monospace; }}"
        f"table {{ border-collapse: collapse; margin: 8px 0; }}"
        f"td, th {{ border: 1px solid {c.border}; padding: 4px 7px; }} th {{ background-color: {c.panel}; }}"
        f"blockquote, .end {{ color: {c.muted}; }} .equation {{ margin-left: 28px; font-size: large; }}"
    )
