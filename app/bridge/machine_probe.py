"""What Qt and OpenGL say of this machine's screen, asked in a process that may end of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

PATIENCE_S = 60.0
_LOOK_S = 0.05
_MARK = "probed "
_LONGEST = 160


def ask(stopped: Callable[[], bool] = lambda: False) -> dict[str, str]:
    """What `answer` finds, as far as it came; "trouble" tells why it came no further. Never raises."""
    try:
        child = subprocess.Popen(
            _command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        return {"trouble": str(error.strerror)}
    end = time.monotonic() + PATIENCE_S
    trouble = ""
    while not trouble:
        try:
            child.wait(_LOOK_S)
            break
        except subprocess.TimeoutExpired:
            trouble = "stopped" if stopped() else "no answer" if time.monotonic() > end else ""
    if trouble:
        child.kill()
    said, _ = child.communicate()
    told = _understood(said)
    if not trouble and child.returncode:
        trouble = told.get("trouble") or f"the driver ended the process ({child.returncode})"
    return told | ({"trouble": trouble} if trouble else {})


def answer() -> None:
    """In the process that was started: print each finding as soon as it is known."""
    from PySide6.QtGui import QFontDatabase, QGuiApplication

    app = QGuiApplication([])
    screen = app.primaryScreen()
    size = screen.size() if screen is not None else None
    shown = f"{size.width()} x {size.height()}" if size is not None else "none"
    _say(platform=app.platformName(), screen=shown)
    _say(fonts=str(len(QFontDatabase.families())), font=app.font().family())
    _say(**_opengl())
    sys.stdout.flush()


def _opengl() -> dict[str, str]:
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    from vtkmodules.vtkRenderingCore import vtkRenderWindow
    from vtkmodules.vtkRenderingOpenGL2 import vtkTextureObject

    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    if not window.SupportsOpenGL():
        return {"trouble": "there is no OpenGL on this screen"}
    window.SetSize(2, 2)
    window.Render()
    lines = dict(line.split(":", 1) for line in window.ReportCapabilities().splitlines() if ":" in line)
    told = {key.strip().lower(): value.strip() for key, value in lines.items()}
    return {
        "renderer": told.get("opengl renderer string", "unknown")[:_LONGEST],
        "version": told.get("opengl version string", "unknown").split(" ")[0][:_LONGEST],
        "largest": str(max(0, int(vtkTextureObject.GetMaximumTextureSize3D(window)))),
    }


def _say(**told: str) -> None:
    print(_MARK + json.dumps(told), flush=True)


def _understood(said: bytes) -> dict[str, str]:
    told: dict[str, str] = {}
    for line in said.decode("utf-8", "replace").splitlines():
        if line.startswith(_MARK):
            try:
                told |= {str(key): str(value) for key, value in json.loads(line.removeprefix(_MARK)).items()}
            except (ValueError, AttributeError):
                continue
    return told


def _command() -> list[str]:
    """This program again; one that was frozen is its own interpreter."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "doctor", "--probe"]
    return [sys.executable, "-m", "app", "doctor", "--probe"]
