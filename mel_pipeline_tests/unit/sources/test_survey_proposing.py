"""What an import met and does not know is proposed in the workbook, and counts once it is completed there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mel_pipeline.sources.shared.survey.books import books_in
from mel_pipeline.sources.shared.survey.proposing import Found, proposed_rows
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline.sources.workbook.model import Proposal, Row

HEAD = "Response ID,Response Status,End time,You are:,How did it go?,Rate the session\n"
ANSWERS = [
    ("Woman", "fine", "4"),
    ("Man", "so so", "5"),
    ("Woman", "fine", "4"),
    ("Man", "so so", "3"),
    ("Man", "fine", "2"),
]


def export(folder: Path, head: str = HEAD, answers: list[tuple[str, ...]] = ANSWERS) -> None:
    rows = "".join(
        f"r{number},Completed,2024-11-05 09:00,{','.join(cells)}\n" for number, cells in enumerate(answers)
    )
    (folder / "lab (1).csv").write_text(head + rows, "utf-8")


def proposed(
    folder: Path, rows: dict[str, list[Row]] | None = None
) -> tuple[dict[str, list[Proposal]], list[Found]]:
    rules = Rules(books_in(rows or {}), order="day_first")
    pull = SurveyFiles(folder, rules, settle_seconds=0).pull("responses")
    list(pull.batches)
    again = SurveyFiles(folder, rules, settle_seconds=0).pull("responses", cursor=pull.cursor())
    list(again.batches)
    found = pull.proposals() or []
    assert again.proposals() == found, "a file that is not read again still proposes"
    return proposed_rows([json.dumps(found)], rows or {}), found


def completed(found: list[Proposal], **cells: str) -> Row:
    return {**dict.fromkeys(("code", "score", "non_answer", "codebook")), **found[0].row, **cells}


@pytest.mark.fault(143)
def test_unknown_questions_and_answers_are_proposed_until_they_are_stated(tmp_path: Path) -> None:
    export(tmp_path)
    found, _ = proposed(tmp_path)
    asked = {str(one.row.get("question")): one for one in found["survey_questions"]}
    assert "It looks like: gender (5 of 5 answers fit)" in asked["You are:"].why
    assert "role" not in asked["You are:"].row and asked["You are:"].row["codebook"] == "lab"
    assert any("overall satisfaction" in one.why for one in found["survey_questions"])
    assert [one.row["role"] for one in found["survey_questions"] if not one.row.get("question")] == [
        "fixed_event"
    ]

    rows: dict[str, list[Row]] = {
        "survey_questions": [
            {"codebook": "lab", "role": "gender", "question": "You are:", "code": None},
            {"codebook": "lab", "role": "overall_satisfaction", "question": "Rate the session", "code": None},
        ]
    }
    found, _ = proposed(tmp_path, rows)
    assert {one.row.get("question") for one in found["survey_questions"]} == {None}, "the event alone"
    assert [one.row["label"] for one in found["answer_scales"]] == ["1", "2", "3", "4", "5"]

    rows["answer_scales"] = [
        {
            "codebook": "lab",
            "scale": "satisfaction",
            "label": label,
            "score": label,
            "code": None,
            "non_answer": None,
        }
        for label in "12345"
    ]
    found, _ = proposed(tmp_path, rows)
    assert found["answer_scales"] == []


@pytest.mark.fault(143)
def test_an_answer_that_names_somebody_is_not_proposed(tmp_path: Path) -> None:
    head = "Response ID,Response Status,End time,Gender,Overall satisfaction\n"
    answers = [("Otro", "Satisfied"), ("call me at maria.lopez@example.org", "so-so"), ("Woman", "Satisfied")]
    export(tmp_path, head, answers)
    found, raw = proposed(tmp_path)
    labels = {(one.row["scale"], one.row["label"], one.row.get("codebook")) for one in found["answer_scales"]}
    assert labels == {("gender", "Otro", None), ("satisfaction", "so-so", "lab")}
    assert "example.org" not in json.dumps(raw)
