"""The settings form under the hands of a user."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox
from pytestqt.qtbot import QtBot

from app.state.choice import Choice, PriorChoice
from app.views.main_window import MainWindow
from core.engine.presets import PRESETS
from core.engine.settings import ReconSettings, help_of
from core.errors import JobError
from tests.app.conftest import finished
from tests.app.fakes import FakeEngine, scan

LEFT = Qt.MouseButton.LeftButton
CT_ONLY = {"filter", "weight", "nonnegative", "iterations"}


def choose(field: QComboBox, words: str) -> None:
    """Choose an entry as a user does."""
    index = field.findText(words)
    assert index >= 0, words
    field.setCurrentIndex(index)
    field.activated.emit(index)


def combo(window: MainWindow, name: str) -> QComboBox:
    field = window.parameters.rows[name].field
    assert isinstance(field, QComboBox)
    return field


def test_every_setting_has_a_row_with_label_help_range_and_reset(opened: MainWindow) -> None:
    assert set(opened.parameters.rows) == {f.name for f in dataclasses.fields(ReconSettings)}
    for name, row in opened.parameters.rows.items():
        about = help_of(name)
        assert row.label.text() == about.label
        assert row.label.buddy() is row.field
        assert about.text in row.field.toolTip()
        assert row.field.accessibleName() == about.label
        assert not row.reset_button.isEnabled()
        if isinstance(row.field, (QSpinBox, QDoubleSpinBox)):
            assert (row.field.minimum(), row.field.maximum()) == (about.low, about.high)
            assert f"{about.low:g} to {about.high:g}" in row.field.toolTip()
            assert row.field.suffix().strip() == about.unit


def test_reset_brings_back_the_default(opened: MainWindow, qtbot: QtBot) -> None:
    row = opened.parameters.rows["cg_steps"]
    assert isinstance(row.field, QSpinBox)
    row.field.setValue(9)
    assert opened.session.choice.settings.cg_steps == 9
    assert row.reset_button.isEnabled()
    qtbot.mouseClick(row.reset_button, LEFT)
    assert opened.session.choice.settings.cg_steps == ReconSettings().cg_steps
    assert row.field.value() == ReconSettings().cg_steps


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets(opened: MainWindow, name: str) -> None:
    choose(opened.parameters.preset, name)
    chosen = opened.session.choice.settings.to_dict()
    assert {key: chosen[key] for key in PRESETS[name]} == PRESETS[name]
    assert opened.parameters.preset.currentText() == name
    nfe = opened.parameters.rows["nfe"].field
    assert isinstance(nfe, QSpinBox)
    nfe.setValue(77)
    assert opened.parameters.preset.currentText() == "Own settings"


def on_view(window: MainWindow) -> set[str]:
    """The settings whose fields can be seen, and have a width to be seen with."""
    QApplication.processEvents()
    rows = window.parameters.rows.items()
    return {name for name, row in rows if row.field.isVisible() and row.field.width() > 40}


@pytest.mark.parametrize(
    ("method", "settings", "seldom"),
    [
        ("CG-SENSE", {"method", "lam"}, {"device"}),
        ("L1-wavelet", {"method", "lam"}, {"device"}),
        ("TV", {"method", "lam"}, {"device", "along"}),
        ("Zero-filled", {"method"}, {"device"}),
    ],
)
def test_only_what_the_method_uses_is_offered(
    opened: MainWindow, method: str, settings: set[str], seldom: set[str]
) -> None:
    choose(combo(opened, "method"), method)
    assert on_view(opened) == settings
    assert not opened.parameters.preset.isVisible()
    opened.parameters.more.click()
    assert on_view(opened) == settings | seldom
    choose(combo(opened, "method"), "DDS")
    assert on_view(opened) == set(opened.parameters.rows) - CT_ONLY
    assert opened.parameters.preset.isVisible()
    opened.parameters.more.click()
    assert on_view(opened) == {"method", "prior", "nfe", "samples", "gamma_rule", "gamma"}


def test_more_says_how_many_hidden_settings_are_not_as_usual(opened: MainWindow) -> None:
    assert opened.parameters.more.text() == "More"
    opened.session.choice.set(seed=3, eta=0.5)
    assert opened.parameters.more.text() == "More (2 changed)"
    choose(combo(opened, "method"), "TV")
    assert opened.parameters.more.text() == "More"


def test_lambda_follows_the_method_until_the_user_chooses_one(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr("app.state.weights.METHOD_LAM", {"l1-wavelet": 0.002, "tv": 0.0004})
    row = opened.parameters.rows["lam"]
    assert isinstance(row.field, QDoubleSpinBox)
    choose(combo(opened, "method"), "L1-wavelet")
    assert (row.field.value(), row.reset_button.isEnabled()) == (0.002, False)
    choose(combo(opened, "method"), "TV")
    assert (row.field.value(), row.reset_button.isEnabled()) == (0.0004, False)
    row.field.setValue(0.00005)
    assert opened.session.choice.settings.lam == pytest.approx(0.00005)
    choose(combo(opened, "method"), "L1-wavelet")
    assert (row.field.value(), row.reset_button.isEnabled()) == (0.00005, True)
    qtbot.mouseClick(row.reset_button, LEFT)
    assert opened.session.choice.settings.lam == 0.002
    choose(combo(opened, "method"), "DDS")
    assert opened.session.choice.settings == opened.session.choice.defaults


def test_gamma_follows_its_rule(opened: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr("app.state.weights.GAMMA_OF_RULE", {"constant": 5.0, "noise": 1.5})
    row = opened.parameters.rows["gamma"]
    assert isinstance(row.field, QDoubleSpinBox)
    row.field.setValue(40)
    choose(combo(opened, "gamma_rule"), "By the noise")
    assert row.label.text() == row.field.accessibleName() == "Gamma factor"
    assert help_of("gamma").text not in row.field.toolTip()
    assert (row.field.value(), row.reset_button.isEnabled()) == (1.5, False)
    row.field.setValue(2)
    qtbot.mouseClick(row.reset_button, LEFT)
    assert opened.session.choice.settings.gamma == 1.5
    choose(combo(opened, "gamma_rule"), "Constant")
    assert row.label.text() == "Gamma"
    assert opened.session.choice.settings.gamma == ReconSettings().gamma


def test_presets_say_how_long_they_take(opened: MainWindow) -> None:
    box = opened.parameters.preset
    costs = {box.itemText(i): box.itemData(i, Qt.ItemDataRole.AccessibleDescriptionRole) for i in range(box.count())}
    usual = opened.session.choice.defaults
    best = opened.session.choice.presets["Best"]
    ratio = best.get("samples", 1) * best.get("nfe", usual.nfe) / usual.nfe
    assert costs["Best"] == f"about {ratio:.0f} times as long"
    assert costs["Paper 20"] == ""
    choose(box, "Best")
    assert opened.session.choice.settings.samples == 4
    assert "4 times" in box.toolTip()


def test_gamma_does_not_count_for_noiseless_data(opened: MainWindow) -> None:
    box = opened.parameters.rows["noiseless"].field
    assert isinstance(box, QCheckBox)
    box.click()
    assert opened.session.choice.settings.noiseless
    assert not opened.parameters.rows["gamma"].field.isEnabled()


def test_only_what_the_scan_allows_is_offered(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    window.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.parameters.undersampling.isVisible()
    assert window.parameters.only_this_slice.isVisible()
    fake.files["half.h5"] = scan("half.h5", slices=1, full=False)
    window.open_path("/scans/half.h5")
    qtbot.waitUntil(lambda: window.session.scan.name == "half.h5" and finished(window, 1))
    assert not window.parameters.undersampling.isVisible()
    assert not window.parameters.only_this_slice.isVisible()


def test_undersampling_on_purpose_is_marked(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    form = opened.parameters.undersampling
    assert not form.acceleration.isVisible()
    choose(form.kind, "poisson2d")
    form.acceleration.setValue(6)
    assert opened.session.choice.undersample == "poisson2d:6:0.08:0"
    fake.script.free = True
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert fake.script.jobs[-1].source.undersample == "poisson2d:6:0.08:0"
    assert any("on purpose: poisson2d" in mark for mark in opened.viewer.slice_view.overlay.marks)
    opened.run_panel.runs.setCurrentRow(0)
    assert opened.viewer.slice_view.overlay.marks == ()
    opened.open_path("/scans/other.h5")
    qtbot.waitUntil(lambda: opened.session.scan.name == "other.h5")
    assert opened.session.choice.undersample == ""
    assert form.kind.currentIndex() == 0


def test_priors_and_devices_are_those_of_the_machine(opened: MainWindow, qtbot: QtBot) -> None:
    opened.bridge.warm_up()
    prior, device = combo(opened, "prior"), combo(opened, "device")
    qtbot.waitUntil(lambda: prior.count() == 3)
    assert device.findData("cuda") < 0
    choose(prior, "other-prior")
    assert opened.session.choice.settings.prior == "other-prior"
    opened.session.choice.offer(opened.session.choice.priors, True)
    assert device.findData("cuda") >= 0
    assert prior.currentText() == "other-prior"


def test_a_checkpoint_can_be_named_by_its_path(opened: MainWindow, qtbot: QtBot) -> None:
    prior = combo(opened, "prior")
    prior.setFocus()
    prior.lineEdit().selectAll()
    qtbot.keyClicks(prior.lineEdit(), "/models/brain.pt")
    qtbot.keyClick(prior.lineEdit(), Qt.Key.Key_Return)
    assert opened.session.choice.settings.prior == "/models/brain.pt"


def test_help_follows_the_focus(opened: MainWindow) -> None:
    assert opened.parameters.rows["gamma"].field.isVisible()
    opened.parameters.rows["gamma"].field.setFocus()
    assert opened.parameters.help.text().startswith("Gamma: ")
    assert help_of("gamma").text in opened.parameters.help.text()


def test_the_wheel_over_a_field_without_focus_changes_nothing(opened: MainWindow) -> None:
    field = opened.parameters.rows["nfe"].field
    assert isinstance(field, QAbstractSpinBox)
    opened.viewer.slice_view.setFocus()
    place = QPointF(field.rect().center())
    turn = QWheelEvent(
        place,
        QPointF(field.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, turn)
    assert opened.session.choice.settings.nfe == ReconSettings().nfe


def test_every_field_can_be_reached_by_tab(opened: MainWindow, qtbot: QtBot) -> None:
    opened.parameters.more.click()
    opened.parameters.rows["method"].field.setFocus()
    seen = set()
    for _ in range(60):
        seen.add(QApplication.focusWidget())
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    tied = {"lam", "admm_steps", "along"}
    wanted = {row.field for name, row in opened.parameters.rows.items() if name not in CT_ONLY | tied}
    wanted |= {opened.parameters.preset, opened.parameters.more, opened.parameters.about_prior, opened.viewer.picture}
    wanted |= {opened.parameters.reconstruct, opened.viewer.slice_view, opened.viewer.window_edit}
    assert wanted <= seen


class TestChoice:
    def test_a_value_out_of_range_changes_nothing(self) -> None:
        choice = Choice()
        before = choice.settings
        with pytest.raises(JobError, match="NFE"):
            choice.set(nfe=1)
        assert choice.settings == before

    def test_untouched_settings_follow_the_prior(self, monkeypatch: pytest.MonkeyPatch) -> None:
        recommended = {"other": ReconSettings(prior="other", nfe=8, gamma=2.0)}
        monkeypatch.setattr(
            "app.state.choice.settings_for",
            lambda prior="mri-small": recommended.get(prior, ReconSettings(prior=prior)),
        )
        choice = Choice()
        choice.set(prior="other")
        assert choice.settings == recommended["other"]
        choice.set(gamma=3.0)
        choice.set(prior="third")
        assert (choice.settings.prior, choice.settings.gamma, choice.settings.nfe) == ("third", 3.0, 8)
        assert choice.defaults == ReconSettings(prior="third")

    def test_offers_are_told(self) -> None:
        choice, told = Choice(), []
        choice.offers_changed.connect(lambda: told.append(choice.priors))
        choice.offer((PriorChoice("a"),), False)
        assert told == [(PriorChoice("a"),)]
