"""Everything that can be done by menu, button or key: one table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app import theme
from app.state.windows import windows_for

HOUNSFIELD = windows_for("HU")
WINDOWS = tuple(f"window_{i}" for i in range(len(HOUNSFIELD)))
"""The actions for the named windows of CT, in their order."""


@dataclass(frozen=True)
class Deed:
    """An action: its words, key, tip, icon, and whether it is a switch."""

    text: str
    key: str = ""
    tip: str = ""
    icon: str = ""
    switch: bool = False


DEEDS: dict[str, Deed] = {
    "open": Deed("&Open…", "Ctrl+O", "Open a raw scan", "open"),
    "open_folder": Deed("Open &folder…", "Ctrl+Shift+O", "Open a folder of TIFF projections or DICOM images"),
    "demo": Deed("Open demo &MRI", "", "Open the bundled MRI scan of a simulated head"),
    "demo_ct": Deed("Open demo &CT", "", "Open the bundled CT scan of a simulated chest"),
    "simulate": Deed("S&imulate a scan…", "", "Make a scan of an image volume that no scanner made"),
    "simulate_folder": Deed("Simulate a scan from a f&older…", "", "The same, of a folder of DICOM images"),
    "save": Deed("&Save result as…", "Ctrl+S", "Save the image in front as .npy, .nii.gz or .png", "save"),
    "quit": Deed("&Quit", "Ctrl+Q", "Stop what runs and leave"),
    "magnitude": Deed("&Magnitude", "Ctrl+1", "Show the magnitude", switch=True),
    "phase": Deed("&Phase", "Ctrl+2", "Show the phase", switch=True),
    "real": Deed("&Real part", "Ctrl+3", "Show the real part", switch=True),
    "imaginary": Deed("&Imaginary part", "Ctrl+4", "Show the imaginary part", switch=True),
    **{
        name: Deed(f"{w.name} window", w.key, f"Window {w.window:g}, level {w.level:g} HU")
        for name, w in zip(WINDOWS, HOUNSFIELD, strict=True)
    },
    "planes": Deed(
        "&Three planes and 3-D", "M", "Three planes and a rendering, or the slice alone", "planes", switch=True
    ),
    "sinogram": Deed("Si&nogram", "S", "Show what was measured of this slice, or the image again", switch=True),
    "classical": Deed(
        "&Classical image", "C", "Show the classical image in place of the result", "compare", switch=True
    ),
    "blink": Deed("Run shown &before", "B", "Go back and forth between two runs", "blink"),
    "reset_levels": Deed("Reset &window and level", "R", "Window and level as they were on opening", "window"),
    "fit": Deed("Reset &zoom", "Ctrl+0", "The whole image (double click)", "fit"),
    "zoom_in": Deed("Zoom in", "Ctrl++", "Zoom in (Ctrl+wheel)"),
    "zoom_out": Deed("Zoom out", "Ctrl+-", "Zoom out (Ctrl+wheel)"),
    "smooth": Deed("S&mooth pixels", "", "Interpolate between pixels", switch=True),
    "theme_system": Deed("As the &desktop", "", "Theme of the desktop", switch=True),
    "theme_dark": Deed("&Dark", "", "Dark theme", switch=True),
    "theme_light": Deed("&Light", "", "Light theme", switch=True),
    "reconstruct": Deed("&Reconstruct", "Ctrl+R", "Reconstruct with these settings; waits if a run is going on", "run"),
    "pause": Deed("&Pause", "P", "Pause the run, or go on with it", "pause"),
    "keep": Deed("&Keep this", "Ctrl+K", "End the run now and keep the image there is", "keep"),
    "discard": Deed("&Discard", "Ctrl+D", "End the run now and throw its image away", "discard"),
    "about_prior": Deed("&About this prior…", "F2", "What the chosen prior was trained on, and what it can do", "info"),
    "priors": Deed("&Priors…", "Ctrl+P", "All priors; add one, remove one"),
    "dismiss": Deed("Close message", "Esc", "Close a dialog or a message"),
    "shortcuts": Deed("&Keys and mouse", "F1", "All keys and mouse actions"),
    "about": Deed("&About DDS Viewer", "", "Version and purpose"),
}

MOUSE: tuple[tuple[str, str], ...] = (
    ("Wheel, arrow keys, Page Up and Down, Home, End", "Scroll frames"),
    ("Click, right drag", "Let the three planes meet there"),
    ("Left drag", "Window (across) and level (down); Shift is finer"),
    ("Middle drag", "Pan"),
    ("Ctrl+wheel", "Zoom about the cursor"),
    ("Double click", "Reset zoom"),
    ("In 3-D: left drag, wheel, double click", "Turn, zoom, look from the front"),
    ("Tab, Shift+Tab", "Go through all controls"),
)


class Actions:
    """The QActions of a window by name."""

    def __init__(self, window: QWidget) -> None:
        self._made: dict[str, QAction] = {}
        for name, deed in DEEDS.items():
            action = QAction(deed.text, window)
            action.setObjectName(name)
            action.setShortcut(QKeySequence(deed.key))
            action.setToolTip(f"{deed.tip} ({deed.key})" if deed.key else deed.tip)
            action.setStatusTip(deed.tip)
            action.setCheckable(deed.switch)
            self._made[name] = action
            window.addAction(action)
        self.draw_icons()

    def __getitem__(self, name: str) -> QAction:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def draw_icons(self) -> None:
        """Icons in the colours of the theme."""
        for name, deed in DEEDS.items():
            if deed.icon:
                self._made[name].setIcon(theme.icon(deed.icon))
