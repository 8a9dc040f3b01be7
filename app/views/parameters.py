"""The settings form: what the next run will do. It is made from core.engine.settings and stays live during a run."""

from __future__ import annotations

import dataclasses
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import Actions
from app.state.notice import Notice
from app.state.session import Session
from app.views.ct_form import CtForm
from app.views.heading import heading
from app.views.preset_box import PresetBox
from app.views.reference_form import ReferenceForm
from app.views.setting_rows import SettingRow, set_columns, tip
from app.views.undersampling import UndersamplingForm
from app.words import tr
from core.engine.settings import Help, ReconSettings, choices_of, help_of
from core.errors import JobError
from core.projections import Projections
from core.scan import KSpace

EVERYDAY = ("method", "prior", "nfe", "samples", "gamma_rule", "gamma", "lam", "iterations", "filter")
"""Settings that are always on view where the method uses them, in this order; the others are under More."""

TIES = ("lam", "admm_steps", "along")
"""Settings that in DDS count only where rho ties the slices."""

FACTOR = Help(
    "Gamma factor",
    "1 trusts the measurement as far as its noise allows; more follows the measurement, less follows the prior.",
    low=help_of("gamma").low,
    high=help_of("gamma").high,
)
"""What gamma is where the weight of the data follows the noise."""


