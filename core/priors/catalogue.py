"""Which priors there are, by name; answered from files and cards alone, without loading a network."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from core.errors import PriorError
from core.priors.card import ModelCard, read_card


@dataclass(frozen=True)
class Entry:
    """A prior that can be named: its weights' file and its card."""

    path: Path
    card: ModelCard
    bundled: bool


def user_folder() -> Path:
    """Where the priors that a user adds are kept: the platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("dds-viewer", appauthor=False)) / "priors"


def bundled_folder() -> Path:
    """Where the priors that came with the program are."""
    return Path(str(resources.files("resources") / "priors"))


def list_priors() -> list[Entry]:
    """All priors that can be named; a user's hides a bundled one of the same name. Unreadable cards are left out."""
    found: dict[str, Entry] = {}
    for folder, bundled in ((bundled_folder(), True), (user_folder(), False)):
        for path in sorted(folder.glob("*.safetensors")):
            try:
                found[path.stem] = Entry(path, read_card(path.with_suffix(".json")), bundled)
            except PriorError:
                continue
    return list(found.values())


def find_prior(path_or_name: str | Path) -> Path:
    """The weights' file of a name or a path. Raises PriorError if there is neither."""
    given = Path(path_or_name)
    if given.suffix or len(given.parts) > 1:
        if given.is_file():
            return given
        raise PriorError(f"There is no file {given.name}.", f"Looked for {given}.", "Check the path.")
    for folder in (user_folder(), bundled_folder()):
        path = folder / f"{given}.safetensors"
        if path.is_file():
            return path
    names = ", ".join(entry.path.stem for entry in list_priors()) or "none"
    raise PriorError(f"There is no prior called {given}.", f"Known priors: {names}.", "Choose one, or give a file.")


def card_of(path_or_name: str | Path) -> ModelCard | None:
    """The card of a named prior or of a file that lies beside its card; None for a checkpoint without one."""
    beside = find_prior(path_or_name).with_suffix(".json")
    try:
        return read_card(beside)
    except PriorError:
        return None
