"""Which actions can be taken now, and which switches are on."""

from __future__ import annotations

from app.actions import WINDOWS, Actions
from app.state.display import PLANES, SINOGRAM
from app.state.picture import COMPONENTS
from app.state.room.item import MAPS, Kind
from app.state.room.pane import Layout
from app.state.room.room import Room
from app.state.runs import Phase
from app.state.session import Session
from app.views.menus import PICTURES
from app.views.tune_quick import can_look
from app.views.viewer_bar import windows_of

_OF_PICTURES = (*COMPONENTS, "reset_levels", "fit", "zoom_in", "zoom_out", "smooth")


def enable_pictures(actions: Actions, session: Session) -> None:
    """What is to be seen, and how. Actions for another kind of scan are hidden."""
    display, opened, shown = session.display, session.scan, session.shown()
    for name in _OF_PICTURES:
        actions[name].setEnabled(shown is not None)
    if display.component in COMPONENTS:
        actions[display.component].setChecked(True)
    for name in COMPONENTS:
        actions[name].setVisible(name in display.components)
    for name in WINDOWS:
        actions[name].setEnabled(bool(windows_of(shown)))
    run = shown.run if shown is not None and shown.run else session.runs.front
    actions["classical"].setEnabled(shown is not None and run is not None and run.result is not None)
    actions["classical"].setChecked(display.classical_in_front)
    measured = opened is not None and SINOGRAM in opened.measured
    actions["sinogram"].setVisible(measured)
    actions["sinogram"].setEnabled(measured)
    actions["sinogram"].setChecked(display.view == SINOGRAM)
    actions["planes"].setEnabled(opened is not None and opened.stack > 1)
    actions["planes"].setChecked(display.layout == PLANES)
    actions["blink"].setEnabled(session.runs.before is not None)


def enable_runs(actions: Actions, session: Session) -> None:
    """What can be started, steered and saved."""
    current, front = session.runs.current, session.runs.front
    actions["reconstruct"].setEnabled(session.scan is not None)
    actions["quick_look"].setEnabled(can_look(session))
    for name in ("history", "sweep", "batch", "compute_where"):
        actions[name].setEnabled(session.scan is not None)
    going = current is not None and not current.stop.ending
    for name in ("pause", "keep"):
        actions[name].setEnabled(going)
    actions["discard"].setEnabled(going or (front is not None and front.phase is Phase.WAITING))
    actions["save"].setEnabled(front is not None and front.volume is not None)


def enable_room(actions: Actions, room: Room, *, reviewing: bool, can_film: bool) -> None:
    """What can be done in the viewing room; there the actions for images are for its panes."""
    item, pane = room.item_in(room.active), room.panes[room.active]
    for layout in Layout:
        actions[f"layout_{layout.name.lower()}"].setChecked(layout is room.layout)
    switches = {
        "link_scroll": room.linked_scroll,
        "link_zoom": room.linked_zoom,
        "link_window": room.linked_window,
        "invert": pane.invert,
        "corners": room.corners,
        "identity": room.identity,
    }
    switches |= {name: room.tool == name.removeprefix("tool_") for name in actions if name.startswith("tool_")}
    for name, on in switches.items():
        actions[name].setChecked(on)
    actions["export_volume"].setEnabled(item is not None and item.final)
    actions["close_volume"].setEnabled(item is not None and item.kind in (Kind.VOLUME, Kind.DIFFERENCE))
    actions["subtract"].setEnabled(len(room) > 1)
    for name in PICTURES:
        actions[name].setEnabled(reviewing and item is not None)
    for name in ("save_film", "play"):
        actions[name].setEnabled(reviewing and can_film)
    for name in actions:
        if name.startswith("tool_"):
            actions[name].setEnabled(reviewing and item is not None)
    if not reviewing:
        return
    for name in ("reset_levels", "fit", "zoom_in", "zoom_out", "smooth"):
        actions[name].setEnabled(item is not None)
    for name in (*COMPONENTS, "classical", "blink", "sinogram", "planes"):
        actions[name].setEnabled(False)
    for name in WINDOWS:
        actions[name].setEnabled(item is not None and item.unit == "HU" and item.kind not in MAPS)
