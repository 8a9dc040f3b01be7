"""NCSN++: published checkpoints are read by their own names and order, and the noise they predict is used rightly."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from core.diffusion.dds import sample
from core.diffusion.ncsnpp import NcsnPlusPlus, NcsnppConfig
from core.diffusion.ncsnpp_layers import ConvolvedHalf, double, halve
from core.diffusion.schedule import Schedule, timesteps
from core.errors import PriorError
from core.operators.masks import Undersampling, sampling_mask
from core.operators.sense import Sense
from core.priors import load_prior
from core.priors.checkpoint import read_state_dict
from core.priors.prior import Prior
from core.priors.registry import examine

SMALL = NcsnppConfig(2, 16, (1, 2), 1, attention=(1,))


def network_of(config: NcsnppConfig = SMALL) -> NcsnPlusPlus:
    """With random weights everywhere, so that no part of it can be left out unnoticed."""
    torch.manual_seed(0)
    network = NcsnPlusPlus(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.copy_(torch.randn(parameter.shape) * 0.1)
    return network


def published(network: NcsnPlusPlus, gap_at: int | None = None) -> dict[str, torch.Tensor]:
    """Its weights as a published state_dict has them. gap_at: a module without weights stands there."""
    own = network.state_dict()
    shifted = {rank: rank + (gap_at is not None and rank >= gap_at) for rank in range(1000)}
    return {f"all_modules.{shifted[rank]}.{entry}": own[name] for rank, entry, name in network.published_names()}


def checkpoint(network: NcsnPlusPlus, path: Path, *, averaged: bool = True) -> Path:
    """A checkpoint as score-SDE writes it, in which only the average is the network."""
    weights = published(network)
    trained = [key for key in weights if key != "all_modules.0.W"]
    low, high = network.config.sigma_range
    sigmas = torch.linspace(high, low, 7, dtype=torch.float64)
    model = {"module.sigmas": sigmas} | {
        f"module.{key}": value * (1 if key not in trained or not averaged else 0) for key, value in weights.items()
    }
    average = {"decay": 0.999, "num_updates": 5, "shadow_params": [weights[key] for key in trained]}
    content: dict[str, Any] = {"optimizer": {"state": {}}, "model": model, "step": 95}
    torch.save(content | ({"ema": average} if averaged else {}), path)
    return path


def test_the_published_names_of_a_small_network() -> None:
    names = list(published(network_of(NcsnppConfig(1, 16, (1, 2), 1))))
    assert names[:6] == ["all_modules.0.W", *(f"all_modules.{n}.{w}" for n in (1, 2) for w in ("weight", "bias")),
                         "all_modules.3.weight"]  # fmt: skip
    modules = {n: {key.partition(".")[2].partition(".")[2] for key in names if key.startswith(f"all_modules.{n}.")}
               for n in range(16)}  # fmt: skip
    block = {f"{part}.{kind}" for part in ("GroupNorm_0", "Conv_0", "Dense_0", "GroupNorm_1", "Conv_1")
             for kind in ("weight", "bias")}  # fmt: skip
    shortcut = {"Conv_2.weight", "Conv_2.bias"}
    attention = {"GroupNorm_0.weight", "GroupNorm_0.bias", *(f"NIN_{n}.{part}" for n in range(4) for part in "Wb")}
    assert modules[4] == block
    assert modules[5] == block | shortcut
    assert modules[6] == {"Conv2d_0.weight", "Conv2d_0.bias"}
    assert modules[7] == block | shortcut
    assert (modules[8], modules[9], modules[10]) == (block, attention, block)
    assert all(modules[n] == block | shortcut for n in range(11, 16))
    assert names[-1] == "all_modules.17.bias"


def test_the_published_score_mri_network_has_its_size() -> None:
    with torch.device("meta"):
        network = NcsnPlusPlus(NcsnppConfig(1, 128, (1, 2, 2, 2), 4))
    names = list(network.published_names())
    assert max(rank for rank, _, _ in names) == 3 + 4 * 4 + 2 * 3 + 3 + 5 * 4 + 3 + 2
    assert sum(p.numel() for p in network.parameters()) == 61_433_601


@pytest.mark.parametrize("averaged", [True, False])
def test_a_checkpoint_is_recognised_and_its_average_is_used(tmp_path: Path, averaged: bool) -> None:
    network = network_of()
    prior = load_prior(checkpoint(network, tmp_path / "checkpoint_95.pth", averaged=averaged))
    assert prior.card.family == "ncsnpp"
    assert prior.card.noise_schedule == "ve"
    assert prior.card.sigma_range == (0.01, 378.0)
    assert prior.channels == 2
    loaded = prior.network.state_dict()
    assert loaded.keys() == network.state_dict().keys()
    assert all(torch.equal(loaded[key], value) for key, value in network.state_dict().items())


def test_an_average_in_another_order_is_refused(tmp_path: Path) -> None:
    path = checkpoint(network_of(), tmp_path / "c.pth")
    content = torch.load(path, weights_only=True)
    content["ema"]["shadow_params"].reverse()
    torch.save(content, path)
    with pytest.raises(PriorError, match="cannot be told apart"):
        read_state_dict(path)


SHAPES = [
    NcsnppConfig(1, 16, (1, 2, 1), 2, (0, 2), block, pyramid, out, combine, fir, embedding=embedding)
    for block, pyramid, out, combine, fir, embedding in itertools.product(
        ("biggan", "ddpm"),
        ("none", "input_skip", "residual"),
        ("none", "output_skip"),
        ("sum", "cat"),
        ((1, 3, 3, 1), ()),
        ("fourier", "positional"),
    )
    if not (combine == "cat" and pyramid != "input_skip") and (fir == ()) == (block == "ddpm")
]


@pytest.mark.parametrize("config", SHAPES, ids=lambda c: f"{c.block}-{c.input_pyramid}-{c.output_pyramid}-{c.combine}")
def test_every_kind_is_recognised_by_its_shapes(tmp_path: Path, config: NcsnppConfig) -> None:
    network = NcsnPlusPlus(config)
    torch.save(published(network, gap_at=9), tmp_path / "c.pth")
    card, weights = examine(tmp_path / "c.pth")
    assert NcsnppConfig.from_dict(card.config) == config
    assert all(torch.equal(weights[key], value) for key, value in network.state_dict().items())
    x = torch.randn(2, 1, 8, 12)
    assert network(x, torch.tensor([0.3, 20.0])).shape == x.shape


def test_what_is_said_overrules_what_is_assumed(tmp_path: Path) -> None:
    torch.save(published(network_of()), tmp_path / "c.pth")
    said = {"model": {"sigma_max": 50.0, "sigma_min": 0.02, "skip_rescale": False, "scale_by_sigma": False},
            "data": {"centered": True}}  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(said))
    card = examine(tmp_path / "c.pth")[0]
    assert card.sigma_range == (0.02, 50.0)
    assert card.value_range == (-1.0, 1.0)
    assert not card.config["rescale"]
    assert not card.config["scale_by_sigma"]
    assert card.config["centred"]


def test_the_noise_is_minus_sigma_times_the_score() -> None:
    """Both ways of scaling the last layer are the same score when that layer is made to differ by sigma."""
    x, sigma = torch.randn(2, 2, 8, 8), torch.tensor([0.5, 0.5])
    scaled, plain = network_of(), network_of(NcsnppConfig(2, 16, (1, 2), 1, attention=(1,), scale_by_sigma=False))
    assert scaled.output is not None
    scaled.output.conv.weight *= 0.5
    scaled.output.conv.bias *= 0.5
    assert torch.allclose(scaled(x, sigma), plain(x, sigma), atol=1e-5)


def test_images_between_0_and_1_are_centred_by_the_network() -> None:
    x, sigma = torch.rand(1, 2, 8, 8), torch.tensor([2.0])
    inside, outside = network_of(), network_of(NcsnppConfig(2, 16, (1, 2), 1, attention=(1,), centred=True))
    assert torch.equal(inside(x, sigma), outside(2 * x - 1, sigma))


def test_resampling_keeps_constants_and_doubling_is_the_transpose_of_halving() -> None:
    kernel = (1, 3, 3, 1)
    flat = torch.ones(1, 2, 12, 16)
    assert torch.allclose(halve(flat, kernel)[..., 1:-1, 1:-1], torch.ones(1, 2, 4, 6))
    assert torch.allclose(double(flat, kernel)[..., 2:-2, 2:-2], torch.ones(1, 2, 20, 28))
    for taps in (kernel, (1, 5, 5, 1), None):
        x, y = torch.randn(1, 2, 12, 16, dtype=torch.float64), torch.randn(1, 2, 6, 8, dtype=torch.float64)
        assert torch.allclose(4 * (halve(x, taps) * y).sum(), (x * double(y, taps)).sum())


def test_a_filtered_convolution_is_a_filter_then_a_convolution() -> None:
    layer = ConvolvedHalf(2, 3, (1, 3, 3, 1)).requires_grad_(False)
    assert layer.filtered is not None
    x = torch.randn(1, 2, 12, 16)
    line = torch.tensor([1.0, 3, 3, 1]) / 8
    smooth = functional.conv2d(functional.pad(x, (2, 2, 2, 2)), torch.outer(line, line).expand(2, 1, 4, 4), groups=2)
    wanted = functional.conv2d(smooth, layer.filtered.weight, layer.filtered.bias, stride=2)
    assert torch.allclose(layer(x), wanted, atol=1e-6)
    assert layer(x).shape == (1, 3, 6, 8)


class Gaussian(torch.nn.Module):
    """The noise of images that are normal with one mean and standard deviation, told by Bayes: what NCSN++ learns."""

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.mean, self.variance = mean, deviation**2

    def forward(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        level = sigma[:, None, None, None]
        return level * (x - self.mean) / (self.variance + level**2)


def undersampled(shape: tuple[int, int]) -> Sense:
    maps = torch.ones(1, 2, *shape, dtype=torch.complex64)
    maps[:, 1] *= torch.linspace(0, 1, shape[1])
    return Sense(maps, torch.from_numpy(sampling_mask(Undersampling("gaussian1d", 2, 4, 0), *shape))[None])


def run(prior: Prior, truth: torch.Tensor, nfe: int = 30) -> torch.Tensor:
    operator = undersampled((truth.shape[-2], truth.shape[-1]))
    walk = Schedule(prior.schedule, tuple(timesteps(nfe)))
    torch.manual_seed(1)
    *_, last = sample(prior, operator, operator.forward(truth), schedule=walk, eta=0.5)
    return last.x


def test_a_network_of_magnitudes_sees_both_parts_of_a_complex_image(tmp_path: Path) -> None:
    network = network_of(NcsnppConfig(1, 16, (1, 2), 1))
    prior = load_prior(checkpoint(network, tmp_path / "c.pth"))
    x = torch.randn(2, 8, 12, dtype=torch.complex64)
    with pytest.raises(PriorError, match="1 channels"):
        prior.predict(x, 500)
    prior = Prior(prior.network, prior.card.with_changes(modality="MR"))
    estimate, noise = prior.predict(x, 500)
    assert torch.allclose(noise.real, prior.predict(x.real, 500)[1], atol=1e-5)
    assert torch.allclose(noise.imag, prior.predict(x.imag, 500)[1], atol=1e-5)
    assert torch.allclose(estimate + prior.schedule.levels(500)[1] * noise, x, atol=1e-4)


def test_the_sampler_runs_with_its_schedule(tmp_path: Path) -> None:
    prior = load_prior(checkpoint(network_of(), tmp_path / "c.pth"))
    truth = torch.randn(1, 18, 15, dtype=torch.complex64)
    image = run(prior, truth, nfe=3)
    assert image.shape == truth.shape
    assert image.isfinite().all()


def test_the_sampler_ends_where_the_prior_and_the_data_agree(tmp_path: Path) -> None:
    """With the noise of a normal distribution for a network, the image is far nearer than the zero-filled one."""
    card = load_prior(checkpoint(network_of(), tmp_path / "c.pth")).card
    prior = Prior(Gaussian(0.4, 0.01), card)
    truth = torch.full((1, 18, 16), 0.4 + 0.4j, dtype=torch.complex64)
    operator = undersampled((18, 16))
    zero_filled = operator.adjoint(operator.forward(truth))
    assert (run(prior, truth) - truth).abs().max() < 0.05
    assert (zero_filled - truth).abs().max() > 0.1
    assert float(prior.schedule.conditioning[0]) == pytest.approx(0.01)
    assert float(prior.schedule.conditioning[-1]) == pytest.approx(378)


def broken(change: Callable[[dict[str, torch.Tensor]], Any], path: Path) -> Path:
    weights = published(network_of())
    change(weights)
    torch.save(weights, path)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("all_modules.4.Conv_1.weight"),
        lambda w: w.update({"all_modules.30.weight": torch.zeros(4, 4)}),
        lambda w: w.update({"all_modules.3.weight": torch.zeros(16, 2, 5, 5)}),
        lambda w: [w.pop(key) for key in list(w) if key.startswith("all_modules.4.")],
    ],
)
def test_networks_that_are_built_otherwise_are_refused(tmp_path: Path, change: Callable[..., Any]) -> None:
    with pytest.raises(PriorError, match=r"built in another way|do not fit"):
        examine(broken(change, tmp_path / "c.pth"))
