"""The noise scan of a Siemens measurement, in the measurement itself or in an earlier one of the same file."""

from __future__ import annotations

import numpy as np

from core.formats.encoding import Integers
from core.formats.noise import NoiseScan, bandwidth_ratio
from core.formats.twix_header import Protocol, parse_protocol
from core.formats.twix_layout import Readouts, walk

_RELATIVE_BANDWIDTH = 0.793
"""Of Siemens' receive filter against 1 / dwell time, as the ISMRMRD converter for Siemens notes it."""

_ADJUSTMENT_DWELL_US = {"adjcoilsens": 5.0, "adjquietcoilsens": 4.0}


def noise_scan(
    readouts: Readouts, noise: Integers, imaging: Integers, protocol: Protocol, odd: list[str]
) -> NoiseScan | None:
    """Noise readouts with the channels of the image, scaled to its bandwidth; None if there are none."""
    source, source_protocol = readouts, protocol
    if not len(noise):
        source, source_protocol, noise = _from_earlier(readouts)
    if not len(noise):
        return None
    channels = readouts.channels_of(int(imaging[0]))
    noise = noise[source.head["SamplesInScan"][noise] > 0]
    noise = noise[source.head["UsedChannels"][noise] == len(channels)]
    noise = np.array([row for row in noise if source.channels_of(int(row)) == channels], dtype=np.int64)
    if not len(noise):
        odd.append("The noise scan has other channels than the image; it was not used.")
        return None
    samples = np.concatenate([source.samples(noise[i : i + 1])[0] for i in range(len(noise))], axis=1)
    noise_dwell = _noise_dwell_us(source_protocol, int(source.head["SamplesInScan"][noise[0]]), source.file.is_vd)
    imaging_dwell = protocol.number("sRXSPEC.alDwellTime[0]") / 1000
    return NoiseScan(samples, bandwidth_ratio(noise_dwell, imaging_dwell, _RELATIVE_BANDWIDTH))


def _from_earlier(readouts: Readouts) -> tuple[Readouts, Protocol, Integers]:
    """The latest earlier measurement that has noise readouts."""
    file = readouts.file
    for part in reversed(file.parts[:-1]):
        earlier = walk(file, part)
        rows = np.flatnonzero(earlier.has("NOISEADJSCAN"))
        if len(rows):
            return earlier, parse_protocol(file.header_of(part)), rows
    return readouts, Protocol({}, {}), np.zeros(0, np.int64)


def _noise_dwell_us(protocol: Protocol, samples: int, is_vd: bool) -> float:
    """Dwell time of a noise readout: the bandwidth is 130 Hz per pixel, or that of the coil adjustment."""
    name = protocol.text("tSequenceFileName").lower()
    for adjustment, dwell in _ADJUSTMENT_DWELL_US.items():
        if adjustment in name:
            return dwell
    return int(76800 / samples) / 10 if is_vd else 1e6 / samples / 130
