"""Training: it learns, stops and resumes exactly, refuses nonsense, and writes a prior that loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import torch
from safetensors.torch import load_file

from core.errors import JobError, PriorError, ScanError
from core.priors.charts import training_chart
from core.priors.dataset import PreparedVolume, prepare
from core.priors.phantoms import head
from core.priors.recipe import SourceRecipe, TrainingRecipe, read_recipe
from core.priors.registry import load_prior
from core.priors.trainer import LEVELS, SKIPS_ALLOWED, STATE_FILE, Trainer, loss_weight, validation_crops
from core.priors.training import TrainingProgress, recipe_from_options, train

FloatArray = npt.NDArray[np.float32]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def image() -> FloatArray:
    return head(3, (14, 60, 56), "t1", spacing_mm=(3, 3, 3)).image


@pytest.fixture(scope="module")
def volume(image: FloatArray) -> PreparedVolume:
    return prepare(image, None, (3.0, 3.0, 3.0), "head")


@pytest.fixture
def tiny(tmp_path: Path, image: FloatArray) -> TrainingRecipe:
    """20 steps of a network of a few thousand weights, on a made-up volume."""
    file = tmp_path / "head.npy"
    np.save(file, image)
    return TrainingRecipe(
        "tiny",
        (SourceRecipe(path=str(file), name="made-up head", licence="none needed"),),
        widths=(8, 16),
        blocks=(1, 1),
        crop=16,
        batch=2,
        steps=20,
        warmup=5,
        precision="fp32",
        validate_every=10,
    )


def weights_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in (trainer.network.state_dict() | trainer.ema.state_dict()).items()}


def test_a_stopped_training_goes_on_exactly(tiny: TrainingRecipe, volume: PreparedVolume, tmp_path: Path) -> None:
    whole = Trainer(tiny, [volume], [1.0])
    for _ in range(20):
        whole.advance()
    begun = Trainer(tiny, [volume], [1.0])
    for _ in range(9):
        begun.advance()
    begun.save(tmp_path)
    resumed = Trainer(tiny, [volume], [1.0])
    resumed.restore(tmp_path)
    assert resumed.step == 9
    for _ in range(11):
        resumed.advance()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
        assert torch.equal(whole.ema.state_dict()[name], resumed.ema.state_dict()[name]), name


def test_closing_the_generator_keeps_what_was_learned(tiny: TrainingRecipe, tmp_path: Path) -> None:
    recipe = replace(tiny, steps=150)
    out = tmp_path / "out"
    running = train(recipe, out)
    for report in running:
        if report.doing == "training":
            break
    running.close()
    assert json.loads((out / STATE_FILE).read_text())["step"] == 50
    resumed = [report for report in train(recipe, out) if report.doing == "training"]
    assert [report.step for report in resumed] == [100, 150]
    assert len(list(out.glob("state-*.safetensors"))) == 1


def test_training_writes_a_prior_that_loads(tiny: TrainingRecipe, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reports: list[TrainingProgress] = list(train(tiny, out))
    assert reports[0].doing.startswith("preparing")
    assert reports[-1].doing == "finished"
    assert set(reports[-3].validation) >= {50, 300}
    prior = load_prior(out / "tiny.safetensors")
    assert prior.card.training_data == ("made-up head (none needed)",)
    assert prior.card.validation["50"] > 5
    assert prior.card.warnings
    assert prior.channels == 2
    estimate, _ = prior.predict(torch.randn(1, 20, 25, dtype=torch.complex64), 100)
    assert estimate.shape == (1, 20, 25)
    for name in ("tiny.samples.png", "tiny.denoising.png"):
        assert (out / name).stat().st_size > 500
    assert read_recipe(out / "tiny.recipe.json") == tiny.without_folders()
    assert not list(out.glob("*.partial"))


def test_shipped_weights_are_the_averaged_ones(tiny: TrainingRecipe, tmp_path: Path) -> None:
    list(train(tiny, tmp_path / "out"))
    shipped = load_file(tmp_path / "out" / "tiny.safetensors")
    state = load_file(next((tmp_path / "out").glob("state-*.safetensors")))
    for name, value in shipped.items():
        torch.testing.assert_close(value.float(), state[f"ema.{name}"], rtol=1e-3, atol=1e-6)


def test_it_learns(tiny: TrainingRecipe, volume: PreparedVolume) -> None:
    """Denoising that an untrained network (which answers 0) cannot do."""
    crops = validation_crops([volume], tiny, 8)
    assert crops is not None
    trainer = Trainer(
        replace(tiny, widths=(16,), blocks=(1,), learning_rate=1e-2, batch=4, ema=0.9, steps=90), [volume], [1.0]
    )
    before = trainer.validate(crops)
    for _ in range(80):
        trainer.advance()
    assert all(after > before[timestep] + 1 for timestep, after in trainer.validate(crops).items() if timestep <= 300)


def test_a_loss_that_is_no_number_changes_nothing_and_then_stops(tiny: TrainingRecipe, volume: PreparedVolume) -> None:
    trainer = Trainer(tiny, [volume], [1.0])
    trainer.advance()
    before = weights_of(trainer)
    with torch.no_grad():
        held = trainer.network.head.weight[0, 0, 0, 0].clone()
        trainer.network.head.weight[0, 0, 0, 0] = torch.inf
    assert np.isnan(trainer.advance())
    with torch.no_grad():
        trainer.network.head.weight[0, 0, 0, 0] = held
    assert all(torch.equal(value, before[name]) for name, value in weights_of(trainer).items())
    assert np.isfinite(trainer.advance())
    with torch.no_grad():
        trainer.network.head.weight.fill_(torch.inf)
    trainer.skipped = SKIPS_ALLOWED
    with pytest.raises(JobError, match="diverged"):
        trainer.advance()


def test_a_state_of_another_network_is_refused(tiny: TrainingRecipe, volume: PreparedVolume, tmp_path: Path) -> None:
    Trainer(tiny, [volume], [1.0]).save(tmp_path)
    with pytest.raises(JobError, match="another network"):
        Trainer(replace(tiny, widths=(8, 24)), [volume], [1.0]).restore(tmp_path)
    next(tmp_path.glob("state-*.safetensors")).write_bytes(b"cut off")
    with pytest.raises(JobError, match="damaged"):
        Trainer(tiny, [volume], [1.0]).restore(tmp_path)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (SourceRecipe(path="absent.nii.gz"), ScanError),
        (SourceRecipe(kind="phantom:car"), JobError),
        (SourceRecipe(path="absent.nii.gz", weight=0.0), JobError),
    ],
)
def test_bad_sources_are_refused_in_words(
    tiny: TrainingRecipe, tmp_path: Path, source: SourceRecipe, error: type[Exception]
) -> None:
    with pytest.raises(error):
        list(train(replace(tiny, sources=(source,)), tmp_path / "out"))
    assert not (tmp_path / "out" / STATE_FILE).exists()


def test_options_make_a_recipe(tmp_path: Path, tiny: TrainingRecipe) -> None:
    made = recipe_from_options(None, ["phantom:head", tmp_path / "head.npy"], steps=7, name="mine")
    assert (made.steps, made.name) == (7, "mine")
    assert [source.kind for source in made.sources] == ["phantom:head", "volume"]
    file = tmp_path / "r.json"
    file.write_text(json.dumps(tiny.as_dict() | {"sources": [{"path": "head.npy"}]}))
    kept = recipe_from_options(file, steps=5)
    assert kept.sources[0].path == str(tmp_path / "head.npy")
    assert kept.widths == tiny.widths
    with pytest.raises(JobError, match="nothing to train on"):
        recipe_from_options()


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', '{"name": "x", "sources": [], "colour": 3}'])
def test_a_bad_recipe_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(JobError):
        read_recipe(tmp_path / "r.json")


def test_the_rate_rises_stays_and_falls() -> None:
    recipe = TrainingRecipe("x", (), steps=1000, warmup=100, decay_share=0.3, learning_rate=1.0)
    assert recipe.rate_at(0) == pytest.approx(0.01)
    assert recipe.rate_at(400) == 1.0
    assert 0 < recipe.rate_at(999) < 0.01


def ct(tiny: TrainingRecipe, tmp_path: Path) -> TrainingRecipe:
    file = tmp_path / "ct.npy"
    rng = np.random.default_rng(0)
    np.save(file, rng.choice([-1000.0, -100.0, 40.0, 900.0], (12, 48, 48)).astype(np.float32))
    source = SourceRecipe(path=str(file), name="blocks", licence="none needed", denoise=True)
    return replace(tiny, name="tiny-ct", sources=(source,), modality="CT", channels=1, steps=6)


def test_a_ct_prior_starts_from_an_mr_prior_of_the_same_body(tiny: TrainingRecipe, tmp_path: Path) -> None:
    """Its one channel takes over what the first of the two had learned; the layers between are the same."""
    list(train(tiny, tmp_path / "mr"))
    recipe = replace(ct(tiny, tmp_path), start_from=str(tmp_path / "mr" / "tiny.safetensors"))
    begun = Trainer(recipe, [], []).network.state_dict()
    given = load_file(tmp_path / "mr" / "tiny.safetensors")
    torch.testing.assert_close(begun["stem.weight"], given["stem.weight"][:, :4].float())
    torch.testing.assert_close(begun["time.0.weight"], given["time.0.weight"].float())
    *_, last = train(recipe, tmp_path / "ct")
    assert last.step == 6
    prior = load_prior(tmp_path / "ct" / "tiny-ct.safetensors")
    assert (prior.card.modality, prior.channels) == ("CT", 1)
    slices = torch.randn(2, 20, 25)
    for one, same in zip(prior.predict(slices, 100), prior.predict(slices[:, None], 100), strict=True):
        assert torch.equal(one, same[:, 0])
    assert last.doing == "finished"
    assert {"tiny-ct.samples.png", "tiny-ct.denoising.png", "tiny-ct.curves.png"} <= {
        p.name for p in (tmp_path / "ct").iterdir()
    }


def test_a_prior_of_another_body_is_no_start(tiny: TrainingRecipe, tmp_path: Path) -> None:
    list(train(tiny, tmp_path / "mr"))
    recipe = replace(tiny, widths=(8, 24), start_from=str(tmp_path / "mr" / "tiny.safetensors"))
    with pytest.raises(PriorError, match="do not fit"):
        Trainer(recipe, [], [])


@pytest.mark.parametrize("parametrization", ["eps", "v", "x0"])
def test_min_snr_weighs_every_parametrization_alike_in_terms_of_x0(parametrization: str) -> None:
    a = torch.tensor([0.999, 0.9, 0.5, 0.1])[:, None, None, None]
    s = (1 - a**2).sqrt()
    clean, noise, error = torch.rand(4, 1, 8, 8), torch.randn(4, 1, 8, 8), torch.randn(4, 1, 8, 8)
    noisy, wrong = a * clean + s * noise, clean + error
    targets = {"eps": noise, "v": a * noise - s * clean, "x0": clean}
    implied = {"eps": (noisy - a * wrong) / s, "v": (a * noisy - wrong) / s, "x0": wrong}
    gap = (implied[parametrization] - targets[parametrization]) ** 2
    weighed = loss_weight(parametrization, 5.0, a, s) * gap
    torch.testing.assert_close(weighed, ((a / s) ** 2).clamp(max=5.0) * error**2, rtol=2e-3, atol=2e-3)
    assert torch.equal(loss_weight(parametrization, 0.0, a, s), torch.ones_like(a))


def test_the_loss_is_told_by_noise_level(tiny: TrainingRecipe, tmp_path: Path) -> None:
    reports = list(train(tiny, tmp_path / "out"))
    levels = next(r.loss_by_level for r in reversed(reports) if r.loss_by_level)
    assert set(levels) <= set(LEVELS)
    assert list(levels) == sorted(levels)
    assert all(np.isfinite(loss) and loss > 0 for loss in levels.values())


def test_a_chart_without_anything_held_out_says_so(tmp_path: Path) -> None:
    training_chart({0: 0.1, 800: 0.4}, {}, tmp_path / "a.png")
    training_chart({0: 0.1, 800: 0.4}, {25: 31.0}, tmp_path / "b.png")
    first, second = (np.asarray(PIL.Image.open(tmp_path / f"{n}.png")) for n in "ab")
    assert first.shape == second.shape
    assert (first != second).any()
