"""The model card of a prior in words, as lines of a table."""

from __future__ import annotations

import dataclasses
from html import escape
from typing import Any

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QPalette, QTextOption
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app import theme
from app.words import later, tr
from core.engine.settings import ReconSettings, help_of
from core.priors.card import ModelCard
from core.priors.catalogue import Entry

_SCHEDULES = {
    "vp-linear": later("variance preserving, linear"),
    "vp-cosine": later("variance preserving, cosine"),
    "ve": later("variance exploding"),
}
_FAMILIES = {
    "adm": later("ADM (guided diffusion)"),
    "small": later("small and convolutional"),
    "ncsnpp": later("NCSN++ (score-SDE)"),
}
_PREDICTS = {"eps": later("the noise (eps)"), "v": later("the velocity (v)"), "x0": later("the clean image (x0)")}
_USUAL = "default"


def about_line(card: ModelCard) -> str:
    """Such as "MR, head, 2 channels, any size"."""
    size = f"{card.image_size} × {card.image_size}" if card.image_size else tr("any size")
    return f"{card.modality}, {card.anatomy}, {card.channels} channel{'s' * (card.channels != 1)}, {size}"


def card_lines(entry: Entry) -> list[tuple[str, str]]:
    """What is known of a prior, label and words."""
    card = entry.card
    low, high = card.value_range
    lines = [
        (tr("Modality"), card.modality),
        (tr("Anatomy"), card.anatomy),
        (tr("Contrast"), card.contrast),
        (
            tr("Channels"),
            f"{card.channels} ({tr('complex') if card.channels == 2 else tr('real')})",
        ),
        (
            tr("Image size"),
            f"{card.image_size} × {card.image_size}" if card.image_size else tr("any"),
        ),
        (tr("Pixel size"), _pixels(card.pixel_mm)),
        (tr("Trained on"), "\n".join(card.training_data) or tr("unknown")),
        (tr("Licence"), card.licence),
        (tr("Network"), tr(_FAMILIES.get(card.family, card.family))),
        (
            tr("Parameters"),
            tr("{millions:.3g} million", millions=card.parameters / 1e6) if card.parameters else tr("not counted"),
        ),
        (tr("It predicts"), tr(_PREDICTS.get(card.parametrization, card.parametrization))),
        (tr("Noise schedule"), _schedule(card)),
        (
            tr("Value range"),
            tr(
                "{low:g} to {high:g}; percentile {scale_percentile:g} of the image is 1",
                low=low,
                high=high,
                scale_percentile=card.scale_percentile,
            ),
        ),
        (
            tr("Presets"),
            "\n".join(_preset(name, values) for name, values in card.presets.items()) or tr("none of its own"),
        ),
        (tr("File"), str(entry.path)),
        ("SHA-256", card.sha256 or tr("not on the card")),
        (
            tr("Made from"),
            f"SHA-256 {card.source_sha256}" if card.source_sha256 else "",
        ),
    ]
    return [line for line in lines if line[1]]


class CardView(QTextBrowser):
    """The card of one prior; its words can be selected. Paths and hashes, which have no spaces, are broken anywhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry: Entry | None = None
        self.setAccessibleName(tr("Model card"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabChangesFocus(True)
        self.setOpenLinks(False)
        self._colour()

    def show_entry(self, entry: Entry) -> None:
        self._entry = entry
        muted = theme.current().muted
        labels = [(escape(label), "<br>".join(map(escape, words.split("\n")))) for label, words in card_lines(entry)]
        widest = self.fontMetrics().horizontalAdvance("Noise schedule ") + 8
        rows = (
            f'<tr><td width="{widest}" style="color:{muted}">{label}</td><td>{words}</td></tr>'
            for label, words in labels
        )
        self.setHtml(f'<table width="100%" cellspacing="3">{"".join(rows)}</table>')

    def _colour(self) -> None:
        """On the ground of the dialog, not on that of a field for typing."""
        made = self.palette()
        made.setColor(QPalette.ColorRole.Base, QColor(theme.current().window))
        self.viewport().setPalette(made)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_entry"):
            self._colour()
            if self._entry is not None:
                self.show_entry(self._entry)
        super().changeEvent(event)


def _schedule(card: ModelCard) -> str:
    least, greatest = card.sigma_range
    name = tr(_SCHEDULES.get(card.noise_schedule, card.noise_schedule))
    noise = f", noise {least:g} to {greatest:g}" if card.noise_schedule == "ve" else ""
    return f"{name}{noise}, {card.training_steps} steps"


def _pixels(millimetres: tuple[float, float] | None) -> str:
    if millimetres is None:
        return ""
    low, high = millimetres
    return f"{low:g} mm" if low == high else f"{low:g} to {high:g} mm"


def _preset(name: str, values: dict[str, Any]) -> str:
    """Such as "Usual: NFE 20, CG steps 5"; what is switched off is left out."""
    known = {field.name for field in dataclasses.fields(ReconSettings)}
    settings = (
        help_of(key).label if value is True else f"{help_of(key).label} {value}"
        for key, value in values.items()
        if key in known and value is not False
    )
    return f"{tr('Usual') if name == _USUAL else name}: {', '.join(settings)}"
