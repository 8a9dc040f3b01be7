"""Damage to files: of bytes, of numbers in headers, and of what lies inside gzip, zip, HDF5, JSON and DICOM files."""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

Damage = Callable[[bytes, random.Random], bytes]

WHOLE = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 10**6, 2**31 - 1, 2**31, 2**32 - 1, 2**63)
NUMBERS = (
    *(b"", b"0", b"-1", b"1", b"2", b"7", b"255", b"65536", b"1000000", b"2147483648", b"1000000000000000000"),
    *(b"1" * 40, b"1e6", b"1e18", b"1e308", b"-1e308", b"1e999", b"nan", b"-inf", b"0x10", b"1_0", b"0.5", b"\xb2"),
)
ELSEWHERE = (
    b"../outside.raw",
    b"/etc/hostname",
    b"..",
    b"LIST",
    b"%03d 1 9 1",
    b"https://localhost/",
    b"C:\\outside.raw",
)
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_][\w.-]{2,}")
_MOST = 2**20


def binary(data: bytes, rnd: random.Random) -> bytes:
    """A bit, a byte, a number of 1 to 8 bytes, a slice taken out, doubled or moved, or the end cut off."""
    held = bytearray(data)
    if not held:
        return bytes(rnd.randrange(256) for _ in range(rnd.randrange(40)))
    place = rnd.randrange(len(held) if rnd.random() < 0.3 else min(len(held), rnd.choice((16, 128, 1024, 8192))))
    kind = rnd.randrange(8)
    if kind == 0:
        held[place] ^= 1 << rnd.randrange(8)
    elif kind == 1:
        held[place] = rnd.randrange(256)
    elif kind in (2, 3):
        size = rnd.choice((1, 2, 4, 8))
        value = rnd.choice(WHOLE) % 2 ** (8 * size)
        held[place : place + size] = value.to_bytes(size, rnd.choice(("little", "big")))
    elif kind == 4:
        value = rnd.choice((0.0, -1.0, 1e6, 1e18, 1e38, float("nan"), float("inf")))
        form = rnd.choice(("<f", ">f", "<d", ">d"))
        held[place : place + struct.calcsize(form)] = struct.pack(form, value)
    elif kind == 5:
        del held[place : place + rnd.choice((1, 2, 4, 16, 256))]
    elif kind == 6:
        piece = held[place : place + rnd.choice((1, 2, 4, 16, 256))]
        other = rnd.randrange(len(held))
        held[other:other] = piece * rnd.choice((1, 1, 2, 50))
    else:
        held = held[: rnd.randrange(len(held) + 1)]
    return bytes(held[:_MOST])


def text(data: bytes, rnd: random.Random, reach: int = 4096) -> bytes:
    """A number, a word or a line of the first bytes replaced, doubled or left out."""
    head, rest = data[:reach], data[reach:]
    kind = rnd.randrange(8)
    numbers, words = list(_NUMBER.finditer(head)), list(_WORD.finditer(head))
    if kind < 4 and numbers:
        found = rnd.choice(numbers)
        return head[: found.start()] + rnd.choice(NUMBERS) + head[found.end() :] + rest
    if kind == 4 and words:
        found, other = rnd.choice(words), rnd.choice(words)
        return head[: found.start()] + other.group() + head[found.end() :] + rest
    if kind == 5 and words:
        found = rnd.choice(words)
        return head[: found.start()] + rnd.choice(ELSEWHERE) + head[found.end() :] + rest
    if kind == 6:
        place = rnd.randrange(len(head) + 1)
        filling = rnd.choice((b"\n", b" ", b"\t", b"\0", b"[", b"<a>", b"{", b"- ", b"&a", b"*a", b'"', b"=", b":"))
        return head[:place] + filling * rnd.choice((1, 2, 100, 20_000)) + head[place:] + rest
    lines = head.split(b"\n")
    line = rnd.randrange(len(lines))
    lines[line : line + 1] = [lines[line]] * rnd.choice((0, 2, 3))
    return b"\n".join(lines) + rest


def in_gzip(inner: Damage) -> Damage:
    """Damage to what a gzip file holds, packed again."""

    def damaged(data: bytes, rnd: random.Random) -> bytes:
        try:
            held = gzip.decompress(data)
        except Exception:
            return binary(data, rnd)
        return gzip.compress(inner(held, rnd), 1, mtime=0)

    return damaged


def in_zip(inner: Damage) -> Damage:
    """Damage to a member, or to its name, packed again with the right sums."""

    def damaged(data: bytes, rnd: random.Random) -> bytes:
        made = BytesIO()
        try:
            with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(made, "w", rnd.choice((0, 8))) as new:
                names = old.namelist()
                chosen = rnd.choice(names)
                for name in names:
                    held = old.read(name)
                    if name == chosen and rnd.random() < 0.1:
                        name = rnd.choice(("../outside", "/outside", name[1:], rnd.choice(names), "a\0b"))
                    elif name == chosen:
                        held = inner(held, rnd)
                    new.writestr(name, held)
        except Exception:
            return binary(data, rnd)
        return made.getvalue()

    return damaged


