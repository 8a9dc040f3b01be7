"""The centred Fourier transform of one coil's image, where k-space was measured."""

from __future__ import annotations

import torch
from torch import Tensor

from core.operators.linear import LinearOperator
from core.scan import KSpace, Scan


class MaskedFourier(LinearOperator):
    """A x = M F x: complex images (1, ny, nx) to k-space of the same shape."""

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask
        self.domain_shape = self.range_shape = (1, *mask.shape)
        self.dtype, self.device = torch.complex64, mask.device

    def forward(self, x: Tensor) -> Tensor:
        return self.mask * _centred(torch.fft.fft2, x)

    def adjoint(self, y: Tensor) -> Tensor:
        return _centred(torch.fft.ifft2, self.mask * y)


def _centred(transform, x: Tensor) -> Tensor:
    axes = (-2, -1)
    return torch.fft.fftshift(transform(torch.fft.ifftshift(x, dim=axes), norm="ortho"), dim=axes)


class OneCoil:
    """The operator of the first slice of a scan with one coil."""

    def fits(self, scan: Scan) -> bool:
        return isinstance(scan, KSpace) and scan.coils == 1 and not scan.is_3d

    def operator(self, scan: KSpace, device: torch.device) -> MaskedFourier:
        _, ny, nx = scan.matrix
        mask = torch.from_numpy(scan.mask[0, 0, 0, 0].copy())
        return MaskedFourier(mask.expand(ny, nx).to(device))
