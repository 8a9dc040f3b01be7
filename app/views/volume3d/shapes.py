"""What lies in the room beside the rays: the surface of a threshold, and slices as textured planes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkImageData, vtkPlaneCollection, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkClipPolyData
from vtkmodules.vtkFiltersSources import vtkPlaneSource
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkTexture

from core.viewing.sheet import Sheet
from core.viewing.surface import Surface

BONE = (0.93, 0.89, 0.80)
_MOST_PLANES = 6
"""Of a shape, in OpenGL; what more of them cut off is cut off before."""

Rgba = npt.NDArray[np.uint8]


class SurfaceShape:
    """The surface of a threshold, lit from where it is looked at."""

    def __init__(self) -> None:
        self.actor = vtkActor()
        self._mapper = vtkPolyDataMapper()
        self._mapper.ScalarVisibilityOff()
        self.actor.SetMapper(self._mapper)
        self._whole = vtkPolyData()
        look = self.actor.GetProperty()
        look.SetColor(*BONE)
        look.SetAmbient(0.12)
        look.SetDiffuse(0.75)
        look.SetSpecular(0.15)
        look.SetSpecularPower(20)
        self.actor.VisibilityOff()

    def show(self, surface: Surface | None, middle: npt.NDArray[np.float64]) -> None:
        """middle: the place (LPS mm) that is the middle of the room."""
        self.actor.SetVisibility(surface is not None)
        if surface is None:
            self._whole = vtkPolyData()
            self._mapper.SetInputData(self._whole)
            return
        points, cells = vtkPoints(), vtkCellArray()
        points.SetData(numpy_to_vtk((surface.points - middle).astype(np.float32), deep=1))
        cells.SetData(3, numpy_to_vtkIdTypeArray(surface.triangles.ravel(), deep=1))
        self._whole = vtkPolyData()
        self._whole.SetPoints(points)
        self._whole.SetPolys(cells)
        self._whole.GetPointData().SetNormals(numpy_to_vtk(surface.normals, deep=1))
        self._mapper.SetInputData(self._whole)

    def clip(self, planes: vtkPlaneCollection) -> None:
        shape, first = self._whole, vtkPlaneCollection()
        for i in range(planes.GetNumberOfItems()):
            if i < _MOST_PLANES:
                first.AddItem(planes.GetItem(i))
                continue
            cutter = vtkClipPolyData()
            cutter.SetInputData(shape)
            cutter.SetClipFunction(planes.GetItem(i))
            cutter.Update()
            shape = cutter.GetOutput()
        self._mapper.SetInputData(shape)
        self._mapper.SetClippingPlanes(first)


class SlicePlane:
    """A slice where it lies in the patient, as bright as it is in its pane."""

    def __init__(self) -> None:
        self._source, self._texture, self.actor = vtkPlaneSource(), vtkTexture(), vtkActor()
        mapper = vtkPolyDataMapper()
        mapper.SetInputConnection(self._source.GetOutputPort())
        self.actor.SetMapper(mapper)
        self.actor.SetTexture(self._texture)
        self._texture.InterpolateOn()
        self.actor.GetProperty().LightingOff()
        self.actor.ForceOpaqueOn()  # or the rays would pass through it

    def show(self, sheet: Sheet, pixels: Rgba, middle: npt.NDArray[np.float64]) -> None:
        """pixels: (height, width, 4), those without opacity are left out. middle: as for a surface."""
        height, width = pixels.shape[:2]
        for place, put in (
            ((-0.5, -0.5), self._source.SetOrigin),
            ((width - 0.5, -0.5), self._source.SetPoint1),
            ((-0.5, height - 0.5), self._source.SetPoint2),
        ):
            put(*(sheet.point_at(*place) - middle).tolist())
        image = vtkImageData()
        image.SetDimensions(width, height, 1)
        image.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, 4), deep=1))
        self._texture.SetInputData(image)