class Parameters(QWidget):
    """Every setting with unit, range, help and reset; presets; only what the method and the scan allow."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._choice = session.choice
        self.preset = PresetBox(self._choice)
        self.preset.taken.connect(lambda name: self._choice.set(**self._choice.presets[name]))
        self.rows: dict[str, SettingRow] = {}
        self.about_prior = _button_beside(actions, "about_prior")
        self.more = QToolButton()
        self.undersampling = UndersamplingForm()
        self.undersampling.edited.connect(self._choice.set_undersample)
        self.ct = CtForm()
        self.ct.views_edited.connect(self._choice.set_undersample)
        self.ct.center_edited.connect(self._choice.set_center)
        self.ct.size_edited.connect(self._choice.set_size)
        self.reference = ReferenceForm(session)
        self.only_this_slice = QCheckBox(tr("Only the slice on view"))
        self.only_this_slice.setToolTip(tr("Try the settings on one slice first"))
        self.only_this_slice.toggled.connect(self._choice.set_only_this_slice)
        self.help = QLabel(tr("Choose a setting to read what it does."))
        self.reconstruct = QPushButton(tr("&Reconstruct"))
        self._lay_out(actions)
        self._choice.changed.connect(self.refresh)
        self._choice.offers_changed.connect(self._show_offers)
        session.opened.connect(self.refresh)
        self._show_offers()
        self.refresh()

    def _lay_out(self, actions: Actions) -> None:
        form = QWidget()
        column = QVBoxLayout(form)
        column.setContentsMargins(12, 2, 8, 4)
        column.setSpacing(3)
        self._lay_out_more()
        column.addLayout(self._lay_out_everyday())
        column.addWidget(self.more)
        column.addLayout(self._lay_out_seldom())
        column.addWidget(self.undersampling)
        column.addWidget(self.ct)
        column.addWidget(self.reference)
        column.addWidget(self.only_this_slice)
        column.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(form)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._lay_out_foot(actions)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(heading(tr("Settings")))
        whole.addWidget(self.area, 1)
        whole.addWidget(self._foot)

    def _lay_out_everyday(self) -> QGridLayout:
        """Method and prior, the presets, then what is often changed."""
        grid = _grid()
        self._add_rows(grid, EVERYDAY[:2])
        self._preset_label = QLabel(tr("Preset"))
        self._preset_label.setBuddy(self.preset)
        line = grid.rowCount()
        grid.addWidget(self._preset_label, line, 0)
        grid.addWidget(self.preset, line, 1)
        self._add_rows(grid, EVERYDAY[2:])
        return grid

    def _lay_out_seldom(self) -> QGridLayout:
        grid = _grid()
        self._add_rows(grid, tuple(f.name for f in dataclasses.fields(ReconSettings) if f.name not in EVERYDAY))
        return grid

    def _add_rows(self, grid: QGridLayout, names: tuple[str, ...]) -> None:
        for name in names:
            beside = self.about_prior if name == "prior" else None
            row = SettingRow(name, grid, grid.rowCount(), self, beside)
            row.edited.connect(self._edit)
            row.reset.connect(self._choice.reset)
            row.focused.connect(self._show_help)
            self.rows[name] = row

    def _lay_out_more(self) -> None:
        self.more.setCheckable(True)
        self.more.setAutoRaise(True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more.setToolTip(tr("Settings that are seldom changed"))
        self.more.toggled.connect(self.refresh)

    def _lay_out_foot(self, actions: Actions) -> None:
        self.help.setWordWrap(True)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._fit_help()
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

    def refresh(self, *_: object) -> None:
        """Show the chosen settings; hide what the method does not use or the scan does not allow."""
        settings = self._choice.settings
        self.rows["gamma"].describe(help_of("gamma") if settings.gamma_rule == "constant" else FACTOR)
        self.rows["method"].offer(self._choice.methods or choices_of("method"))
        changed = 0
        for name, row in self.rows.items():
            value, default = getattr(settings, name), self._choice.default_of(name)
            used, seldom = name in self._choice.used, self._is_seldom(name)
            row.show_value(value, default)
            row.set_visible(used and (self.more.isChecked() or not seldom))
            changed += used and seldom and value != default
        self._show_more(changed)
        tied = settings.method != "dds" or settings.rho > 0
        for name in TIES:
            self.rows[name].set_enabled(tied)
        for name in ("gamma", "gamma_rule"):
            self.rows[name].set_enabled(not settings.noiseless)
        for widget in (self._preset_label, self.preset):
            widget.setVisible(settings.method == "dds")
        self.preset.refresh()
        self._show_measurement()
        opened = self._session.scan
        self.only_this_slice.setVisible(opened is not None and opened.slices > 1)
        with QSignalBlocker(self.only_this_slice):
            self.only_this_slice.setChecked(self._choice.only_this_slice)

    def _show_measurement(self) -> None:
        """The form for the kind of the open scan, that says what to use of its measurement."""
        opened = self._session.scan
        scan = opened.scan if opened else None
        full = opened is not None and opened.fully_sampled
        self.undersampling.setVisible(full and isinstance(scan, KSpace))
        self.undersampling.show_text(self._choice.undersample)
        self.ct.setVisible(isinstance(scan, Projections))
        if isinstance(scan, Projections):
            self.ct.show_scan(scan)
            self.ct.show_views(full)
            self.ct.show_values(self._choice.undersample, self._choice.center, self._choice.size)

    def focus_on(self, name: str) -> None:
        """Put the cursor into the field of a setting, where the method uses it."""
        row = self.rows[name]
        if name not in self._choice.used:
            return
        if self._is_seldom(name):
            self.more.setChecked(True)
        self.area.ensureWidgetVisible(row.field)
        row.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _is_seldom(self, name: str) -> bool:
        """It is under More: lambda too where it only weighs the tie of the slices in DDS."""
        return name not in EVERYDAY or (name == "lam" and self._choice.settings.method == "dds")

    def _show_more(self, changed: int) -> None:
        """changed: how many settings under More are not as usual."""
        self.more.setText(tr("More ({changed} changed)", changed=changed) if changed else tr("More"))
        self.more.setArrowType(Qt.ArrowType.DownArrow if self.more.isChecked() else Qt.ArrowType.RightArrow)

    def _edit(self, name: str, value: Any) -> None:
        if value == getattr(self._choice.settings, name):
            return
        try:
            self._choice.set(**{name: value})
        except JobError as error:
            self._session.tell(Notice.of(error))
            self.refresh()

    def _show_offers(self) -> None:
        """Priors and devices of this machine."""
        prior = self.rows["prior"].field
        device = self.rows["device"].field
        assert isinstance(prior, QComboBox)
        assert isinstance(device, QComboBox)
        with QSignalBlocker(prior), QSignalBlocker(device):
            prior.clear()
            for offered in self._choice.suitable_priors:
                prior.addItem(offered.name)
                prior.setItemData(prior.count() - 1, offered.about, Qt.ItemDataRole.ToolTipRole)
            cuda = device.findData("cuda")
            if not self._choice.cuda and cuda >= 0:
                device.removeItem(cuda)
            elif self._choice.cuda and cuda < 0:
                device.addItem("CUDA", "cuda")
        self.refresh()

    def _show_help(self, name: str) -> None:
        about = self.rows[name].about
        self.help.setText(f"{tr(about.label)}: {tip(about)}")

    def _fit_help(self) -> None:
        """Two lines."""
        self.help.setFixedHeight(2 * self.help.fontMetrics().lineSpacing() + 4)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            theme.mute(self.help)
            for row in self.rows.values():
                row.reset_button.setIcon(theme.icon("reset"))
            self.ct.draw_icons()
        if event.type() == QEvent.Type.FontChange:
            self._fit_help()
        super().changeEvent(event)


def _grid() -> QGridLayout:
    """For rows of settings."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(3)
    set_columns(grid)
    return grid


def _button_beside(actions: Actions, name: str) -> QToolButton:
    """A small button for an action, to stand beside a field."""
    button = QToolButton()
    button.setDefaultAction(actions[name])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setAutoRaise(True)
    button.setIconSize(QSize(16, 16))
    button.setAccessibleName(actions[name].text().replace("&", ""))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
