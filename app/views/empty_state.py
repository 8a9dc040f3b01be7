"""What the window shows before a scan is open."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import theme
from app.actions import Actions
from app.views.heading import ElidedLabel
from app.words import later, tr

FORMATS: tuple[tuple[str, str], ...] = (
    ("ISMRMRD", ".h5  .mrd"),
    ("fastMRI", ".h5"),
    ("BART", ".cfl with .hdr"),
    ("Siemens twix", ".dat"),
    ("NXtomo, Data Exchange", ".nxs  .h5"),
    (later("TIFF with geometry.toml"), ".tif"),
    ("RTK", ".xml with .mha"),
    (later("Plain arrays"), ".npy  .npz  .mat"),
    (later("Volumes, to review or to simulate from"), "DICOM  .nii  .nrrd"),
)


class EmptyState(QWidget):
    """Says what can be opened, and offers to do it; says what is being read."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sign = QLabel()
        sign.setPixmap(theme.icon("app").pixmap(QSize(64, 64)))
        title = QLabel(tr("Open a raw MRI or CT scan"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        font.setBold(True)
        title.setFont(font)
        words = QLabel(
            tr(
                "Measured k-space or projections become an image while you watch.\n"
                "Drop a file or folder here, or choose one."
            )
        )
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open = QPushButton(tr("Open scan…"))
        self.open.clicked.connect(actions["open"].trigger)
        self.open.setDefault(True)
        self.demo = QPushButton(tr("Demo MRI"))
        self.demo.clicked.connect(actions["demo"].trigger)
        self.demo.setToolTip(actions["demo"].toolTip())
        self.demo_ct = QPushButton(tr("Demo CT"))
        self.demo_ct.clicked.connect(actions["demo_ct"].trigger)
        self.demo_ct.setToolTip(actions["demo_ct"].toolTip())
        self.reading = ElidedLabel()
        self.reading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._muted = [QLabel(tr("Research use only. Not for diagnosis."))]
        centre = Qt.AlignmentFlag.AlignHCenter
        whole = QVBoxLayout(self)
        whole.setSpacing(14)
        whole.addStretch(2)
        for widget in (sign, title, words):
            whole.addWidget(widget, 0, centre)
        whole.addLayout(self._buttons())
        whole.addWidget(self.reading)
        whole.addLayout(self._formats())
        whole.addSpacing(10)
        whole.addWidget(self._muted[0], 0, centre)
        whole.addStretch(3)
        self._mute()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self.open, self.demo, self.demo_ct):
            button.setMinimumSize(QSize(150, 36))
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _formats(self) -> QGridLayout:
        """Format and endings, side by side about the middle."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for line, (name, endings) in enumerate(FORMATS):
            label = QLabel(tr(name))
            self._muted.append(label)
            grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(QLabel(endings), line, 1, Qt.AlignmentFlag.AlignLeft)
        return grid

    def show_reading(self, name: str) -> None:
        self.reading.setText(tr("Reading {name} …", name=name) if name else "")

    def _mute(self) -> None:
        for label in self._muted:
            theme.mute(label)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._mute()
        super().changeEvent(event)
