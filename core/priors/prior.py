"""A prior ready to use: a network, its card, and the way from images to its channels and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.diffusion.parametrization import denoised_and_noise
from core.diffusion.schedule import NoiseSchedule, noise_schedule
from core.errors import PriorError
from core.priors.card import ModelCard


@dataclass
class Prior:
    """A diffusion prior.

    network(x, t): the network as it is, float32 (b, channels, h, w) and (b,) to (b, channels or twice as many, h, w).
    twin(x, t): what runs in its place, such as the network compiled; None: the network itself.
    """

    network: nn.Module
    card: ModelCard
    twin: Callable[[Tensor, Tensor], Tensor] | None = field(default=None, repr=False)

    @property
    def channels(self) -> int:
        return self.card.channels

    @cached_property
    def schedule(self) -> NoiseSchedule:
        """The noise levels that the network was trained on."""
        return noise_schedule(self.card.noise_schedule, self.card.training_steps, self.card.sigma_range)

    def to(self, device: torch.device) -> Prior:
        self.network.to(device)
        return self

    def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        """(denoised estimate, noise) in the noisy image x, in the shape and dtype of x, both new tensors.

        x: complex (b, h, w) for a two-channel prior or one that takes parts (see ModelCard.takes_parts), real (b, h, w)
        for a one-channel prior, or real (b, channels, h, w). Any height and width: it is padded by reflection to what
        the network needs. Raises PriorError if the channels do not match.
        """
        if x.is_complex() and self.card.takes_parts:
            parts = self.predict(torch.view_as_real(x).movedim(-1, 0).flatten(0, 1), timestep)
            estimate, noise = (torch.complex(*part.reshape(2, *x.shape)) for part in parts)
            return estimate, noise
        real = torch.view_as_real(x).movedim(-1, 1) if x.is_complex() else x[:, None] if x.dim() == 3 else x
        if real.shape[1] != self.channels:
            raise PriorError(
                f"The prior {self.card.name} has {self.channels} channels, the image has {real.shape[1]}.",
                "Complex MRI needs two channels (real and imaginary part), CT needs one.",
                "Choose another prior.",
            )
        prediction = self._run_network(real.float(), timestep).to(real.dtype)
        if x.is_complex():
            prediction = torch.view_as_complex(prediction.movedim(1, -1).contiguous())
        elif x.dim() == 3:
            prediction = prediction[:, 0]
        return denoised_and_noise(self.card.parametrization, prediction, x, *self.schedule.levels(timestep))

    @torch.no_grad()
    def _run_network(self, x: Tensor, timestep: int) -> Tensor:
        height, width = x.shape[-2:]
        time = torch.full((len(x),), float(self.schedule.conditioning[timestep]), device=x.device)
        run = self.network if self.twin is None else self.twin
        out: Tensor = run(pad_to_multiple(x, int(getattr(self.network, "multiple", 1))), time)
        return out[:, : self.channels, :height, :width]


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Pad (b, c, h, w) at the bottom and right to multiples: mirrored, or repeated where it is too small for that."""
    height, width = x.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    if not bottom and not right:
        return x
    mode = "reflect" if bottom < height and right < width else "replicate"
    return functional.pad(x, (0, right, 0, bottom), mode=mode)
