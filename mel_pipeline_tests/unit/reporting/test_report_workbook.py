"""The workbook: numbers stay numbers, texts stay texts, and missing figures are words."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.edition import Publication
from mel_pipeline.reporting.figures.lookup import Reading, Target
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.figures.released import progress, released
from mel_pipeline.reporting.workbook.build import build_workbook
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, sample_edition, with_cells, with_figure

PROJECT = Path(__file__).parents[3]
LANGUAGES = ("en", "fr", "es")
EVIL = [
    '=HYPERLINK("http://127.0.0.1/","x")',
    "+1+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "http://127.0.0.1/x",
    "{=1}",
    "007",
    "_x0041_",
    "a\x01b",
]
ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from mel_pipeline.reporting.workbook.build import build_workbook
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition
made = build_workbook(sample_edition(), Path(sys.argv[1]), REPORTS, "en")
print(hashlib.sha256(made.read_bytes()).hexdigest())
"""


def opened(edition, folder, language="en"):
    return openpyxl.load_workbook(build_workbook(edition, folder, REPORTS, language))


def column(sheet, title):
    titles = [one.value for one in sheet[1]]
    return [row[titles.index(title)] for row in sheet.iter_rows(min_row=2)]


def row_of(sheet, code):
    titles = [one.value for one in sheet[1]]
    found = next(row for row in sheet.iter_rows(min_row=2) if row[0].value == code)
    return dict(zip(titles, found, strict=True))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return build_workbook(sample_edition(), tmp_path_factory.mktemp("published"), REPORTS, "en")


@pytest.fixture(scope="module")
def book(path):
    return openpyxl.load_workbook(path)


@pytest.mark.slow
def test_sheets_follow_the_order_of_the_contents_which_link_to_them(path, book):
    assert path.parts[-2:] == ("2024-Q4", "figures-en.xlsx")
    contents = book["Contents"]
    listed = [row[0] for row in contents.iter_rows(min_row=2)]
    assert book.sheetnames == ["Cover", "Contents", *(one.value for one in listed)]
    assert [one.hyperlink.location for one in listed] == [f"'{one.value}'!A1" for one in listed]
    rows = {row[0].value: row[2].value for row in contents.iter_rows(min_row=2)}
    assert all(book[name].max_row - 1 == count for name, count in rows.items())


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
@pytest.mark.sweep("2024-Q4-fr")
def test_every_sheet_is_one_table_that_can_be_filtered_and_read_aloud(language, period, tmp_path):
    for sheet in opened(sample_edition(period), tmp_path, language):
        assert len(sheet.tables) == 1, sheet.title
        table = next(iter(sheet.tables.values()))
        assert table.ref == sheet.dimensions
        assert table.headerRowCount == 1
        assert not sheet.merged_cells.ranges
        assert sheet.freeze_panes is not None
        assert sheet.freeze_panes.endswith("2")
        assert all(one.value for one in sheet[1])
        for letter, size in sheet.column_dimensions.items():
            assert 9 <= size.width <= 60, (sheet.title, letter)


def test_a_share_of_54_reads_54_per_cent_and_is_the_number_54(book):
    share = row_of(book["Figures"], "GEN-01")["Actual"]
    assert share.value == 54.31
    assert share.number_format == '#,##0"%"'
    assert row_of(book["Figures"], "MEM-05")["Actual"].number_format == '#,##0.0"%"'
    assert row_of(book["Figures"], "FND-01")["Actual"].number_format == '"€"#,##0'


def test_headings_of_numbers_are_aligned_with_them(book):
    sheet = book.worksheets[2]
    for heading, first in zip(sheet[1], sheet[2], strict=True):
        if isinstance(first.value, (int, float)):
            assert heading.alignment.horizontal == "right", heading.value


def test_missing_and_withheld_figures_are_text_and_never_zero_or_blank(book):
    gone = row_of(book["Figures"], "RCH-02")
    assert gone["Actual"].value == "not available"
    assert gone["Note"].value == "The source gave no data for part of this quarter."
    rows = list(book["Disaggregations"].iter_rows(min_row=2))
    titles = [one.value for one in book["Disaggregations"][1]]
    withheld = [
        dict(zip(titles, row, strict=True)) for row in rows if "not shown" in [one.value for one in row]
    ]
    assert withheld
    for row in withheld:
        for title in ("Value", "Numerator", "Denominator", "n"):
            assert row[title].value == "not shown"
    numeric = titles.index("Value"), titles.index("95% interval, high")
    for row in rows:
        assert all(one.value not in (None, "") for one in row[numeric[0] : numeric[1] + 1])


@pytest.mark.slow
def test_the_workbook_holds_every_released_figure_up_to_the_period_and_none_after(tmp_path):
    edition = sample_edition("2024-Q3")
    edition = replace(edition, figures=edition.figures[edition.figures["indicator_id"] != "RCH-02"])
    found = released(edition, "en")
    assert {one.period for one in found} == {
        "2023",
        *(f"2023-Q{n}" for n in range(1, 5)),
        "2024-Q1",
        "2024-Q2",
        "2024-Q3",
    }
    sheet = opened(edition, tmp_path)["Disaggregations"]
    assert sheet.max_row - 1 == len(found)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_never_a_formula_a_link_or_a_number(language, tmp_path):
    edition = sample_edition(notes=EVIL)
    edition = with_figure(edition, "RCH-02", "2024-Q4", note=EVIL[0])
    names = dict.fromkeys(text.strip() for text in EVIL)
    edition = with_cells(edition, [cell("MEM-02", "2024-Q4", "theme", name, 1.0) for name in names])
    edition.indicators[f"name_{language}"] = EVIL[0]
    book = opened(edition, tmp_path, language)
    seen = []
    for sheet in book:
        for row in sheet.iter_rows():
            for one in row:
                assert one.data_type != "f", (sheet.title, one.coordinate)
                assert one.hyperlink is None or one.hyperlink.location.endswith("!A1")
                seen.append(one.value)
    shown = [one for one in seen if isinstance(one, str)]
    for text in EVIL:
        if text.isprintable():
            assert text in shown
    with zipfile.ZipFile(tmp_path / "2024-Q4" / f"figures-{language}.xlsx") as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist() if "/worksheets/sheet" in name)


