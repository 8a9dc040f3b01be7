"""The rooms of the house know each other only in one direction, and the doors are light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_import_linter() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout


def test_core_works_where_there_is_no_qt() -> None:
    result = run_python(
        "import sys\n"
        "for name in ('PySide6', 'pyqtgraph', 'vtk', 'vtkmodules', 'app'):\n"
        "    sys.modules[name] = None\n"
        "import pkgutil, importlib, core\n"
        "for module in pkgutil.walk_packages(core.__path__, 'core.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "module",
    [
        "core",
        "core.formats",
        "core.engine.events",
        "core.engine.settings",
        "core.engine.presets",
        "core.priors",
        "app.cli",
    ],
)
def test_doors_are_light(module: str) -> None:
    result = run_python(
        f"import sys, {module}\n"
        "heavy = [m for m in ('torch', 'scipy', 'h5py', 'vtk', 'skimage', 'ismrmrd', 'PySide6') if m in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    assert result.returncode == 0, result.stderr
