"""The stack itself: its values, colours and opacity, and who casts the rays through it.

Rays are cast on the processor: no driver limits the size of the stack, and no graphics card can lose it. Where there is
a graphics card, whose textures hold the stack, it casts them, until it fails for the first time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction, vtkPlane, vtkPlaneCollection
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkColorTransferFunction, vtkVolume
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper, vtkGPUVolumeRayCastMapper

from app.state.rendering import RIM, Point, ReducedStack

_UNIT_SHARE = 1 / 128
"""Of the longest side: the way on which an opacity is as the presets say."""
_COARSE, _FINE, _LIT = 2.0, 1.0, 0.6
"""Voxels between samples while the stack is turned, else, and else with light and shadow."""
LAMP = 1.3
"""Of the light that comes from the viewer."""
_AMBIENT, _DIFFUSE, _SPECULAR, _SHINE = 0.4, 0.85, 0.15, 15
"""The processor counts in 16 bits, in which 2 is the brightest: with more, what faces the viewer would turn dark."""
assert _AMBIENT + _DIFFUSE * LAMP < 2


class Cast:
    """A volume that is rendered by its rays. largest_texture: voxels a side that the graphics card takes; 0: it is not
    asked."""

    def __init__(self, largest_texture: int = 0) -> None:
        self.largest_texture = largest_texture
        self.actor = vtkVolume()
        self._look = self.actor.GetProperty()
        self._look.SetInterpolationTypeToLinear()
        self._look.SetAmbient(_AMBIENT)
        self._look.SetDiffuse(_DIFFUSE)
        self._look.SetSpecular(_SPECULAR)
        self._look.SetSpecularPower(_SHINE)
        self._kept: list[object] = []
        self._image: vtkImageData | None = None
        self._smooth: vtkImageData | None = None
        self._planes = vtkPlaneCollection()
        self._mip = self._coarse = self._shade = False
        self._voxel = 1.0
        self._take(vtkFixedPointVolumeRayCastMapper())

    def show(self, stack: ReducedStack, placed: npt.NDArray[np.float64]) -> None:
        """placed: (4, 4), from the whole stack's voxels (x, y, z) to the room."""
        # Light and shadow need a matrix that does not stretch: the size of the voxels goes into the image.
        voxel = np.linalg.norm(placed[:3, :3], axis=0)
        corner = voxel * (np.array(stack.first) - np.multiply(RIM, stack.step))
        self._kept = []
        self._image, self._smooth = (
            self._image_of(values, voxel * stack.step, corner) for values in (stack.padded, stack.smooth)
        )
        unit = placed.copy()
        unit[:3, :3] /= voxel
        matrix = vtkMatrix4x4()
        matrix.DeepCopy(unit.ravel().tolist())
        self.actor.SetUserMatrix(matrix)
        self._voxel = float((voxel * stack.step).min())
        self._look.SetScalarOpacityUnitDistance(_longest(stack, placed) * _UNIT_SHARE)
        fits = max(stack.padded.shape) <= self.largest_texture
        if fits is not isinstance(self._mapper, vtkGPUVolumeRayCastMapper):
            self._take(vtkGPUVolumeRayCastMapper() if fits else vtkFixedPointVolumeRayCastMapper())
        self._put()
        self._sample()

    def _image_of(
        self, values: npt.NDArray[Any], spacing: npt.NDArray[np.float64], corner: npt.NDArray[np.float64]
    ) -> vtkImageData:
        image = vtkImageData()
        image.SetDimensions(*values.shape[::-1])
        scalars = numpy_to_vtk(values.ravel())
        self._kept.append(scalars)  # VTK uses numpy's memory
        image.GetPointData().SetScalars(scalars)
        image.SetSpacing(*spacing.tolist())
        image.SetOrigin(*corner.tolist())
        return image

    def _put(self) -> None:
        """Cast rays through the smooth values for light and shadow, through the true ones else."""
        image = self._smooth if self._shade else self._image
        if image is not None and image is not self._mapper.GetInput():
            self._mapper.SetInputData(image)

    def colour(self, points: tuple[Point, ...], *, mip: bool, shade: bool) -> None:
        colours, opacity = vtkColorTransferFunction(), vtkPiecewiseFunction()
        for value, red, green, blue, alpha in points:
            colours.AddRGBPoint(value, red, green, blue)
            opacity.AddPoint(value, alpha)
        self._look.SetColor(colours)
        self._look.SetScalarOpacity(opacity)
        self._mip, self._shade = mip, shade and not mip
        self._look.SetShade(self._shade)
        self._put()
        self._sample()
        self._blend()

    def clip(self, planes: vtkPlaneCollection, more: Iterable[vtkPlane] = ()) -> None:
        self._planes = vtkPlaneCollection()
        for plane in (*(planes.GetItem(i) for i in range(planes.GetNumberOfItems())), *more):
            self._planes.AddItem(plane)
        self._mapper.SetClippingPlanes(self._planes)

    def coarsen(self, coarse: bool) -> None:
        """Take fewer samples along each ray."""
        if coarse is not self._coarse:
            self._coarse = coarse
            self._sample()

    @property
    def on_graphics_card(self) -> bool:
        return isinstance(self._mapper, vtkGPUVolumeRayCastMapper)

    def give_up_graphics_card(self, *_: object) -> None:
        """From now on the processor casts the rays."""
        self.largest_texture = 0
        self._take(vtkFixedPointVolumeRayCastMapper())
        self._put()

    def _take(self, mapper: Any) -> None:
        self._mapper = mapper
        self.failed = False
        mapper.AddObserver("ErrorEvent", self._fail)
        mapper.SetAutoAdjustSampleDistances(0)
        mapper.SetClippingPlanes(self._planes)
        self.actor.SetMapper(mapper)
        self._blend()
        self._sample()

    def _fail(self, *_: object) -> None:
        self.failed = True

    def _blend(self) -> None:
        if self._mip:
            self._mapper.SetBlendModeToMaximumIntensity()
        else:
            self._mapper.SetBlendModeToComposite()

    def _sample(self) -> None:
        fine = _LIT if self._shade else _FINE
        self._mapper.SetSampleDistance(self._voxel * (_COARSE if self._coarse else fine))


def _longest(stack: ReducedStack, placed: npt.NDArray[np.float64]) -> float:
    """Of the sides of the box along the axes of the room that holds the stack, mm."""
    return float((np.abs(placed[:3, :3]) @ np.array(stack.size)).max())
