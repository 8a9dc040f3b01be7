"""Everything that can be done by menu, button or key: one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app import theme
from app.state.room.pane import Layout
from app.state.windows import windows_for
from app.words import later, tr

HOUNSFIELD = windows_for("HU")
WINDOWS = tuple(f"window_{i}" for i in range(len(HOUNSFIELD)))
"""The actions for the named windows of CT, in their order."""


@dataclass(frozen=True)
class Deed:
    """An action: its words, key, tip, icon, and whether it is a switch. values: for the {fields} of words and tip."""

    text: str
    key: str = ""
    tip: str = ""
    icon: str = ""
    switch: bool = False
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The text in the language of the user."""
        return tr(self.text, **self.values)

    @property
    def about(self) -> str:
        """The tip in the language of the user."""
        return tr(self.tip, **self.values) if self.tip else ""


DEEDS: dict[str, Deed] = {
    "open": Deed("&Open…", "Ctrl+O", "Open a raw scan, or a volume to look at", "open"),
    "open_folder": Deed("Open &folder…", "Ctrl+Shift+O", "Open a folder of TIFF projections or DICOM images"),
    "new_project": Deed("&New project", "Ctrl+N", "Close everything and begin anew"),
    "open_project": Deed("Open pro&ject…", "Ctrl+Alt+O", "Open a project with its scan, runs and measurements"),
    "save_project": Deed("Save projec&t", "Ctrl+Alt+S", "Save scan, runs, room and measurements as a project"),
    "save_project_as": Deed("Save project &as…", "Ctrl+Alt+Shift+S", "Save the project under another name"),
    "demo": Deed("Open demo &MRI", "", "Open the bundled MRI scan of a simulated head"),
    "demo_ct": Deed("Open demo &CT", "", "Open the bundled CT scan of a simulated chest"),
    "simulate": Deed("S&imulate a scan…", "", "Make a scan of an image volume that no scanner made"),
    "simulate_folder": Deed("Simulate a scan from a f&older…", "", "The same, of a folder of DICOM images"),
    "deidentify": Deed("&De-identify DICOM images…", "", "Copy the images of a folder without name, ids and dates"),
    "save": Deed("&Save result as…", "Ctrl+S", "Save the image in front, such as .npy, .nii.gz, .dcm or .png", "save"),
    "export_volume": Deed("&Export volume…", "Ctrl+E", "Save what the active pane of Review holds", "save"),
    "close_volume": Deed("&Close volume", "Ctrl+W", "Take the volume in the active pane out of Review"),
    "quit": Deed("&Quit", "Ctrl+Q", "Stop what runs and leave"),
    "undo": Deed("&Undo", "Ctrl+Z", "Take back the last change of settings or of the display", "undo"),
    "redo": Deed("&Redo", "Ctrl+Shift+Z", "Do again what was undone", "redo"),
    "commands": Deed("&Command palette…", "Ctrl+Shift+P", "Find an action by its name"),
    "edit_keys": Deed("Change &keys…", "", "Give actions other keys"),
    "save_picture": Deed("Save picture of this &pane…", "Ctrl+Shift+S", "The active pane of Review as PNG", "camera"),
    "save_layout": Deed("Save picture of the whole &layout…", "", "All panes of Review as one PNG"),
    "copy_picture": Deed("&Copy picture", "Ctrl+Shift+C", "The active pane of Review into the clipboard"),
    "save_film": Deed("Save as &film…", "Ctrl+Shift+F", "What the cine bar of Review plays, as MP4 or GIF", "film"),
    "play": Deed("P&lay or stop", "", "Slices or moments of the active pane of Review (Space)", "play"),
    "workspace_reconstruct": Deed("&Reconstruct", "F5", "Make an image of the scan", "run", switch=True),
    "workspace_tune": Deed("&Tune", "F7", "Compare runs, and try settings over whole ranges", "profile", switch=True),
    "history": Deed("Run &history", "", "Every run with its settings and figures"),
    "sweep": Deed("S&weep settings…", "", "Reconstruct with one or two settings over all their values"),
    "batch": Deed("&Batch of scans…", "", "Reconstruct many scans with the same settings"),
    "compute_where": Deed("&Where to compute…", "", "This window, workers of this machine, or a scheduler elsewhere"),
    "quick_look": Deed("&Quick look", "Ctrl+Shift+R", "Reconstruct only the slice on view with these settings", "run"),
    "workspace_review": Deed(
        "Re&view", "F6", "Look at volumes and results, measure and compare", "planes", switch=True
    ),
    **{
        f"layout_{layout.name.lower()}": Deed(layout.value, f"Alt+{i}", "Layout of Review", switch=True)
        for i, layout in enumerate(Layout, 1)
    },
    "link_scroll": Deed("Link &scrolling", "", "All panes of Review scroll together", switch=True),
    "link_zoom": Deed("Link &zoom", "", "All panes of Review zoom together", switch=True),
    "link_window": Deed("Link &window", "", "All panes of Review share window and level", switch=True),
    "invert": Deed("&Invert", "I", "Black for white in the active pane of Review", switch=True),
    "corners": Deed("Words in the &corners", "", "Place, window and values over the images of Review", switch=True),
    "identity": Deed(
        "&Who was scanned", "", "Name and study over the images of Review, if the file has them", switch=True
    ),
    "tool_window": Deed("&Window and level", "W", "Left drag in Review is window and level", switch=True),
    "tool_distance": Deed("Measure a &distance", "D", "Drag from end to end", "distance", switch=True),
    "tool_angle": Deed("Measure an &angle", "A", "Click an arm, the vertex, the other arm", "angle", switch=True),
    "tool_rectangle": Deed(
        "&Rectangle", "T", "Mean, spread and area: drag from corner to corner", "rectangle", switch=True
    ),
    "tool_ellipse": Deed("&Ellipse", "E", "Mean, spread and area: drag from corner to corner", "ellipse", switch=True),
    "tool_freehand": Deed("&Free-hand region", "G", "Mean, spread and area: drag around it", "freehand", switch=True),
    "tool_profile": Deed(
        "Profile along a &line", "L", "Values of all images on view: drag from end to end", "profile", switch=True
    ),
    "tool_probe": Deed("&Value at a point", "V", "Click the point", "probe", switch=True),
    "subtract": Deed("Make a &difference volume", "", "The active pane of Review minus what it is compared with"),
    "magnitude": Deed("&Magnitude", "Ctrl+1", "Show the magnitude", switch=True),
    "phase": Deed("&Phase", "Ctrl+2", "Show the phase", switch=True),
    "real": Deed("&Real part", "Ctrl+3", "Show the real part", switch=True),
    "imaginary": Deed("&Imaginary part", "Ctrl+4", "Show the imaginary part", switch=True),
    **{
        name: Deed("{name} window", w.key, "Window {window:g}, level {level:g} HU", values=asdict(w))
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
    "theme_contrast": Deed("&High contrast", "", "White on black, and yellow where the keyboard is", switch=True),
    "text_larger": Deed("L&arger text", "Ctrl+Alt++", "Make the text of the whole window larger"),
    "text_smaller": Deed("S&maller text", "Ctrl+Alt+-", "Make the text of the whole window smaller"),
    "text_usual": Deed("&Usual text", "Ctrl+Alt+0", "Text as large as the desktop has it"),
    "language_system": Deed("As the &desktop", "", "Language of the desktop, if there are words for it", switch=True),
    "language_en": Deed("&English", "", "English from the next start on", switch=True),
    "language_de": Deed("&Deutsch", "", "German from the next start on", switch=True),
    "language_fr": Deed("&Français", "", "French from the next start on", switch=True),
    "language_es": Deed("E&spañol", "", "Spanish from the next start on", switch=True),
    "language_zh": Deed("&中文", "", "Chinese from the next start on", switch=True),
    "reconstruct": Deed("&Reconstruct", "Ctrl+R", "Reconstruct with these settings; waits if a run is going on", "run"),
    "branch": Deed(
        "&Branch from this step",
        "Ctrl+B",
        "Go on from the step that is marked on the curve, with these settings",
        "run",
    ),
    "keep_steps": Deed("Steps that are &kept…", "", "How much memory the steps of runs may take"),
    "pause": Deed("&Pause", "P", "Pause the run, or go on with it", "pause"),
    "keep": Deed("&Keep this", "Ctrl+K", "End the run now and keep the image there is", "keep"),
    "discard": Deed("&Discard", "Ctrl+D", "End the run now and throw its image away", "discard"),
    "about_prior": Deed("&About this prior…", "F2", "What the chosen prior was trained on, and what it can do", "info"),
    "priors": Deed("&Priors…", "Ctrl+P", "All priors; add one, remove one"),
    "dismiss": Deed("Close message", "Esc", "Close a dialog or a message"),
    "shortcuts": Deed("&Keys and mouse", "F1", "All keys and mouse actions"),
    "manual": Deed("&Manual", "Shift+F1", "The manual with search; it comes with the program"),
    "tour": Deed("&Tour", "", "Six steps through the window"),
    "check_machine": Deed("&Check this machine…", "", "What of this machine the program can use, and what to do"),
    "about": Deed("&About DDS Viewer", "", "Version and purpose"),
}

MOUSE: tuple[tuple[str, str], ...] = (
    (later("Wheel, arrow keys, Page Up and Down, Home, End"), later("Scroll frames")),
    (later("Click, right drag"), later("Let the three planes meet there")),
    (later("Left drag"), later("Window (across) and level (down); Shift is finer")),
    (later("Middle drag"), later("Pan")),
    (later("Ctrl+wheel"), later("Zoom about the cursor")),
    (later("Double click"), later("Reset zoom")),
    (later("In 3-D: left drag, wheel, double click"), later("Turn, zoom, look from the front")),
    (later("In Review: double click"), later("One pane alone, or all again")),
    (later("In Review: Space"), later("Play or stop")),
    (later("In the histogram: drag a handle, drag between them, wheel"), later("One end, level, zoom")),
    (later("In Review: hold F"), later("The other image of a pane that flickers")),
    (later("Tab, Shift+Tab"), later("Go through all controls")),
)

TAKEN = ("Up", "Down", "Left", "Right", "PgUp", "PgDown", "Home", "End", "Return", "Enter", "Space", "Backspace")
"""Keys that the image, the lists and the fields need; no action may have them."""


class Actions:
    """The QActions of a window by name. keys: those that differ from DEEDS, by name; "" for none."""

    def __init__(self, window: QWidget, keys: Mapping[str, str] | None = None) -> None:
        self._made: dict[str, QAction] = {}
        for name, deed in DEEDS.items():
            action = QAction(deed.words, window)
            action.setObjectName(name)
            action.setStatusTip(deed.about)
            action.setCheckable(deed.switch)
            self._made[name] = action
            window.addAction(action)
        self.set_keys(keys or {})
        self.draw_icons()

    def __getitem__(self, name: str) -> QAction:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def name_of(self, name: str) -> str:
        """The words of an action without what belongs to menus."""
        return plain(self._made[name].text())

    def key_of(self, name: str) -> str:
        """The key of an action as it is written in the files, such as "Ctrl+S"; "" for none."""
        return self._made[name].shortcut().toString(QKeySequence.SequenceFormat.PortableText)

    def shown_key(self, name: str) -> str:
        """The key of an action as the desktop writes it."""
        return self._made[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Give these actions these keys, and all others their own. Names that there are not are passed over."""
        for name, deed in DEEDS.items():
            self.set_key(name, keys.get(name, deed.key))

    def set_key(self, name: str, key: str) -> None:
        """Give an action a key, or none for "", and tell it in the tip."""
        action, about = self._made[name], DEEDS[name].about
        action.setShortcut(QKeySequence(key))
        shown = self.shown_key(name)
        action.setToolTip(f"{about} ({shown})" if shown else about)

    def draw_icons(self) -> None:
        """Icons in the colours of the theme."""
        for name, deed in DEEDS.items():
            if deed.icon:
                self._made[name].setIcon(theme.icon(deed.icon))


def plain(text: str) -> str:
    """The words of a menu entry without the mark of its letter and its dots: "Open" of "&Open…"."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").removesuffix("…")
