"""Dropped table files: every supported format, every reason to refuse a file, and the limits."""

from __future__ import annotations

import io
import os
import re
import time
import warnings
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from datetime import time as clock
from pathlib import Path

import pytest
from openpyxl import Workbook

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.files import (
    DropFile,
    FileRefusedError,
    Table,
    files_in,
    open_table,
    open_tables,
    read_table,
    readable_files,
)
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.workbook import workbook_tables

SECRET = "Marguerite Sample"  # a cell value that no message may repeat


def dropped(folder: Path, name: str, content: bytes, age: float = 60) -> DropFile:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    (file,) = [file for file in files_in(folder, {path.suffix.lower()}) if file.name == name]
    return file


def workbook(*rows: list[object], **more: object) -> bytes:
    book = Workbook()
    for row in rows or ([["a", "b"], [SECRET, 1]]):
        book.active.append(row)
    return saved(book)


def saved(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def changed(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The same workbook with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def read(folder: Path, content: bytes, name: str = "export.xlsx") -> tuple[Table, list[list[str]]]:
    with open_table(dropped(folder, name, content)) as table:
        return table, list(table.rows())


def refused(folder: Path, content: bytes, name: str = "export.xlsx") -> str:
    with pytest.raises(FileRefusedError) as caught:
        read(folder, content, name)
    assert SECRET not in str(caught.value)
    assert str(caught.value).endswith(".")
    return str(caught.value)


def bounded(folder: Path, content: bytes, limits: Limits) -> str:
    path = folder / "bounded.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileRefusedError) as caught, path.open("rb") as file, workbook_tables(file, limits):
        pass
    return str(caught.value)


def test_rows_are_read_again_each_time_and_only_when_needed(tmp_path: Path) -> None:
    lines = "a;b\r\n" + "".join(f'{n};"x\r\ny"\r\n' for n in range(20_000))
    with open_table(dropped(tmp_path, "a.csv", lines.encode("utf-8-sig"))) as table:
        assert (table.header, table.count) == (["a", "b"], 20_000)
        assert table.how == "UTF-8, separated by semicolons"
        assert next(table.rows()) == ["0", "x\r\ny"]
        assert sum(1 for _ in table.rows()) == 20_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_declared_delimiter_is_honoured_in_every_encoding(encoding: str, delimiter: str) -> None:
    text = f"sep={delimiter}\r\nName{delimiter}Cité\r\nx{delimiter}é\r\n\r\n"
    table = read_table(text.encode(encoding))
    assert (table.header, list(table.rows())) == (["Name", "Cité"], [["x", "é"]])


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", "empty"), (b"\xef\xbb\xbf \r\n", "empty"), (b"a,b\r\n", "no rows"), (b"<!DOCTYPE html>", "web page"),
     (b"a,b\nG\xe9nero,1\n", "not in UTF-8"), (b"a,b\n\x00,1\n", "not text"), (b"a,b\n1,2\n3", "Row 3 has 1 fields"),
     (b'a,b\n1,2\n"3,4\n', "row 3 a quotation mark"), (b"a\n1\n", "single column"),
     (b"%PDF-1.7", "PDF"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel workbook"),
     (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "password")],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_each_broken_file_is_one_clear_error_whatever_its_extension(
    tmp_path: Path, content: bytes, expected: str, ending: str
) -> None:
    assert expected in refused(tmp_path, content, f"a.{ending}")


@pytest.mark.parametrize("text", ['a,b\n1,"x"y\n2,"z"w\n', 'a,b\n1,"x\n2,y"z\n', 'a,b\n"1"2,x\n3,4\n'])
def test_a_quotation_mark_out_of_place_is_refused_before_any_row_is_read(text: str) -> None:
    with pytest.raises(FileRefusedError, match="quotation mark"):
        read_table(text.encode())


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,b\n1,He said "hi"\n', ["1", 'He said "hi"']),
        ('\ufeff"a","b"\r\n"1","x ""y"" z"\r\n', ["1", 'x "y" z']),
        ('a,b\n1,""\n', ["1", ""]),
        ('a,b\n"1","x\ny"', ["1", "x\ny"]),
    ],
)
def test_quotation_marks_in_their_place_are_read_alike_by_both_readers(text: str, row: list[str]) -> None:
    table = read_table(text.encode())
    assert list(table.rows()) == [row]
    assert [frame.to_numpy().tolist() for frame in table.frames(10)] == [[row]]


