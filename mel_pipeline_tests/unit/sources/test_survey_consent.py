"""A declared question of consent leaves out who did not agree, counted, in every tool; nothing of them is kept."""

from __future__ import annotations

import csv
import io
import os
import time
from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Load
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.consent import agreement
from mel_pipeline.sources.shared.survey.model import Layout, Question
from mel_pipeline.sources.shared.survey.server import Server
from mel_pipeline.sources.shared.survey.submissions import Form
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles

QUESTION = "Do you agree to the use of your answers?"
BOOK = Codebook(questions={"consent": [QUESTION]})
ZOHO = "Response ID;Response Status;End time;Overall satisfaction;" + QUESTION
KOBO = f"Overall satisfaction;{QUESTION}/I agree;{QUESTION};_id;_uuid;_submission_time"
MONTH = "2024-11-05 09:0"


def read(
    folder: Path, book: Codebook | None = BOOK, cursor: str | None = None
) -> tuple[list[Batch], list[str]]:
    pull = SurveyFiles(
        folder, Rules(order="day_first", codebooks=[book] if book else []), settle_seconds=0
    ).pull("responses", cursor=cursor)
    return list(pull.batches), pull.warnings()


def put(folder: Path, text: str, name: str = "a.csv") -> None:
    (folder / name).write_text(text, "utf-8")
    os.utime(folder / name, (time.time() - 600,) * 2)


def ids(batches: list[Batch]) -> list[str]:
    return [one for batch in batches for one in batch.frame["response_id"]]


def left_out(batches: list[Batch]) -> str:
    return " ".join(note for batch in batches for note in batch.notes if "left out (" in note)


def zoho(*answers: str) -> str:
    rows = "".join(f"r{n};Completed;{MONTH}{n};Satisfied;{answer}\n" for n, answer in enumerate(answers))
    return f"{ZOHO}\n{rows}"


@pytest.mark.parametrize(
    ("answer", "agrees"),
    [("Yes", True), ("No", False), ("I agree.", True), ("I do not agree", False), ("Sí", True), ("Oui", True), ("J'accepte", True),
     ("Je n'accepte pas", False), ("No acepto", False), ("Estoy de acuerdo", True), ("Hi estic d'acord", True), ("1", True),
     ("0", False), ("TRUE", True), ("I agree;", True), ("2", None), ("Of course", None), ("Yes, but not by name", None),
     ("Not sure", None), ("👍", None)],
)  # fmt: skip
def test_only_a_plain_yes_agrees_and_only_a_plain_no_refuses(answer: str, agrees: bool | None) -> None:
    assert agreement(answer, Codebook()) is agrees


EXPORTS = {
    "zoho_survey": zoho("Yes", "No", ""),
    "google_forms": f"Timestamp;Overall satisfaction;{QUESTION}\n"
    + "".join(f"{MONTH}{n};Satisfied;{a}\n" for n, a in enumerate(("I agree", "I disagree", ""))),
    "kobo": f"{KOBO}\nSatisfied;1;I agree;1;u1;{MONTH}1\nSatisfied;0;;2;u2;{MONTH}2\n;;;3;u3;{MONTH}3\n",
    "microsoft_forms": f"ID;Start time;Completion time;Email;Name;Overall satisfaction;{QUESTION}\n"
    + "".join(f"{n};{MONTH}{n};{MONTH}{n};anonymous;;Satisfied;{a}\n" for n, a in ((1, '"Yes;"'), (2, '"No;"'), (3, ""))),
    "typeform": f"#;Overall satisfaction;{QUESTION};Start Date (UTC);Submit Date (UTC)\n"
    + "".join(f"f{n};Satisfied;{a};{MONTH}{n}:00;{MONTH}{n}:30\n" for n, a in enumerate(("1", "0", ""))),
    "limesurvey": f"id;submitdate;lastpage;startlanguage;Q1. Overall satisfaction;Q2. {QUESTION}\n"
    + "".join(f"{n};{MONTH}{n}:00;3;en;Satisfied;{a}\n" for n, a in ((1, "Yes"), (2, "No"), (3, "N/A"))),
    "surveymonkey": f"Respondent ID;Collector ID;Date Modified;Overall satisfaction;{QUESTION}\n;;;Response;Response\n"
    + "".join(f"1187{n};45;{MONTH}{n}:00;Satisfied;{a}\n" for n, a in ((1, "Yes"), (2, "No"), (3, ""))),
    "qualtrics": f"Start,End,Id,Fin,Sat,Ok\nStart,End,Id,Finished,Overall satisfaction,{QUESTION}\n"
    + ",".join(f'"{{""ImportId"":""{one}""}}"' for one in ("startDate", "endDate", "_recordId", "finished", "QID1", "QID2"))
    + "".join(f"\n{MONTH}{n}:00,{MONTH}{n}:30,R_{n},True,Satisfied,{a}" for n, a in ((1, "Yes"), (2, "No"), (3, "-99"))),
    "odk": f"SubmissionDate;Overall satisfaction;{QUESTION};KEY;ReviewState\n"
    + "".join(f"{MONTH}{n}:00Z;Satisfied;{a};uuid:{n};\n" for n, a in ((1, "yes"), (2, "no"), (3, ""))),
}  # fmt: skip


