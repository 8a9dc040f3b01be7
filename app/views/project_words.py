"""What is said about projects that were opened."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLocale

from app.bridge.project_desk import Looked
from app.bridge.recovery import Place
from app.state.notice import Notice
from app.state.project_restore import Restored
from app.words import tr
from core.formats.project_file import ENDING

MOST_TOLD = 6


def project_path(restored: Restored) -> Path | None:
    """Of the project that a session that was left behind belonged to."""
    said = restored.record.get("project")
    return Path(said) if isinstance(said, str) and said.endswith(ENDING) and "\0" not in said else None


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
    if not notes:
        return None
    more = len(restored.notes) - len(notes)
    notes += [tr("And {count} more.", count=more)] if more else []
    name = looked.path.name if looked.place is None else tr("The session that was kept")
    if restored.whole:
        return Notice(tr("{name} was opened, with changes.", name=name), " ".join(notes), error=False)
    advice = tr("Saving asks for another name, so that the file stays as it is.") if looked.place is None else ""
    return Notice(tr("{name} was opened, but not all of it.", name=name), " ".join(notes), advice)
