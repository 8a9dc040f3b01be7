"""Project files: bit for bit there and back, and every way in which one can be damaged."""

from __future__ import annotations

import errno
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.export import ExportError
from core.export import project_file as writer
from core.formats import project_file as reader
from core.formats.fingerprint import fingerprint_of, signature_of
from core.formats.project_file import RECORD, SPARE, VERSION

ONCE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def images() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(1)
    noise = random.normal(size=(3, 5, 7)) + 1j * random.normal(size=(3, 5, 7))
    odd = random.normal(size=(2, 4, 6)).astype(np.float32)
    odd[0, 0, :3] = np.nan, np.inf, -0.0
    return {
        "arrays/1.npy": noise.astype(np.complex64),
        "arrays/2.npy": odd,
        "arrays/3.npy": odd.T,
        "arrays/4.npy": random.normal(size=(1, 1, 1)),
    }


def written(path: Path, record: dict[str, Any] | None = None) -> Path:
    writer.write(path, record or {"scan": {"path": "a.h5"}, "seconds": 0.1 + 0.2}, images())
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, change: dict[str, bytes | None], deflated: bool = False) -> Path:
    """The same zip with members replaced, added or left out."""
    made = members(path) | change
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        for name, held in made.items():
            if held is not None:
                archive.writestr(name, held)
    return path


def with_record(path: Path, **changes: Any) -> Path:
    text = json.dumps(json.loads(members(path)[RECORD]) | changes).encode()
    return rewritten(path, {RECORD: text, SPARE: text})


def test_everything_comes_back_bit_for_bit(tmp_path: Path) -> None:
    found = reader.read(written(tmp_path / "a.ddsproj"))
    assert found.record["seconds"] == 0.1 + 0.2
    assert not found.notes
    assert not found.damaged
    for name, array in images().items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()


def test_numpy_opens_its_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(written(tmp_path / "a.ddsproj")) as archive, archive.open("arrays/1.npy") as member:
        np.testing.assert_array_equal(np.load(member, allow_pickle=False), images()["arrays/1.npy"])


def test_progress_ends_with_all_of_it(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    writer.write(tmp_path / "a.ddsproj", {}, images(), lambda *now: told.append(now))
    assert told[-1][1] == told[-1][2] == sum(array.nbytes for array in images().values())
    told.clear()
    reader.read(tmp_path / "a.ddsproj", lambda *now: told.append(now))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("stopped")])
def test_a_failure_leaves_the_older_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    path = written(tmp_path / "a.ddsproj")
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((ExportError, RuntimeError)) as caught:
        writer.write(path, {"scan": None}, images())
    if isinstance(failure, OSError):
        assert str(caught.value).startswith("a.ddsproj could not be written. No space left on device.")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.ddsproj"]


def test_a_caller_can_stop_it(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise InterruptedError_

    with pytest.raises(InterruptedError_):
        writer.write(tmp_path / "a.ddsproj", {}, images(), stop)
    assert not list(tmp_path.iterdir())


class InterruptedError_(Exception):  # noqa: N801
    pass


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not exist"):
        writer.write(tmp_path / "nowhere" / "a.ddsproj", {}, {})


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_private_files_are_for_this_user_alone(tmp_path: Path) -> None:
    writer.write(tmp_path / "a.ddsproj", {}, images(), private=True)
    writer.write_record(tmp_path / "a.json", {}, private=True)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_a_later_version_is_refused_in_words(tmp_path: Path) -> None:
    path = with_record(written(tmp_path / "a.ddsproj"), version=VERSION + 1)
    with pytest.raises(ScanError, match="written by a later version of this program") as caught:
        reader.read(path)
    assert caught.value.try_this == "Update the program."


@pytest.mark.parametrize("held", [b"", b"PK", b"PK\x03\x04" + bytes(200), b"\0" * 5000, b"no zip at all" * 100])
def test_other_files_are_no_project(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "a.ddsproj").write_bytes(held)
    with pytest.raises(ScanError, match="no project, or damaged"):
        reader.read(tmp_path / "a.ddsproj")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="cannot be read"):
        reader.read(tmp_path / "a.ddsproj")
    with pytest.raises(ScanError, match="cannot be read"):
        reader.read(tmp_path)


