"""A job told as text makes the same job again: through the command line, as a script, as a settings file."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from app import cli_recon
from app.cli import main
from core.engine.as_text import as_command, as_python, as_yaml
from core.engine.job import JobSpec, ScanSource
from core.engine.presets import default_prior, settings_for, usual
from core.engine.settings import ReconSettings, used_by
from core.engine.settings_text import read_settings_file
from core.formats import open_scan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="quoted for another shell there")

CT = Path(str(resources.files("resources") / "demo" / "ct_chest.h5"))

MRI_SETTINGS = [
    {},
    {"nfe": 7, "eta": 0.3, "seed": 5, "device": "cpu"},
    {"gamma_rule": "constant", "gamma": 5.0},
    {"gamma_rule": "noise", "gamma": 1.0, "noiseless": True},
    {"gamma": 1 / 3, "spacing": "trailing", "t_start": 999, "samples": 2, "precision": "float32"},
    {"rho": 0.1, "lam": 1e-5, "admm_steps": 2, "along": "volume"},
    {"method": "cg-sense"},
    {"method": "l1-wavelet", "lam": 1.25e-3},
    {"method": "zero-filled"},
]
CT_SETTINGS = [
    {},
    {"nonnegative": False, "weight": "photons"},
    {"method": "tv", "lam": 3e-3, "nonnegative": False},
    {"method": "tv"},
    {"method": "fbp", "filter": "shepp-logan"},
    {"method": "sirt", "iterations": 30},
]
SOURCES = [
    {},
    {"slices": (0, 1), "undersample": "gaussian1d:2:0.25:1"},
    {"axes": "coil,ky,kx", "domain": "image"},
    {"center": -0.5, "size": 64, "undersample": "arc:-10:90.5+every:3"},
]


def chosen_job(path: Path, settings: dict, source: dict, *, with_scan: bool = True) -> JobSpec:
    """As the window would have it: what is not chosen is usual for the scan and its prior."""
    scan = open_scan(path)
    begun = {"prior": default_prior(scan), **usual(scan, settings.get("method", "dds"))}
    return JobSpec(ScanSource(str(path), **source), settings_for(**{**begun, **settings}), scan if with_scan else None)


def used(settings: ReconSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in used_by(settings.method)}


def assert_same(found: JobSpec, job: JobSpec) -> None:
    assert used(found.settings) == used(job.settings)
    assert dataclasses.replace(found.source, path="") == dataclasses.replace(job.source, path="")
    assert Path(found.source.path) == Path(job.source.path).resolve()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch):
    """The job that the command line makes of a command, which is not run."""
    caught: list[JobSpec] = []
    monkeypatch.setattr(cli_recon, "run_to_file", lambda job, outputs: caught.append(job))

    def call(command: str) -> JobSpec:
        words = shlex.split(command, comments=True)
        assert words.pop(0) == "dds-viewer"
        main(words)
        return caught.pop()

    return call


@pytest.mark.parametrize("with_scan", [True, False])
@pytest.mark.parametrize("settings", MRI_SETTINGS, ids=str)
def test_a_command_makes_the_same_mri_job(parsed, scan_file: Path, settings: dict, with_scan: bool) -> None:
    job = chosen_job(scan_file, settings, SOURCES[1], with_scan=with_scan)
    assert_same(parsed(as_command(job)), job)


@pytest.mark.parametrize("with_scan", [True, False])
@pytest.mark.parametrize("settings", CT_SETTINGS, ids=str)
def test_a_command_makes_the_same_ct_job(parsed, settings: dict, with_scan: bool) -> None:
    job = chosen_job(CT, settings, SOURCES[3], with_scan=with_scan)
    assert_same(parsed(as_command(job)), job)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_what_is_said_of_the_scan_comes_back(parsed, scan_file: Path, source: dict) -> None:
    job = chosen_job(scan_file, {}, source)
    scan = open_scan(scan_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.formats.open_scan", lambda *a, **k: scan)
        assert_same(parsed(as_command(job)), job)


@pytest.mark.parametrize("name", ["a b.h5", "it's; rm -rf $HOME `x` .h5", 'quote".h5', "- dash.h5", "*.h5", "ü\n.h5"])
def test_any_path_is_one_word(parsed, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    shutil.copy(CT, path)
    job = chosen_job(path, {"method": "fbp"}, {})
    assert_same(parsed(as_command(job)), job)
    compile(as_python(job), "script", "exec")
    (tmp_path / "settings.yaml").write_text(as_yaml(job), "utf-8")
    assert read_settings_file(tmp_path / "settings.yaml").given == {"method": "fbp"}


def test_only_what_is_not_usual_is_told(scan_file: Path) -> None:
    job = chosen_job(scan_file, {"nfe": 9}, {})
    assert as_command(job) == f"dds-viewer recon {shlex.quote(str(scan_file))} --out image.npy --nfe 9"
    assert as_yaml(job).splitlines()[1:] == ["nfe: 9"]
    assert as_yaml(chosen_job(scan_file, {}, {})).count("\n") == 1
    assert "ReconSettings(method='cg-sense')" in as_python(chosen_job(scan_file, {"method": "cg-sense"}, {}))


@pytest.mark.parametrize("write", [as_command, as_python, as_yaml])
def test_nothing_of_the_patient_is_told(scan_file: Path, write) -> None:
    job = chosen_job(scan_file, {}, {})
    told = dataclasses.replace(job.scan.provenance, identifiers={"name": "Doe^Jane", "id": "4711"})
    text = write(dataclasses.replace(job, scan=job.scan.with_changes(provenance=told)))
    assert "Doe" not in text
    assert "4711" not in text


@pytest.mark.parametrize("settings", [*MRI_SETTINGS, *CT_SETTINGS], ids=str)
def test_a_settings_file_says_the_same(scan_file: Path, tmp_path: Path, settings: dict) -> None:
    ct = settings in CT_SETTINGS and settings not in MRI_SETTINGS
    job = chosen_job(CT if ct else scan_file, settings, SOURCES[3 if ct else 1])
    path = tmp_path / "settings.yaml"
    path.write_text(as_yaml(job), "utf-8")
    said = read_settings_file(path)
    begun = {"prior": default_prior(job.scan), **usual(job.scan, said.given.get("method", "dds"))}
    assert used(settings_for(**{**begun, **said.given})) == used(job.settings)
    slices = said.source.pop("slices", None)
    assert cli_recon.parse_slices(slices) == job.source.slices
    assert ScanSource(job.source.path, slices=job.source.slices, **said.source) == job.source


def test_a_script_makes_the_same_image(scan_file: Path) -> None:
    from core.engine.by_hand import finish

    job = chosen_job(scan_file, {"method": "l1-wavelet", "lam": 1e-3, "device": "cpu"}, SOURCES[1])
    job = dataclasses.replace(job, threads=1)
    script: dict = {}
    exec(as_python(job), script)
    assert_same(script["job"], job)
    assert script["job"].threads == 1
    assert np.array_equal(script["volume"].array, finish(job).volume.array)


def test_what_only_a_card_can_say_is_a_comment(parsed, scan_file: Path) -> None:
    job = dataclasses.replace(chosen_job(scan_file, {}, {}), keep_at=3, threads=1)
    assert as_command(job).startswith("# not said here: threads 1, keep_at 3; the run card says it\n")
    assert_same(parsed(as_command(job)), job)
    assert "    keep_at=3,\n" in as_python(job)
