"""Open comments on their way: survey file, form, two coders, counts; and out again when they are erased."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.city_names import match_cities
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.privacy import load_pseudonyms
from mel_pipeline.ingest.privacy.erasure import erase
from mel_pipeline.ingest.privacy.holdings import remove_expired
from mel_pipeline.ingest.raw_tables import ensure_empty, load_catalogue_tables
from mel_pipeline.reporting.inputs.comments import comments_form, read_coding, read_themes
from mel_pipeline.reporting.inputs.narrative import with_comments
from mel_pipeline.reporting.inputs.overview import _comments
from mel_pipeline.reporting.inputs.statement_form import form
from mel_pipeline.reporting.inputs.statements import judge
from mel_pipeline.sources import open_source
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.sheets import LANGUAGES
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, member

QUARTER = "2024-Q4"
HEADINGS = ["Response ID", "Response Status", "Start Time", "Completed Time", "Event code", "Overall satisfaction", "Any other comments?"]  # fmt: skip
SECRET = "zirconium"  # a word of a comment that must not be found where no comment may be
KINDS = {
    "1": "=cmd|'/c calc'!A1",
    "2": "🙂 👩‍🏫",
    "3": "كان الوقت قصيراً",
    "4": "@SUM(1+1)",
    "5": "Line one\nline two\ttab \"quoted\"; semicolon, comma",
    "6": "x" * 40_000,
    "7": "Ask Mme Durand, ana@example.org",
    "8": "   ",
    "9": "",
    "10": f"More time, {SECRET}",
}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "comments", tmp_path, _empty)


def _empty(small: Small) -> None:
    """A member, and every table that the comments need, empty."""
    for source in ("zoho_crm", "survey_files", "workbook"):
        for entity in contract_of(source).entities:
            ensure_empty(contract_of(source), entity, small.warehouse)
    small.load("accounts", [member(1)])
    match_cities(small.warehouse, versions.current(small.settings))
    load_catalogue_tables(catalogue_of(small.settings), small.warehouse)


def survey(small: Small, comments: Mapping[str, str]) -> None:
    path = small.settings.survey_folder / "feedback.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(HEADINGS)
        for key, text in comments.items():
            write([key, "Completed", "2024-11-06 09:00:00", "2024-11-06 09:05:00", "EV-1", "Satisfied", text])
    an_hour_ago = path.stat().st_mtime - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    small.load_surveys()
    calculate(small)


def calculate(small: Small) -> None:
    load_entity(open_source("workbook", small.settings), contract_of("workbook"), "comments", small.warehouse)
    wanted = sql_variables(small.settings, Quarter.parse(QUARTER))
    project = SqlProject.load(small.settings.sql_dir, wanted)
    results = list(Runner(small.warehouse).run(project, project.upstream("fct_comment_theme"), wanted))
    assert [result.message for result in results if result.status != "ok"] == []


def downloaded(small: Small, coder: Any, language: str = "en") -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(comments_form(small.settings, language, coder)[1]))


def shown(small: Small, coder: Any = "first", language: str = "en") -> dict[str, dict[str, Any]]:
    """The rows of the file by the text of their comment, each cell by its key."""
    page = downloaded(small, coder, language).worksheets[0]
    keys = [cell.value for cell in page[1]]
    rows = [dict(zip(keys, [cell.value for cell in row], strict=True)) for row in page.iter_rows(min_row=3)]
    return {row["text"] or row["comment"]: row for row in rows if row.get("comment")}


def fill(book: openpyxl.Workbook, column: str, themes: Mapping[str, str]) -> bytes:
    """The file with a theme for each comment that begins so."""
    page = book.worksheets[0]
    keys = [cell.value for cell in page[1]]
    for row in page.iter_rows(min_row=3):
        text = str(row[keys.index("text")].value or "")
        for begin, theme in themes.items():
            if text.startswith(begin):
                row[keys.index(column)].value = theme
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def accept(small: Small, content: bytes) -> None:
    found = judge(small.settings, content)
    assert ([one.sentence for one in found.refused], list(found.conflicts)) == ([], [])
    versions.accept(small.settings, found, "MEL lead")


def coded(small: Small, column: str, themes: Mapping[str, str], coder: Any) -> None:
    accept(small, fill(downloaded(small, coder), column, themes))
    calculate(small)


def many(count: int, words: str, start: int = 0) -> dict[str, str]:
    return {str(start + n): f"{words} {n}" for n in range(count)}


@pytest.mark.slow
@pytest.mark.fault(174)
@pytest.mark.long
def test_comments_of_every_kind_stand_in_the_file_as_text_and_addresses_do_not(small):
    survey(small, KINDS)
    rows = shown(small)
    assert len(rows) == 8, "blank ones are none"
    assert {KINDS[key] for key in ("1", "2", "3", "4", "10")} <= set(rows)
    assert any(len(text) == 1_501 and text.endswith("…") for text in rows)
    assert not any("example.org" in text for text in rows)
    kinds = {cell.data_type for row in downloaded(small, "first").worksheets[0].iter_rows() for cell in row}
    assert "f" not in kinds, "no formula"
    assert {row["quarter"] for row in rows.values()} == {QUARTER}
    assert {row["event"] for row in rows.values()} == {"EV-1"}


@pytest.mark.slow
@pytest.mark.fault(176)
@pytest.mark.long
def test_two_who_code_at_the_same_time_do_not_see_each_other_and_their_themes_join(small):
    survey(small, many(8, "More time") | many(5, "Bad sound", 20))
    first, second = downloaded(small, "first"), downloaded(small, "second")
    assert "theme_2" not in [cell.value for cell in first.worksheets[0][1]]
    assert "theme_1" not in [cell.value for cell in second.worksheets[0][1]]
    accept(small, fill(first, "theme_1", {"More": "Time", "Bad": "Sound"}))
    accept(small, fill(second, "theme_2", {"More": "time", "Bad": "Room"}))
    calculate(small)
    coding = read_coding(small.warehouse, QUARTER)
    assert (coding.comments, coding.themed, coding.differing) == (13, 8, 5)
    assert (coding.agreement.comments, coding.agreement.same) == (13, 8)
    assert "Two coders differ about 5" in " ".join(_comments(coding))
    assert f"kappa {coding.agreement.kappa:.2f}" in _comments(coding)[-1]
    coded(small, "agreed_theme", {"Bad": "Sound"}, "both")
    assert {theme.theme.by_language["en"]: theme.people for theme in read_themes(small.warehouse, QUARTER, 5)} == {
        "Time": 8,
        "Sound": 5,
    }  # fmt: skip
    narrative = with_comments(None, small.warehouse, QUARTER, 5)
    assert narrative.agreement.comments == 13


@pytest.mark.slow
@pytest.mark.fault(173)
@pytest.mark.long
def test_an_erased_comment_is_nowhere_although_it_was_coded(small):
    comments = many(5, "More time") | {"secret": f"More {SECRET} time"}
    survey(small, comments)
    coded(small, "theme_1", {"More": "Time"}, "first")
    assert [theme.people for theme in read_themes(small.warehouse, QUARTER, 5)] == [6]
    erase(small.warehouse, load_pseudonyms(small.settings), "survey_files", "zoho_survey|secret", "request")
    assert not any(SECRET in text for text in shown(small, "both"))
    small.load_surveys()
    calculate(small)
    assert not any(SECRET in text for text in shown(small, "both"))
    assert [theme.people for theme in read_themes(small.warehouse, QUARTER, 5)] == [5]
    for path in small.settings.home.rglob("*"):
        if path.is_file() and "survey" not in str(path.relative_to(small.settings.home)):
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.fault(173)
def test_comments_are_in_no_version_upload_or_main_form_and_leave_after_their_months(small):
    survey(small, many(5, SECRET))
    before = comments_form(small.settings, "en", "first")[1]
    accept(small, fill(openpyxl.load_workbook(io.BytesIO(before)), "theme_1", {SECRET: "Time"}))
    kept = [path for path in (small.settings.home / "workbook").rglob("*") if path.is_file()]
    assert kept and not any(path.suffix == ".xlsx" for path in kept)
    main = form(small.settings, "en")[1]
    assert "Comments" not in openpyxl.load_workbook(io.BytesIO(main)).sheetnames
    for content in [main, *(path.read_bytes() for path in kept)]:
        assert SECRET.encode() not in content
    unzipped = openpyxl.load_workbook(io.BytesIO(main))
    assert not any(SECRET in str(cell.value) for page in unzipped for row in page.iter_rows() for cell in row)
    calculate(small)
    remove_expired(small.warehouse, datetime(2030, 1, 1))
    assert not any(SECRET in text for text in shown(small, "both"))
    calculate(small)
    assert [theme.people for theme in read_themes(small.warehouse, QUARTER, 5)] == [5], "they go on counting"


@pytest.mark.slow
@pytest.mark.fault(175)
@pytest.mark.long
def test_themes_of_few_people_or_with_a_name_are_merged_on_the_page(small):
    survey(small, many(5, "More time") | many(4, "Bad sound", 20) | many(6, "Praise", 40))
    coded(small, "theme_1", {"More": "Time", "Bad": "Sound", "Praise": "Thanks to Mme Durand"}, "first")
    found = {
        theme.theme.by_language["en"]: theme.people for theme in read_themes(small.warehouse, QUARTER, 5)
    }
    assert found == {"Time": 5, "Sound": 4, "Thanks to Mme Durand": 0}
    assert {theme.people for theme in read_themes(small.warehouse, "2024", 5)} == {5, 4, 0}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.sweep("fr")
def test_the_file_is_written_in_each_language_and_comes_back(small, language):
    survey(small, many(2, "More time"))
    accept(small, fill(downloaded(small, "first", language), "theme_1", {"More": "Temps"}))
    [row, _] = versions.current(small.settings).rows["comments"]
    assert (row["theme_1"], row["theme_2"]) == ("Temps", None)
    assert set(row) == {"id", "comment", "theme_1", "theme_2", "agreed_theme"}


@pytest.mark.slow
@pytest.mark.long
def test_a_file_given_back_without_themes_changes_nothing_and_an_agreed_theme_needs_two(small):
    survey(small, many(2, "More time"))
    found = judge(small.settings, fill(downloaded(small, "first"), "theme_1", {}))
    assert found.is_empty and not found.refused
    alone = judge(small.settings, fill(downloaded(small, "both"), "agreed_theme", {"More": "Time"}))
    assert [one.sentence.split(": ")[1][:20] for one in alone.refused] == ["a theme is agreed wh"] * 2
