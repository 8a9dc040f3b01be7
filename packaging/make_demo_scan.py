"""Write the demo scan: a made-up head, measured by eight made-up coils at R = 4, as an ISMRMRD file.

Run from the project's root: python packaging/make_demo_scan.py [FILE]. The same call writes the same measurements.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ismrmrd
import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.operators.masks import Undersampling, sampling_mask  # noqa: E402
from core.priors.phantoms import coil_maps, head  # noqa: E402

ComplexArray = npt.NDArray[np.complex64]

SEED = 20306
"""Of a head that no bundled prior was trained on: those use seeds 1000 to 1999."""
SLICES, SIZE, COILS, ACS = 4, 256, 8, 20
PIXEL_MM, THICKNESS_MM = 0.9, 5.0
CENTRE_MM = (0.0, 0.0, 14.0)
NOISE = 0.015
"""Standard deviation of the complex noise, as a share of the image's peak."""
NOISE_SAMPLES = 512
DWELL_US = 5.0

HEADER = """<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
  <measurementInformation><protocolName>T2 head, made up</protocolName><patientPosition>HFS</patientPosition>
  </measurementInformation>
  <acquisitionSystemInformation>
    <systemVendor>simulated by DDS Viewer</systemVendor><systemModel>procedural head {seed}</systemModel>
    <systemFieldStrength_T>3.0</systemFieldStrength_T>
    <relativeReceiverNoiseBandwidth>1.0</relativeReceiverNoiseBandwidth>
    <receiverChannels>{coils}</receiverChannels>
  </acquisitionSystemInformation>
  <experimentalConditions><H1resonanceFrequency_Hz>127729000</H1resonanceFrequency_Hz></experimentalConditions>
  <encoding>
    <encodedSpace><matrixSize><x>{n}</x><y>{n}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{fov}</x><y>{fov}</y><z>{thickness}</z></fieldOfView_mm></encodedSpace>
    <reconSpace><matrixSize><x>{n}</x><y>{n}</y><z>1</z></matrixSize>
      <fieldOfView_mm><x>{fov}</x><y>{fov}</y><z>{thickness}</z></fieldOfView_mm></reconSpace>
    <encodingLimits>
      <kspace_encoding_step_1><minimum>0</minimum><maximum>{last}</maximum><center>{middle}</center>
      </kspace_encoding_step_1>
      <slice><minimum>0</minimum><maximum>{last_slice}</maximum><center>0</center></slice>
    </encodingLimits>
    <trajectory>cartesian</trajectory>
    <parallelImaging><accelerationFactor><kspace_encoding_step_1>4</kspace_encoding_step_1>
      <kspace_encoding_step_2>1</kspace_encoding_step_2></accelerationFactor>
      <calibrationMode>embedded</calibrationMode></parallelImaging>
  </encoding>
</ismrmrdHeader>"""


def images() -> ComplexArray:
    """The true complex images (slices, y, x), peak 1, with the smooth phase that real ones have."""
    made = head(
        SEED,
        (SLICES, SIZE, SIZE),
        "t2",
        spacing_mm=(THICKNESS_MM, PIXEL_MM, PIXEL_MM),
        centre_mm=CENTRE_MM,
        lesions=2,
        jitter=0.05,
    ).image
    rng = np.random.default_rng(SEED)
    phase = ndi.zoom(rng.standard_normal((4, 4)), SIZE / 4, order=3) * 0.5
    line = np.linspace(-1, 1, SIZE)
    phase = phase + 0.8 * line[None] - 0.5 * line[:, None] ** 2
    return (made / made.max() * np.exp(1j * phase)).astype(np.complex64)


def measured_lines() -> list[int]:
    mask = sampling_mask(Undersampling("gaussian1d", 4.0, ACS, SEED), SIZE, SIZE)
    return [int(line) for line in np.flatnonzero(mask[:, 0])]


def kspace(truth: ComplexArray) -> ComplexArray:
    """(slices, coils, ky, kx), k = 0 in the middle, unitary, without noise."""
    seen = truth[:, None] * coil_maps(COILS, (SIZE, SIZE), SEED)[None]
    axes = (-2, -1)
    spectrum = np.fft.fftn(np.fft.ifftshift(seen, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(spectrum, axes=axes).astype(np.complex64)


def complex_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> ComplexArray:
    parts = rng.standard_normal((2, *shape)) * (NOISE / np.sqrt(2))
    return (parts[0] + 1j * parts[1]).astype(np.complex64)


def readout(samples: ComplexArray, scan_counter: int) -> ismrmrd.Acquisition:
    """One acquisition (coils, samples) with the geometry of an axial slice: x towards the left, y towards the back."""
    acquisition = ismrmrd.Acquisition.from_array(np.ascontiguousarray(samples))
    acquisition.scan_counter = scan_counter
    acquisition.center_sample = samples.shape[1] // 2
    acquisition.available_channels = COILS
    acquisition.sample_time_us = DWELL_US
    acquisition.read_dir[:] = (1.0, 0.0, 0.0)
    acquisition.phase_dir[:] = (0.0, 1.0, 0.0)
    acquisition.slice_dir[:] = (0.0, 0.0, 1.0)
    return acquisition


def write(path: Path) -> None:
    """Write the scan, replacing what lies at the path."""
    lines, rng = measured_lines(), np.random.default_rng((SEED, 1))
    data = kspace(images())
    centre = range(SIZE // 2 - ACS // 2, SIZE // 2 - ACS // 2 + ACS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with ismrmrd.Dataset(str(path), "dataset", create_if_needed=True) as dataset:
        dataset.write_xml_header(
            HEADER.format(
                seed=SEED,
                coils=COILS,
                n=SIZE,
                fov=SIZE * PIXEL_MM,
                thickness=THICKNESS_MM,
                last=SIZE - 1,
                middle=SIZE // 2,
                last_slice=SLICES - 1,
            ).encode()
        )
        noise = readout(complex_noise(rng, (COILS, NOISE_SAMPLES)), 0)
        noise.set_flag(ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
        dataset.append_acquisition(noise)
        counter = 1
        for index in range(SLICES):
            z = CENTRE_MM[2] + (index - (SLICES - 1) / 2) * THICKNESS_MM
            for line in lines:
                samples = data[index, :, line] + complex_noise(rng, (COILS, SIZE))
                acquisition = readout(samples, counter)
                acquisition.idx.kspace_encode_step_1 = line
                acquisition.idx.slice = index
                # The field of view's middle is voxel n // 2; the head's own lies half a pixel before it.
                acquisition.position[:] = (CENTRE_MM[0] + PIXEL_MM / 2, CENTRE_MM[1] + PIXEL_MM / 2, z)
                if line in centre:
                    acquisition.set_flag(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING)
                dataset.append_acquisition(acquisition)
                counter += 1


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "demo" / "mri_head.h5")
