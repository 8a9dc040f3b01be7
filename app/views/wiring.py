"""What each action of the window does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app import theme
from app.actions import HOUNSFIELD, WINDOWS
from app.commands import Command, why_not
from app.state.display import RESULT, SINOGRAM
from app.state.picture import COMPONENTS
from app.state.room.pane import Layout
from app.state.windows import NamedWindow
from app.translating import LANGUAGES
from app.views.help_dialogs import AboutDialog, ShortcutsDialog
from app.views.keys_dialog import KeysDialog
from app.views.menus import TOOLS
from app.views.workspaces import RECONSTRUCT, REVIEW, TUNE

if TYPE_CHECKING:
    from app.views.main_window import MainWindow

ZOOM = 1.25

Deeds = dict[str, Callable[[], object]]


def connect_actions(window: MainWindow) -> None:
    """Connect every action; raises KeyError for one that does nothing."""
    does = {**_files(window), **_image(window), **_room(window), **_runs(window), **_manners(window)}
    for name in window.actions_:
        window.actions_[name].triggered.connect(_without_argument(does[name]))
    window.actions_["smooth"].setChecked(True)


def commands_of(window: MainWindow) -> list[Command]:
    """The actions as the palette lists them. Those that are hidden, for another kind of scan, are left out."""
    actions, paths = window.actions_, window.menus.paths
    return [
        Command(
            name,
            actions.name_of(name),
            paths.get(name, ""),
            actions.shown_key(name),
            "" if actions[name].isEnabled() else why_not(name),
        )
        for name in actions
        if actions[name].isVisible() and name not in ("commands", "dismiss")
    ]


def _files(window: MainWindow) -> Deeds:
    opening, simulating = window.opening, window.simulating
    return {
        "open": opening.ask_for_file,
        "open_folder": opening.ask_for_folder,
        "simulate": simulating.choose_file,
        "simulate_folder": simulating.choose_folder,
        "deidentify": window.aside.deidentify,
        "demo": partial(opening.open_demo, "mri"),
        "demo_ct": partial(opening.open_demo, "ct"),
        "new_project": window.projects.new,
        "open_project": window.projects.ask_for_file,
        "save_project": window.projects.save,
        "save_project_as": window.projects.save_as,
        "save": window.ask_where_to_save,
        "export_volume": window.reviewing.export,
        "close_volume": window.reviewing.close_item,
        "quit": window.close,
    }


def _image(window: MainWindow) -> Deeds:
    display, view, actions = window.session.display, window.viewer.planes, window.actions_
    room, page, there = window.session.room, window.reviewing.page, window.stack
    return {
        "planes": lambda: window.set_layout(actions["planes"].isChecked()),
        "sinogram": lambda: display.look_at(SINOGRAM if actions["sinogram"].isChecked() else RESULT),
        "classical": lambda: display.put_classical_in_front(actions["classical"].isChecked()),
        "blink": window.blink,
        "reset_levels": lambda: (room if there.reviewing else display).reset_levels(),
        "fit": lambda: (page if there.reviewing else view).fit(),
        "zoom_in": lambda: (page if there.reviewing else view).zoom_by(ZOOM),
        "zoom_out": lambda: (page if there.reviewing else view).zoom_by(1 / ZOOM),
        "smooth": lambda: (page if there.reviewing else view).set_smooth(actions["smooth"].isChecked()),
        **{name: partial(display.set_component, name) for name in COMPONENTS},
        **{n: partial(_set_window, window, w) for n, w in zip(WINDOWS, HOUNSFIELD, strict=True)},
    }


def _set_window(window: MainWindow, named: NamedWindow) -> None:
    room, display = window.session.room, window.session.display
    if window.stack.reviewing:
        room.set_levels(room.active, named.window, named.level)
    else:
        display.set_levels(named.window, named.level)


def _room(window: MainWindow) -> Deeds:
    room, there, actions = window.session.room, window.stack, window.actions_
    pictures = window.reviewing.pictures
    return {
        RECONSTRUCT: partial(there.go_to, RECONSTRUCT),
        REVIEW: partial(there.go_to, REVIEW),
        TUNE: partial(there.go_to, TUNE),
        **{f"layout_{layout.name.lower()}": partial(_lay_out, window, layout) for layout in Layout},
        "link_scroll": lambda: room.link(scroll=actions["link_scroll"].isChecked()),
        "link_zoom": lambda: room.link(zoom=actions["link_zoom"].isChecked()),
        "link_window": lambda: room.link(window=actions["link_window"].isChecked()),
        "invert": lambda: room.set_pane(room.active, invert=actions["invert"].isChecked()),
        "corners": lambda: room.show_words(corners=actions["corners"].isChecked()),
        "identity": lambda: room.show_words(identity=actions["identity"].isChecked()),
        "subtract": window.reviewing.subtract,
        "save_picture": pictures.save_pane,
        "save_layout": pictures.save_layout,
        "copy_picture": pictures.copy,
        "save_film": pictures.save_film,
        "play": window.reviewing.cine.toggle,
        **{f"tool_{name}": partial(room.set_tool, name) for name in TOOLS},
    }


def _tune(window: MainWindow, there: Callable[[], object]) -> None:
    window.stack.go_to(TUNE)
    there()


def _lay_out(window: MainWindow, layout: Layout) -> None:
    window.stack.go_to(REVIEW)
    window.session.room.set_layout(layout)


def _runs(window: MainWindow) -> Deeds:
    return {
        "reconstruct": window.bridge.reconstruct,
        "quick_look": window.tune.quick_look,
        "history": partial(_tune, window, window.tune.go_to_history),
        "sweep": partial(_tune, window, window.tune.go_to_sweep),
        "batch": partial(_tune, window, window.tune.go_to_batch),
        "compute_where": partial(_tune, window, window.tune.place.ask),
        "branch": window.filming.branch,
        "keep_steps": window.filming.ask_how_much,
        "pause": window.bridge.pause,
        "keep": window.bridge.keep,
        "discard": window.discard,
        "about_prior": lambda: window.show_priors(window.session.choice.settings.prior),
        "priors": window.show_priors,
    }


def _manners(window: MainWindow) -> Deeds:
    look, history = window.appearance, window.session.history
    return {
        "undo": history.undo,
        "redo": history.redo,
        "commands": window.palette_.open,
        "edit_keys": lambda: KeysDialog(window.actions_, window.preferences, window).open(),
        "dismiss": partial(window.session.tell, None),
        "manual": window.manual.open,
        "tour": window.tour.start,
        "shortcuts": lambda: ShortcutsDialog(window, window.actions_).open(),
        "check_machine": window.aside.check_machine,
        "about": lambda: AboutDialog(window).open(),
        "text_larger": partial(window.step_text, 1),
        "text_smaller": partial(window.step_text, -1),
        "text_usual": partial(window.step_text, 0),
        **{f"theme_{name}": partial(look.set_theme, name) for name in theme.THEMES},
        **{f"language_{name}": partial(window.set_language, name) for name in LANGUAGES},
    }


def _without_argument(does: Callable[[], object]) -> Callable[..., object]:
    """Drop the `checked` that QAction.triggered passes."""
    return lambda *_: does()
