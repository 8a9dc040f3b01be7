"""The room in which a stack is seen: window of OpenGL, light, camera, and what stands in it."""

from __future__ import annotations

import ctypes.util
import itertools

import numpy as np
import numpy.typing as npt
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401  (both register what draws)
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkObject, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPlaneCollection
from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer, vtkRenderWindow
from vtkmodules.vtkRenderingOpenGL2 import vtkTextureObject

from app.state.rendering import Box, Point, ReducedStack
from app.views.volume3d.camera import Camera
from app.views.volume3d.cast import LAMP, Cast
from app.views.volume3d.shapes import Rgba, SlicePlane, SurfaceShape
from core.viewing.sheet import Sheet
from core.viewing.surface import Surface

Vector = npt.NDArray[np.float64]

_SOFTWARE_WINDOW = "vtkOSOpenGLRenderWindow"
_SOFTWARE = (
    "llvmpipe",
    "softpipe",
    "swrast",
    "swiftshader",
    "software",
    "gdi generic",
    "basic render",
    "mesa offscreen",
)
"""In the names of what draws without a graphics card."""
_SPARE_ROWS = 2
"""Cast beyond the ends of a strip: each row is drawn from the rays of its neighbours too."""


class NoOpenGL(Exception):
    """Nothing can be rendered here; the text says why."""


