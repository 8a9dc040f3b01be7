"""One prior: its warnings, its card, what it makes up and how it cleans."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from app.state.shelf import SHEETS, Sheet
from app.views.banner import WarningStrip
from app.views.denoising_curve import DenoisingCurve
from app.views.prior_card import CardView
from app.views.sheet_view import SheetView
from app.words import later, tr
from core.priors.catalogue import Entry

_READING = later("Reading …")
_NO_SHEET = later("This prior came without such a picture.")


class PriorDetails(QWidget):
    """Warnings above three pages: the card, made-up images, denoising."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.warnings = WarningStrip(tr("Warnings of this prior"))
        self.card = CardView()
        self.curve = DenoisingCurve()
        self.sheets = {kind: SheetView(about) for kind, about in SHEETS.items()}
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        self.pages.addTab(self.card, tr("Card"))
        halves = QHBoxLayout()
        halves.setSpacing(14)
        halves.addLayout(_titled(self.sheets["denoising"].about, self.sheets["denoising"]), 1)
        halves.addLayout(_titled(tr("Measured on images kept from training"), self.curve), 1)
        denoising = QWidget()
        denoising.setLayout(halves)
        made_up = QWidget()
        made_up.setLayout(_titled(self.sheets["samples"].about, self.sheets["samples"]))
        self.pages.addTab(made_up, tr("Made-up images"))
        self.pages.addTab(denoising, tr("Denoising"))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addWidget(self.warnings)
        whole.addWidget(self.pages, 1)

    def show_entry(self, entry: Entry, sheets: dict[str, Sheet] | None) -> None:
        """sheets: its pictures by kind, or None while they are being read."""
        self.warnings.show_messages(list(entry.card.warnings))
        self.card.show_entry(entry)
        self.card.verticalScrollBar().setValue(0)
        self.curve.show_validation(entry.card.validation)
        self.show_sheets(sheets)

    def show_sheets(self, sheets: dict[str, Sheet] | None) -> None:
        for kind, view in self.sheets.items():
            if sheets is None:
                view.show_sheet(None, tr(_READING))
            else:
                view.show_sheet(sheets.get(kind), tr(_NO_SHEET))


def _titled(words: str, widget: QWidget) -> QVBoxLayout:
    """A widget under what it shows."""
    column = QVBoxLayout()
    about = QLabel(words)
    about.setWordWrap(True)
    column.addWidget(about)
    column.addWidget(widget, 1)
    return column
