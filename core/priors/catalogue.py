"""Which priors there are, by name; answered from files and cards alone, without loading a network."""

from __future__ import annotations

import glob
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from core.errors import PriorError
from core.priors.card import ModelCard, read_card
from core.priors.plugged import PRIORS, plugged_card, plugged_cards

WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Entry:
    """A prior that can be named: its weights' file and its card.

    bundled: it came with the program, or with a plug-in, so that it cannot be removed. package: the plug-in's; there is
    no file then, and path is its name.
    """

    path: Path
    card: ModelCard
    bundled: bool
    package: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A file in a folder of priors that cannot be used, and why."""

    path: Path
    trouble: PriorError
    bundled: bool


def user_folder() -> Path:
    """Where the priors that a user adds are kept: the platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("dds-viewer", appauthor=False)) / "priors"


def bundled_folder() -> Path:
    """Where the priors that came with the program are."""
    return Path(str(resources.files("resources") / "priors"))


def list_priors() -> list[Entry]:
    """All priors that can be named; a user's hides a bundled one of the same name. Unreadable ones are left out."""
    return [found for found in survey_priors() if isinstance(found, Entry)]


def survey_priors() -> list[Entry | Unreadable]:
    """All priors that can be named, bundled ones first, those of plug-ins last, then what cannot be used."""
    found: dict[str, Entry] = {}
    unreadable: list[Unreadable] = []
    for folder, bundled in ((bundled_folder(), True), (user_folder(), False)):
        for path in sorted(folder.glob(f"*{WEIGHTS}")):
            entry = _entry(path, bundled)
            if isinstance(entry, Entry):
                found[path.stem] = entry
            else:
                unreadable.append(entry)
        for path in sorted(folder.glob("*.json")):
            if "." not in path.stem and not path.with_suffix(WEIGHTS).exists():
                missing = PriorError(f"{path.name} is a card without weights.", "", "Add the prior again.")
                unreadable.append(Unreadable(path, missing, bundled))
    for name, card in plugged_cards().items():
        found.setdefault(name, Entry(Path(name), card, bundled=True, package=PRIORS.package_of(name)))
    return [*found.values(), *unreadable]


def find_prior(path_or_name: str | Path) -> Path:
    """The weights' file of a name or a path. Raises PriorError if there is neither, as for a plug-in's prior."""
    given = Path(path_or_name)
    if given.suffix or len(given.parts) > 1:
        if given.is_file():
            return given
        raise PriorError(f"There is no file {given.name}.", f"Looked for {given}.", "Check the path.")
    for folder in (user_folder(), bundled_folder()):
        path = folder / f"{given}{WEIGHTS}"
        if path.is_file():
            return path
    if package := of_plugin(given):
        raise PriorError(f"The prior {given} has no file.", f"It comes with {package}.", "Choose another.")
    names = ", ".join(entry.path.stem for entry in list_priors()) or "none"
    raise PriorError(f"There is no prior called {given}.", f"Known priors: {names}.", "Choose one, or give a file.")


def of_plugin(path_or_name: str | Path) -> str:
    """The package that brings a named prior; "" where none does, or the user added one of the same name."""
    name = str(path_or_name)
    if name not in PRIORS.names() or (user_folder() / f"{name}{WEIGHTS}").is_file():
        return ""
    return PRIORS.package_of(name)


def card_of(path_or_name: str | Path) -> ModelCard | None:
    """The card of a named prior or of a file that lies beside its card; None for a checkpoint without one."""
    if of_plugin(path_or_name):
        return plugged_card(path_or_name)
    beside = find_prior(path_or_name).with_suffix(".json")
    try:
        return read_card(beside)
    except PriorError:
        return None


def has_card(weights: Path) -> bool:
    """Whether a model card lies beside the weights, and not just the configuration of a published network."""
    beside = weights.with_suffix(".json")
    try:
        values = json.loads(beside.read_text("utf-8")) if beside.is_file() else None
    except (OSError, ValueError, RecursionError):
        return beside.is_file()  # reading it as a card says what is wrong with it
    return isinstance(values, dict) and "family" in values


def companions(weights: Path) -> dict[str, Path]:
    """The recipe and the pictures beside the weights of a prior, by suffix: ".recipe.json", ".samples.png" ..."""
    found = weights.parent.glob(f"{glob.escape(weights.stem)}.*")
    return {
        path.name.removeprefix(weights.stem): path
        for path in sorted(found)
        if path.name.endswith((".recipe.json", ".png")) and path.is_file()
    }


def _entry(path: Path, bundled: bool) -> Entry | Unreadable:
    card = path.with_suffix(".json")
    if not card.is_file():
        trouble = PriorError(f"{path.name} has no card.", f"{card.name} is missing.", "Add it again from its weights.")
        return Unreadable(path, trouble, bundled)
    try:
        found = Entry(path, read_card(card), bundled)
    except PriorError as error:
        return Unreadable(path, error, bundled)
    if not found.card.sha256:
        trouble = PriorError(f"The card of {path.stem} tells no hash.", "It may be of other weights.", "Add it again.")
        return Unreadable(path, trouble, bundled)
    return found
