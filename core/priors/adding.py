"""Adds a checkpoint to the user's priors, and removes one again: weights, card and what lies beside them."""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from core.errors import PriorError
from core.priors.card import ModelCard
from core.priors.catalogue import Entry, bundled_folder, companions, find_prior, has_card, user_folder
from core.priors.checkpoint import StateDict, check_shapes
from core.priors.recognition import Hints
from core.priors.registry import build_network, examine, verify_weights
from core.priors.weights_file import stored_bytes, write_safetensors

_LONGEST_NAME = 64
_PLAIN_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{_LONGEST_NAME - 1}}}")
_DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_SPARE_BYTES = 1 << 20


def add_prior(
    path: str | Path,
    name: str | None = None,
    *,
    config: dict[str, Any] | str | Path | None = None,
    hints: Hints | None = None,
    force: bool = False,
) -> Entry:
    """Convert the checkpoint in `path` to .safetensors with a card in the user's folder, under a name; its entry.

    name: left out, it is made from the file's. config, hints: see core.priors.registry.examine. force: replace a prior
    of this name, or hide the bundled one. A file beside its card, as training writes it, keeps the card and brings its
    sheets and recipe along. Nothing half-written is left when it fails or is interrupted. Raises PriorError.
    """
    source = Path(path)
    chosen = _checked_name(name if name is not None else _name_for(source))
    _refuse_to_replace(chosen, force)
    card, weights = examine(source, config, hints)
    check_shapes(build_network(card), weights, source.name)
    digest = verify_weights(card, source)
    beside = companions(source) if has_card(source) else {}
    try:
        kept = _keep(chosen, card.with_changes(name=chosen, source_sha256=digest), weights, beside)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise PriorError(
            f"The prior {chosen} could not be written.",
            "The disk is full." if full else str(error),
            f"Make room in {user_folder()}." if full else f"Check that {user_folder()} can be written to.",
        ) from error
    return Entry(user_folder() / f"{chosen}.safetensors", kept, bundled=False)


def remove_prior(name: str) -> None:
    """Delete a prior that the user added, with everything beside it. Raises PriorError for any other."""
    weights = removable(name)
    try:
        weights.unlink(missing_ok=True)
        for path in user_folder().glob(f"{glob.escape(name)}.*"):
            path.unlink()
    except OSError as error:
        raise PriorError(
            f"The prior {name} could not be removed.", str(error), "Close every program that uses it, and try again."
        ) from error


def removable(name: str) -> Path:
    """The weights' file of a prior that can be removed, also of an unreadable one. Raises PriorError for any other."""
    weights = user_folder() / f"{name}.safetensors"
    if Path(name).name == name and (weights.is_file() or weights.with_suffix(".json").is_file()):
        return weights
    path = find_prior(name)
    raise PriorError(
        f"The prior {name} cannot be removed.",
        "It came with the program." if path.parent == bundled_folder() else f"It is the file {path}.",
        "Only priors that were added can be removed.",
    )


def _name_for(path: Path) -> str:
    """The file's own name without what may not stand in one."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-_")
    return plain[:_LONGEST_NAME] or "prior"


def _checked_name(name: str) -> str:
    if not _PLAIN_NAME.fullmatch(name) or _DEVICE_NAME.fullmatch(name):
        raise PriorError(
            f"A prior cannot be called {name!r}.",
            "It becomes the name of a file.",
            f"Use up to {_LONGEST_NAME} letters, digits, - and _, a letter or digit first.",
        )
    return name


def _refuse_to_replace(name: str, force: bool) -> None:
    for folder, words in ((user_folder(), "There is already"), (bundled_folder(), "The program comes with")):
        if (folder / f"{name}.safetensors").exists() and not force:
            raise PriorError(
                f"{words} a prior called {name}.",
                "It would be replaced." if folder == user_folder() else "It would be hidden.",
                "Give it another name (--as), or replace it (--force).",
            )


def _keep(name: str, card: ModelCard, weights: StateDict, beside: dict[str, Path]) -> ModelCard:
    """Write everything under other names first, then give each its own; the weights last, which make it a prior."""
    folder = user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    _clear_wreckage(folder)
    needed = stored_bytes(weights) + sum(path.stat().st_size for path in beside.values()) + _SPARE_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with _parts(folder, name) as part:
        digest = write_safetensors(part(".safetensors"), weights)
        card = card.with_changes(
            sha256=digest,
            parameters=sum(tensor.numel() for tensor in weights.values()),
            recipe=f"{name}.recipe.json" if ".recipe.json" in beside else card.recipe,
        )
        part(".json").write_text(card.to_json(), "utf-8")
        for suffix, path in beside.items():
            shutil.copyfile(path, part(suffix))
        _put_in_place({part(suffix): folder / f"{name}{suffix}" for suffix in (*beside, ".json", ".safetensors")})
    for stale in folder.glob(f"{name}.*"):
        if stale.name.removeprefix(name) not in (".safetensors", ".json", *beside):
            stale.unlink()
    return card


def _clear_wreckage(folder: Path) -> None:
    """Delete what was being written by processes that were killed."""
    for path in folder.glob(".*.part"):
        if (match := re.search(r"\.(\d+)(\.old)?\.part$", path.name)) and not psutil.pid_exists(int(match[1])):
            path.unlink(missing_ok=True)


def _put_in_place(moves: dict[Path, Path]) -> None:
    """Give files their names; what had these names comes back if one of them fails."""
    saved: dict[Path, Path] = {}
    moved: list[Path] = []
    try:
        for new, target in moves.items():
            if target.exists():
                old = new.with_name(f"{new.stem}.old.part")
                target.replace(old)
                saved[target] = old
            new.replace(target)
            moved.append(target)
    except BaseException:
        for target in moved:
            target.unlink()
        for target, old in saved.items():
            old.replace(target)
        raise


@contextmanager
def _parts(folder: Path, name: str) -> Iterator[Callable[[str], Path]]:
    """A function from a suffix to the path that its file is first written under; what is left of those is deleted."""

    def part(suffix: str) -> Path:
        return folder / f".{name}{suffix}.{os.getpid()}.part"

    try:
        yield part
    finally:
        for path in folder.glob(f".{name}.*.{os.getpid()}*.part"):
            path.unlink(missing_ok=True)
