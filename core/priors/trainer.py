"""The training loop's moving parts: network, averaged network, optimizer, and their state on disk."""

from __future__ import annotations

import copy
import json
import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.diffusion.parametrization import denoised_and_noise
from core.diffusion.schedule import noise_schedule
from core.diffusion.small_unet import SmallUNet
from core.errors import JobError
from core.priors.catalogue import find_prior
from core.priors.checkpoint import load_weights, read_state_dict
from core.priors.dataset import CropOptions, CropSampler, PreparedVolume
from core.priors.looks import look_of
from core.priors.recipe import TrainingRecipe

VALIDATION_TIMESTEPS = (25, 50, 100, 200, 300, 400, 600, 800)
LEVELS = (0, 10, 25, 50, 100, 200, 300, 400, 600, 800)
"""Timesteps at which the ranges begin that the loss is told by."""
SKIPS_ALLOWED = 20
VALIDATION_SEED = 77
STATE_FILE = "state.json"

Batch = tuple[Tensor, Tensor, Tensor]


class Trainer:
    """Network, averaged network and optimizer, moved one step at a time.

    Batch and noise of a step depend on the recipe's seed and the step alone, so that a resumed training sees exactly
    what an uninterrupted one would have seen.
    """

    def __init__(self, recipe: TrainingRecipe, volumes: Sequence[PreparedVolume], weights: Sequence[float]) -> None:
        self.recipe = recipe
        self.volumes, self.weights = volumes, weights
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = _initial_network(recipe).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), recipe.learning_rate, betas=(0.9, 0.99))
        self.schedule = noise_schedule(recipe.noise_schedule)
        self.crops = crop_options(recipe, recipe.crop)
        # Compiling takes minutes on a CPU and gains nothing there over channels_last.
        self._forward = torch.compile(self.network) if self.device.type == "cuda" else self.network
        self.step = 0
        self.skipped = 0
        self.loss_by_level: dict[int, float] = {}
        self._ahead: deque[tuple[int, Future[Batch]]] = deque()
        workers = min(os.cpu_count() or 1, 12) if self.device.type == "cuda" else 0
        self._pool = ThreadPoolExecutor(workers) if workers else None

    def advance(self) -> float:
        """One step of the optimizer; the loss, or NaN for a step left out because its loss or gradient is no number.

        Raises JobError when that happens again and again.
        """
        recipe = self.recipe
        clean, noise, timesteps = self._next_batch()
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate_at(self.step)
        index = timesteps.cpu()
        a = self.schedule.signal[index].float()[:, None, None, None].to(self.device)
        s = self.schedule.noise[index].float()[:, None, None, None].to(self.device)
        noisy = a * clean + s * noise
        target = {"eps": noise, "v": a * noise - s * clean, "x0": clean}[recipe.parametrization]
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
            prediction = self._forward(noisy, timesteps.float())
        weight = loss_weight(recipe.parametrization, recipe.min_snr, a, s)
        losses = torch.mean(weight * (prediction.float() - target) ** 2, dim=(1, 2, 3))
        loss = losses.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.step += 1
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            self._skip()
            return math.nan
        self.skipped = 0
        self._note(index, losses.detach().cpu())
        self.optimizer.step()
        decay = min(recipe.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), list(self.network.parameters()), 1 - decay)
        return float(loss.detach())

    def _note(self, timesteps: Tensor, losses: Tensor) -> None:
        """Keep the running mean of the loss in each range of noise levels."""
        for timestep, loss in zip(timesteps.tolist(), losses.tolist(), strict=True):
            level = max(low for low in LEVELS if low <= timestep)
            self.loss_by_level[level] = 0.98 * self.loss_by_level.get(level, loss) + 0.02 * loss

    def _skip(self) -> None:
        self.skipped += 1
        if self.skipped > SKIPS_ALLOWED:
            raise JobError(
                "The training has diverged.", "Its loss is no number any more.", "Use a lower learning rate."
            )

    def _next_batch(self) -> Batch:
        """The batch of this step; those of the next steps are made ahead by other threads where a GPU waits."""
        if self._pool is None:
            parts = self._batch(self.step)
        else:
            while self._ahead and self._ahead[0][0] != self.step:
                self._ahead.popleft()
            while len(self._ahead) < 24:
                step = self._ahead[-1][0] + 1 if self._ahead else self.step
                self._ahead.append((step, self._pool.submit(self._batch, step)))
            parts = self._ahead.popleft()[1].result()
        clean, noise, timesteps = parts
        layout = torch.channels_last
        return (
            clean.to(self.device, memory_format=layout),
            noise.to(self.device, memory_format=layout),
            timesteps.to(self.device),
        )

    def _batch(self, step: int) -> Batch:
        recipe = self.recipe
        rng = np.random.default_rng((recipe.seed, step))
        clean = CropSampler(self.volumes, self.weights, self.crops, rng).batch(recipe.batch)
        low = rng.random(recipe.batch) < recipe.low_noise_share
        top = np.where(low, recipe.low_noise_below, self.schedule.steps)
        power = np.where(low, recipe.low_noise_power, 1.0)
        timesteps = torch.from_numpy(np.floor(rng.random(recipe.batch) ** power * top).astype(np.int64))
        noise = torch.from_numpy(rng.standard_normal(tuple(clean.shape), dtype=np.float32))
        return clean, noise, timesteps

    def validate(self, crops: Tensor) -> dict[int, float]:
        """Denoising PSNR in dB (peak 1) of the averaged network on clean crops (b, c, h, w), by timestep."""
        generator = torch.Generator().manual_seed(VALIDATION_SEED)
        result = {}
        with torch.inference_mode():
            for timestep in VALIDATION_TIMESTEPS:
                noise = torch.randn(crops.shape, generator=generator)
                a, s = self.schedule.levels(timestep)
                noisy = (a * crops + s * noise).to(self.device, memory_format=torch.channels_last)
                times = torch.full((len(crops),), float(timestep), device=self.device)
                estimate, _ = denoised_and_noise(self.recipe.parametrization, self.ema(noisy, times), noisy, a, s)
                error = torch.mean(torch.sum((estimate.cpu() - crops) ** 2, dim=1))
                result[timestep] = -10 * math.log10(max(float(error), 1e-12))
        return result

    def save(self, folder: Path) -> None:
        """Write the whole state: first its tensors, then, atomically, the small file that names them."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        contiguous = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        file = f"state-{self.step}.safetensors"
        write_whole(folder / file, lambda path: save_file(contiguous, path))
        state = {"step": self.step, "tensors": file, "recipe": self.recipe.without_folders().as_dict()}
        write_whole(folder / STATE_FILE, lambda path: path.write_text(json.dumps(state, indent=1) + "\n", "utf-8"))
        for old in folder.glob("state-*.safetensors"):
            if old.name != file:
                old.unlink()

    def restore(self, folder: Path) -> None:
        """Go on from the state in a folder. Raises JobError if it is damaged or of another network."""
        try:
            state = json.loads((folder / STATE_FILE).read_text("utf-8"))
            if Path(state["tensors"]).name != state["tensors"]:
                raise ValueError("it names a file elsewhere")
            tensors = load_file(folder / state["tensors"])
            self.network.load_state_dict(_under(tensors, "network."))
            self.ema.load_state_dict(_under(tensors, "ema."))
            for name, parameter in self.network.named_parameters():
                self.optimizer.state[parameter] = _moments(tensors, name, parameter)
            self.step = int(state["step"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise JobError(
                f"The training in {folder.name} cannot go on.",
                f"Its state is damaged or of another network: {str(error).splitlines()[0]}",
                "Use the recipe it was begun with, or another folder.",
            ) from error


def loss_weight(parametrization: str, min_snr: float, a: Tensor, s: Tensor) -> Tensor:
    """Min-SNR weight of each item's loss: min(SNR, min_snr) for x0, that over SNR for eps and over SNR + 1 for v.

    a, s: signal and noise levels. min_snr 0: everything counts alike. Hang et al. 2023 (arXiv 2303.09556), section 3.4.
    """
    if min_snr == 0:
        return torch.ones_like(a)
    snr = (a / s) ** 2
    per_x0_weight = {"eps": snr, "v": snr + 1, "x0": torch.ones_like(snr)}[parametrization]
    return snr.clamp(max=min_snr) / per_x0_weight


def _initial_network(recipe: TrainingRecipe) -> SmallUNet:
    """An untrained network, the same for the same seed, or the one that the recipe starts from.

    The global random state stays as it was. Raises PriorError if the weights to start from are missing or do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = SmallUNet(**recipe.network())
    if recipe.start_from:
        path = find_prior(recipe.start_from)
        load_weights(network, _first_channels(read_state_dict(path), recipe.channels), path.name)
        network.train().requires_grad_(True)
    return network


