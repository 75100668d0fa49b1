"""Zips of exports: read as downloaded, refused when no platform would have made them. Real files, real limits."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.sources.shared.files import FileRefusedError, dropped, open_table, unpacked
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.platforms import zipped

TABLES = {".csv", ".xlsx"}
ROWS = "Date,Views\n2026-07-09,10\n"


def held(path: Path, limits: Limits | None = None) -> tuple[dict[str, list[list[str]]], dict[str, str]]:
    """The rows of every table in a zip, by name, and why others are not read."""
    with unpacked(dropped(path), TABLES, limits) as (tables, others):
        found = {}
        for file in tables:
            with open_table(file) as table:
                found[file.name] = list(table.rows())
        return found, others


@pytest.mark.behaviour("archives", "youtube", "linkedin", "x", "instagram", "facebook")
def test_tables_in_folders_of_a_zip_are_read_and_what_a_mac_adds_is_not(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "e.zip",
        {
            "Content/Totals.csv": ROWS,
            "__MACOSX/Content/._Totals.csv": b"\0",
            ".DS_Store": b"\0",
            "Content/": b"",
        },
    )
    assert held(path) == ({"e.zip, Totals.csv": [["2026-07-09", "10"]]}, {})


@pytest.mark.behaviour("archives", "youtube", "linkedin", "x", "instagram", "facebook")
def test_a_zip_in_a_zip_and_a_picture_are_named_and_the_table_beside_them_is_read(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("Table data.csv", ROWS)
    path = zipped(tmp_path / "e.zip", {"more.zip": inner.getvalue(), "cover.png": b"\x89PNG", "a.csv": ROWS})
    tables, others = held(path)
    assert list(tables) == ["e.zip, a.csv"]
    assert (
        "a zip inside a zip" in others["e.zip, more.zip"] and "no CSV or XLSX" in others["e.zip, cover.png"]
    )


def test_a_zip_that_hides_behind_the_ending_of_a_table_is_refused_alone(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("Table data.csv", ROWS)
    path = zipped(tmp_path / "e.zip", {"more.csv": inner.getvalue()})
    with pytest.raises(FileRefusedError, match="an archive, not an Excel workbook"):
        held(path)


def hostile(path: Path, kind: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        match kind:
            case "bomb":
                archive.writestr("a.csv", b"0" * (3 << 20))
            case "many":
                for number in range(101):
                    archive.writestr(f"{number}.csv", ROWS)
            case "escape":
                archive.writestr("../../a.csv", ROWS)
            case "backslash":
                archive.writestr("..\\a.csv", ROWS)
            case "absolute":
                archive.writestr("/etc/a.csv", ROWS)
            case "twice":
                archive.writestr("a.csv", ROWS)
                archive.writestr("A.csv", ROWS)
            case "link":
                link = zipfile.ZipInfo("a.csv")
                link.external_attr = 0o120777 << 16
                archive.writestr(link, "/etc/passwd")
            case "lzma":
                archive.writestr("a.csv", ROWS, zipfile.ZIP_LZMA)
            case "office":
                archive.writestr("[Content_Types].xml", "<x/>")
            case "empty":
                pass


@pytest.mark.fault(84)
@pytest.mark.behaviour("archives", "youtube", "linkedin", "x", "instagram", "facebook")
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("bomb", "unpacks to more than 2 MB"),
        ("many", "or 100 files"),
        ("escape", "leads out of it"),
        ("backslash", "leads out of it"),
        ("absolute", "leads out of it"),
        ("twice", "the same name"),
        ("link", "links"),
        ("lzma", "packed in a way"),
        ("office", "an Office file"),
        ("empty", "The zip is empty"),
    ],
)
def test_a_zip_that_no_platform_writes_is_refused_with_the_reason(
    tmp_path: Path, kind: str, reason: str
) -> None:
    hostile(tmp_path / "e.zip", kind)
    with pytest.raises(FileRefusedError, match=reason):
        held(tmp_path / "e.zip", Limits(expanded=2 << 20))


@pytest.mark.behaviour("archives", "youtube", "linkedin", "x", "instagram", "facebook")
def test_a_zip_that_lies_about_its_sizes_is_damaged_and_writes_no_more_than_it_said(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * (3 << 20))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.rfind(mark) + offset
        content[place : place + 4] = struct.pack("<I", 100)
    path.write_bytes(bytes(content))
    with pytest.raises(FileRefusedError, match="damaged"):
        held(path, Limits(expanded=2 << 20))


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "e.zip", {"a.csv": ROWS})
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + offset] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(FileRefusedError, match="password"):
        held(path)


def test_a_zip_larger_than_the_limit_is_not_even_opened(tmp_path: Path) -> None:
    path = zipped(tmp_path / "e.zip", {"a.csv": ROWS * 1000})
    with pytest.raises(FileRefusedError, match="The zip is larger than 0 MB"):
        held(path, Limits(packed=1000))


def test_nothing_of_a_zip_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "tmp"
    home.mkdir()
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("tempfile.tempdir", None)
    held(zipped(tmp_path / "e.zip", {"a.csv": ROWS}))
    assert list(home.iterdir()) == []


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(8, 60), deadline=None)
@given(start=st.integers(0, 200), noise=st.binary(max_size=20))
def test_a_damaged_zip_is_read_as_it_was_or_refused(
    tmp_path_factory: pytest.TempPathFactory, start: int, noise: bytes
) -> None:
    path = zipped(tmp_path_factory.mktemp("zip") / "e.zip", {"a.csv": ROWS})
    content = path.read_bytes()
    path.write_bytes(content[:start] + noise + content[start + len(noise) :])
    os.utime(path, (time.time() - 60,) * 2)
    try:
        tables, _ = held(path)
    except FileRefusedError:
        return
    assert all(rows == [["2026-07-09", "10"]] for rows in tables.values())
