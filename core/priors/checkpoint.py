"""Weights from files, without ever executing what is pickled in them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
import struct
import warnings
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import PriorError
from core.priors.file_kinds import SAFETENSORS, TORCH_OLD, TORCH_ZIP, kind_of

StateDict = dict[str, Tensor]

_CONTAINERS = ("ema", "ema_model", "model_ema", "state_dict", "model")
_PREFIXES = ("ema.", "module.", "model.")
_NEEDS_CODE = "Save its state_dict alone with torch.save, or as .safetensors."
_SMALL = 2**16
_DAMAGED = (
    *(RuntimeError, OSError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError, AssertionError),
    *(MemoryError, OverflowError, struct.error),
)
"""What torch raises on a file that is not whole."""
_FROZEN = ("sigmas",)
"""Entries of a score network that are no parameters."""


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a .safetensors or PyTorch file, by name, with wrappers and prefixes taken off.

    Averaged (EMA) weights are preferred where a file has both, also the nameless list that score-SDE keeps. Tensors
    stay on disk (memory-mapped) until they are used, where the format allows it. Raises PriorError for a file that is
    missing, damaged, holds no tensors, or would have to run pickled code.
    """
    if not path.is_file():
        raise PriorError(f"There is no file {path.name}.", f"Looked for {path}.", "Check the path.")
    stored = _read(path)
    averaged = _score_sde_average(stored, path.name)
    for container in _CONTAINERS:
        if averaged is None and isinstance(stored.get(container), dict):
            stored = stored[container]
            break
    stored = averaged or stored
    tensors = {str(name): value for name, value in stored.items() if isinstance(value, Tensor)}
    for prefix in _PREFIXES:
        chosen = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        tensors = chosen or tensors
    if not tensors:
        found = ", ".join(str(name) for name in list(stored)[:3]) or "nothing"
        raise PriorError(
            f"{path.name} holds no weights.",
            f"No tensors were found in its {len(stored)} entries ({found}).",
            "Choose a checkpoint file.",
        )
    _check_whole(tensors, path.name)
    return tensors


def _check_whole(tensors: StateDict, name: str) -> None:
    """Raise PriorError for a tensor that stands for more numbers than it holds, or holds none."""
    for key, tensor in tensors.items():
        plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
        if not plain or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise PriorError(
                f"The weights in {name} are not plain numbers.",
                f"{key[:60]} announces {tuple(tensor.shape)} and does not hold them.",
                "Save the network's state_dict again.",
            )


def load_weights(network: nn.Module, weights: StateDict, name: str) -> nn.Module:
    """Put weights into a network, which must have exactly these names and shapes; returns it in evaluation mode."""
    check_shapes(network, weights, name)
    network.load_state_dict({key: value.float() for key, value in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def check_shapes(network: nn.Module, weights: StateDict, name: str) -> None:
    """Raise PriorError, naming the first entry that differs, unless the weights are a network's."""
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    if wanted != found:
        wrong = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        raise PriorError(
            f"The weights in {name} do not fit the network.",
            f"{len(wrong)} entries differ. First, {wrong[0]} is {found.get(wrong[0])}, not {wanted.get(wrong[0])}.",
            "Give the configuration that the network was trained with.",
        )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        kind = kind_of(path)
    except OSError as error:
        raise PriorError(f"{path.name} cannot be read.", str(error), "Check the file and its permissions.") from error
    if kind == SAFETENSORS:
        return _read_safetensors(path)
    if kind in (TORCH_ZIP, TORCH_OLD):
        return _read_torch(path, mapped=kind == TORCH_ZIP)
    raise PriorError(
        f"{path.name} is not a checkpoint.",
        f"It is {kind}.",
        "Choose a .safetensors file, or a .pt or .pth file that holds a state_dict.",
    )


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise PriorError(f"{path.name} is not a whole .safetensors file.", str(error), "Copy it again.") from error


class _Bounded(io.BufferedReader):
    """A file whose reads take no memory for what it announces and does not hold."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size if size is None or size < _SMALL else min(size, max(self._size - self.tell(), 0)))


def _read_torch(path: Path, *, mapped: bool) -> dict[str, Any]:
    # torch.load goes by the name of a file, and only a file that it opens itself can stay on disk.
    misnamed = path.suffix.lower() == ".safetensors"
    if mapped:
        _check_members(path)
    try:
        with _Bounded(path) if misnamed or not mapped else nullcontext(path) as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = torch.load(source, map_location="cpu", weights_only=True, mmap=mapped and not misnamed)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise PriorError(
            f"{path.name} is refused.",
            "It holds more than weights, and reading it would run code that is stored in it"
            + (f" ({asked[1]})." if asked else "."),
            _NEEDS_CODE,
        ) from error
    except _DAMAGED as error:
        raise PriorError(
            f"{path.name} is not a whole PyTorch checkpoint.", str(error).partition("\n")[0], "Copy it again."
        ) from error
    if not isinstance(stored, dict):
        raise PriorError(f"{path.name} holds no weights.", f"It is a {type(stored).__name__}.", "Choose a checkpoint.")
    return stored


def _check_members(path: Path) -> None:
    """Raise PriorError for members that are packed, as torch.save never does: they may unpack to anything."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error):
        return  # torch says what is wrong with it
    packed = any(info.compress_type != zipfile.ZIP_STORED for info in infos)
    if packed or sum(info.file_size for info in infos) > path.stat().st_size:
        raise PriorError(
            f"{path.name} is not a checkpoint that is read.",
            "It is packed, or announces more than it holds.",
            "Save it again with torch.save.",
        )


def _score_sde_average(stored: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The weights of a score-SDE checkpoint with the averaged ones in place; None if it is no such checkpoint.

    Its average is a list without names, in the order of the trained parameters. The random frequencies of the noise
    embedding are not trained and not in it.
    """
    average, model = stored.get("ema"), stored.get("model")
    if not (isinstance(average, dict) and isinstance(average.get("shadow_params"), list) and isinstance(model, dict)):
        return None
    shadows = average["shadow_params"]
    model = {str(key): value for key, value in model.items() if isinstance(value, Tensor)}
    names = [key for key in model if key.rpartition(".")[2] not in _FROZEN]
    if len(names) == len(shadows) + 1:
        names = [key for key in names if not (key.endswith(".W") and model[key].dim() == 1)]
    shapes = [tuple(model[key].shape) for key in names]
    if shapes != [tuple(tensor.shape) for tensor in shadows if isinstance(tensor, Tensor)]:
        raise PriorError(
            f"The averaged weights in {name} cannot be told apart.",
            f"There are {len(shadows)} of them for {len(names)} parameters, in another order or of other shapes.",
            "Save the state_dict of the averaged network alone.",
        )
    return {**model, **dict(zip(names, shadows, strict=True))}
