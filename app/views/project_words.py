"""What is said about projects that were opened."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLocale

from app.bridge.project_desk import Looked, project_of_session
from app.bridge.recovery import Place
from app.state.notice import Notice
from app.state.project_restore import Restored
from app.words import tr

MOST_TOLD = 6


def path_of(looked: Looked, restored: Restored) -> Path | None:
    """Where saving writes: None, which asks for a name, where something of the project is missing, or where another
    window has it open."""
    return looked.claim.path if restored.whole and looked.claim is not None else None


def when(place: Place) -> str:
    """A session was kept last, as the desktop writes it."""
    try:
        kept = datetime.fromtimestamp(place.file.stat().st_mtime)
    except (OSError, ValueError):
        return "?"
    return QLocale.system().toString(kept, QLocale.FormatType.ShortFormat)


def news(looked: Looked, restored: Restored) -> Notice | None:
    """What of a project could not be opened, or is not as it was."""
    notes = restored.notes[:MOST_TOLD]
    shared = _shared(looked)
    if shared and not notes:
        name, advice = Path(shared).name, tr("Saving asks for another name.")
        return Notice(tr("{name} is open in another window.", name=name), "", advice, error=False)
    notes += [tr("{name} is open in another window.", name=Path(shared).name)] if shared else []
    if not notes:
        return None
    more = len(restored.notes) - len(notes)
    notes += [tr("And {count} more.", count=more)] if more else []
    name = looked.path.name if looked.place is None else tr("The session that was kept")
    if restored.whole:
        return Notice(tr("{name} was opened, with changes.", name=name), " ".join(notes), error=False)
    advice = tr("Saving asks for another name, so that the file stays as it is.") if looked.place is None else ""
    return Notice(tr("{name} was opened, but not all of it.", name=name), " ".join(notes), advice)


def _shared(looked: Looked) -> str:
    """The project that another window has open, or ""."""
    path = looked.path if looked.place is None else project_of_session(looked.file.record)
    return "" if path is None or looked.claim is not None else str(path)