def test_a_file_cut_off_at_its_end_gives_no_row_at_all(tmp_path: Path) -> None:
    lines = b"a,b\n" + b"1,2\n" * 10_000 + b'"3'
    assert "row 10002" in refused(tmp_path, lines, "a.csv")


@pytest.mark.slow
def test_a_workbook_reads_like_its_csv(tmp_path: Path) -> None:
    content = workbook(
        [" Record Id ", "When", "Day", "Midnight", "Time", "Number", "Whole", "Large", "Yes", "Text", None],
        ["zcrm_1", datetime(2024, 5, 1, 10, 0, 30), date(2024, 5, 1), datetime(2024, 5, 1), clock(9, 30), 0.1, 3.0,
         1e21, True, 'é;"\n2', None],
        [None, None],
        ["zcrm_2", None, None, None, None, -1234567.25, 7, None, False, "N/A", None],
    )  # fmt: skip
    table, rows = read(tmp_path, content)
    assert table.header[0] == "Record Id"
    assert len(table.header) == 10
    assert rows == [
        ["zcrm_1", "2024-05-01 10:00:30", "2024-05-01", "2024-05-01 00:00:00", "09:30:00", "0.1", "3",
         "1e+21", "true", 'é;"\n2'],
        ["zcrm_2", "", "", "", "", "-1234567.25", "7", "", "false", "N/A"],
    ]  # fmt: skip
    assert table.how == "an Excel workbook"


@pytest.mark.slow
def test_a_formula_gives_the_result_it_was_saved_with(tmp_path: Path) -> None:
    def calculate(parts: dict[str, bytes]) -> None:
        sheet = parts["xl/worksheets/sheet1.xml"]
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"<v />", b"<v>3</v>").replace(b"<v/>", b"<v>3</v>")

    content = workbook(["a", "b"], [1, "=A2+2"])
    assert "never calculated" in refused(tmp_path, content)
    assert read(tmp_path, changed(content, calculate))[1] == [["1", "3"]]


@pytest.mark.slow
def test_the_size_a_workbook_declares_is_not_trusted(tmp_path: Path) -> None:
    def claim(parts: dict[str, bytes]) -> None:
        sheet = parts["xl/worksheets/sheet1.xml"]
        assert b'ref="A1:B2"' in sheet
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')

    begun = time.monotonic()
    assert read(tmp_path, changed(workbook(), claim))[0].count == 1
    assert time.monotonic() - begun < 5


@pytest.mark.behaviour("bombs", "*")
@pytest.mark.parametrize("cell", ["XFD1048576", "ALM1", "A500001"])
def test_a_cell_at_the_far_end_is_refused_before_anything_is_parsed(tmp_path: Path, cell: str) -> None:
    book = Workbook()
    book.active["A1"], book.active[cell] = "a", SECRET
    assert "beyond column 1,000 or row 500,000" in refused(tmp_path, saved(book))


@pytest.mark.slow
def test_only_one_visible_sheet_may_hold_data(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    book.create_sheet("Empty")
    notes = book.create_sheet("Notes")
    notes.append(["who", "n"])
    notes.append([SECRET, 3])
    assert "2 sheets with data" in refused(tmp_path, saved(book))
    notes.sheet_state = "hidden"
    assert read(tmp_path, saved(book))[1] == [["1", "2"]]


@pytest.mark.slow
def test_headings_may_take_several_rows_the_first_being_shorter(tmp_path: Path) -> None:
    table, rows = read(tmp_path, workbook(["Posts of the page"], ["Post title", "Impressions"], ["x", 3]))
    assert table.header == ["Posts of the page", ""]
    assert rows == [["Post title", "Impressions"], ["x", "3"]]


@pytest.mark.slow
def test_the_sheets_of_a_workbook_are_read_by_name_without_the_empty_ones(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Main"
    for row in (["a"], ["é"]):
        book.active.append([*row, 1])
    for name, rows in (("Group", [["x", "y"], [1, "long\nline"], [2, 3]]), ("Nothing", [["x", "y"]])):
        sheet = book.create_sheet(name)
        for values in rows:
            sheet.append(values)
    with open_tables(dropped(tmp_path, "a.xlsx", saved(book))) as tables:
        assert {name: list(table.rows()) for name, table in tables.items()} == {
            "Main": [["é", "1"]],
            "Group": [["1", "long\nline"], ["2", "3"]],
        }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "expected"),
    [([[]], "empty"), ([["a", "b"]], "no rows"), ([["a", "b"], [1, 2], [3, 4], [5, 6, SECRET]], "Row 4 has a value to the right")],
)  # fmt: skip
def test_a_sheet_that_is_not_a_table_is_refused(
    tmp_path: Path, rows: list[list[object]], expected: str
) -> None:
    assert expected in refused(tmp_path, workbook(*rows))


