"""One dataclass of settings, from which everything else is made."""

from __future__ import annotations

import dataclasses
import json

import pytest

from core.engine.job import JobSpec, ScanSource
from core.engine.presets import METHOD_LAM, PRESETS, presets_for, settings_for
from core.engine.run_card import differences, job_from_card, make_card, read_run_card
from core.engine.settings import ReconSettings, choices_of, help_of, type_of, used_by
from core.errors import JobError
from core.export.whole import write_json


@pytest.mark.parametrize("field", dataclasses.fields(ReconSettings), ids=lambda f: f.name)
def test_every_setting_has_its_help_and_refuses_what_is_out_of_range(field: dataclasses.Field) -> None:
    about = help_of(field.name)
    assert about.label
    assert about.text.endswith(".")
    if about.low is not None:
        with pytest.raises(JobError, match=about.label):
            ReconSettings(**{field.name: about.low - 1})
        with pytest.raises(JobError, match=about.label):
            ReconSettings(**{field.name: about.high + 1})
    elif choices_of(field.name):
        with pytest.raises(JobError, match="Choose one of"):
            ReconSettings(**{field.name: "nothing"})
    with pytest.raises(JobError):
        ReconSettings(**{field.name: [1] if type_of(field.name) is not bool else 2})


def test_a_number_that_is_none_is_refused() -> None:
    for wrong in (True, 2.5, "20", None):
        with pytest.raises(JobError, match="whole number"):
            ReconSettings(nfe=wrong)
    with pytest.raises(JobError, match="a number"):
        ReconSettings(gamma=float("nan"))


def test_settings_survive_a_file() -> None:
    settings = ReconSettings(nfe=7, eta=0.3, noiseless=True)
    assert ReconSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    with pytest.raises(JobError, match="not a setting"):
        ReconSettings.from_dict({"nfes": 3})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name: str) -> None:
    assert ReconSettings(**PRESETS[name])
    assert name in presets_for("nobody")


def test_a_cards_own_settings_are_the_default(tiny_prior) -> None:
    path = tiny_prior(presets={"default": {"nfe": 13, "t_start": 300}, "Sharp": {"nfe": 50}})
    assert settings_for(prior=path).nfe == 13
    assert settings_for(prior=path, nfe=4) == ReconSettings(prior=path, nfe=4, t_start=300)
    offered = presets_for(path)
    assert offered["Sharp"] == {"nfe": 50, "samples": 1, "gamma_rule": "constant", "rho": 0.0}
    assert list(offered)[:2] == [f"Recommended for {path}", "Best"]
    assert offered["Best"] == {**offered[f"Recommended for {path}"], "samples": 4}


def test_a_card_may_bring_its_own_best(tiny_prior) -> None:
    path = tiny_prior(presets={"default": {"nfe": 13}, "Best": {"nfe": 60, "samples": 2}})
    best = settings_for(prior=path, preset="best")
    assert (best.nfe, best.samples) == (60, 2)
    assert list(presets_for(path)).count("Best") == 1
    assert presets_for("nobody")["Best"] == {**PRESETS["Paper 20"], "samples": 4}


@pytest.mark.parametrize("name", ["Best", "bEsT", "b", " best "])
def test_a_preset_goes_by_its_beginning(tiny_prior, name: str) -> None:
    path = tiny_prior(presets={"default": {"nfe": 13, "t_start": 300}})
    assert settings_for(prior=path, preset=name) == ReconSettings(prior=path, nfe=13, t_start=300, samples=4)
    assert settings_for(prior=path, preset=name, samples=2, nfe=5).samples == 2


def test_a_preset_of_an_exact_name_is_not_confused_with_longer_ones(tiny_prior) -> None:
    path = tiny_prior(presets={"Fast": {"nfe": 3}})
    assert settings_for(prior=path, preset="fast").nfe == 3
    assert settings_for(prior=path, preset="fast 1").nfe == 10


@pytest.mark.parametrize("name", ["paper", "nothing", " "])
def test_a_preset_that_is_not_one_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(JobError, match=r"Fast 10.*Paper 100"):
        settings_for(preset=name)


@pytest.mark.parametrize(
    ("card", "chosen", "gamma"),
    [
        ({}, {}, 5.0),
        ({}, {"gamma_rule": "noise"}, 1.0),
        ({}, {"gamma_rule": "noise", "gamma": 0.5}, 0.5),
        ({"gamma": 10.0}, {}, 10.0),
        ({"gamma": 10.0}, {"gamma_rule": "constant"}, 10.0),
        ({"gamma": 10.0}, {"gamma_rule": "noise"}, 1.0),
        ({"gamma_rule": "noise", "gamma": 0.3}, {}, 0.3),
        ({"gamma_rule": "noise", "gamma": 0.3}, {"gamma_rule": "constant"}, 5.0),
        ({"gamma_rule": "noise", "gamma": 0.3}, {"preset": "paper 20"}, 5.0),
    ],
)
def test_a_gamma_counts_only_under_its_rule(tiny_prior, card: dict, chosen: dict, gamma: float) -> None:
    assert settings_for(prior=tiny_prior(presets={"default": card}), **chosen).gamma == gamma


@pytest.mark.parametrize("method", METHOD_LAM)
def test_every_method_has_its_weight(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHOD_LAM, method, 0.25)
    assert settings_for(method=method).lam == 0.25
    assert settings_for(method=method, lam=0.5).lam == 0.5
    assert "lam" in used_by(method)
    assert "lam" not in used_by("zero-filled")


def test_a_job_survives_its_card(tmp_path) -> None:
    job = JobSpec(ScanSource("a.h5", undersample="poisson2d:4", slices=(1, 3)), ReconSettings(seed=4), threads=2)
    outcome = {"kept_at": 3, "threads": 1, "samples_at_once": 2}
    write_json(make_card(job, {"scan": "1"}, outcome), tmp_path / "x.card.json")
    card = read_run_card(tmp_path / "x.card.json")
    again = job_from_card(card)
    assert again == dataclasses.replace(job, keep_at=3, threads=1, samples_at_once=2)
    assert not differences(card, card)
    other = make_card(job, {"scan": "2"}, {})
    assert differences(card, other) == ["input scan: was 1, is 2"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"format": 99, "job": {}}'])
def test_other_files_are_no_run_cards(tmp_path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(JobError):
        read_run_card(tmp_path / "x.json")
    with pytest.raises(JobError):
        JobSpec.from_dict({"source": {}, "settings": {}})


def test_a_full_disk_leaves_no_half_card(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    path.write_text("older")
    with pytest.raises(TypeError):
        write_json({"x": object()}, path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]
