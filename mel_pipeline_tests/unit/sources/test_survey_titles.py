"""Rows of a title above the header of an export: left out where the header is certain, else named."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles

FOLDER = Path(__file__).parents[2] / "fixtures" / "surveys"
CSVS = sorted(path.name for path in FOLDER.glob("*.csv"))
TITLES: dict[str, list[list[str]]] = {
    "one": [["Feedback on the Lab, Barcelona"]],
    "title, date, blank": [["Feedback"], ["Exported on", "2024-11-30"], []],
    "five": [["Metropolis"], ["Feedback"], ["Report of", "November"], ["Responses: 12"], []],
}
ZOHO = [
    ["Response ID", "Response Status", "End time", "Overall satisfaction"],
    ["r1", "Completed", "2024-11-05 09:01", "Satisfied"],
    ["r2", "Completed", "2024-11-05 09:02", "Dissatisfied"],
]


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - 600,) * 2)


def load(folder: Path) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Rows as stored, without where they stand; reasons of what was refused; the numbers of their rows."""
    pull = SurveyFiles(folder, Rules(order="day_first", fallback="cp1252")).pull("responses")
    batches = list(pull.batches)
    rows = pd.concat([batch.frame for batch in batches], ignore_index=True)
    places = [str(ref).rpartition(" ")[2] for ref in rows["_source_ref"]]
    return (
        rows.drop(columns=["origin", "_source_ref"]),
        [one.reason for batch in batches for one in batch.rejected],
        places,
    )


def as_csv(rows: list[list[str]], delimiter: str = ",") -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return written.getvalue()


def unpadded(text: str, titles: list[list[str]]) -> str:
    """As a tool writes titles: no more fields than they have."""
    return as_csv(titles) + text


def padded(text: str, titles: list[list[str]]) -> str:
    """As a spreadsheet saves them: every row as wide as the table."""
    delimiter = max(",;\t|", key=text.splitlines()[0].count)
    width = len(next(csv.reader(io.StringIO(text), delimiter=delimiter)))
    return as_csv([row + [""] * (width - len(row)) for row in titles], delimiter) + text


@pytest.mark.fault(126)
@pytest.mark.parametrize("titles", TITLES)
@pytest.mark.parametrize("way", [unpadded, padded], ids=["unpadded", "padded"])
@pytest.mark.parametrize("name", CSVS)
@pytest.mark.sweep("google_forms_en", "kobo_repeats_fr")
def test_an_export_below_a_title_gives_the_rows_it_gives_without_one(
    name: str, way: Callable[[str, list[list[str]]], str], titles: str, tmp_path: Path
) -> None:
    content = (FOLDER / name).read_bytes()
    encoding = "utf-16" if content[:1] in b"\xff\xfe" else "cp1252" if "cp1252" in name else "utf-8-sig"
    text = content.decode(encoding)
    put(tmp_path / "plain" / name, content)
    declared, _, table = text.partition("\n") if text.startswith("sep=") else ("", "", text)
    titled = way(table, TITLES[titles])
    put(tmp_path / "titled" / name, (f"{declared}\n{titled}" if declared else titled).encode(encoding))
    expected, refused, places = load(tmp_path / "plain")
    found, reasons, further_down = load(tmp_path / "titled")
    assert refused == reasons == []
    pd.testing.assert_frame_equal(found, expected)
    assert [int(now) - int(before) for now, before in zip(further_down, places, strict=True)] == [
        len(TITLES[titles])
    ] * len(places), "the row that a person sees"


def workbook(rows: list[list[str]]) -> bytes:
    book, written = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(written)
    return written.getvalue()


@pytest.mark.slow
@pytest.mark.fault(126)
@pytest.mark.parametrize("titles", TITLES)
@pytest.mark.sweep("title, date, blank")
def test_a_workbook_with_a_title_is_read_as_without_one(titles: str, tmp_path: Path) -> None:
    put(tmp_path / "plain" / "a.xlsx", workbook(ZOHO))
    put(tmp_path / "titled" / "a.xlsx", workbook(TITLES[titles] + ZOHO))
    expected, _, _ = load(tmp_path / "plain")
    found, reasons, places = load(tmp_path / "titled")
    assert reasons == [] and len(found) == 2
    pd.testing.assert_frame_equal(found, expected)
    assert places == [str(len(TITLES[titles]) + number) for number in (2, 3)]


@pytest.mark.slow  # LibreOffice writes the other formats
@pytest.mark.fault(126)
@pytest.mark.long
def test_the_other_formats_of_a_workbook_are_read_below_a_title_too(tmp_path: Path) -> None:
    put(tmp_path / "a.xlsx", workbook(TITLES["title, date, blank"] + ZOHO))
    office = shutil.which("soffice")
    assert office, "Install LibreOffice (Debian: apt install libreoffice-calc-nogui)."
    for ending in ("ods", "xls"):
        command = [
            office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", ending,
            "--outdir", str(tmp_path / ending), str(tmp_path / "a.xlsx"),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        os.utime(tmp_path / ending / f"a.{ending}", (time.time() - 600,) * 2)
        found, reasons, places = load(tmp_path / ending)
        assert (reasons, list(found["response_id"]), places) == ([], ["r1", "r2"], ["5", "6"])


WIDE = ["Name of the city", "How was it?", "Anything else?", "When"]
REFUSED: dict[str, tuple[Any, str]] = {
    "no known tool": ([["Feedback"], [], WIDE, ["Lima", "Good", "", "x"]], "The first 2 rows look like a title"),
    "no header at all": ([["Feedback"], *[["Lima", "Good", "", "x"]] * 2], "The first row looks like a title"),
    "three cells above": ([["a", "b", "c"], *ZOHO], "not an export of a known survey tool|where the header has 3"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.fault(126)
@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_where_no_header_is_certain_the_file_is_refused_with_what_to_do(
    case: str, ending: str, tmp_path: Path
) -> None:
    rows, words = REFUSED[case]
    put(tmp_path / f"a{ending}", workbook(rows) if ending == ".xlsx" else as_csv(rows).encode())
    pull = SurveyFiles(tmp_path, Rules()).pull("responses")
    batches = list(pull.batches)
    (row,) = [one for batch in batches for one in batch.rejected]
    assert sum(len(batch.frame) for batch in batches) == 0
    assert pd.Series([row.reason]).str.contains(words).item(), row.reason
    assert "xport" in row.reason
