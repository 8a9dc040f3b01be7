"""Dialogs that work on their own beside the scan: checking this machine, and taking identity out of DICOM images."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.bridge.deidentify_desk import DeidentifyDesk
from app.bridge.machine_desk import MachineDesk
from app.preferences import Preferences
from app.views.deidentify_dialog import DeidentifyDialog
from app.views.dialogs import Dialogs
from app.views.machine_dialog import MachineDialog


class Aside(QObject):
    """Each dialog is open once at most. What they do goes on in threads of their own, made when first needed."""

    def __init__(self, window: QWidget, preferences: Preferences, dialogs: Dialogs) -> None:
        super().__init__(window)
        self._window, self._preferences, self._dialogs = window, preferences, dialogs
        self._machine: MachineDesk | None = None
        self._copies: DeidentifyDesk | None = None
        self.machine_dialog: MachineDialog | None = None
        self.deidentify_dialog: DeidentifyDialog | None = None

    def check_machine(self) -> None:
        if self.machine_dialog is None:
            self._machine = self._machine or MachineDesk(self)
            self.machine_dialog = MachineDialog(self._machine, self._window)
            self.machine_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.machine_dialog.finished.connect(self._forget_machine)
            self.machine_dialog.open()

    def deidentify(self) -> None:
        if self.deidentify_dialog is None:
            self._copies = self._copies or DeidentifyDesk(self)
            self.deidentify_dialog = DeidentifyDialog(self._copies, self._preferences, self._dialogs, self._window)
            self.deidentify_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.deidentify_dialog.finished.connect(self._forget_copies)
            self.deidentify_dialog.open()

    @property
    def copying(self) -> bool:
        """Images are being de-identified."""
        return self._copies is not None and self._copies.busy

    def close(self) -> None:
        """The window closes: what is going on is stopped, and waited for."""
        for dialog in (self.machine_dialog, self.deidentify_dialog):
            if dialog is not None:
                dialog.done(0)
        for desk in (self._machine, self._copies):
            if desk is not None:
                desk.close()

    def _forget_machine(self) -> None:
        self.machine_dialog = None

    def _forget_copies(self) -> None:
        self.deidentify_dialog = None
