"""What is no valid response is left out and counted: previews, tests, spam, rejected, totals, blanks, second headers."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.survey_cases import CASES, dropped

RULES = Rules(order="day_first")
QUALTRICS = "not_responses_qualtrics_preview_spam.csv"
KOBO = "not_responses_kobo_not_approved.csv"


def load(folder: Path, cursor: str | None = None) -> tuple[list[dict[str, str]], str, list[Batch]]:
    batches = list(SurveyFiles(folder, RULES, settle_seconds=0).pull("responses", cursor=cursor).batches)
    assert [row.reason for batch in batches for row in batch.rejected] == []
    rows = [row for batch in batches for row in batch.frame.fillna("").to_dict("records")]
    return rows, " ".join(dict.fromkeys(note for batch in batches for note in batch.notes)), batches


def put(folder: Path, name: str, text: str, age: int = 600) -> None:
    (folder / name).write_text(text, "utf-8")
    os.utime(folder / name, (time.time() - age,) * 2)


@pytest.mark.parametrize(
    ("name", "answers", "told"),
    [(QUALTRICS, ["Very satisfied", "Satisfied"], "2 rows are no valid responses and were left out (1 preview, 1 spam)"),
     (KOBO, ["Very satisfied", "Satisfied"], "1 rows are no valid responses and were left out (1 rejected in review)"),
     ("not_responses_average_row_surveymonkey.csv", ["5", "5"], "left out (2 totals)")],
)  # fmt: skip
@pytest.mark.behaviour("no_response", "qualtrics", "kobo", "surveymonkey")
@pytest.mark.fault(74)
def test_what_the_tool_or_a_person_added_is_left_out_and_counted(
    tmp_path: Path, name: str, answers: list[str], told: str
) -> None:
    dropped(tmp_path, name)
    rows, notes, _ = load(tmp_path)
    assert [row["overall_satisfaction"] for row in rows] == answers
    assert told in notes


@pytest.mark.parametrize(
    ("status", "is_valid"),
    [("IP Address", True), ("0", True), ("Imported", True), ("4", True), ("16", True), ("Anonymous", True), ("Survey Test", False),
     ("2", False), ("1", False), ("8", False), ("Vista previa de la encuesta", False), ("Aperçu de l'enquête", False), ("1.0", False)],
)  # fmt: skip
@pytest.mark.behaviour("no_response", "qualtrics")
def test_qualtrics_marks_by_label_or_code_in_any_language(
    tmp_path: Path, status: str, is_valid: bool
) -> None:
    put(tmp_path, "a.csv", (CASES / QUALTRICS).read_text().replace("Survey Preview", status))
    rows, _, _ = load(tmp_path)
    assert len(rows) == 2 + is_valid


@pytest.mark.parametrize(
    ("status", "is_valid"),
    [("Approved", True), ("On hold", True), ("", True), ("Not approved", False), ("Non approuvé", False), ("No aprobado", False),
     ("validation_status_not_approved", False)],
)  # fmt: skip
@pytest.mark.behaviour("no_response", "kobo")
def test_kobo_reviews_are_read_by_label_or_code(tmp_path: Path, status: str, is_valid: bool) -> None:
    put(tmp_path, "a.csv", (CASES / KOBO).read_text().replace("Not approved", status))
    rows, _, _ = load(tmp_path)
    assert len(rows) == 2 + is_valid


@pytest.mark.behaviour("no_response", "odk")
def test_odk_submissions_rejected_in_review_are_left_out(tmp_path: Path) -> None:
    rows = "".join(
        f'2024-11-0{n}T09:00:00Z,Satisfied,uuid:{n},"{state}"\n'
        for n, state in enumerate(("", "rejected", "hasIssues", "edited"), 1)
    )
    put(tmp_path, "a.csv", f"SubmissionDate,overall_satisfaction,KEY,ReviewState\n{rows}")
    found, notes, _ = load(tmp_path)
    assert [row["response_id"] for row in found] == ["uuid:1", "uuid:3", "uuid:4"]
    assert "1 rejected in review" in notes


HEADER = "Timestamp;Overall, how satisfied are you with the event?;NPS;City"
ROWS = "2024-11-05 09:00;Satisfied;9;Quito\n2024-11-06 09:00;Satisfied;8;Lima\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [(";;;", "blank"), (" ; ;; ", "blank"), (HEADER, "repeated header"), ("Average;;8.5;", "totals"), ("Promedio;;8,5;", "totals"),
     ("Moyenne;4,5;8,5;", "totals"), ("Mitjana;;8,5;", "totals"), ("Total;2;2;2", "totals"), (";Total;17;", "totals"),
     (";4.5;8.5;", "totals"), ("N;2;2;", "totals"), ("Std. Dev.;0.5;;", "totals")],
)  # fmt: skip
@pytest.mark.behaviour(
    "no_response", "google_forms", "microsoft_forms", "limesurvey", "typeform", "zoho_survey"
)
def test_blank_rows_totals_and_second_headers_are_no_responses(tmp_path: Path, row: str, reason: str) -> None:
    put(tmp_path, "a.csv", f"{HEADER}\n{ROWS}{row}\n")
    rows, notes, _ = load(tmp_path)
    assert [found["recommendation"] for found in rows] == ["9", "8"]
    assert f"1 rows are no valid responses and were left out (1 {reason})" in notes


@pytest.mark.parametrize(
    "row", ["2024-11-07 09:00;;;Total", ";Satisfied;;Media", "2024-11-07 09:00;;10;", "2024-11-07 09:00;;;"]
)
def test_a_response_that_looks_a_little_like_a_total_is_one(tmp_path: Path, row: str) -> None:
    put(tmp_path, "a.csv", f"{HEADER}\n{ROWS}{row}\n")
    rows, notes, _ = load(tmp_path)
    assert len(rows) == 3 and "left out (" not in notes


@pytest.mark.behaviour("no_response", "qualtrics", "surveymonkey")
def test_each_of_several_header_rows_that_came_twice_is_left_out(tmp_path: Path) -> None:
    for name, headers, responses in ((QUALTRICS, 3, 2), ("not_responses_average_row_surveymonkey.csv", 2, 2)):
        lines = (CASES / name).read_text().splitlines(keepends=True)
        put(tmp_path, name, "".join([*lines, *lines[:headers]]))
        rows, notes, _ = load(tmp_path)
        (tmp_path / name).unlink()
        assert len(rows) == responses
        assert f"{headers} repeated header" in notes


@pytest.mark.parametrize("loads", [1, 2])
def test_what_a_later_export_marks_as_not_valid_counts_no_more_until_it_is_approved(
    tmp_path: Path, loads: int
) -> None:
    text = (CASES / KOBO).read_text()
    put(tmp_path, "1.csv", text.replace("Not approved", "On hold"), 600)
    cursor = None
    if loads == 2:
        pull = SurveyFiles(tmp_path, RULES, settle_seconds=0).pull("responses")
        assert sum(len(batch.frame) for batch in pull.batches) == 3
        cursor = pull.cursor()
    put(tmp_path, "2.csv", text, 500)
    _, _, batches = load(tmp_path, cursor)
    assert [key for batch in batches for key in batch.deleted] == ["kobo|301234562"]
    put(tmp_path, "3.csv", text.replace("Not approved", "Approved"), 400)
    _, _, batches = load(tmp_path, cursor)
    assert not any(batch.deleted for batch in batches)


@pytest.mark.parametrize(
    ("tool", "head", "row", "note"),
    [("microsoft_forms", "ID;Start time;Completion time;Email;Name;Overall satisfaction",
      "1;2024-11-05 09:00;2024-11-05 09:05;anonymous;;Satisfied", "{};;;;;"),
     ("zoho_survey", "Response ID;Response Status;Start time;End time;Overall satisfaction",
      "a1;Completed;2024-11-05 09:00;2024-11-05 09:05;Satisfied", "{};;;;"),
     ("limesurvey", "id;submitdate;lastpage;startlanguage;Q1. Overall satisfaction", "1;2024-11-05 09:00;3;en;Satisfied", "{};;;;"),
     ("google_forms", "Timestamp;Overall satisfaction;City", "2024-11-05 09:00;Satisfied;Quito", ";{};")],
)  # fmt: skip
@pytest.mark.parametrize("text", ["Source: forms.office.com", "Exported on 5 November 2024", "* 12 invited"])
@pytest.mark.behaviour("no_response", "microsoft_forms", "zoho_survey", "limesurvey", "google_forms")
@pytest.mark.fault(74)
def test_a_note_below_the_answers_is_no_response(
    tmp_path: Path, tool: str, head: str, row: str, note: str, text: str
) -> None:
    put(tmp_path, "a.csv", f"{head}\n{row}\n{note.format(text)}\n")
    rows, notes, _ = load(tmp_path)
    assert [one["tool"] for one in rows] == [tool]
    assert "1 a note below the answers" in notes
