"""Volume rendering with VTK, off-screen. The only file that imports vtk; all of it belongs to the window's thread.

The rays are cast on the processor: a reduced stack takes some hundredths of a second, no driver limits its size, and no
graphics card can lose it. OpenGL is needed only to bring the picture together.
"""

from __future__ import annotations

import ctypes.util
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401  (both register what draws)
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkObject, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkLight, vtkRenderer, vtkRenderWindow, vtkVolume
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper

from app.state.rendering import Point, ReducedStack, reach_of_content

VIEWS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "A": ((0, -1, 0), (0, 0, 1)),
    "P": ((0, 1, 0), (0, 0, 1)),
    "L": ((1, 0, 0), (0, 0, 1)),
    "R": ((-1, 0, 0), (0, 0, 1)),
    "H": ((0, 0, 1), (0, -1, 0)),
    "F": ((0, 0, -1), (0, -1, 0)),
}
"""From where the patient is looked at, and what is up then, in LPS."""

_SOFTWARE = "vtkOSOpenGLRenderWindow"
_UNIT_SHARE = 1 / 128
"""Of the longest side: the way on which an opacity is as the presets say."""
_MARGIN = 1.1
_LAMP = 1.5


class NoOpenGL(Exception):
    """Nothing can be rendered here; the text says why."""


class VolumeRenderer:
    """A stack in a room whose axes are the patient's (LPS mm), seen by a camera. Raises NoOpenGL."""

    def __init__(self) -> None:
        vtkObject.GlobalWarningDisplayOff()
        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        # Without its library the software window says that it works, and then ends the process.
        software = self._window.GetClassName() == _SOFTWARE and not ctypes.util.find_library("OSMesa")
        if software or not self._window.SupportsOpenGL():
            raise NoOpenGL("There is no OpenGL on this screen.")
        self._window.SetMultiSamples(0)
        self._room = vtkRenderer()
        self._window.AddRenderer(self._room)
        self._mapper = vtkFixedPointVolumeRayCastMapper()
        self._actor = vtkVolume()
        self._actor.SetMapper(self._mapper)
        look = self._actor.GetProperty()
        look.SetInterpolationTypeToLinear()
        look.SetAmbient(0.45)
        look.SetDiffuse(1.0)
        look.SetSpecular(0.2)
        self._room.AddVolume(self._actor)
        lamp = vtkLight()
        lamp.SetLightTypeToHeadlight()
        lamp.SetIntensity(_LAMP)
        self._room.AddLight(lamp)
        self._corners = self._content = np.zeros((8, 3))
        self._kept: Any = None

    def show_stack(self, stack: ReducedStack, affine: npt.NDArray[np.float64]) -> None:
        """Put a stack into the room. affine: of the whole stack's voxels (x, y, z), LPS mm."""
        # Air around it, or the ends of the stack, where the patient goes on, would have no face and stay dark.
        values = np.pad(stack.values, 1, constant_values=stack.values.min())
        image = vtkImageData()
        image.SetDimensions(*values.shape[::-1])
        self._kept = numpy_to_vtk(values.ravel())  # VTK uses numpy's memory
        image.GetPointData().SetScalars(self._kept)
        image.SetSpacing(*(float(step) for step in stack.step))
        self._mapper.SetInputData(image)
        placed = affine.copy()
        middle = (np.array(values.shape[::-1]) - 1) * stack.step / 2
        placed[:3, 3] = -placed[:3, :3] @ middle  # turn about the middle of the stack
        matrix = vtkMatrix4x4()
        matrix.DeepCopy(placed.ravel().tolist())
        self._actor.SetUserMatrix(matrix)
        halves = affine[:3, :3] * (np.array(stack.size) / 2)
        ends = np.array(list(itertools.product((-1, 1), repeat=3)))
        self._corners, self._content = ends @ halves.T, (ends * reach_of_content(stack.values)) @ halves.T
        self._actor.GetProperty().SetScalarOpacityUnitDistance(2 * float(self._corners.max()) * _UNIT_SHARE)

    def colour(self, points: tuple[Point, ...], *, mip: bool, shade: bool) -> None:
        colours, opacity = vtkColorTransferFunction(), vtkPiecewiseFunction()
        for value, red, green, blue, alpha in points:
            colours.AddRGBPoint(value, red, green, blue)
            opacity.AddPoint(value, alpha)
        look = self._actor.GetProperty()
        look.SetColor(colours)
        look.SetScalarOpacity(opacity)
        look.SetShade(shade)
        if mip:
            self._mapper.SetBlendModeToMaximumIntensity()
        else:
            self._mapper.SetBlendModeToComposite()

    def look_from(self, letter: str) -> None:
        """Look at the whole stack from one of VIEWS."""
        place, up = VIEWS[letter]
        camera = self._room.GetActiveCamera()
        camera.SetFocalPoint(0, 0, 0)
        camera.SetPosition(*(5 * self._reach * part for part in place))
        camera.SetViewUp(*up)
        camera.SetParallelProjection(1)

    def fit(self, aspect: float) -> None:
        """Zoom so that what is in the stack just fits into a picture `aspect` times as wide as it is high."""
        wide, high = (float(np.abs(self._content @ axis).max()) for axis in self.screen_axes())
        self._room.GetActiveCamera().SetParallelScale(_MARGIN * max(high, wide / aspect))

    @property
    def _reach(self) -> float:
        """From the middle of the stack to its corners, mm."""
        return float(np.linalg.norm(self._corners[0])) or 1.0

    def turn(self, right: float, down: float) -> None:
        """Turn the stack under the hand, by degrees."""
        camera = self._room.GetActiveCamera()
        camera.Azimuth(-right)
        camera.Elevation(down)
        camera.OrthogonalizeViewUp()

    def zoom(self, factor: float) -> None:
        camera = self._room.GetActiveCamera()
        scale = min(max(camera.GetParallelScale() / factor, 0.02 * self._reach), 10 * self._reach)
        camera.SetParallelScale(scale)

    def screen_axes(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The LPS directions that run to the right and downwards on the screen."""
        camera = self._room.GetActiveCamera()
        up = np.array(camera.GetViewUp())
        right = np.cross(camera.GetDirectionOfProjection(), up)
        return right, -up

    def picture(self, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Red, green and blue, (height, width, 3)."""
        self._window.SetSize(width, height)
        self._room.ResetCameraClippingRange()
        self._window.Render()
        pixels = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        drawn = vtk_to_numpy(pixels).reshape(height, width, 3)
        return np.ascontiguousarray(drawn[::-1])

    def release(self) -> None:
        """Give the context back."""
        self._room.RemoveAllViewProps()
        self._window.Finalize()
