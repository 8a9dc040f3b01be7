"""The settings form: what the next run will do. It is made from core.engine.settings and stays live during a run."""

from __future__ import annotations

import dataclasses
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import Actions
from app.state.session import Notice, Session
from app.views.heading import heading
from app.views.setting_rows import SettingRow, set_columns, tip
from app.views.undersampling import UndersamplingForm
from core.engine.settings import ReconSettings, help_of
from core.errors import JobError

_CUSTOM = "Own settings"


class Parameters(QWidget):
    """Every setting with unit, range, help and reset; presets; only what the method and the scan allow."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._choice = session.choice
        self.preset = QComboBox()
        self.preset.setAccessibleName("Preset")
        self.preset.setToolTip("Named sets of settings")
        self.preset.activated.connect(self._take_preset)
        self.rows: dict[str, SettingRow] = {}
        self.undersampling = UndersamplingForm()
        self.undersampling.edited.connect(self._choice.set_undersample)
        self.only_this_slice = QCheckBox("Only the slice on view")
        self.only_this_slice.setToolTip("Try the settings on one slice first")
        self.only_this_slice.toggled.connect(self._choice.set_only_this_slice)
        self.help = QLabel("Choose a setting to read what it does.")
        self.reconstruct = QPushButton("&Reconstruct")
        self._lay_out(actions)
        self._choice.changed.connect(self.refresh)
        self._choice.offers_changed.connect(self._show_offers)
        session.opened.connect(self.refresh)
        self._show_offers()
        self.refresh()

    def _lay_out(self, actions: Actions) -> None:
        grid_holder = QWidget()
        grid = QGridLayout(grid_holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        set_columns(grid)
        preset_label = QLabel("Preset")
        preset_label.setBuddy(self.preset)
        grid.addWidget(preset_label, 0, 0)
        grid.addWidget(self.preset, 0, 1)
        for line, field in enumerate(dataclasses.fields(ReconSettings), start=1):
            row = SettingRow(field.name, grid, line, self)
            row.edited.connect(self._edit)
            row.reset.connect(self._choice.reset)
            row.focused.connect(self._show_help)
            self.rows[field.name] = row
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(12, 2, 8, 4)
        column.setSpacing(3)
        column.addWidget(grid_holder)
        column.addWidget(self.undersampling)
        column.addWidget(self.only_this_slice)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(form)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._lay_out_foot(actions)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(heading("Settings"))
        whole.addWidget(area, 1)
        whole.addWidget(self._foot)

    def _lay_out_foot(self, actions: Actions) -> None:
        self.help.setWordWrap(True)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setFixedHeight(2 * self.help.fontMetrics().lineSpacing() + 4)
        self.help.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.mute(self.help)
        font = self.reconstruct.font()
        font.setBold(True)
        self.reconstruct.setFont(font)
        self.reconstruct.setMinimumHeight(34)
        self.reconstruct.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrow keys to the image
        self.reconstruct.setToolTip(actions["reconstruct"].toolTip())
        self.reconstruct.clicked.connect(actions["reconstruct"].trigger)
        actions["reconstruct"].changed.connect(lambda: self.reconstruct.setEnabled(actions["reconstruct"].isEnabled()))
        self.reconstruct.setEnabled(actions["reconstruct"].isEnabled())
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(12, 4, 12, 8)
        foot.setSpacing(4)
        foot.addWidget(self.help)
        foot.addWidget(self.reconstruct)

    def refresh(self) -> None:
        """Show the chosen settings; hide what the method does not use or the scan does not allow."""
        settings, defaults = self._choice.settings, self._choice.defaults
        for name, row in self.rows.items():
            row.show_value(getattr(settings, name), getattr(defaults, name))
            row.set_visible(settings.method in row.about.methods)
        self.rows["gamma"].set_enabled(not settings.noiseless)
        self.preset.setEnabled(settings.method == "dds")
        self._show_preset()
        opened = self._session.scan
        self.undersampling.setVisible(opened is not None and opened.fully_sampled)
        self.undersampling.show_text(self._choice.undersample)
        self.only_this_slice.setVisible(opened is not None and opened.slices > 1)
        with QSignalBlocker(self.only_this_slice):
            self.only_this_slice.setChecked(self._choice.only_this_slice)

    def _edit(self, name: str, value: Any) -> None:
        if value == getattr(self._choice.settings, name):
            return
        try:
            self._choice.set(**{name: value})
        except JobError as error:
            self._session.tell(Notice.of(error))
            self.refresh()

    def _take_preset(self, index: int) -> None:
        values = self._choice.presets.get(self.preset.itemText(index))
        if values:
            self._choice.set(**values)

    def _show_preset(self) -> None:
        names = list(self._choice.presets)
        with QSignalBlocker(self.preset):
            if [self.preset.itemText(i) for i in range(1, self.preset.count())] != names:
                self.preset.clear()
                self.preset.addItems([_CUSTOM, *names])
            self.preset.setCurrentText(self._choice.preset or _CUSTOM)

    def _show_offers(self) -> None:
        """Priors and devices of this machine."""
        prior = self.rows["prior"].field
        device = self.rows["device"].field
        assert isinstance(prior, QComboBox)
        assert isinstance(device, QComboBox)
        with QSignalBlocker(prior), QSignalBlocker(device):
            prior.clear()
            for offered in self._choice.priors:
                prior.addItem(offered.name)
                prior.setItemData(prior.count() - 1, offered.about, Qt.ItemDataRole.ToolTipRole)
            cuda = device.findData("cuda")
            if not self._choice.cuda and cuda >= 0:
                device.removeItem(cuda)
            elif self._choice.cuda and cuda < 0:
                device.addItem("CUDA", "cuda")
        self.refresh()

    def _show_help(self, name: str) -> None:
        about = help_of(name)
        self.help.setText(f"{about.label}: {tip(about)}")

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            theme.mute(self.help)
            for row in self.rows.values():
                row.reset_button.setIcon(theme.icon("reset"))
        super().changeEvent(event)
