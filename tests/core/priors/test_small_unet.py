"""The small U-Net: shapes, the time it is told, gradients, and the same answer at every image size."""

from __future__ import annotations

import pytest
import torch

from core.diffusion.embedding import sinusoidal_embedding
from core.diffusion.small_unet import SmallUNet


def small(channels: int = 2, seed: int = 0) -> SmallUNet:
    """A network of few weights whose last layers are not zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = SmallUNet(channels, widths=(8, 8, 16), blocks=(1, 1, 2), time_width=16)
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
    return network.eval()


def test_untrained_answers_zero() -> None:
    network = SmallUNet(2, widths=(8, 16), blocks=1)
    assert not network(torch.randn(2, 2, 16, 24), torch.tensor([0.0, 999.0])).any()


@pytest.mark.parametrize(("widths", "multiple"), [((8,), 2), ((8, 8), 4), ((8, 8, 16), 8), ((8, 8, 8, 16), 16)])
def test_any_multiple_of_its_own(widths: tuple[int, ...], multiple: int) -> None:
    network = SmallUNet(1, widths=widths, blocks=1, time_width=8)
    assert network.multiple == multiple
    for rows, columns in ((1, 1), (1, 3), (3, 2)):
        x = torch.randn(2, 1, rows * multiple, columns * multiple)
        assert network(x, torch.zeros(2)).shape == x.shape


def test_gradient_reaches_every_weight() -> None:
    network = small()
    network(torch.randn(2, 2, 16, 16), torch.tensor([10.0, 500.0])).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@torch.inference_mode()
def test_the_same_twice_and_alone_as_in_a_batch() -> None:
    network, x, t = small(), torch.randn(3, 2, 24, 16), torch.tensor([1.0, 300.0, 900.0])
    together = network(x, t)
    assert torch.equal(together, network(x, t))
    for i in range(3):
        torch.testing.assert_close(network(x[i : i + 1], t[i : i + 1])[0], together[i], rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_time_changes_the_answer() -> None:
    network, x = small(), torch.randn(1, 2, 16, 16)
    assert not torch.allclose(network(x, torch.tensor([5.0])), network(x, torch.tensor([600.0])), rtol=1e-3)


@torch.inference_mode()
def test_far_away_pixels_do_not_matter() -> None:
    """What it answers in one corner is the same whether or not something else lies in the opposite one."""
    network = small()
    x = torch.randn(1, 2, 256, 256)
    other = x.clone()
    other[..., 192:, 192:] = 5
    t = torch.tensor([100.0])
    here, there = network(x, t)[..., :16, :16], network(other, t)[..., :16, :16]
    torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-5)


def test_time_embedding_is_bounded_and_tells_timesteps_apart() -> None:
    embedding = sinusoidal_embedding(torch.arange(1000.0), 128)
    assert embedding.shape == (1000, 128)
    assert embedding.abs().max() <= 1
    assert torch.cdist(embedding, embedding).fill_diagonal_(1).min() > 0.05
