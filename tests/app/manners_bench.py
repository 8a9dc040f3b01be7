"""What the tests of the window's manners share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from app import theme
from app.state.notice import Notice

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def usual_looks(qapp: QApplication) -> Iterator[None]:
    """Other tests find the text and the theme as they were."""
    yield
    theme.scale_text(100)
    theme.apply("dark")


def some_notice() -> Notice:
    return Notice("It broke.", "Too hot.", "Wait.")


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName()!r} in {type(widget.parentWidget()).__name__}"
