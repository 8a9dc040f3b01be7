"""One dataclass of settings, from which everything else is made."""

from __future__ import annotations

import dataclasses
import json

import pytest

from core.engine.job import JobSpec, ScanSource
from core.engine.presets import PRESETS, presets_for, settings_for
from core.engine.run_card import differences, job_from_card, make_card, read_run_card
from core.engine.settings import ReconSettings, choices_of, help_of, type_of
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
    assert presets_for(path)["Sharp"] == {"nfe": 50}
    assert next(iter(presets_for(path))).startswith("Best for")


def test_a_job_survives_its_card(tmp_path) -> None:
    job = JobSpec(ScanSource("a.h5", undersample="poisson2d:4", slices=(1, 3)), ReconSettings(seed=4), threads=2)
    write_json(make_card(job, {"scan": "1"}, {"kept_at": 3, "threads": 1}), tmp_path / "x.card.json")
    card = read_run_card(tmp_path / "x.card.json")
    again = job_from_card(card)
    assert again == dataclasses.replace(job, keep_at=3, threads=1)
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