@pytest.mark.parametrize("bad", ["[" * 100_000, "{", '{"format": "else"}', "[1]", '{"format": "dds-viewer project"}'])
def test_a_damaged_record_is_replaced_by_its_copy(tmp_path: Path, bad: str) -> None:
    path = rewritten(written(tmp_path / "a.ddsproj"), {RECORD: bad.encode()})
    found = reader.read(path)
    assert found.record["scan"] == {"path": "a.h5"}
    assert found.notes == ("A part of a.ddsproj is damaged; its copy was used.",)
    assert len(found.arrays) == len(images())
    with pytest.raises(ScanError):
        reader.read(rewritten(path, {SPARE: bad.encode()}))


def test_a_record_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rewritten(written(tmp_path / "a.ddsproj"), {RECORD: b" " * 10**6, SPARE: None}, deflated=True)
    monkeypatch.setattr(reader, "MOST_RECORD", 1000)
    with pytest.raises(ScanError):
        reader.read(path)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"dtype": "object", "shape": [3, 5, 7]}, "makes no sense"),
        ({"dtype": "complex64", "shape": [3, 5, "7"]}, "makes no sense"),
        ({"dtype": "complex64", "shape": [3, 5, -7]}, "makes no sense"),
        ({"dtype": "complex64", "shape": [2**40, 5, 7]}, "makes no sense"),
        ({"dtype": "complex64", "shape": [2**19, 2**19, 2**19]}, "size"),
        ({"dtype": "float32", "shape": [3, 5, 7]}, "another array"),
        ({"dtype": "complex64", "shape": [5, 3, 7]}, "another array"),
        ({"dtype": "complex64", "shape": [3, 5, 6]}, "another array"),
        ("a poem", "makes no sense"),
    ],
)
def test_an_array_that_is_not_what_is_told_is_left_out(tmp_path: Path, said: Any, why: str) -> None:
    path = written(tmp_path / "a.ddsproj")
    table = json.loads(members(path)[RECORD])["arrays"] | {"arrays/1.npy": said}
    found = reader.read(with_record(path, arrays=table))
    assert why in found.damaged["arrays/1.npy"]
    assert sorted(found.arrays) == ["arrays/2.npy", "arrays/3.npy", "arrays/4.npy"]


def test_missing_and_packed_members_are_left_out(tmp_path: Path) -> None:
    path = rewritten(written(tmp_path / "a.ddsproj"), {"arrays/1.npy": None})
    assert reader.read(path).damaged == {"arrays/1.npy": "It is not in the file."}
    found = reader.read(rewritten(path, {}, deflated=True))
    assert not found.arrays
    assert len(found.damaged) == 4


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    from io import BytesIO

    held = BytesIO()
    np.save(held, np.array([print], dtype=object), allow_pickle=True)
    path = rewritten(written(tmp_path / "a.ddsproj"), {"arrays/2.npy": held.getvalue()})
    found = reader.read(path)
    assert "arrays/2.npy" in found.damaged
    assert len(found.arrays) == 3


def test_members_that_share_their_bytes_are_not_read_again_and_again(tmp_path: Path) -> None:
    """A directory that names one place a thousand times must not take a thousand times the memory."""
    path = written(tmp_path / "a.ddsproj")
    own = reader.read(path).record
    with zipfile.ZipFile(path, "a") as archive:
        first = archive.getinfo("arrays/1.npy")
        for number in range(5, 300):
            again = zipfile.ZipInfo(f"arrays/{number}.npy")
            for name in ("header_offset", "compress_size", "file_size", "CRC"):
                setattr(again, name, getattr(first, name))
            archive.filelist.append(again)
        archive._didModify = True
    table = {f"arrays/{n}.npy": {"dtype": "complex64", "shape": [3, 5, 7]} for n in (1, *range(5, 300))}
    found = reader.read(path, None, own | {"arrays": table, "serial": 1})
    assert sum(array.nbytes for array in found.arrays.values()) <= path.stat().st_size
    assert found.damaged