@pytest.mark.parametrize("tool", EXPORTS)
@pytest.mark.behaviour(
    "consent",
    "zoho_survey",
    "google_forms",
    "kobo",
    "microsoft_forms",
    "typeform",
    "limesurvey",
    "surveymonkey",
    "odk",
    "qualtrics",
)
@pytest.mark.fault(95)
def test_who_did_not_agree_is_left_out_and_counted_in_every_tool(tmp_path: Path, tool: str) -> None:
    put(tmp_path, EXPORTS[tool])
    batches, warnings = read(tmp_path)
    assert len(ids(batches)) == 1
    stored = "".join(batch.frame.to_json() for batch in batches)
    assert "agree" not in stored.replace("satisfaction", "")  # nor is the consent itself an answer
    assert left_out(batches).count("without consent") + left_out(batches).count("without an answer") >= 1
    assert "2 rows are no valid responses" in left_out(batches)
    assert not any("looks like consent" in words for words in warnings)
    assert [row for batch in batches for row in batch.rejected] == []


def without_columns(text: str, mark: str) -> str:
    """The same export, downloaded before the form had the columns whose header has this mark."""
    delimiter = "," if text.startswith("Start,") else ";"
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    gone = {at for row in rows[:3] for at, cell in enumerate(row) if mark in cell}
    gone |= {at for at in range(len(rows[0])) if len(rows) > 2 and gone and rows[0][at] == "Ok"}
    assert gone
    written = io.StringIO()
    kept = [[cell for at, cell in enumerate(row) if at not in gone] for row in rows]
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(kept)
    return written.getvalue()


VALIDITY = {
    "kobo": "Overall satisfaction;_id;_uuid;_submission_time;_validation_status\n"
    + "".join(f"Satisfied;{n};u{n};{MONTH}{n}:00;{mark}\n" for n, mark in ((1, ""), (2, "Not Approved"))),
    "qualtrics": "Start,End,Id,Fin,Sat,Ok\nStart,End,Id,Finished,Overall satisfaction,Status\n"
    + ",".join(f'"{{""ImportId"":""{one}""}}"' for one in ("startDate", "endDate", "_recordId", "finished", "QID1", "status"))
    + "".join(f"\n{MONTH}{n}:00,{MONTH}{n}:30,R_{n},True,Satisfied,{a}" for n, a in ((1, "IP Address"), (2, "Survey Preview"))),
}  # fmt: skip
SCREENED = [
    *((tool, text, QUESTION, "lacks the question") for tool, text in EXPORTS.items()),
    ("kobo", VALIDITY["kobo"], "_validation_status", "lacks the column"),
    ("qualtrics", VALIDITY["qualtrics"], "Status", "lacks the column"),
]


@pytest.mark.fault(125)
@pytest.mark.parametrize("loads", [1, 2], ids=["one load", "two loads"])
@pytest.mark.parametrize(
    ("tool", "text", "mark", "words"), SCREENED, ids=[f"{tool} {mark[:9]}" for tool, _, mark, _ in SCREENED]
)
@pytest.mark.sweep("zoho_survey", "kobo")
def test_an_older_download_without_the_column_that_screens_brings_nobody_back(
    tmp_path: Path, tool: str, text: str, mark: str, words: str, loads: int
) -> None:
    older, alone, folder = without_columns(text, mark), tmp_path / "alone", tmp_path / "drop"
    alone.mkdir()
    put(alone, older)
    everyone = {moment for batch in read(alone)[0] for moment in batch.frame["answered_at"]}
    folder.mkdir()
    put(folder, text)
    batches, cursor = [], None
    for number in range(2):
        if number == 0 and loads == 1:
            continue
        if number == 1:
            put(folder, older, "b.csv")  # copied into the folder later, so its time is no help
            os.utime(folder / "b.csv", (time.time() - 60,) * 2)
        pull = SurveyFiles(folder, Rules(order="day_first", codebooks=[BOOK]), settle_seconds=0).pull(
            "responses", cursor=cursor
        )
        batches += list(pull.batches)
        cursor = pull.cursor()
    stored: dict[str, str] = {}
    for batch in batches:
        stored |= zip(f"{tool}|" + batch.frame["response_id"], batch.frame["answered_at"], strict=True)
        stored = {key: moment for key, moment in stored.items() if key not in batch.deleted}
    assert len(set(stored.values())) == 1 and set(stored.values()) < everyone
    assert words in left_out(batches)
    assert not [row for batch in batches for row in batch.rejected]


