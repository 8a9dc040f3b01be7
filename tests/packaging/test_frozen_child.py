"""A frozen program starts itself for what may crash; here a script stands for it, which sets `sys.frozen`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ScanError
from core.formats import child, open_scan
from core.formats.hdf5 import trouble_with

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "resources" / "demo" / "mri_head.h5"


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process believes to be frozen; its executable is a script that is. Every start is noted in a file."""
    if sys.platform == "win32":
        pytest.skip("the stand-in is a script of the shell")
    program = tmp_path / "dds-viewer"
    code = f"import sys; sys.frozen = True; sys.path.insert(0, {str(ROOT)!r}); from app.__main__ import run; run()"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/started\nexec {sys.executable} -I -c "{code}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path / "started"


def test_an_hdf5_file_is_read_in_another_process(frozen: Path) -> None:
    state = DEMO.stat()
    assert trouble_with.__wrapped__(str(DEMO), state.st_mtime_ns, state.st_size) == ""
    assert frozen.read_text("utf-8").split()[:2] == ["--child", "hdf5_probe"]


def test_a_damaged_file_is_told_by_the_other_process(frozen: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.h5"
    cut.write_bytes(DEMO.read_bytes()[:200_000])
    with pytest.raises(ScanError):
        open_scan(cut)
    assert trouble_with.__wrapped__(str(cut), 0, 200_000) not in ("", "the library that reads it breaks down on it")


def test_only_scripts_of_the_list_are_run(frozen: Path) -> None:
    for words in (["--child", "os"], ["--child", "core.engine.runner"], ["--child"], ["--child", "../hdf5_probe"]):
        assert child.main(words) == 2
    assert child.main(["recon", "--child", "hdf5_probe"]) is None
    assert child.main([]) is None


def test_the_frozen_program_is_still_the_command_line(frozen: Path) -> None:
    told = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, timeout=120)
    assert told.returncode == 0
    assert "version" in told.stdout


def test_all_scripts_of_the_list_have_a_main() -> None:
    import importlib

    for name in child.SCRIPTS:
        assert callable(importlib.import_module(f"core.formats.{name}").main)


def test_not_frozen_the_script_is_run_by_python_alone() -> None:
    assert child.command_of(Path("/x/hdf5_probe.py"), "a.h5") == [sys.executable, "-I", "/x/hdf5_probe.py", "a.h5"]
