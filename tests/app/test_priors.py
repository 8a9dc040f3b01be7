"""The priors: looking at them, adding, removing and choosing one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.engine import Engine, offers
from app.views.main_window import MainWindow
from app.views.prior_card import card_lines
from app.views.priors_dialog import PriorsDialog
from core.priors.catalogue import Entry
from tests.app.fakes import FakeDialogs, FakeEngine, entry
from tests.app.test_look import cut_off

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dialog(opened: MainWindow, qtbot: QtBot) -> Iterator[PriorsDialog]:
    opened.actions_["priors"].trigger()
    made = opened.priors_dialog
    assert made is not None
    qtbot.waitUntil(lambda: made.list.count() == 2)
    yield made
    if opened.priors_dialog is not None:
        opened.priors_dialog.close()


def names(dialog: PriorsDialog) -> list[str]:
    return [dialog.list.item(row).text().split("  (")[0] for row in range(dialog.list.count())]


def test_every_prior_is_listed_with_what_it_is_for(dialog: PriorsDialog) -> None:
    assert [dialog.list.item(row).text() for row in range(2)] == [
        "mri-small  (bundled)\nMR, head, 2 channels, any size",
        "other-prior  (added)\nMR, head, 2 channels, any size",
    ]
    assert dialog.name.text() == "mri-small"


def test_the_card_is_shown_in_words(dialog: PriorsDialog) -> None:
    assert dialog.details.warnings.isVisible()
    assert dialog.details.warnings.words.text() == "Small network; heads only."
    card = dialog.details.card
    assert card.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    card.selectAll()
    copied = card.createMimeDataFromSelection().text()
    assert "0123456789abcdef" * 4 in copied
    lines = dict(
        card_lines(
            entry(
                "knee",
                family="adm",
                anatomy="knee",
                contrast="PD",
                licence="CC-BY",
                parameters=374_000_000,
                image_size=320,
                training_data=("fastMRI knees",),
                presets={"default": {"nfe": 20, "noiseless": False}, "Fine": {"nfe": 50, "gamma": 2.5}},
            )
        )
    )
    assert lines["Parameters"] == "374 million"
    assert lines["Image size"] == "320 × 320"
    assert lines["Trained on"] == "fastMRI knees"
    assert lines["Presets"] == "Usual: NFE 20\nFine: NFE 50, Gamma 2.5"
    assert lines["SHA-256"] == "0123456789abcdef" * 4
    assert lines["It predicts"] == "the noise (eps)"


def test_the_validation_is_drawn(dialog: PriorsDialog) -> None:
    dialog.details.pages.setCurrentIndex(2)
    assert dialog.details.curve.points == [(25, 33.0), (200, 22.5), (800, 12.0)]
    x, y = dialog.details.curve.plot.listDataItems()[0].getData()
    assert list(zip(x, y, strict=True)) == dialog.details.curve.points
    assert dialog.details.curve.plot.isVisible()
    dialog.details.curve.show_validation({})
    assert dialog.details.curve.nothing.isVisible()
    assert not dialog.details.curve.plot.isVisible()


def test_pictures_that_lie_beside_the_weights_are_shown(dialog: PriorsDialog, qtbot: QtBot) -> None:
    samples = dialog.details.sheets["samples"]
    qtbot.waitUntil(lambda: samples.image is not None)
    assert (samples.image.width(), samples.image.height()) == (40, 20)
    assert dialog.details.sheets["denoising"].image is None
    assert "came without" in dialog.details.sheets["denoising"].words
    dialog.list.setCurrentRow(1)
    qtbot.waitUntil(lambda: "came without" in samples.words)
    assert samples.image is None


def test_pictures_are_read_from_the_files_beside_the_weights(tmp_path: Path) -> None:
    weights = tmp_path / "p.safetensors"
    ramp = np.arange(200, dtype=np.uint8).reshape(10, 20)
    Image.fromarray(ramp).save(tmp_path / "p.denoising.png")
    found = Engine().read_sheets(Entry(weights, entry("p").card, bundled=False))
    assert found.keys() == {"denoising"}
    assert np.array_equal(found["denoising"], ramp)


def test_a_prior_is_added_without_stopping_the_window(
    opened: MainWindow, dialog: PriorsDialog, dialogs: FakeDialogs, fake: FakeEngine, qtbot: QtBot
) -> None:
    dialogs.path = "/downloads/fastmri_knee.pt"
    qtbot.mouseClick(dialog.add, LEFT)
    assert dialog.working.text() == "Adding fastmri_knee.pt …"
    assert not dialog.add.isEnabled()
    assert opened.bridge.busy
    assert threading.current_thread() is threading.main_thread()
    fake.adding.set()
    qtbot.waitUntil(lambda: names(dialog) == ["mri-small", "other-prior", "fastmri_knee"])
    qtbot.waitUntil(lambda: dialog.name.text() == "fastmri_knee")
    assert dialog.working.text() == ""
    assert dialog.add.isEnabled()
    assert [choice.name for choice in opened.session.choice.priors] == names(dialog)


def test_a_name_that_is_taken_is_not_proposed(
    opened: MainWindow, dialog: PriorsDialog, dialogs: FakeDialogs, fake: FakeEngine, qtbot: QtBot
) -> None:
    fake.adding.set()
    dialogs.path, dialogs.name = "/downloads/other prior.pt", "mine"
    qtbot.mouseClick(dialog.add, LEFT)
    assert dialogs.asked[-1] == "other-prior-2"
    qtbot.waitUntil(lambda: "mine" in names(dialog))


def test_why_a_prior_cannot_be_added_is_said(
    opened: MainWindow, dialog: PriorsDialog, dialogs: FakeDialogs, fake: FakeEngine, qtbot: QtBot
) -> None:
    fake.adding.set()
    dialogs.path = "/downloads/poem.txt"
    qtbot.mouseClick(dialog.add, LEFT)
    qtbot.waitUntil(lambda: dialog.trouble.isVisible())
    assert dialog.trouble.words.text() == "This is no prior. It holds a poem. Choose a checkpoint."
    assert len(names(dialog)) == 2
    dialogs.path = "/downloads/good.pt"
    qtbot.mouseClick(dialog.add, LEFT)
    assert not dialog.trouble.isVisible()
    qtbot.waitUntil(lambda: "good" in names(dialog))


def test_trouble_is_told_also_when_the_dialog_has_been_closed(
    opened: MainWindow, dialog: PriorsDialog, dialogs: FakeDialogs, fake: FakeEngine, qtbot: QtBot
) -> None:
    dialogs.path = "/downloads/poem.txt"
    qtbot.mouseClick(dialog.add, LEFT)
    dialog.close()
    fake.adding.set()
    qtbot.waitUntil(lambda: opened.banner.isVisible())
    assert opened.banner.what.text() == "This is no prior."


def test_only_added_priors_can_be_removed(
    opened: MainWindow, dialog: PriorsDialog, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    assert not dialog.remove.isEnabled()
    opened.session.choice.set(prior="other-prior")
    dialog.list.setCurrentRow(1)
    dialogs.answer = False
    qtbot.mouseClick(dialog.remove, LEFT)
    assert dialogs.asked[-1].startswith("Remove other-prior?")
    assert len(names(dialog)) == 2
    dialogs.answer = True
    qtbot.mouseClick(dialog.remove, LEFT)
    qtbot.waitUntil(lambda: names(dialog) == ["mri-small"])
    assert dialog.name.text() == "mri-small"
    assert opened.session.choice.settings.prior == "mri-small"
    assert [choice.name for choice in opened.session.choice.priors] == ["mri-small"]


def test_a_prior_is_chosen_for_the_next_run(opened: MainWindow, dialog: PriorsDialog, qtbot: QtBot) -> None:
    assert (dialog.use.text(), dialog.use.isEnabled()) == ("In use", False)
    opened.session.choice.set(method="tv")
    dialog.list.setCurrentRow(1)
    qtbot.mouseClick(dialog.use, LEFT)
    assert opened.session.choice.settings.prior == "other-prior"
    assert opened.session.choice.settings.method == "dds"
    assert dialog.use.text() == "In use"


def test_about_this_prior_leads_to_it(opened: MainWindow, qtbot: QtBot) -> None:
    opened.session.choice.set(prior="other-prior")
    qtbot.mouseClick(opened.parameters.about_prior, LEFT)
    dialog = opened.priors_dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.name.text() == "other-prior")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert opened.priors_dialog is None
    opened.session.choice.set(prior="/models/brain.pt")
    opened.actions_["about_prior"].trigger()
    again = opened.priors_dialog
    assert again is not None
    assert again is not dialog
    qtbot.waitUntil(lambda: "/models/brain.pt is not among the priors" in again.working.text())
    again.close()


def test_without_any_prior_it_says_so(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.shelf.clear()
    opened.actions_["priors"].trigger()
    dialog = opened.priors_dialog
    assert dialog is not None
    assert dialog.name.text() == "Looking for priors …"
    qtbot.waitUntil(lambda: dialog.name.text() == "There are no priors. Add one on the left.")
    assert not dialog.details.isVisible()
    assert dialog.add.isEnabled()
    dialog.close()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_long_names_fit_in_both_themes(opened: MainWindow, fake: FakeEngine, qtbot: QtBot, name: str) -> None:
    theme.apply(name)
    long = "a_very_long_name_of_a_checkpoint_" * 4
    warnings = tuple(f"Warning {i}: it was trained on something else altogether." for i in range(3))
    data = ("somewhere/with/a/long/path/" * 6, "b")
    fake.shelf.insert(0, entry(long, training_data=data, warnings=warnings))
    opened.show_priors(long)
    dialog = opened.priors_dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.name.text() == long)
    QApplication.processEvents()
    assert dialog.width() <= 1280
    assert dialog.height() <= 720
    for page in range(dialog.details.pages.count()):
        dialog.details.pages.setCurrentIndex(page)
        QApplication.processEvents()
        assert cut_off(dialog) == []
    assert dialog.details.card.horizontalScrollBar().maximum() == 0
    dialog.close()
    theme.apply("dark")


def test_priors_for_complex_images_are_offered_first() -> None:
    ct, mr = entry("a-ct", channels=1, modality="CT"), entry("b-mr")
    assert [choice.name for choice in offers([ct, mr])] == ["b-mr", "a-ct"]


def test_of_an_unknown_checkpoint_the_user_is_asked(
    opened: MainWindow, dialog: PriorsDialog, dialogs: FakeDialogs, fake: FakeEngine, qtbot: QtBot
) -> None:
    fake.adding.set()
    dialogs.path, dialogs.answer = "/downloads/stranger.pt", False
    qtbot.mouseClick(dialog.add, LEFT)
    assert "not known" in dialogs.asked[-1]
    assert not dialog.working.text()
    assert "stranger" not in names(dialog)
    dialogs.answer = True
    qtbot.mouseClick(dialog.add, LEFT)
    qtbot.waitUntil(lambda: "stranger" in names(dialog))
