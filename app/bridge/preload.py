"""Loads what is large without stopping the window."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def preload_torch() -> None:
    """Map torch's shared libraries before `import torch` does. For a worker thread; harmless if it fails.

    Their loading takes 0.2 to 0.5 s, in which the import would hold Python's lock and so stop the window. A foreign
    function called through ctypes does not hold it. The order is that of torch's own import.
    """
    found = importlib.util.find_spec("torch") if sys.platform == "linux" else None
    if found is None or not found.submodule_search_locations:
        return
    folder = Path(found.submodule_search_locations[0]) / "lib"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for name, how in (
        ("libtorch_global_deps.so", os.RTLD_NOW | os.RTLD_GLOBAL),
        ("libtorch.so", os.RTLD_NOW | os.RTLD_LOCAL),
    ):
        if (folder / name).is_file():
            dlopen(os.fsencode(folder / name), how)


@contextmanager
def without_collector() -> Iterator[None]:
    """Import something large without Python's cyclic collector, and have it pass over what was imported ever after.

    With torch in memory a full collection holds Python's lock, and so stops the window, for 0.1 to 0.2 s. Where all was
    imported before nothing is passed over: what is garbage by then would never go.
    """
    before, imported = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > imported:
            gc.freeze()
        if before:
            gc.enable()


def preload_vtk() -> None:
    """The same for what renders: after it, the import of VTK holds Python's lock for some hundredths of a second."""
    found = importlib.util.find_spec("vtkmodules") if sys.platform == "linux" else None
    if found is None or not found.submodule_search_locations:
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for library in Path(found.submodule_search_locations[0]).glob("libvtkRenderingVolumeOpenGL2*.so*"):
        dlopen(os.fsencode(library), os.RTLD_NOW | os.RTLD_LOCAL)
