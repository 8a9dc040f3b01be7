"""Network outputs, key lists and whole trajectories equal those of the reference implementation (tests/golden)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.diffusion.dds import sample
from core.diffusion.schedule import Schedule, alpha_bars, timesteps
from core.diffusion.unet import AdmConfig, AdmUNet
from core.operators.linear import LinearOperator
from core.priors import load_prior


class PickedPixels(LinearOperator):
    """A picks x.flatten()[index] * weight: the operator of the golden trajectories."""

    def __init__(self, index: torch.Tensor, weight: torch.Tensor, shape: tuple[int, ...]) -> None:
        self.index, self.weight = index, weight
        self.domain_shape, self.range_shape = shape, tuple(index.shape)
        self.dtype, self.device = torch.float32, torch.device("cpu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten()[self.index] * self.weight

    def adjoint(self, y: torch.Tensor) -> torch.Tensor:
        flat = torch.zeros(self.domain_shape).flatten()
        return flat.index_add(0, self.index, y * self.weight).reshape(self.domain_shape)


def gap(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("name", ["AAPM256", "fastmri_knee_320_complex"])
def test_published_networks_have_the_published_entries(golden: Path, name: str) -> None:
    published = json.loads((golden / "official_configs.json").read_text())[name]
    with torch.device("meta"):
        network = AdmUNet(AdmConfig.from_published(published["config"]))
    assert {k: list(v.shape) for k, v in network.state_dict().items()} == published["state_dict"]
    assert sum(p.numel() for p in network.parameters()) == published["parameters"]


@pytest.mark.parametrize("name", ["adm_a", "adm_b"])
def test_network_outputs(golden: Path, name: str) -> None:
    network = load_prior(golden / f"{name}.pt").network
    vectors = load_file(golden / f"{name}_io.safetensors")
    with torch.inference_mode():
        square = network(vectors["input"], vectors["timesteps"])
        rectangle = network(vectors["input_rect"], torch.tensor([333.0]))
    assert gap(square, vectors["output"]) < 1e-5
    assert gap(rectangle, vectors["output_rect"]) < 1e-5


@pytest.mark.parametrize(("count", "eta", "gamma"), [(50, 0.85, 1.0), (19, 0.0, 5.0)])
@pytest.mark.parametrize("name", ["adm_a", "adm_b"])
def test_trajectories(golden: Path, name: str, count: int, eta: float, gamma: float) -> None:
    vectors = load_file(golden / f"{name}_dds.safetensors")
    run = {key.removeprefix(f"T{count}_"): value for key, value in vectors.items() if key.startswith(f"T{count}_")}
    prior = load_prior(golden / f"{name}.pt")
    falling = timesteps(len(run["timesteps"]))
    assert falling == run["timesteps"].tolist()
    steps = list(
        sample(
            prior,
            PickedPixels(vectors["index"], vectors["weight"], tuple(vectors["x_T"].shape)),
            vectors["y"],
            schedule=Schedule(prior.schedule, tuple(falling), skip_last_noise=True),
            cg_steps=5,
            gamma=gamma,
            eta=eta,
            tolerance=0.0,
            x_T=vectors["x_T"],
            noise=run["noise"],
        )
    )
    assert gap(steps[0].denoised, run["x0hat_first"]) < 1e-5
    assert gap(steps[len(steps) // 2].denoised, run["x0hat_mid"]) < 1e-5
    assert gap(steps[-1].x, run["result"]) < 1e-5


def test_alpha_bars(golden: Path) -> None:
    vectors = json.loads((golden / "schedule.json").read_text())["alphas_cumprod"]
    bars = alpha_bars("vp-linear")
    assert max(abs(float(bars[int(i)]) - value) for i, value in vectors.items()) < 1e-12