def part(name: str, content: bytes = b"x") -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: content})


@pytest.mark.slow
@pytest.mark.behaviour("bombs", "*")
@pytest.mark.parametrize(
    ("change", "expected"),
    [(part("../outside.xml"), "leads out"), (part("/etc/passwd"), "leads out"), (part("xl\\a.xml"), "leads out"),
     (part("XL/Workbook.xml"), "same name"), (part("xl/vbaProject.bin"), "macros"),
     (part("xl/workbook.bin"), "binary Excel"), (lambda parts: parts.pop("[Content_Types].xml"), "archive"),
     (lambda parts: parts.update({f"xl/{n}.xml": b"" for n in range(1_100)}), "1,000 parts"),
     (part("xl/zeros.xml", b"\0" * (1 << 20) * 40), "more than 32 MB"),
     (part("xl/worksheets/sheet1.xml", b"<worksheet>"), "damaged"),
     (part("xl/workbook.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "damaged")],
)  # fmt: skip
def test_an_archive_that_no_spreadsheet_program_writes_is_refused(
    tmp_path: Path, change: Callable[[dict[str, bytes]], None], expected: str
) -> None:
    message = bounded(tmp_path, changed(workbook(), change), Limits(expanded=32 << 20))
    assert expected in message


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    packed = io.BytesIO(workbook())
    with zipfile.ZipFile(packed, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("xl/workbook.xml", b"<workbook/>")
    assert "same name" in refused(tmp_path, packed.getvalue())


@pytest.mark.slow
def test_entities_that_grow_are_refused_within_the_limits(tmp_path: Path) -> None:
    def laugh(parts: dict[str, bytes]) -> None:
        entities = b"".join(
            b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"lol" * 100) for n in range(9)
        )
        sheet = parts["xl/worksheets/sheet1.xml"]
        parts["xl/worksheets/sheet1.xml"] = (
            b"<!DOCTYPE x [" + entities + b"]>" + sheet.replace(b"</", b"&l8;</", 1)
        )

    begun = time.monotonic()
    assert "damaged" in refused(tmp_path, changed(workbook(), laugh))
    assert time.monotonic() - begun < 10


def sheet_of(rows: bytes) -> bytes:
    """A workbook whose only sheet has these rows."""

    def write(parts: dict[str, bytes]) -> None:
        space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        parts["xl/worksheets/sheet1.xml"] = b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (
            space,
            rows,
        )

    return changed(workbook(), write)


HEADER = b'<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row>'


@pytest.mark.slow
@pytest.mark.fault(44)
@pytest.mark.behaviour("bombs", "*")
@pytest.mark.parametrize(
    ("rows", "expected"),
    [(HEADER + b'<row r="900000000"><c><v>1</v></c></row>', "beyond column 1,000 or row 500,000"),
     (HEADER + b'<row r="9999999999999"/>', "beyond column 1,000 or row 500,000"),
     (HEADER + b"<row r = '900000'/>", "beyond column 1,000 or row 500,000"),
     (HEADER + b'<row r="2"><c r="aaaa2"><v>1</v></c></row>', "beyond column 1,000 or row 500,000"),
     (HEADER + b"<row>" + b"<c/>" * 3_000_000 + b"</row>", "A row has more than 1,000 cells"),
     (HEADER + b"<row/>" * 600_000, "more than 500,000 rows")],
    ids=["row", "long number", "spaces", "column", "cells in a row", "rows"],
)  # fmt: skip
def test_a_small_workbook_of_large_cost_is_refused_within_seconds(
    tmp_path: Path, rows: bytes, expected: str
) -> None:
    content = sheet_of(rows)
    assert len(content) < 200_000
    begun = time.monotonic()
    assert expected in refused(tmp_path, content)
    assert time.monotonic() - begun < 30  # on a busy machine; 272 s before


def sheet_in(rows: bytes, encoding: str) -> bytes:
    """A workbook whose sheet is written in another encoding."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    text = head + b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    text += rows + b"</sheetData></worksheet>"

    def write(parts: dict[str, bytes]) -> None:
        parts["xl/worksheets/sheet1.xml"] = text.decode().encode(encoding)

    return changed(workbook(), write)


def repeated(parts: dict[str, bytes]) -> None:
    """The same sheet under many names."""
    book = parts["xl/workbook.xml"].decode()
    sheet = re.search(r"<sheet [^>]*/>", book)
    assert sheet
    more = "".join(
        re.sub(r'name="[^"]*"', f'name="S{n}"', re.sub(r'sheetId="\d+"', f'sheetId="{n + 9}"', sheet[0]))
        for n in range(200)
    )
    parts["xl/workbook.xml"] = book.replace("</sheets>", f"{more}</sheets>").encode()


def shares_a_long_text(parts: dict[str, bytes]) -> None:
    space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", named)
    parts["xl/sharedStrings.xml"] = b"<sst %s><si><t>%s</t></si></sst>" % (space, b"x" * 32_000)
    cells = b"<row>%s</row>" % (b'<c t="s"><v>0</v></c>' * 2)
    parts["xl/worksheets/sheet1.xml"] = b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (
        space,
        HEADER + cells * 1_000,
    )


FAR = HEADER + b'<row r="900000000"><c><v>1</v></c></row>'


@pytest.mark.slow
@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("content", "expected"),
    [(sheet_in(FAR, "utf-16"), "beyond column 1,000 or row 500,000"),
     (sheet_in(FAR.replace(b"9", b"&#57;"), "utf-8"), "beyond column 1,000 or row 500,000"),
     (sheet_in(HEADER + b"<row>" + b"<c/>" * 100_000 + b"</row>", "utf-16"), "A row has more than 1,000 cells"),
     (sheet_in(HEADER + b" " * (40 << 20), "utf-8"), "more than 100 times its size"),
     (changed(workbook(), shares_a_long_text), "cells repeat long texts")],
    ids=["utf-16", "character reference", "cells in utf-16", "spaces", "one text often"],
)  # fmt: skip
@pytest.mark.sweep("utf-16", "spaces", "character")
def test_what_hides_the_cost_of_a_workbook_from_a_look_at_its_bytes_does_not_help(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    assert len(content) < 300_000
    assert expected in refused(tmp_path, content)


@pytest.mark.slow
@pytest.mark.fault(44)
def test_one_sheet_under_many_names_counts_as_often_as_it_is_read(tmp_path: Path) -> None:
    content = changed(sheet_of(HEADER + b"<row><c><v>1</v></c><c><v>2</v></c></row>" * 99), repeated)
    assert "10,000 cells" in bounded(tmp_path, content, Limits(cells=10_000))


@pytest.mark.long
def test_cells_are_counted_over_all_rows_and_exactly_the_limit_is_read(tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d"><c><v>1</v></c><c><v>2</v></c></row>' % n for n in range(1, 50_001))
    content = sheet_of(rows)  # more than one piece of what is read at a time
    assert "99,999 cells" in bounded(tmp_path, content, Limits(cells=99_999))
    (tmp_path / "whole.xlsx").write_bytes(content)
    with (tmp_path / "whole.xlsx").open("rb") as file, workbook_tables(file, Limits(cells=100_000)) as tables:
        assert tables["Sheet"].count == 49_999


@pytest.mark.slow
def test_empty_cells_with_a_format_cost_nothing_and_move_no_other(tmp_path: Path) -> None:
    rows = b"".join(
        b'<row r="%d"><c r="A%d" s="0"/><c r="B%d"><v>%d</v></c><c r="C%d" s="0"/></row>' % (n, n, n, n, n)
        for n in range(1, 1_001)
    )
    table, found = read(tmp_path, sheet_of(rows))
    assert (table.header, found[0], len(found)) == (["", "1"], ["", "2"], 999)


@pytest.mark.slow
@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("content", "expected"),
    [(lambda: b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b"," * 999_999 + b"\n", "more than 1,000 columns"),
     (lambda: b"," * 1_000 + b"\n" + b"," * 1_000 + b"\n", "more than 1,000 columns"),
     (lambda: b"x" * (17 << 20), "A line is longer than"),
     (lambda: b"a,b\n" + b"x" * (17 << 20), "A line is longer than")],
    ids=["a million columns", "a column too many", "one line", "one long line"],
)  # fmt: skip
def test_a_text_file_of_large_cost_is_refused_within_seconds(
    tmp_path: Path, content: Callable[[], bytes], expected: str
) -> None:
    begun = time.monotonic()
    assert expected in refused(tmp_path, content(), "a.csv")
    assert time.monotonic() - begun < 20  # on a busy machine; 296 s and 2.3 GB before


@pytest.mark.slow
@pytest.mark.behaviour("bombs", "*")
def test_a_workbook_that_needs_too_much_memory_is_refused_and_the_process_lives(tmp_path: Path) -> None:
    def swell(parts: dict[str, bytes]) -> None:
        sheet = parts["xl/worksheets/sheet1.xml"]  # cells without a reference, so none is far out
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"</row>", b"<c><v>1</v></c>" * 400_000 + b"</row>")

    assert "96 MB of memory" in bounded(
        tmp_path, changed(workbook(), swell), Limits(columns=1_000_000, memory=96 << 20)
    )


def test_reading_a_workbook_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    assert "longer than 0 seconds" in bounded(tmp_path, workbook(), Limits(seconds=0))


def test_a_workbook_larger_than_an_export_is_not_even_opened(tmp_path: Path) -> None:
    assert "larger than 0 MB" in bounded(tmp_path, workbook(), Limits(packed=100))


def test_a_truncated_workbook_is_called_damaged(tmp_path: Path) -> None:
    assert "damaged" in refused(tmp_path, workbook()[:-200])


@pytest.mark.slow
def test_the_process_that_reads_a_workbook_gets_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    import subprocess

    run = subprocess.run

    def spy(*args: object, **more: object) -> object:
        seen.append(more["env"])
        return run(*args, **more)  # type: ignore[call-overload]

    monkeypatch.setenv("MEL_ZOHO_REFRESH_TOKEN", "1000.very-secret")
    monkeypatch.setattr(subprocess, "run", spy)
    read(tmp_path, workbook())
    assert seen == [{}]


def test_a_file_that_changes_while_it_is_read_is_not_stored(tmp_path: Path) -> None:
    file = dropped(tmp_path, "a.csv", b"a,b\n1,2\n")
    with pytest.raises(TransientSourceError, match=r"a\.csv.*changed"), open_table(file) as table:
        list(table.rows())
        (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3,4\n")


def test_files_are_identified_by_content_and_those_still_being_written_wait(tmp_path: Path) -> None:
    dropped(tmp_path, "b.csv", b"a,b\n1,2\n", age=50)
    dropped(tmp_path, "a.csv", b"a,b\n1,2\n", age=40)
    dropped(tmp_path, "C.CSV", b"a,b\n", age=30)
    for name in (".hidden.csv", "~lock.csv", "d.csv.part", "e.pdf"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "new.csv").write_bytes(b"a,b\n1,2\n")
    there = files_in(tmp_path, {".csv"})
    assert [file.name for file in there] == ["b.csv", "a.csv", "C.CSV", "new.csv"]
    files, unreadable = readable_files(file for file in there if file.is_settled())
    assert [file.name for file in files] == ["b.csv", "a.csv", "C.CSV"]
    assert files[0].digest == files[1].digest != files[2].digest
    assert unreadable == {}


def test_an_oversized_file_is_named_and_the_others_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mel_pipeline.sources.shared.files.folder.LARGEST_FILE", 1 << 20)
    dropped(tmp_path, "large.csv", b"a,b\n" * (1 << 19))
    dropped(tmp_path, "small.csv", b"a,b\n1,2\n")
    files, unreadable = readable_files(files_in(tmp_path, {".csv"}))
    assert [file.name for file in files] == ["small.csv"]
    assert "larger than 1 MB" in unreadable["large.csv"]