def test_a_response_that_a_later_export_allows_counts_again_whatever_file_it_comes_from(
    tmp_path: Path,
) -> None:
    cursor = None
    for number, text in enumerate((zoho("No"), zoho("Yes"), without_columns(zoho("No"), QUESTION))):
        put(tmp_path, text, f"{number}.csv")
        pull = SurveyFiles(tmp_path, Rules(order="day_first", codebooks=[BOOK]), settle_seconds=0).pull(
            "responses", cursor=cursor
        )
        found = ids(list(pull.batches))
        cursor = pull.cursor()
        assert found == ([] if number == 0 else ["r0"])


@pytest.mark.fault(95)
def test_an_undeclared_question_is_a_warning_and_the_declaration_takes_back_what_was_loaded(
    tmp_path: Path,
) -> None:
    put(tmp_path, EXPORTS["microsoft_forms"])
    before, warnings = read(tmp_path, None)
    assert len(ids(before)) == 3
    assert any("looks like consent" in words and "`consent:`" in words for words in warnings)
    after, _ = read(tmp_path)
    gone = {key for batch in after for key in batch.deleted}
    assert {f"microsoft_forms|{one}" for one in ids(before)} == gone | {
        f"microsoft_forms|{one}" for one in ids(after)
    }
    assert len(gone) == 2


def test_answers_that_are_neither_yes_nor_no_are_left_out_listed_and_settled_by_the_codebook(
    tmp_path: Path,
) -> None:
    put(tmp_path, zoho("Of course", "Yes", "", "Rather not"))
    batches, warnings = read(tmp_path)
    assert ids(batches) == ["r1"]
    assert any(
        "'Of course' (1), 'Rather not' (1)" in words and "answer that consents" in words for words in warnings
    )
    assert any("1 response does not answer" in words for words in warnings)
    declared = {"Of course": True, "Rather not": False, "unanswered": True}
    batches, warnings = read(tmp_path, BOOK.model_copy(update={"consent": declared}))
    assert ids(batches) == ["r0", "r1", "r2"]
    assert "(1 without consent)" in left_out(batches)
    assert not any("consent" in words for words in warnings)


def test_an_answer_of_who_did_not_agree_withholds_no_satisfaction(tmp_path: Path) -> None:
    put(
        tmp_path,
        zoho("Yes", "No").replace(
            "r1;Completed;2024-11-05 09:01;Satisfied", "r1;Completed;2024-11-05 09:01;Meh"
        ),
    )
    _, warnings = read(tmp_path)
    assert not any("withheld" in words for words in warnings)


def test_another_question_that_looks_like_consent_is_still_named(tmp_path: Path) -> None:
    text = zoho("Yes;No").replace(QUESTION, f"{QUESTION};Do you accept to be quoted?")
    put(tmp_path, text)
    _, warnings = read(tmp_path)
    assert any("Do you accept to be quoted?" in words for words in warnings)


def from_server(home: Path, codebook: str = "") -> tuple[list[Batch], list[str]]:
    questions = [
        Question("_id", "_id", builtin="response_id"), Question("at", "at", builtin="completed_at"),
        Question("ok", QUESTION), Question("who", "You are:"),
    ]  # fmt: skip
    answers = [("yes", "Woman"), ("no", "Man"), ("", "Woman")]
    records = [
        {"_id": str(n), "at": f"{MONTH}{n}:00", "ok": ok, "who": who} for n, (ok, who) in enumerate(answers)
    ]
    (home / "survey_exports" / "codebooks").mkdir(parents=True)
    (home / "survey_exports" / "codebooks" / "c.yml").write_text(codebook)
    server = Server("Kobo", "_id", Settings(home=home, sample=False, _env_file=None), lambda _: False)
    form = Form("Feedback", Layout("kobo", questions), {})
    load = Load("responses", contract_of("kobo").entities["responses"])
    pull = server.pull(load, ["f"], lambda _: (form, [(records, 3)]))
    return list(pull.batches), pull.warnings()


@pytest.mark.behaviour("consent", "kobo", "odk")
def test_submissions_from_a_server_are_left_out_as_those_of_a_file(tmp_path: Path) -> None:
    batches, warnings = from_server(tmp_path, f"questions: {{consent: ['{QUESTION}']}}\n")
    assert ids(batches) == ["0"]
    assert {key for batch in batches for key in batch.deleted} == {"kobo|1", "kobo|2"}
    assert "2 rows are no valid responses" in left_out(batches)
    assert not any("looks like consent" in words for words in warnings)


@pytest.mark.behaviour("unread_told", "kobo", "odk")
@pytest.mark.fault(77)
def test_questions_of_a_server_that_look_asked_are_reported_as_those_of_a_file(tmp_path: Path) -> None:
    batches, warnings = from_server(tmp_path, "surveys: [Other]\n")
    assert len(ids(batches)) == 3
    assert any(words.startswith("Kobo Feedback: ") and "gender ('You are:')" in words for words in warnings)
    assert any(
        "looks like consent" in words and "1 of the first answers are no" in words for words in warnings
    )
