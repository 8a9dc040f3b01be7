"""Weights from files, without ever executing what is pickled in them."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import PriorError

StateDict = dict[str, Tensor]

_CONTAINERS = ("ema", "ema_model", "model_ema", "state_dict", "model")
_PREFIXES = ("ema.", "module.", "model.")


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a .safetensors or PyTorch file, by name, with wrappers and prefixes taken off.

    Averaged (EMA) weights are preferred where a file has both. Raises PriorError for a file that is missing, damaged,
    holds no tensors, or would have to run pickled code.
    """
    if not path.is_file():
        raise PriorError(f"There is no file {path.name}.", f"Looked for {path}.", "Check the path.")
    stored = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    for container in _CONTAINERS:
        if isinstance(stored.get(container), dict):
            stored = stored[container]
            break
    tensors = {name: value for name, value in stored.items() if isinstance(value, Tensor)}
    for prefix in _PREFIXES:
        chosen = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        tensors = chosen or tensors
    if not tensors:
        raise PriorError(f"{path.name} holds no weights.", "No tensors were found in it.", "Choose a checkpoint file.")
    return tensors


def load_weights(network: nn.Module, weights: StateDict, name: str) -> nn.Module:
    """Put weights into a network, which must have exactly these names and shapes; returns it in evaluation mode."""
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    if wanted != found:
        wrong = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        raise PriorError(
            f"The weights in {name} do not fit the network.",
            f"{len(wrong)} entries differ. First, {wrong[0]} is {found.get(wrong[0])}, not {wanted.get(wrong[0])}.",
            "Give the configuration that the network was trained with.",
        )
    network.load_state_dict({key: value.float() for key, value in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise PriorError(f"{path.name} is not a whole .safetensors file.", str(error), "Copy it again.") from error


def _read_torch(path: Path) -> dict[str, Any]:
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PriorError(
            f"{path.name} is refused.",
            "It holds more than weights, and reading it would run code that is stored in it.",
            "Save its state_dict alone, or as .safetensors.",
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise PriorError(
            f"{path.name} is not a whole PyTorch checkpoint.", str(error).partition("\n")[0], "Copy it again."
        ) from error
    if not isinstance(stored, dict):
        raise PriorError(f"{path.name} holds no weights.", f"It is a {type(stored).__name__}.", "Choose a checkpoint.")
    return stored