_VALUES: tuple[Any, ...] = (
    *(None, True, [], {}, "", "x" * 3000, "../outside.raw", 0, -1, 0.5, 10**6, 2**63, 10**30, 1e308),
    *(float("nan"), float("inf"), [[]], [1, "a"], {"a": {"b": []}}),
)


def in_json(data: bytes, rnd: random.Random) -> bytes:
    """A value somewhere in a JSON text replaced or left out; now and then nested without measure."""
    if rnd.random() < 0.05:
        return rnd.choice((b"[", b'{"a":')) * 50_000
    try:
        whole = json.loads(data)
    except Exception:
        return text(data, rnd)
    place = whole
    while isinstance(place, (dict, list)) and place:
        key: Any = rnd.choice(list(place)) if isinstance(place, dict) else rnd.randrange(len(place))
        if not isinstance(place[key], (dict, list)) or not place[key] or rnd.random() < 0.3:
            if isinstance(place, dict) and rnd.random() < 0.2:
                del place[key]
            else:
                place[key] = rnd.choice(_VALUES)
            break
        place = place[key]
    return json.dumps(whole).encode()


def in_hdf5(sound: bytes) -> Damage:
    """Another type, shape, value or kind for something in a sound HDF5 file."""

    def damaged(data: bytes, rnd: random.Random) -> bytes:
        import h5py
        import numpy as np

        held = BytesIO(sound)
        with h5py.File(held, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            names = sorted(names)
            name = rnd.choice(names)
            kind = rnd.randrange(6)
            if kind == 0 and file[name].attrs:
                key = rnd.choice(sorted(file[name].attrs))
                file[name].attrs[key] = rnd.choice((b"\xff", "", 7, -1.0, np.nan, np.zeros(3), "m" * 3000))
                return _closed(file, held)
            del file[name]
            shape = rnd.choice(((), (0,), (1,), (3,), (2, 3), (1, 2, 3), (2, 0, 4), (10**6, 10**6), (600, 600, 600)))
            if kind == 1:
                file.create_group(name)
            elif kind == 2:
                file[name] = rnd.choice((np.bytes_(b"\xff"), "", "NXtomo", np.nan, -1, 2**63, [np.inf] * 4))
            elif kind == 3:
                file[name] = h5py.SoftLink(rnd.choice(("/nowhere", "/", name, rnd.choice(names))))
            elif kind == 4:
                dtype = rnd.choice(("f4", "c8", "u1", "S9", "i8", h5py.string_dtype(), h5py.ref_dtype))
                chunks = True if shape and 0 not in shape else None
                file.create_dataset(name, shape, dtype, chunks=chunks)
        return held.getvalue()

    return damaged


def _closed(file: Any, held: BytesIO) -> bytes:
    file.close()
    return held.getvalue()


_KEYWORDS = {
    "US": ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel", "PixelRepresentation"),
    "DS": ("RescaleSlope", "RescaleIntercept", "SliceThickness", "WindowCenter", "WindowWidth"),
    "3": ("ImagePositionPatient", "PixelSpacing", "ImageOrientationPatient"),
}


def in_dicom(data: bytes, rnd: random.Random) -> bytes:
    """An element that decides on the pixels or their place set to what it should not be, or left out."""
    import pydicom

    try:
        dataset = pydicom.dcmread(BytesIO(data))
        kind = rnd.choice(("US", "US", "DS", "3", "frames", "look", "gone"))
        if kind == "US":
            setattr(dataset, rnd.choice(_KEYWORDS["US"]), rnd.choice((0, 1, 3, 8, 12, 16, 32, 64, 65535)))
        elif kind == "DS":
            setattr(dataset, rnd.choice(_KEYWORDS["DS"]), rnd.choice(("0", "-1", "1e30", "nan", "", "1e-320")))
        elif kind == "3":
            values = [rnd.choice(("0", "1", "-1", "1e30", "nan", "1e-30")) for _ in range(rnd.choice((0, 1, 2, 3, 6)))]
            setattr(dataset, rnd.choice(_KEYWORDS["3"]), values)
        elif kind == "frames":
            dataset.NumberOfFrames = rnd.choice(("0", "-1", "2", "1000000", "2147483647"))
        elif kind == "look":
            dataset.PhotometricInterpretation = rnd.choice(("RGB", "PALETTE COLOR", "MONOCHROME1", "YBR_FULL", "x"))
        else:
            del dataset[rnd.choice(list(dataset.keys()))]
        made = BytesIO()
        dataset.save_as(made)
        return made.getvalue()
    except Exception:
        return binary(data, rnd)


def mixed(data: bytes, rnd: random.Random, ways: tuple[Damage, ...]) -> bytes:
    """One to three kinds of damage, one after the other."""
    for _ in range(rnd.choice((1, 1, 2, 3))):
        data = rnd.choice(ways)(data, rnd)
    return data
