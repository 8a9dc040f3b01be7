"""Training a small prior: from a recipe to weights, model card and sheets, resumable to the step."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from core.errors import JobError
from core.priors.card import ModelCard
from core.priors.charts import training_chart
from core.priors.checkpoint import sha256_of
from core.priors.dataset import PreparedVolume
from core.priors.looks import CODE_MAX, HU_HIGHEST, HU_LOWEST, HU_UNIT, look_of
from core.priors.made_up import KINDS
from core.priors.prior import Prior
from core.priors.recipe import SourceRecipe, TrainingRecipe, read_recipe
from core.priors.sheets import denoising_sheet, sample_sheet
from core.priors.sources import Collection, collect
from core.priors.trainer import STATE_FILE, Trainer, validation_crops, write_whole

REPORT_EVERY = 50
SCALE_PERCENTILE = 99.5


@dataclasses.dataclass(frozen=True)
class TrainingProgress:
    """One report: step of total, running mean of the loss, and now and then the validation PSNR (dB) by timestep.

    loss_by_level: running means by the timestep at which a range of noise levels begins. doing: what goes on, in a few
    words. Numbers that are not known yet are NaN.
    """

    step: int
    total: int
    loss: float = math.nan
    seconds_left: float = math.nan
    crops_per_second: float = math.nan
    validation: dict[int, float] = dataclasses.field(default_factory=dict)
    loss_by_level: dict[int, float] = dataclasses.field(default_factory=dict)
    doing: str = "training"


def recipe_from_options(
    recipe: Path | None = None,
    data: Sequence[str | Path] = (),
    *,
    steps: int | None = None,
    name: str | None = None,
    **changes: object,
) -> TrainingRecipe:
    """The recipe in a file, or one made for `data` (paths, or "phantom:head" and its like), with changes.

    changes: further fields of TrainingRecipe. Paths in a recipe file are relative to the file. Raises JobError for a
    recipe that cannot be used.
    """
    if recipe is not None:
        base = _with_absolute_paths(read_recipe(recipe), recipe.parent)
    elif data:
        base = TrainingRecipe("prior", ())
    else:
        raise JobError("There is nothing to train on.", "", "Give a recipe, or files to learn from, or phantom:head.")
    if data:
        changes["sources"] = tuple(_source(entry) for entry in data)
    if steps is not None:
        changes["steps"] = steps
    if name is not None:
        changes["name"] = name
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def _source(entry: str | Path) -> SourceRecipe:
    if str(entry) in KINDS:
        kind = str(entry)
        return SourceRecipe(kind=kind, name=f"procedural {kind.removeprefix('phantom:')}s", licence="Apache-2.0")
    path = Path(entry).absolute()
    return SourceRecipe(path=str(path), name=path.name, denoise=True, licence="not stated")


def _with_absolute_paths(recipe: TrainingRecipe, folder: Path) -> TrainingRecipe:
    sources = tuple(
        dataclasses.replace(s, path=str((folder / s.path).absolute())) if s.path else s for s in recipe.sources
    )
    return dataclasses.replace(recipe, sources=sources)


def train(
    recipe: TrainingRecipe, out_dir: Path, *, resume: bool = True, save_seconds: float = 60.0
) -> Iterator[TrainingProgress]:
    """Train to the recipe's last step, then write the prior; closing the generator keeps what was learned.

    Writes into out_dir: the state to resume from, and at the end NAME.safetensors, NAME.json (model card),
    NAME.recipe.json, NAME.curves.png, NAME.samples.png and NAME.denoising.png. resume: go on from the state that
    lies there. Raises JobError or ScanError in words.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    ready = Collection()
    for doing in collect(recipe.sources, out_dir / "prepared", ready, look_of(recipe.modality)):
        yield TrainingProgress(0, recipe.steps, doing=doing)
    trainer = Trainer(recipe, ready.training, ready.weights)
    if resume and (out_dir / STATE_FILE).is_file():
        trainer.restore(out_dir)
    held_out = validation_crops(ready.held_out, recipe)
    try:
        yield from _steps(trainer, out_dir, held_out, save_seconds)
    except GeneratorExit:
        trainer.save(out_dir)
        raise
    yield TrainingProgress(trainer.step, recipe.steps, seconds_left=0.0, doing="writing the prior")
    finish(trainer, out_dir, held_out, ready.training)
    yield TrainingProgress(trainer.step, recipe.steps, seconds_left=0.0, doing="finished")


