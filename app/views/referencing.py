"""Lets the user name the files of a reference and of a mask."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.preferences import Preferences
from app.state.reference import Against
from app.state.session import Session
from app.views.dialogs import Dialogs
from app.views.reference_form import ReferenceForm


class Referencing:
    """Asks where the form wants a file, and puts it into the session. What is no volume is told when a run needs it."""

    def __init__(
        self, window: QWidget, session: Session, form: ReferenceForm, preferences: Preferences, dialogs: Dialogs
    ) -> None:
        self._window, self._session = window, session
        self._preferences, self._dialogs = preferences, dialogs
        form.reference_asked.connect(self._ask_reference)
        form.mask_asked.connect(self._ask_mask)

    def _ask_reference(self) -> None:
        path = self._dialogs.reference_to_open(self._window, self._preferences.folder)
        if path:
            self._session.reference.choose(Against.FILE, path=path)

    def _ask_mask(self) -> None:
        path = self._dialogs.mask_to_open(self._window, self._preferences.folder)
        if path:
            self._session.reference.set_mask(path)
