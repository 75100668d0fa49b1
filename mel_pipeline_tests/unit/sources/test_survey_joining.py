"""One answer from several columns: choices of their own, branches by language, relabelled questions, grids, rankings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.sources.shared.survey.codebook import Codebook, common_codebook
from mel_pipeline.sources.shared.survey.model import Question
from mel_pipeline.sources.survey_files.client import Rules
from mel_pipeline_tests.survey_cases import dropped, read, refusals, responses

SATISFACTION = "Overall, how satisfied are you with the event?"
QUALTRICS = "ResponseId,EndDate,Finished,Q1,Q2\nResponse ID,End Date,Finished,{}\n" + ",".join(
    '"{{""ImportId"":""' + name + '""}}"' for name in ("_recordId", "endDate", "finished", "QID1", "QID2")
)
KOBO = ";_id;_uuid;_submission_time;_index"


def written(folder: Path, text: str, rules: Rules | None = None) -> list[dict[str, Any]]:
    (folder / "a.csv").write_text(text, "utf-8")
    return responses(folder, rules)


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in sorted(rows, key=lambda row: row["response_id"])]


def kobo(*lines: str) -> str:
    """Each line with an id, a uuid, a moment and an index after it."""
    head, *rows = lines
    tail = (f"{line};{n};u{n};2024-11-0{n}T09:00:00;{n}" for n, line in enumerate(rows, start=1))
    return "\n".join([head + KOBO, *tail]) + "\n"


@pytest.mark.behaviour("multiple_choice", "surveymonkey")
@pytest.mark.behaviour("joined", "surveymonkey")
def test_an_expanded_export_of_the_case_answers_by_the_column_that_is_marked(tmp_path: Path) -> None:
    dropped(tmp_path, "layout_surveymonkey_expanded.csv")
    rows = responses(tmp_path)
    assert column(rows, "overall_satisfaction") == ["Very satisfied", "Dissatisfied"]
    assert column(rows, "gender") == ["Woman", "Man"]
    assert column(rows, "other_answers") == [None, None]


@pytest.mark.parametrize(
    "labels",
    [
        [str(n) for n in range(11)],
        ["0 - Not at all likely", *map(str, range(1, 10)), "10 - Extremely likely"],
    ],
    ids=["bare", "anchored"],
)
@pytest.mark.behaviour("joined", "surveymonkey")
@pytest.mark.fault(98)
def test_a_zero_chosen_in_a_column_of_its_own_is_an_answer(tmp_path: Path, labels: list[str]) -> None:
    question = "How likely are you to recommend the event to a colleague?"
    head = f"Respondent ID,Collector ID,Date Modified,{question}{',' * 10}\n,,,{','.join(labels)}\n"
    lines = [
        f"1187{n:02},45,2024-11-05 09:{n:02},{','.join(label if label == chosen else '' for label in labels)}\n"
        for n, chosen in enumerate(labels)
    ]
    assert column(written(tmp_path, head + "".join(lines)), "recommendation") == [str(n) for n in range(11)]


@pytest.mark.behaviour("joined", "google_forms")
def test_branches_of_a_form_by_language_of_the_case_join(tmp_path: Path) -> None:
    dropped(tmp_path, "layout_google_branches_by_language.csv")
    rows = sorted(responses(tmp_path), key=lambda row: row["answered_at"])
    assert [row["overall_satisfaction"] for row in rows] == [
        "Very satisfied",
        "Insatisfecho/a",
        "Satisfait(e)",
    ]
    assert [row["language"] for row in rows] == ["en", "es", "fr"]


@pytest.mark.behaviour("joined", "kobo")
def test_a_relabelled_question_of_the_case_keeps_the_answers_to_both_wordings(tmp_path: Path) -> None:
    dropped(tmp_path, "layout_kobo_question_relabelled.csv")
    assert column(responses(tmp_path), "overall_satisfaction") == ["Very satisfied", "Dissatisfied"]


def test_an_expanded_export_with_the_numbers_of_choices_says_their_labels(tmp_path: Path) -> None:
    rows = written(
        tmp_path,
        "Respondent ID,Collector ID,Date Created,Satisfacción general,,,¿Cuál es su género?,,\n"
        ",,,Muy satisfecho/a,Satisfecho/a,Insatisfecho/a,Mujer,Hombre,Otro (especifique)\n"
        "1,42,2024-11-15 09:00,5,,,1,,\n2,42,2024-11-16 09:00,,,1,,2,\n3,42,2024-11-17 09:00,,4,,,,de género fluido\n",
    )
    assert column(rows, "overall_satisfaction") == ["Muy satisfecho/a", "Insatisfecho/a", "Satisfecho/a"]
    assert column(rows, "gender") == ["Mujer", "Hombre", "Otro (especifique)"]


@pytest.mark.behaviour("grids", "surveymonkey")
def test_a_matrix_of_numbers_is_not_taken_for_choices(tmp_path: Path) -> None:
    rows = written(
        tmp_path,
        "Respondent ID,Collector ID,Date Created,How useful was it?,,Overall satisfaction\n"
        ",,,The talk,The visit,Response\n1,42,2024-11-15 09:00,5,4,5\n2,42,2024-11-16 09:00,5,4,4\n",
    )
    others = [json.loads(text) for text in column(rows, "other_answers")]
    assert others[0] == {"How useful was it? [The talk]": "5", "How useful was it? [The visit]": "4"}


@pytest.mark.behaviour("joined", "kobo")
def test_a_question_whose_choices_got_columns_later_keeps_its_earlier_answers(tmp_path: Path) -> None:
    """A select_one that became select_multiple: the first response is from before."""
    rows = written(
        tmp_path,
        kobo(
            "Overall satisfaction;Overall satisfaction/Satisfied;Overall satisfaction/Dissatisfied;"
            "Topics;Topics/Water;Topics/Transport",
            "Dissatisfied;;;Water;;",
            "Satisfied;1;0;Water Transport;1;1",
            ";0;0;;0;0",
        ),
    )
    assert column(rows, "overall_satisfaction") == ["Dissatisfied", "Satisfied", None]
    others = [json.loads(text) for text in column(rows, "other_answers")]
    assert [other["Topics"] for other in others] == [["Water"], ["Water", "Transport"], []]


def test_several_answers_where_one_was_to_be_chosen_do_not_count_and_are_told(tmp_path: Path) -> None:
    lines = ["Satisfied Dissatisfied;1;1", *["Satisfied;1;0"] * 8]
    (tmp_path / "a.csv").write_text(
        kobo("Overall satisfaction;Overall satisfaction/Satisfied;Overall satisfaction/Dissatisfied", *lines)
    )
    frame, refused, warnings = read(tmp_path)
    assert (refused, frame["overall_satisfaction"].tolist()) == ({}, [None, *["Satisfied"] * 8])
    assert any(
        "1 of 9 responses choose several answers to overall satisfaction" in words for words in warnings
    )


@pytest.mark.parametrize(
    ("header", "first", "second"),
    [
        ("#,{},Start Date (UTC),Submit Date (UTC),Network ID", "1,5,,{0},{0},n", "2,,2,{0},{0},n"),
        ("ID,Start time,Completion time,Email,Name,{}", "1,{0},{0},anonymous,,5,", "2,{0},{0},anonymous,,,2"),
        ("Response ID,Response Status,End time,{}", "1,Completed,{0},5,", "2,Completed,{0},,2"),
        ("id. Response ID,submitdate. D,lastpage. P,startlanguage. L,{}", "1,{0},1,en,5,", "2,{0},1,fr,,2"),
        ("SubmissionDate,KEY,SubmitterID,{}", "{0}Z,k1,7,5,", "{0}Z,k2,7,,2"),
        (QUALTRICS, "R1,{0},True,5,", "R2,{0},True,,2"),
    ],
    ids=["typeform", "microsoft_forms", "zoho_survey", "limesurvey", "odk", "qualtrics"],
)  # fmt: skip
@pytest.mark.behaviour(
    "joined", "typeform", "microsoft_forms", "zoho_survey", "limesurvey", "odk", "qualtrics"
)
@pytest.mark.fault(79)
def test_branches_join_in_exports_of_other_tools(
    tmp_path: Path, header: str, first: str, second: str
) -> None:
    questions = "Overall satisfaction,Satisfaction générale"
    if header.startswith("id."):
        questions = "A1. Overall satisfaction,B1. Satisfaction générale"
    moment = "2024-11-05 09:00:00"
    text = "\n".join([header.format(questions), first.format(moment), second.format(moment)]) + "\n"
    assert column(written(tmp_path, text), "overall_satisfaction") == ["5", "2"]


BOTH = "Timestamp,Overall satisfaction,Satisfaction générale,Event code\n"


@pytest.mark.behaviour("good_advice", "google_forms")
@pytest.mark.fault(79)
def test_two_questions_that_everybody_answers_are_refused_and_the_advice_leads_to_the_right_one(
    tmp_path: Path,
) -> None:
    rows = "".join(f"2024/11/05 9:00:0{n} AM GMT+1,5,2,E-1\n" for n in range(4))
    (tmp_path / "a.csv").write_text(BOTH + rows, "utf-8")
    said = refusals(tmp_path)["a.csv"]
    assert "Columns 2 and 3 both mean overall satisfaction, and 4 of 4 responses answer more than one" in said
    ignored = Codebook(surveys=["a"], ignored=[said.split("'")[3]])
    assert ignored.ignored == ["Satisfaction générale"]
    rules = Rules(codebooks=[ignored])
    assert column(responses(tmp_path, rules), "overall_satisfaction") == ["5"] * 4


@pytest.mark.behaviour("good_advice", "google_forms")
def test_two_columns_with_one_header_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Timestamp,Gender,Gender\n2024-11-05 09:00,Woman,Man\n")
    said = refusals(tmp_path)["a.csv"]
    key = said.split("'")[3]
    assert key == "Gender (2)"
    rules = Rules(codebooks=[Codebook(surveys=["a"], ignored=[key])])
    assert column(responses(tmp_path, rules), "gender") == ["Woman"]


def test_one_person_who_answers_two_branches_differently_loses_that_answer_only(tmp_path: Path) -> None:
    rows = "".join(
        f"2024/11/05 9:00:{n} AM GMT+1,{5 if n % 2 else ''},{'' if n % 2 else 4},E-1\n" for n in range(10, 30)
    )
    (tmp_path / "a.csv").write_text(BOTH + rows + "2024/11/05 9:01:00 AM GMT+1,5,1,E-1\n", "utf-8")
    frame, refused, warnings = read(tmp_path)
    assert refused == {}
    assert frame["overall_satisfaction"].tolist() == ["4", "5"] * 10 + [None]
    assert any(
        "1 of 21 responses answer overall satisfaction twice and differently" in words for words in warnings
    )


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (f"5. {SATISFACTION}", "overall_satisfaction"),
        (f"Q5: {SATISFACTION}", "overall_satisfaction"),
        (f"P3 - {SATISFACTION}", "overall_satisfaction"),
        (f"(12) {SATISFACTION}", "overall_satisfaction"),
        ("3) ¿Cuál es su género?", "gender"),
        (f"Please rate: [{SATISFACTION}]", "overall_satisfaction"),
        ("Please rate the event - Overall satisfaction", "overall_satisfaction"),
        ("How satisfied were you with [City]", None),  # a row of a grid, not where people work
        ("Gender - Other", None),
        ("2024 Gender", None),
        ("0-10: Gender", None),
    ],
)
def test_a_number_before_a_question_or_a_grid_around_it_does_not_hide_its_role(
    text: str, role: str | None
) -> None:
    assert common_codebook().role(Question(text, text)) == role


def test_numbers_that_tell_two_questions_apart_still_do() -> None:
    book = Codebook(questions={"open_comment": ["2. Comments"]}, ignored=["1. Comments"])
    assert book.role(Question("a", "2. Comments")) == "open_comment"
    assert book.role(Question("b", "1. Comments")) == "ignored"
    assert book.role(Question("c", "3. Comments")) is None


@pytest.mark.behaviour("grids", "google_forms")
def test_a_grid_of_google_forms_gives_its_overall_row(tmp_path: Path) -> None:
    rows = written(
        tmp_path,
        "Horodateur,Évaluez [La salle],Évaluez [Satisfaction générale],Classez [1er choix],Classez [2e choix]\n"
        "2024-11-05 09:00,3,5,Eau,Transport\n",
    )
    assert column(rows, "overall_satisfaction") == ["5"]
    assert json.loads(rows[0]["other_answers"]) == {
        "Classez [1er choix]": "Eau", "Classez [2e choix]": "Transport", "Évaluez [La salle]": "3"
    }  # fmt: skip


@pytest.mark.behaviour("grids", "qualtrics")
def test_a_ranking_of_qualtrics_keeps_its_ranks(tmp_path: Path) -> None:
    tags = ["_recordId", "endDate", "finished"]
    cells = [{"ImportId": name} for name in tags]
    cells += [{"ImportId": f"QID{number}", "choiceId": choice} for number in (5, 6) for choice in "12"]
    third = ",".join('"' + json.dumps(cell).replace('"', '""') + '"' for cell in cells)
    rows = written(
        tmp_path,
        "ResponseId,EndDate,Finished,Q5_1,Q5_2,Q6_1,Q6_2\n"
        "Response ID,End Date,Finished,Rank these - Water,Rank these - Transport,Topics - Water,Topics - Transport\n"
        f"{third}\nR1,2024-11-05 09:00:00,True,2,1,Water,\nR2,2024-11-05 09:00:00,True,1,2,,Transport\n",
    )
    others = [json.loads(text) for text in column(rows, "other_answers")]
    assert others[0] == {"Rank these [Transport]": "1", "Rank these [Water]": "2", "Topics": ["Water"]}


@pytest.mark.behaviour("joined", "limesurvey")
def test_choices_of_other_tools_answer_a_question_with_a_role(tmp_path: Path) -> None:
    rows = written(
        tmp_path,
        '"id. Response ID","submitdate. D","lastpage. P","startlanguage. L","G[1]. Género [Mujer]","G[2]. Género [Hombre]"\n'
        "1,2024-11-05 09:00:00,1,es,Sí,No\n2,2024-11-05 09:00:00,1,es,No,Sí\n3,2024-11-05 09:00:00,1,es,No,No\n",
    )
    assert column(rows, "gender") == ["Mujer", "Hombre", None]