def _steps(trainer: Trainer, folder: Path, held_out: Tensor | None, save_seconds: float) -> Iterator[TrainingProgress]:
    recipe, first = trainer.recipe, trainer.step
    started = saved = time.monotonic()
    running = math.nan
    while trainer.step < recipe.steps:
        loss = trainer.advance()
        if math.isfinite(loss):
            running = 0.99 * running + 0.01 * loss if math.isfinite(running) else loss
        last = trainer.step == recipe.steps
        if last or time.monotonic() - saved > save_seconds:
            trainer.save(folder)
            saved = time.monotonic()
        if last or trainer.step % REPORT_EVERY == 0:
            pace = (time.monotonic() - started) / (trainer.step - first)
            due = held_out is not None and (last or trainer.step % recipe.validate_every == 0)
            validation = trainer.validate(held_out) if due and held_out is not None else {}
            left = pace * (recipe.steps - trainer.step)
            levels = dict(sorted(trainer.loss_by_level.items()))
            yield TrainingProgress(trainer.step, recipe.steps, running, left, recipe.batch / pace, validation, levels)


def finish(trainer: Trainer, folder: Path, held_out: Tensor | None, volumes: Sequence[PreparedVolume] = ()) -> Path:
    """Write averaged weights (float16), card, recipe and sheets into the folder; returns the weights' path."""
    recipe = trainer.recipe
    weights = folder / f"{recipe.name}.safetensors"
    halves = {k: v.detach().cpu().half().contiguous() for k, v in trainer.ema.state_dict().items()}
    write_whole(weights, lambda path: save_file(halves, path))
    validation = trainer.validate(held_out) if held_out is not None else {}
    parameters = sum(p.numel() for p in trainer.ema.parameters())
    card = card_for(recipe, trainer.step, sha256_of(weights), validation, parameters)
    write_whole(folder / f"{recipe.name}.json", lambda path: path.write_text(card.to_json(), "utf-8"))
    text = json.dumps(recipe.without_folders().as_dict(), indent=1) + "\n"
    write_whole(folder / f"{recipe.name}.recipe.json", lambda path: path.write_text(text, "utf-8"))
    training_chart(trainer.loss_by_level, validation, folder / f"{recipe.name}.curves.png")
    prior = Prior(trainer.ema.eval(), card)
    crops = held_out if held_out is not None else validation_crops(volumes, recipe)
    prior.to(torch.device("cpu"))
    sample_sheet(prior, folder / f"{recipe.name}.samples.png")
    if crops is not None:
        denoising_sheet(prior, crops[:8], folder / f"{recipe.name}.denoising.png")
    return weights


def card_for(
    recipe: TrainingRecipe, steps: int, digest: str, validation: dict[int, float], parameters: int | None = None
) -> ModelCard:
    """The model card of what a recipe gave."""
    look = look_of(recipe.modality)
    data = [f"{s.name or Path(s.path).name or s.kind} ({s.licence or 'licence not stated'})" for s in recipe.sources]
    warnings = [f"A small network that learned from few data, of one kind: {recipe.anatomy}."]
    if not validation:
        warnings.append("Nothing was held out to validate it on.")
    if steps < recipe.steps:
        warnings.append(f"Its training was ended early, after {steps} of {recipe.steps} steps.")
    return ModelCard(
        name=recipe.name,
        family="small",
        config=recipe.network(),
        channels=recipe.channels,
        parametrization=recipe.parametrization,
        noise_schedule=recipe.noise_schedule,
        modality=recipe.modality,
        value_range=(-CODE_MAX, CODE_MAX) if look.scaled else (HU_LOWEST / HU_UNIT, HU_HIGHEST / HU_UNIT),
        scale_percentile=SCALE_PERCENTILE if look.scaled else 0.0,
        pixel_mm=recipe.pixel_mm,
        parameters=parameters,
        anatomy=recipe.anatomy,
        contrast=recipe.contrast,
        training_data=tuple(data),
        licence=recipe.licence,
        sha256=digest,
        warnings=tuple(warnings),
        presets=recipe.presets,
        validation={str(k): round(v, 2) for k, v in validation.items()},
        recipe=f"{recipe.name}.recipe.json",
    )
