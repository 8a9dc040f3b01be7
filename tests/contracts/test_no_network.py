"""Nothing goes to the network: every attempt of Python's is an audit event, here and in processes that are started.

The hook is put in place by a sitecustomize.py, so that child processes have it too. What is not Python's own, such as
Qt, is seen by the sockets that the process has open.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GUARD = """
import os, sys

LOOPBACK = os.environ.get("GUARD_LOOPBACK") == "1"
HERE = ("127.0.0.1", "::1", "localhost")
NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
PLACES = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")


def _refused(event, args):
    if event in NAMES:
        host = args[0][0] if isinstance(args[0], tuple) else args[0]
        return not (LOOPBACK and (host in HERE or host is None))
    if event in PLACES and args[0].family.name != "AF_UNIX":
        host = args[1][0] if isinstance(args[1], tuple) else args[1]
        return not (LOOPBACK and host in HERE)
    if event == "socket.__new__":
        return not LOOPBACK and int(args[1]) not in (1, -1)
    return False


def _hook(event, args):
    if event.startswith("socket.") and _refused(event, args):
        line = f"{event} {args!r}\\n"
        with open(os.environ["GUARD_LOG"], "a") as log:
            log.write(line)
        raise OSError("No network in this test: " + line)


sys.addaudithook(_hook)
"""

WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication
from app.window import build, tell_crashes
from app.views.files import demo_path
import psutil

out = Path(sys.argv[1])
app, window = build(theme="dark")
window.viewer.planes.volume.trouble = "Not in this test."


def until(condition):
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if condition() else None)
    timer.start(20)
    loop.exec()
    timer.stop()


def ended(count):
    return sum(run.volume is not None for run in window.session.runs) == count


window.show()
window.bridge.warm_up()
window.projects.begin()
window.open_path(demo_path("mri"), remember=False)
until(lambda: window.session.scan is not None and ended(1))
window.session.choice.set(nfe=2, cg_steps=1)
window.tune.quick_look()
until(lambda: ended(2))
run = [run for run in window.session.runs if run.is_dds][0]
for name in ("x.npy", "x.dcm", "x.png"):
    window.bridge.save(run, str(out / name))
until(lambda: not window.bridge.busy)
for name in ("shortcuts", "about", "priors", "check_machine", "deidentify", "tour"):
    window.actions_[name].trigger()
    QApplication.processEvents()
    for dialog in app.topLevelWidgets():
        if dialog is not window and dialog.isVisible():
            dialog.close()
open_now = psutil.Process().net_connections("inet")
assert not open_now, open_now
assert "PySide6.QtNetwork" not in sys.modules
window.leave()
window.bridge.wait_for_end()
window.projects.wait_for_end()
print("steps", run.volume.array.shape)
"""

CLUSTER = """
import psutil
from core.engine.cluster_local import own_cluster

if __name__ == "__main__":
    with own_cluster(1, 1) as cluster:
        assert len(cluster.workers()) == 1
        me = psutil.Process()
        found = [c for p in (me, *me.children(recursive=True)) for c in p.net_connections("inet")]
    assert found
    for connection in found:
        for end in (connection.laddr, connection.raddr):
            assert not end or end.ip in ("127.0.0.1", "::1"), connection
    print("loopback only")
"""


@pytest.fixture
def guarded(tmp_path: Path):
    """guarded(words...) runs Python with the hook, in a home of its own; its outcome and the attempts."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    log = tmp_path / "attempts.txt"

    def run(*words: object, loopback: bool = False) -> tuple[subprocess.CompletedProcess[str], str]:
        home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
        paths = os.pathsep.join(str(path) for path in (tmp_path / "guard", ROOT))
        own = {"PYTHONPATH": paths, "GUARD_LOG": str(log), "GUARD_LOOPBACK": str(int(loopback)), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, **home, **own, "DDS_VIEWER_STATE": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return done, log.read_text() if log.exists() else ""

    return run


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'])",
    ],
)
def test_the_guard_notices(guarded, attempt: str) -> None:
    assert guarded("-c", attempt)[1]


def test_the_guard_lets_x11_through(guarded) -> None:
    done, attempts = guarded("-c", "import socket; socket.socketpair(); socket.socket(socket.AF_UNIX)")
    assert (done.returncode, attempts) == (0, ""), done.stderr


@pytest.mark.skipif(sys.platform == "linux" and not os.environ.get("DISPLAY"), reason="there is no display here")
def test_the_window_needs_no_network(guarded, tmp_path: Path) -> None:
    done, attempts = guarded("-c", WINDOW, tmp_path)
    assert not attempts
    assert done.returncode == 0, done.stderr[-3000:]
    assert "steps" in done.stdout
    assert (tmp_path / "x.npy").exists()


def test_the_command_line_needs_no_network(guarded, tmp_path: Path) -> None:
    demo = ROOT / "resources" / "demo" / "mri_head.h5"
    settings = ("--nfe", "2", "--cg-steps", "1", "--slices", "1:2", "--device", "cpu")
    for words in (
        ("recon", demo, "--out", tmp_path / "x.dcm", *settings),
        ("info", demo),
        ("prior", "list"),
        ("deidentify", tmp_path / "x.dcm", "--out", tmp_path / "copies", "--allow-burned-in"),
    ):
        done, attempts = guarded("-m", "app", *words)
        assert not attempts, words
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_a_cluster_of_ones_own_listens_on_loopback_only(guarded, tmp_path: Path) -> None:
    (tmp_path / "cluster.py").write_text(CLUSTER)
    done, attempts = guarded(tmp_path / "cluster.py", loopback=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "loopback only" in done.stdout
    assert not attempts