def test_progress_runs_from_the_baseline_to_the_target_in_either_direction():
    measure = measures(sample_edition(), "en")[0]
    up, down = replace(measure, baseline_value=100.0), replace(measure, baseline_value=50.0)
    assert progress(up, Reading("ok", 150.0), Target("2026", 200.0, "")) == 0.5
    assert progress(down, Reading("ok", 20.0), Target("2026", 10.0, "")) == 0.75
    assert progress(up, Reading("ok", 90.0), Target("2026", 200.0, "")) == -0.1
    assert progress(up, Reading("ok", 150.0), Target("2026", 100.0, "")) is None
    assert progress(up, Reading("suppressed"), Target("2026", 200.0, "")) is None
    assert progress(up, Reading("ok", 150.0), None) is None


@pytest.mark.slow
def test_a_target_that_is_the_baseline_has_no_progress(tmp_path):
    edition = sample_edition()
    first = edition.indicators["indicator_id"] == "LAB-02"
    for baseline, expected in ((20.0, "n/a"), (10.0, 1.1)):
        edition.indicators.loc[first, ["baseline_value", "baseline_period"]] = [baseline, "2023"]
        assert row_of(opened(edition, tmp_path)["Figures"], "LAB-02")["Progress"].value == expected


@pytest.mark.slow
def test_the_cover_says_whether_the_figures_are_published_and_as_of_when(book, tmp_path):
    cover = {row[0].value: row[1].value for row in book["Cover"].iter_rows()}
    assert cover["Status"].startswith("Provisional")
    assert cover["Data as of"] == datetime(2025, 1, 14)
    assert "not for citation" in cover["How to cite"]
    frozen = sample_edition(publication=Publication(2, datetime(2025, 2, 1).date(), "MEL lead", ""))
    cover = {row[0].value: row[1].value for row in opened(frozen, tmp_path)["Cover"].iter_rows()}
    assert cover["Status"].startswith("Published. Version 2 of 1 February 2025")


@pytest.mark.slow
def test_a_restated_figure_is_shown_next_to_the_published_one(tmp_path):
    rows = [
        {"indicator_id": "MEM-01", "disaggregation": "total", "state": "known", "published": 163.0, "current": 164.0, "difference": 1.0, "reason": "late_data"},
        {"indicator_id": "GEN-01", "disaggregation": "gender=Man", "state": "held", "published": 1.0, "current": 2.0, "difference": 1.0, "reason": None},
        {"indicator_id": "OLD-01", "disaggregation": "total", "state": "known", "published": 3.0, "current": 2.5, "difference": -0.5, "reason": "definition_change"},
    ]  # fmt: skip
    sheet = opened(sample_edition(restatements=rows), tmp_path)["Restatements"]
    assert [one.value for one in column(sheet, "Published")] == [163, "not shown", 3]
    assert [one.value for one in column(sheet, "Now")] == [164, "not shown", 2.5]
    assert [one.value for one in column(sheet, "Indicator")][2] == "(no longer defined)"


def test_a_text_too_long_for_a_cell_is_reported_and_not_cut(tmp_path):
    with pytest.raises(ReportError, match="'Notes', row 2: a text of 40,000 letters is too long"):
        build_workbook(sample_edition(notes=["x" * 40_000]), tmp_path, REPORTS, "en")


def test_the_properties_hold_title_language_and_data_date(book):
    assert book.properties.title == "Metropolis · 2024, fourth quarter"
    assert book.properties.created == datetime(2025, 1, 14)
    assert book.custom_doc_props["Language"].value == "en"


@pytest.mark.long
def test_two_processes_write_the_same_workbook(path):
    here = hashlib.sha256(path.read_bytes()).hexdigest()
    path.unlink()
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(path.parents[1])]
    there = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout.strip()
    assert there == here


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("soffice") is None and not os.environ.get("CI"), reason="LibreOffice is not installed"
)
@pytest.mark.long
def test_libreoffice_opens_it_and_shows_the_values(tmp_path):
    path = build_workbook(
        with_figure(sample_edition(), "RCH-02", "2024-Q4", note=EVIL[0]), tmp_path, REPORTS, "en"
    )
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
    command = [
        "soffice",
        f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
        *("--headless", "--convert-to", every_sheet, "--outdir", str(tmp_path), str(path)),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    shown = {}
    for name in openpyxl.load_workbook(path).sheetnames:
        with (tmp_path / f"figures-en-{name}.csv").open(encoding="utf-8", newline="") as file:
            shown[name] = list(csv.reader(file))
    book = openpyxl.load_workbook(path)
    assert {name: len(rows) for name, rows in shown.items()} == {sheet.title: sheet.max_row for sheet in book}
    figures = {row[0]: dict(zip(shown["Figures"][0], row, strict=True)) for row in shown["Figures"][1:]}
    assert figures["GEN-01"]["Actual"] == "54%"
    assert figures["MEM-05"]["Actual"] == "31.7%"
    assert figures["FND-01"]["Actual"] == "€800,000"
    assert figures["RCH-02"]["Actual"] == "not available"
    assert figures["RCH-02"]["Note"] == EVIL[0]
    texts = [str(one.value) for row in book["Notes"].iter_rows() for one in row]
    assert [text for row in shown["Notes"] for text in row] == texts
