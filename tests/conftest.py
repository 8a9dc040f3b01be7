"""Fixtures that every test can use."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import screens

GOLDEN = Path(__file__).parent / "golden"


def pytest_configure(config: pytest.Config) -> None:
    """Of several processes each has a screen of its own."""
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0" and screens.possible():
        server = screens.start()
        config.add_cleanup(server.wait)
        config.add_cleanup(server.terminate)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file is not divided. Where there is one screen for all, one process has all the windows."""
    from xdist.scheduler import LoadScopeScheduling

    apart = screens.possible()

    class WholeFiles(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "windows" if nodeid.startswith("tests/app/") and not apart else nodeid.split("::")[0]

    return WholeFiles(config, log)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of test vectors."""
    return GOLDEN


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans: $DDS_VIEWER_DATA, or shared/data beside the project. Skips where there is none."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("DDS_VIEWER_DATA", default))
    if not (folder / "kspace").is_dir():
        pytest.skip(f"no real scans here: {folder} is absent (set DDS_VIEWER_DATA to a folder that has kspace/)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """System matrices and priors of tests stay out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDS_VIEWER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fails a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in before and not t.name.startswith("Dummy")]
    assert not left, f"threads left: {left}"
