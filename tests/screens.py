"""A screen for each of several test processes, so that no window takes the keyboard from another's."""

from __future__ import annotations

import os
import shutil
import subprocess

SIZE = "1920x1080x24"


def possible() -> bool:
    """There is a virtual X server to start."""
    return shutil.which("Xvfb") is not None


def start() -> subprocess.Popen[bytes]:
    """Start a virtual X server, and have this process use it. Whoever calls it ends the server."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", SIZE, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        os.environ["DISPLAY"] = f":{told.readline().strip()}"
    os.environ.pop("XAUTHORITY", None)
    os.environ.pop("WAYLAND_DISPLAY", None)
    os.environ |= {"QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1"}
    return server
