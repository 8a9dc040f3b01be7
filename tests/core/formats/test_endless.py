"""Small files that would keep a careless parser busy for hours: the time limit of the suite would end the test."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import UserError
from core.formats import open_scan, project_file
from core.formats.mrd_header import parse_header
from core.formats.twix_header import parse_protocol
from core.formats.zip_members import members_of

MEGA = 2**20


def twix_header(name: bytes, text: bytes) -> bytes:
    return struct.pack("<II", 0, 1) + name + b"\0" + struct.pack("<I", len(text)) + text


@pytest.mark.parametrize("filling", [b"\n", b" ", b"\t", b"\r\n", b"\x0b", b'"', b"<", b"<a", b"a", b"=", b".", b"["])
def test_long_rows_in_a_twix_header(filling: bytes) -> None:
    row = filling * (MEGA // len(filling))
    parse_protocol(twix_header(b"MeasYaps", b"a = 1\n" + row + b"\nb = 2\n"))
    parse_protocol(twix_header(b"Dicom", b'<ParamLong."lA">  { ' + row + b" } "))
    parse_protocol(twix_header(b"Dicom", b'<ParamDouble."dA">' + row))
    assert parse_protocol(twix_header(b"MeasYaps", row + b"\n b\t=  2 \r\nc.d[0] = \n")).text("b") == "2"


def test_many_beginnings_in_a_twix_header() -> None:
    for start in (b'<ParamLong."lA">', b'<ParamDouble."dA">{', b'<ParamDouble."dA">{<Precision>', b"<ParamString"):
        parse_protocol(twix_header(b"Dicom", start * (MEGA // len(start))))


@pytest.mark.parametrize("name", ["subjectInformation", "institutionName", "encoding", "x"])
def test_elements_in_each_other(name: str) -> None:
    deep = 20_000
    xml = "<ismrmrdHeader>" + f"<{name}>a" * deep + f"</{name}>" * deep + "</ismrmrdHeader>"
    with suppress(UserError):
        parse_header(xml)


def test_entities_that_grow_without_end() -> None:
    """A billion laughs."""
    entities = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(1, 12))
    xml = f'<!DOCTYPE x [<!ENTITY a1 "aaaaaaaaaa">{entities}]><ismrmrdHeader>&a12;</ismrmrdHeader>'
    with pytest.raises(UserError, match="damaged"):
        parse_header(xml)


def test_entities_of_other_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("4711")
    xml = (
        f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{tmp_path}/secret">]><ismrmrdHeader><subjectInformation>'
        "<patientID>&a;</patientID></subjectInformation></ismrmrdHeader>"
    )
    with pytest.raises(UserError, match="damaged"):
        parse_header(xml)


@pytest.mark.parametrize("piece", [b"PK\3\4", b"PK\3\4" + b"\xff" * 26, b"PK\3\4" + b"\0" * 22 + b"\4\0\0\0PK\3\4"])
def test_many_signs_of_members(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "a.ddsproj"
    path.write_bytes(piece * (2 * MEGA // len(piece)))
    with path.open("rb") as file:
        _, whole = members_of(file)
    assert not whole
    with pytest.raises(UserError):
        project_file.read(path)


def test_members_that_share_their_place(tmp_path: Path) -> None:
    """A directory of many members that all are the same bytes: none is read more often than the file is long."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\1\0" + b"\x10\x27" + b"{" * 10_000)
        for number in range(200):
            archive.NameToInfo[f"{number}.npy"] = archive.getinfo("a.npy")
    with pytest.raises(UserError):
        open_scan(path)


@pytest.mark.parametrize("make", [lambda n: b"[" * n, lambda n: b'{"a":' * n, lambda n: b"1" * n, lambda n: b'"' * n])
def test_json_of_any_depth(tmp_path: Path, make: Callable[[int], bytes]) -> None:
    from core.engine.run_card import read_run_card
    from core.priors.card import read_card
    from core.priors.catalogue import has_card
    from core.priors.recipe import read_recipe
    from core.priors.registry import read_config

    path = tmp_path / "a.json"
    path.write_bytes(make(200_000))
    for look in (read_run_card, read_card, read_recipe, read_config, project_file.read_record):
        with pytest.raises(UserError):
            look(path)
    assert has_card(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "? " * 100_000, "a: " * 100_000, "{" * 100_000, "&a " * 9_999]
)
def test_yaml_of_any_depth(tmp_path: Path, text: str) -> None:
    from core.engine.settings_text import read_settings_file

    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError):
        read_settings_file(tmp_path / "a.yaml")