class VolumeRenderer:
    """A stack in a room whose axes are the patient's (LPS mm), seen by a camera. Raises NoOpenGL.

    graphics_card: whether it may cast the rays; None asks what there is.
    """

    def __init__(self, graphics_card: bool | None = None) -> None:
        vtkObject.GlobalWarningDisplayOff()
        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        # Without its library the software window says that it works, and then ends the process.
        software = self._window.GetClassName() == _SOFTWARE_WINDOW and not ctypes.util.find_library("OSMesa")
        if software or not self._window.SupportsOpenGL():
            raise NoOpenGL("There is no OpenGL on this screen.")
        self._window.SetMultiSamples(0)
        self._room = vtkRenderer()
        self._window.AddRenderer(self._room)
        self._cast = Cast(self._largest_texture(graphics_card))
        self._surface = SurfaceShape()
        self._slices: list[SlicePlane] = []
        self._room.AddVolume(self._cast.actor)
        self._room.AddActor(self._surface.actor)
        lamp = vtkLight()
        lamp.SetLightTypeToHeadlight()
        lamp.SetIntensity(LAMP)
        # Asking the driver has made the room a light of its own.
        self._room.RemoveAllLights()
        self._room.AddLight(lamp)
        self.camera = Camera(self._room.GetActiveCamera())
        self._middle = np.zeros(3)
        self._corners = self._content = np.zeros((8, 3))
        self._box: Box | None = None
        self._depth: float | None = None
        self._clipped: object = None
        self._planes = vtkPlaneCollection()

    def _largest_texture(self, graphics_card: bool | None) -> int:
        if graphics_card is False:
            return 0
        self._window.SetSize(2, 2)
        self._window.Render()
        name = self._window.ReportCapabilities().lower()
        named = next((line for line in name.splitlines() if line.startswith("opengl renderer string")), "")
        if graphics_card is None and (not named or any(word in named for word in _SOFTWARE)):
            return 0
        return max(0, int(vtkTextureObject.GetMaximumTextureSize3D(self._window)))

    # What stands in the room

    def show_stack(self, stack: ReducedStack, affine: Vector) -> None:
        """Put a stack into the room. affine: of the whole stack's voxels (x, y, z), LPS mm."""
        size = np.array(stack.size)
        self._middle = affine[:3, :3] @ ((size - 1) / 2) + affine[:3, 3]
        placed = affine.copy()
        placed[:3, 3] -= self._middle  # turn about the middle of the stack
        self._cast.show(stack, placed)
        halves = affine[:3, :3] * (size / 2)
        ends = np.array(list(itertools.product((-1, 1), repeat=3)))
        self._corners, self._content = ends @ halves.T, (ends * stack.reach) @ halves.T
        self.camera.reach = float(np.linalg.norm(self._corners, axis=1).max()) or 1.0
        self._clipped = None

    def colour(self, points: tuple[Point, ...], *, mip: bool, shade: bool) -> None:
        self._cast.colour(points, mip=mip, shade=shade)

    def show_surface(self, surface: Surface | None) -> None:
        """The surface in the place of the stack, or the stack again."""
        self._cast.actor.SetVisibility(surface is None)
        self._surface.show(surface, self._middle)
        self._clipped = None

    def show_slices(self, slices: list[tuple[Sheet, Rgba]]) -> None:
        """Slices where they lie, with their pixels (height, width, 4)."""
        for shape in self._slices:
            self._room.RemoveActor(shape.actor)
        self._slices = [SlicePlane() for _ in slices]
        for shape, (sheet, pixels) in zip(self._slices, slices, strict=True):
            shape.show(sheet, pixels, self._middle)
            self._room.AddActor(shape.actor)

    def clip(self, box: Box | None, depth: float | None) -> None:
        """Cut off what lies outside a box (LPS mm) and, with a depth, what lies nearer to the viewer than a plane
        across the view, so many mm behind the middle of the stack. Slices stay whole."""
        self._box, self._depth = box, depth

    # How it is looked at

    def look_from(self, letter: str) -> None:
        self.camera.look_from(letter)

    def fit(self, aspect: float) -> None:
        """Zoom so that what is in the stack just fits into a picture `aspect` times as wide as it is high."""
        self.camera.fit(self._content, aspect)

    def turn(self, right: float, down: float) -> None:
        self.camera.turn(right, down)

    def zoom(self, factor: float) -> None:
        self.camera.zoom(factor)

    def pan(self, right: float, down: float) -> None:
        """Move the stack by shares of the picture's height."""
        self.camera.pan(right, down)

    def screen_axes(self) -> tuple[Vector, Vector]:
        """The LPS directions that run to the right and downwards on the screen."""
        return self.camera.screen_axes()

    def position_of(self, point: npt.ArrayLike, width: int, height: int) -> tuple[float, float]:
        """Where a place of the patient (LPS mm) is drawn in a picture, pixels from its upper left corner."""
        right, down = self.camera.screen_axes()
        offset = np.asarray(point, dtype=np.float64) - self._middle - self.camera.looks_at
        per_mm = height / self.camera.height_mm
        return width / 2 + float(offset @ right) * per_mm, height / 2 + float(offset @ down) * per_mm

    def take_view(self, other: VolumeRenderer) -> None:
        """Look as another renderer does."""
        self.camera.take(other.camera)

    @property
    def on_graphics_card(self) -> bool:
        return self._cast.on_graphics_card

    def give_up_graphics_card(self) -> None:
        """From now on the processor casts the rays."""
        self._cast.give_up_graphics_card()

    # Pictures

    def picture(self, width: int, height: int, *, coarse: bool = False) -> npt.NDArray[np.uint8]:
        """Red, green and blue, (height, width, 3). coarse: with fewer samples, while it is turned."""
        self._cast.coarsen(coarse)
        self._clip()
        self._draw(width, height)
        return self._pixels(width, height, 0, height)

    def strip(self, width: int, height: int, top: int, rows: int) -> npt.NDArray[np.uint8]:
        """Rows `top` to top + rows of a picture, (rows, width, 3): the very pixels of the whole one, in less time.

        The window and the view stay whole, and only rays beside the rows are cut off: VTK lays the picture of the rays
        over its window a pixel too large, so that pictures of parts of the view do not meet.
        """
        self._cast.coarsen(False)
        self._clip()
        if self.casts and rows < height:
            self._cast.clip(self._planes, self._about_rows(height, top, rows))
        self._draw(width, height)
        self._cast.clip(self._planes)
        return self._pixels(width, height, top, rows)

    @property
    def casts(self) -> bool:
        """There are rays: the stack is seen, not a surface in its place."""
        return bool(self._cast.actor.GetVisibility())

    def _draw(self, width: int, height: int) -> None:
        self._window.SetSize(width, height)
        self._room.ResetCameraClippingRange()
        self._window.Render()
        if self._cast.on_graphics_card and self._cast.failed:
            self._cast.give_up_graphics_card()
            self._window.Render()

    def _pixels(self, width: int, height: int, top: int, rows: int) -> npt.NDArray[np.uint8]:
        pixels = vtkUnsignedCharArray()
        below = height - top - rows
        self._window.GetPixelData(0, below, width - 1, below + rows - 1, 0, pixels, 0)
        return np.ascontiguousarray(vtk_to_numpy(pixels).reshape(rows, width, 3)[::-1])

    def _about_rows(self, height: int, top: int, rows: int) -> tuple[vtkPlane, vtkPlane]:
        """What is above and below some rows is cut off."""
        down, per_row = self.camera.screen_axes()[1], self.camera.height_mm / height
        ends = (top - _SPARE_ROWS - height / 2, top + rows + _SPARE_ROWS - height / 2)
        above, below = (self.camera.looks_at + row * per_row * down for row in ends)
        return _plane(above, down), _plane(below, -down)

    def _clip(self) -> None:
        """As the view is now."""
        direction = None if self._depth is None else tuple(self.camera.direction.tolist())
        wanted = (self._box, self._depth, direction)
        if wanted == self._clipped:
            return
        self._clipped = wanted
        planes = self._planes = vtkPlaneCollection()
        if self._depth is not None:
            planes.AddItem(_plane(self._depth * self.camera.direction, self.camera.direction))
        if self._box is not None:
            low, high = self._corners.min(axis=0), self._corners.max(axis=0)
            for axis, (start, end) in enumerate(np.array(self._box) - self._middle[:, None]):
                for place, sign, cuts in ((start, 1.0, start > low[axis]), (end, -1.0, end < high[axis])):
                    unit = np.eye(3)[axis]
                    if cuts:
                        planes.AddItem(_plane(place * unit, sign * unit))
        self._cast.clip(planes)
        self._surface.clip(planes)

    def release(self) -> None:
        """Give the context back."""
        self._room.RemoveAllViewProps()
        self._window.Finalize()


def _plane(place: Vector, inwards: Vector) -> vtkPlane:
    plane = vtkPlane()
    plane.SetOrigin(*place.tolist())
    plane.SetNormal(*inwards.tolist())
    return plane
