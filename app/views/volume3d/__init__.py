"""Volume rendering with VTK, off-screen. Only this package imports vtk; all of it belongs to the window's thread."""

from app.views.volume3d.camera import VIEWS
from app.views.volume3d.scene import NoOpenGL, VolumeRenderer

__all__ = ["VIEWS", "NoOpenGL", "VolumeRenderer"]