def test_paths_in_a_zip_lead_nowhere(tmp_path: Path) -> None:
    path = rewritten(written(tmp_path / "in.ddsproj"), {"../../evil.npy": b"x", "/etc/evil": b"x"})
    reader.read(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.ddsproj"]


def test_what_was_cut_off_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ddsproj")
    whole = path.read_bytes()
    counts = []
    for end in range(len(whole) - 1, 900, -97):
        path.write_bytes(whole[:end])
        found = reader.read(path)
        assert found.notes == ("a.ddsproj is damaged or cut off.",)
        assert found.record["scan"] == {"path": "a.h5"}
        assert len(found.arrays) + len(found.damaged) == 4
        for name, array in found.arrays.items():
            assert array.tobytes() == images()[name].tobytes()
        counts.append(len(found.arrays))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 4


@ONCE
@given(places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=6))
def test_flipped_bytes_are_told_and_never_become_other_numbers(tmp_path: Path, places: list[tuple[int, int]]) -> None:
    path = written(tmp_path / "a.ddsproj")
    held = bytearray(path.read_bytes())
    for place, mask in places:
        held[place % len(held)] ^= mask
    path.write_bytes(held)
    try:
        found = reader.read(path)
    except ScanError:
        return
    for name, array in found.arrays.items():
        assert array.tobytes() == images()[name].tobytes()


def test_one_flipped_byte_loses_one_image_at_most(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ddsproj")
    whole = path.read_bytes()
    for place in range(0, len(whole), 41):
        held = bytearray(whole)
        held[place] ^= 0x55
        path.write_bytes(held)
        assert len(reader.read(path).arrays) >= 3, place


def test_the_later_record_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ddsproj", {"serial": 5, "front": 1})
    own = reader.read(path).record
    for serial, front in ((4, 1), (5, 1), (6, 2)):
        writer.write_record(tmp_path / "a.json", {**own, "serial": serial, "front": 2})
        other = reader.read_record(tmp_path / "a.json")
        assert reader.read(path, None, other).record["front"] == front
    assert len(reader.read(path, None, other).arrays) == 4


def test_sizes_of_eight_bytes_are_understood_without_a_directory(tmp_path: Path) -> None:
    """As large members have them; this one only claims to need them."""
    path, array = tmp_path / "a.ddsproj", images()["arrays/1.npy"]
    text = writer.record_text({"arrays": {"arrays/1.npy": writer.description(array)}})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(RECORD, text)
        with archive.open(zipfile.ZipInfo("arrays/1.npy"), "w", force_zip64=True) as member:
            member.write(reader.header_of(array.dtype, array.shape) + array.tobytes())
    held = path.read_bytes()
    path.write_bytes(held[: held.rindex(b"PK\x05\x06")])
    assert struct.pack("<L", 0xFFFFFFFF) in held
    assert reader.read(path).arrays["arrays/1.npy"].tobytes() == array.tobytes()


def test_fingerprints_tell_contents_and_not_places(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "in").mkdir(parents=True)
        (tmp_path / name / "in" / "a").write_bytes(b"1")
        (tmp_path / name / "b").write_bytes(b"2")
    one, two = tmp_path / "one", tmp_path / "two"
    assert fingerprint_of(one) == fingerprint_of(two) != ""
    some = (str(one / "in" / "a"), str(one / "b"))
    assert fingerprint_of(one, some) == fingerprint_of(one)
    before = signature_of(two)
    (two / "b").write_bytes(b"3")
    assert fingerprint_of(one) != fingerprint_of(two)
    assert signature_of(two) != before
    assert fingerprint_of(one / "b") != fingerprint_of(one / "in" / "a")
    assert fingerprint_of(tmp_path / "gone") == ""
    (tmp_path / "pair.cfl").write_bytes(b"1")
    (tmp_path / "pair.hdr").write_bytes(b"2")
    assert fingerprint_of(tmp_path / "pair")