def _first_channels(weights: dict[str, Tensor], channels: int) -> dict[str, Tensor]:
    """The weights of a network of more channels, of which only the first go in and out."""
    unshuffled = 4 * channels
    return weights | {
        "stem.weight": weights["stem.weight"][:, :unshuffled],
        "head.weight": weights["head.weight"][:unshuffled],
        "head.bias": weights["head.bias"][:unshuffled],
    }


def _moments(tensors: dict[str, Tensor], name: str, parameter: Tensor) -> dict[str, Tensor]:
    """The optimizer's memory of one parameter, laid out in memory like it, so that sums round alike."""
    if f"optimizer.step.{name}" not in tensors:
        return {}
    moments = {"step": tensors[f"optimizer.step.{name}"].clone()}
    for key in ("exp_avg", "exp_avg_sq"):
        moments[key] = torch.empty_like(parameter).detach().copy_(tensors[f"optimizer.{key}.{name}"])
    return moments


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def write_whole(path: Path, how: Callable[[Path], object]) -> None:
    """Let `how` write beside the path, then put the finished file in its place. Raises JobError for what the disk says;
    then the older file stays."""
    partial = path.with_name(path.name + ".partial")
    try:
        how(partial)
        partial.chmod(0o644)
        os.replace(partial, path)
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or str(error).split(" at path")[0]
        raise JobError(
            f"{path.name} could not be written.",
            f"{why}.",
            "Make room, and train again: it goes on from what was kept.",
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def crop_options(recipe: TrainingRecipe, size: int) -> CropOptions:
    """The crops that a recipe asks for, `size` pixels a side."""
    look = look_of(recipe.modality)
    return CropOptions(size, recipe.pixel_mm, recipe.thickness_mm, channels=recipe.channels, look=look)


def validation_crops(volumes: Sequence[PreparedVolume], recipe: TrainingRecipe, count: int = 32) -> Tensor | None:
    """The fixed crops (count, channels, 96, 96) that every validation uses; None where nothing was held out."""
    if not volumes:
        return None
    rng = np.random.default_rng(VALIDATION_SEED)
    return CropSampler(volumes, [1.0] * len(volumes), crop_options(recipe, 96), rng).batch(count)
