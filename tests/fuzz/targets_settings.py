"""Weights, cards, settings, projects and words of a command line: see tests.fuzz.targets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from core.engine.job import JobSpec, ScanSource
from core.engine.run_card import job_from_card, read_run_card
from core.engine.settings import ReconSettings
from core.engine.settings_text import parse_vary, read_settings_file
from core.errors import UserError
from core.export import project_file as writer
from core.export.batch_folder import _card_in
from core.export.sweep_folder import record_in
from core.formats import project_file as reader
from core.priors.card import ModelCard, read_card
from core.priors.catalogue import has_card
from core.priors.file_kinds import kind_of
from core.priors.page import count_parameters, page
from core.priors.recipe import SourceRecipe, TrainingRecipe, read_recipe
from core.priors.registry import examine, load_prior, read_config
from tests.fuzz.damage import in_json, in_zip, text
from tests.fuzz.targets import Target

YAML = """preset: Paper 20
nfe: 20
eta: 0.15
axes: coil,ky,kx
slices: 1-3
vary:
  cg_steps: [1, 3, 5]
  gamma: 1e-4:1e-2:log5
keep_images: true
"""


def _weights() -> dict[str, torch.Tensor]:
    from core.diffusion.small_unet import SmallUNet

    torch.manual_seed(0)
    network = SmallUNet(channels=2, widths=(8, 8), blocks=(1, 1))
    return {key: value.half() for key, value in network.state_dict().items()}


def _card() -> ModelCard:
    config = {"channels": 2, "widths": [8, 8], "blocks": [1, 1]}
    presets = {"default": {"nfe": 10, "eta": 0.5}}
    return ModelCard("a", "small", config, 2, presets=presets, validation={"10": 30.0}, warnings=("none",))


def _with_card(folder: Path) -> Path:
    (folder / "a.json").write_text(_card().to_json())
    return folder / "a.json"


def _safetensors(folder: Path) -> Path:
    _with_card(folder)
    save_file(_weights(), folder / "a.safetensors")
    return folder / "a.safetensors"


def _torch(folder: Path) -> Path:
    _with_card(folder)
    torch.save({"state_dict": _weights(), "step": 3}, folder / "a.pt")
    return folder / "a.pt"


def _old_torch(folder: Path) -> Path:
    path = _torch(folder)
    torch.save(dict(list(_weights().items())[:3]), path, _use_new_zipfile_serialization=False)
    return path


def _load(path: Path) -> None:
    kind_of(path)
    count_parameters(path)
    for look in (load_prior, examine):
        try:
            look(path)
        except UserError:
            continue


def _read_card(path: Path) -> None:
    has_card(path.with_suffix(".pt"))
    card = read_card(path)
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(b"")
    page(card, weights, "bundled")


def _config(path: Path) -> None:
    for look in (read_config, read_recipe):
        try:
            look(path)
        except UserError:
            continue
    record_in(path)
    _card_in(path)


def _recipe(folder: Path) -> Path:
    recipe = TrainingRecipe("a", (SourceRecipe(path="a.nii", box=((0, 3), (0, 3), (0, 3))),))
    (folder / "recipe.json").write_text(json.dumps(recipe.as_dict()))
    return folder / "recipe.json"


def _run_card(folder: Path) -> Path:
    job = JobSpec(ScanSource("a.h5"), ReconSettings()).to_dict()
    card = {"format": 1, "job": job, "inputs": {}, "versions": {}, "outcome": {"kept_at": 3, "threads": 2}}
    (folder / "a.card.json").write_text(json.dumps(card))
    return folder / "a.card.json"


def _yaml(folder: Path) -> Path:
    (folder / "a.yaml").write_text(YAML)
    return folder / "a.yaml"


def _words(folder: Path) -> Path:
    (folder / "a.txt").write_text("nfe=10,20:50:10,1e-4:1e-2:log5")
    return folder / "a.txt"


def _vary(path: Path) -> None:
    parse_vary(path.read_bytes().decode("utf-8", "surrogateescape"))


def _project(folder: Path) -> Path:
    arrays = {"arrays/1.npy": np.ones((2, 3, 4), np.complex64), "arrays/2.npy": np.ones((1, 3, 4), np.float32)}
    writer.write(folder / "a.ddsproj", {"scan": {"path": "a.h5"}, "runs": [{"image": "arrays/1.npy"}]}, arrays)
    return folder / "a.ddsproj"


TARGETS = (
    Target("weights-safetensors", _safetensors, _load, (text,)),
    Target("weights-torch", _torch, _load, (in_zip(text),)),
    Target("weights-torch-old", _old_torch, _load),
    Target("model-card", _with_card, _read_card, (in_json, in_json)),
    Target("recipe", _recipe, _config, (in_json, in_json)),
    Target("run-card", _run_card, lambda path: job_from_card(read_run_card(path)), (in_json, in_json)),
    Target("settings-yaml", _yaml, read_settings_file, (text, text)),
    Target("command-line", _words, _vary, (text,)),
    Target("project", _project, reader.read, (in_zip(in_json),)),
)
