"""A response stays itself in every export that holds it, and is never taken for one of another form."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import time
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import CASES, dropped, read

HEADER = "Overall, how satisfied are you with the event?"
ANY_ORDER = Rules(order="day_first")


def put(folder: Path, *files: tuple[str, str]) -> None:
    """Files, each older than the next one, and none still being written."""
    for number, (name, content) in enumerate(files):
        (folder / name).write_text(content, "utf-8")
        os.utime(folder / name, (time.time() - 600 + number,) * 2)


def counted(folder: Path, cursor: str | None = None, rules: Rules = ANY_ORDER) -> tuple[pd.DataFrame, Pull]:
    """The responses that count after a load, each once, in the version read last."""
    pull = SurveyFiles(folder, rules, settle_seconds=0).pull("responses", cursor=cursor)
    batches = list(pull.batches)
    refused = {row.source_ref: row.reason for batch in batches for row in batch.rejected}
    assert refused == {}
    frame = pd.concat([batch.frame for batch in batches], ignore_index=True)
    return frame.drop_duplicates("response_id", keep="last").reset_index(drop=True), pull


def csv_of(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


# -- the same response again --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "number"),
    [(["ids_kobo_excel_safe_equals.csv"], 1), (["twice_google_week1.csv", "twice_google_week2_question_added.csv"], 3),
     (["twice_msforms_original.xlsx", "twice_msforms_resaved_without_seconds.csv"], 2),
     (["twice_msforms_resaved_without_seconds.csv", "twice_msforms_original.xlsx"], 2),
     (["ids_limesurvey_anonymous_1980_A.csv", "ids_limesurvey_anonymous_1980_B.csv"], 4)],
)  # fmt: skip
@pytest.mark.behaviour("same_response", "google_forms", "kobo", "microsoft_forms")
@pytest.mark.behaviour("other_form", "limesurvey")
@pytest.mark.behaviour("damaged_ids", "kobo")
@pytest.mark.fault(73)
def test_exports_that_people_drop_twice_count_each_response_once(
    tmp_path: Path, files: list[str], number: int
) -> None:
    dropped(tmp_path, *files)
    frame, _ = counted(tmp_path)
    assert len(frame) == number


@pytest.mark.behaviour("other_form", "limesurvey")
def test_anonymous_responses_of_two_forms_keep_their_answers(tmp_path: Path) -> None:
    for load in ("one", "two"):
        folder = tmp_path / load
        folder.mkdir()
        dropped(folder, "ids_limesurvey_anonymous_1980_A.csv")
        cursor = None
        if load == "two":
            first, pull = counted(folder)
            cursor = pull.cursor()
        dropped(folder, "ids_limesurvey_anonymous_1980_B.csv")
        frame, _ = counted(folder, cursor)
        if load == "two":
            frame = pd.concat([first, frame]).drop_duplicates("response_id", keep="last")
        found = frame.groupby("event_code")["recommendation"].apply(sorted).to_dict()
        assert found == {"MET-2024-01": ["10", "9"], "MET-2024-02": ["0", "2"]}


GOOGLE = [
    ["Timestamp", HEADER, "How likely are you to recommend the event to a colleague?", "Topics", "Event code"],
    ["2024/11/05 9:00:10 AM GMT+1", "Very satisfied", "9", "Housing;Water", "MET-1"],
    ["2024/11/05 9:00:40 AM GMT+1", "Very satisfied", "9", "Housing;Water", "MET-1"],
    ["2024/11/05 9:10:00 AM GMT+1", "Dissatisfied", "3", "Water", "MET-1"],
    ["2024/12/13 6:10:00 PM GMT+1", "Satisfied", "", "", "MET-1"],
]  # fmt: skip


def spelled(rows: list[list[str]], moments: list[str]) -> list[list[str]]:
    return [rows[0], *([moment, *row[1:]] for moment, row in zip(moments, rows[1:], strict=True))]


WAYS = {
    "the form's sheet": spelled(GOOGLE, ["05/11/2024 9:00:10", "05/11/2024 9:00:40", "05/11/2024 9:10:00", "13/12/2024 18:10:00"]),
    "without seconds": spelled(GOOGLE, ["05/11/2024 9:00", "05/11/2024 9:00", "05/11/2024 9:10", "13/12/2024 18:10"]),
    "ISO": spelled(GOOGLE, ["2024-11-05T09:00:10+01:00", "2024-11-05T09:00:40+01:00", "2024-11-05 09:10", "2024-12-13 18:10:00"]),
    "month first": spelled(GOOGLE, ["11/05/2024 09:00 AM", "11/05/2024 09:00 AM", "11/05/2024 09:10 AM", "12/13/2024 06:10 PM"]),
    "in words": spelled(GOOGLE, ["5 nov. 2024 9:00", "5 nov. 2024 9:00", "5 nov. 2024 9:10", "13 de diciembre de 2024 18:10"]),
    "another order of columns": [[row[0], *reversed(row[1:])] for row in GOOGLE],
    "an empty column": [[*row, "" if number else "Will you come again?"] for number, row in enumerate(GOOGLE)],
    "choices by commas": [[cell.replace(";", ", ") for cell in row] for row in GOOGLE],
    "numbers of a spreadsheet": [[f"{cell}.0" if cell.isdigit() else cell for cell in row] for row in GOOGLE],
    "as text": [[f'="{cell}"' if cell.isdigit() else cell for cell in row] for row in GOOGLE],
    "padded headers": [[f" {cell} " for cell in row] if row is GOOGLE[0] else row for row in GOOGLE],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.behaviour("same_response", "google_forms")
@pytest.mark.fault(73)
def test_the_same_responses_written_in_another_way_are_the_same(tmp_path: Path, way: str) -> None:
    put(tmp_path, ("week 1.csv", csv_of(GOOGLE)), ("again.csv", csv_of(WAYS[way])))
    frame, pull = counted(tmp_path)
    assert len(frame) == len(GOOGLE) - 1
    assert not any("another form" in warning or "not in it" in warning for warning in pull.warnings())


@pytest.mark.deep
@pytest.mark.behaviour("same_response", "google_forms", "microsoft_forms", "limesurvey")
def test_no_mixture_of_harmless_changes_makes_a_response_another(tmp_path: Path) -> None:
    tools = {
        "google": ["Timestamp"],
        "microsoft": ["ID", "Start time", "Completion time", "Email", "Name"],
        "lime": ["id. Response ID", "submitdate. Date submitted", "lastpage. Last page", "startlanguage. Start language"],
    }  # fmt: skip
    for seed in range(examples(3, 100)):
        luck = random.Random(seed)
        tool = luck.choice(sorted(tools))
        questions = [f"Q{n}" if tool != "lime" else f"Q{n}. Text {n}" for n in range(luck.randint(1, 6))]
        answers = [
            [luck.choice(["", "Yes", "No", "5", "Sí, gracias", "Été"]) for _ in questions] for _ in range(9)
        ]
        days = [f"2024-11-{13 + n} 09:0{n}" for n in range(9)]
        tables = []
        for change in (False, True):
            order = list(range(len(questions)))
            if change:
                luck.shuffle(order)
            more = luck.randint(0, 2) if change else 0
            clock = luck.choice(["", ":00"]) if change else ":00"
            header = [*tools[tool], *(questions[n] for n in order), *(f"New {n}" for n in range(more))]
            rows = [header]
            for n, given in enumerate(answers):
                moment = f"{days[n]}{clock}"
                own = {"google": [moment], "microsoft": [f"{n + 1}", moment, moment, "anonymous", ""],
                       "lime": [f"{n + 1}", moment, "3", "en"]}[tool]  # fmt: skip
                rows.append([*own, *(given[k] for k in order), *[""] * more])
            if change and luck.random() < 0.5:
                rows[1:] = luck.sample(rows[1:], len(rows) - 1)
            tables.append(rows)
        folder = tmp_path / str(seed)
        folder.mkdir()
        put(folder, ("a.csv", csv_of(tables[0])), ("b.csv", csv_of(tables[1], luck.choice([",", ";", "\t"]))))
        frame, pull = counted(folder)
        assert (len(frame), tool, seed) == (9, tool, seed)
        assert not any("another form" in warning for warning in pull.warnings())


# -- another form ---------------------------------------------------------------------------------------------------


def microsoft(answers: list[tuple[str, str]], day: str = "2024-11-13", question: str = HEADER) -> str:
    rows = [["ID", "Start time", "Completion time", "Email", "Name", question, "Comment"]]
    for n, (score, comment) in enumerate(answers, start=1):
        rows.append([f"{n}", f"{day} 09:0{n}:11", f"{day} 09:1{n}:11", "anonymous", "", score, comment])
    return csv_of(rows)


A = [("Very satisfied", "a"), ("Satisfied", "b"), ("Satisfied", "c")]
B = [("Dissatisfied", "x"), ("Satisfied", "y"), ("Neutral", "z")]


@pytest.mark.parametrize("loads", [1, 2])
@pytest.mark.parametrize("other", [microsoft(B), microsoft(A, question="Another question?")])
@pytest.mark.behaviour("other_form", "microsoft_forms")
@pytest.mark.fault(73)
def test_running_numbers_and_minutes_of_another_form_overwrite_nothing_and_are_told(
    tmp_path: Path, other: str, loads: int
) -> None:
    put(tmp_path, ("room 1.csv", microsoft(A)))
    cursor, frames = None, []
    if loads == 2:
        frame, pull = counted(tmp_path)
        frames, cursor = [frame], pull.cursor()
    put(tmp_path, ("room 1.csv", microsoft(A)), ("room 2.csv", other))
    frame, pull = counted(tmp_path, cursor)
    assert pd.concat([*frames, frame])["response_id"].nunique() == 6
    assert any(
        "room 2.csv: 3 responses have the numbers and times of another form" in w for w in pull.warnings()
    )
    more = f"{other}4,2024-11-13 09:30:00,2024-11-13 09:31:00,anonymous,,Satisfied,d\r\n"
    put(tmp_path, ("room 2 (1).csv", more))  # downloaded again: still that form
    later, again = counted(tmp_path, pull.cursor())
    assert set(frame["response_id"][-3:]) < set(later["response_id"])
    assert not any("(1).csv" in told and "another form" in told for told in again.warnings())


@pytest.mark.parametrize("loads", [1, 2])
@pytest.mark.behaviour("counted_once", "microsoft_forms")
def test_a_response_edited_since_replaces_the_earlier_version(tmp_path: Path, loads: int) -> None:
    put(tmp_path, ("week 1.csv", microsoft(A)))
    cursor, frames = None, []
    if loads == 2:
        frame, pull = counted(tmp_path)
        frames, cursor = [frame], pull.cursor()
    put(
        tmp_path, ("week 1.csv", microsoft(A)), ("week 2.csv", microsoft([A[0], ("Dissatisfied", "b"), A[2]]))
    )
    frame, _ = counted(tmp_path, cursor)
    found = pd.concat([*frames, frame]).drop_duplicates("response_id", keep="last")
    assert sorted(found["overall_satisfaction"]) == ["Dissatisfied", "Satisfied", "Very satisfied"]


@pytest.mark.behaviour("other_form", "google_forms")
def test_equal_answers_in_the_same_minute_of_another_form_are_counted_and_told(tmp_path: Path) -> None:
    def form(names: str) -> str:
        rows = [[f"2024-11-13 09:0{n}:00", "Satisfied", name] for n, name in enumerate(names)]
        return csv_of([["Timestamp", HEADER, "Comment"], *rows])

    put(tmp_path, ("room 1.csv", form("abcde")), ("room 2.csv", form("xyczw")))
    frame, pull = counted(tmp_path)
    assert len(frame) == 10
    assert any("1 response has the answers and times of another form" in w for w in pull.warnings())


@pytest.mark.behaviour("other_form", "google_forms", "typeform")
def test_two_responses_pasted_together_with_one_number_and_minute_stay_two(tmp_path: Path) -> None:
    twice = microsoft(A) + microsoft(B).split("\r\n", 1)[1]
    put(tmp_path, ("both.csv", twice))
    frame, _ = counted(tmp_path)
    assert len(frame) == 6


# -- ids ------------------------------------------------------------------------------------------------------------


def zoho(*ids: str) -> str:
    rows = [
        [one, "Completed", f"25/11/2024 09:0{n}", f"25/11/2024 09:1{n}", f"{n}"] for n, one in enumerate(ids)
    ]
    return csv_of([["Response ID", "Response Status", "Start time", "End time", "NPS"], *rows])


def kobo(month: int, answer: str, ids: range, reviews: dict[int, str] | None = None) -> str:
    head = ["Satisfaction générale", "_id", "_uuid", "_submission_time", "_validation_status"]
    return csv_of(
        [
            head,
            *(
                [
                    answer,
                    f"{n}",
                    f"u{month}-{n}",
                    f"2024-{month:02}-05T09:{n:02}:00",
                    (reviews or {}).get(n, ""),
                ]
                for n in ids
            ),
        ],
        ";",
    )


@pytest.mark.slow
@pytest.mark.behaviour("other_form", "kobo")
@pytest.mark.fault(73)
def test_ids_of_another_server_overwrite_nothing_and_its_rejected_responses_delete_nothing(
    tmp_path: Path,
) -> None:
    put(
        tmp_path,
        ("one.csv", kobo(3, "Satisfait", range(1, 5))),
        ("other.csv", kobo(9, "Insatisfait", range(1, 4))),
        ("other (1).csv", kobo(9, "Insatisfait", range(1, 6), {2: "Not approved"})),
        ("one (1).csv", kobo(3, "Très satisfait", range(1, 7))),  # edited since: the time of submission stays
    )
    frame, pull = counted(tmp_path)
    kept = frame.drop_duplicates("response_id", keep="last").set_index("response_id")["overall_satisfaction"]
    assert [kept[str(n)] for n in range(1, 7)] == ["Très satisfait"] * 6
    assert kept.tolist().count("Insatisfait") == 5
    deleted = {
        key
        for batch in SurveyFiles(tmp_path, ANY_ORDER, settle_seconds=0).pull("responses").batches
        for key in batch.deleted
    }
    assert len(deleted) == 1 and "|2 of form " in deleted.pop()
    assert any(
        words.startswith("other.csv: 3 responses have the ids of another form") for words in pull.warnings()
    )


@pytest.mark.parametrize(
    "ids",
    [("1,18E+11", "1,18E+11"), ("1.18001E+11", "118001234501"), ("1.18e+11", "2"), ("########", "########"), ("#N/A", "2"),
     ("118001234501234000", "118001234501235000"), ("77", "77", "77")],
)  # fmt: skip
@pytest.mark.behaviour(
    "damaged_ids", "surveymonkey", "zoho_survey", "limesurvey", "odk", "qualtrics", "typeform"
)
def test_ids_that_a_spreadsheet_has_damaged_refuse_the_file(tmp_path: Path, ids: tuple[str, ...]) -> None:
    put(tmp_path, ("a.csv", zoho(*ids)))
    frame, refused, _ = read(tmp_path)
    assert frame.empty
    assert "same" in refused["a.csv"] and "Export the file again" in refused["a.csv"]


@pytest.mark.behaviour("damaged_ids", "surveymonkey")
def test_ids_in_powers_of_ten_are_refused_and_say_what_to_do(tmp_path: Path) -> None:
    dropped(tmp_path, "ids_surveymonkey_scientific_notation.csv")
    frame, refused, _ = read(tmp_path)
    assert frame.empty
    assert "damaged by a spreadsheet" in refused["ids_surveymonkey_scientific_notation.csv"]


@pytest.mark.parametrize(
    ("written", "whole"),
    [('="301234561"', "301234561"), ("301234561.0", "301234561"), ("'301234561", "301234561"), (" 301234561 ", "301234561"),
     ("301234561,00", "301234561"), ("12E5aB", "12E5aB"), ("1180012345012340", "1180012345012340"), ("R_1e9", "R_1e9"),
     ("uuid:1e+1", "uuid:1e+1"), ("118,720,000,001", "118720000001"), ("118\u202f720\u202f000\u202f001", "118720000001"),
     ("118.720.000.001", "118720000001"), ("1.234", "1.234"), ("2024-11-05", "2024-11-05"), ("118001234501234567", "118001234501234567")],
)  # fmt: skip
@pytest.mark.behaviour("damaged_ids", "kobo", "zoho_survey", "surveymonkey", "odk", "qualtrics", "typeform")
def test_ids_are_whole_under_what_a_spreadsheet_or_a_formula_puts_around_them(
    tmp_path: Path, written: str, whole: str
) -> None:
    put(tmp_path, ("a.csv", zoho("other", written)))
    frame, _ = counted(tmp_path)
    assert frame["response_id"].tolist() == ["other", whole]


@pytest.mark.fault(73)
def test_two_rows_of_one_file_with_one_id_at_two_times_are_reported(tmp_path: Path) -> None:
    put(tmp_path, ("a.csv", zoho("r1", "r2", "r1")))
    _, pull = counted(tmp_path)
    (told,) = [warning for warning in pull.warnings() if "another row" in warning]
    assert told.startswith("a.csv: 1 row has the id of another row, at another time")
    again = tmp_path / "again"
    again.mkdir()
    put(again, ("a.csv", zoho("r1", "r2")))
    assert not any("another row" in warning for warning in counted(again)[1].warnings())


@pytest.mark.behaviour("same_response", "kobo")
def test_a_missing_id_is_replaced_by_the_uuid_or_the_answers(tmp_path: Path) -> None:
    text = (CASES / "ids_kobo_excel_safe_equals.csv").read_text()
    put(tmp_path, ("a.csv", text.replace('"=""301234561"""', "").replace("301234561;u1", ";")))
    frame, _ = counted(tmp_path)
    first, second = frame["response_id"]
    assert first == "u1"
    assert len(second) == 24  # a digest


# -- what vanished ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [0, 1, 2])
@pytest.mark.parametrize("loads", [1, 2])
@pytest.mark.behaviour("vanished", "zoho_survey", "surveymonkey", "qualtrics", "typeform", "kobo", "odk")
@pytest.mark.fault(74)
def test_a_response_that_is_gone_from_a_later_export_is_told_and_still_counts(
    tmp_path: Path, gone: int, loads: int
) -> None:
    ids = ["r1", "r2", "r3"]
    put(tmp_path, ("a.csv", zoho(*ids)))
    cursor = counted(tmp_path)[1].cursor() if loads == 2 else None
    lines = zoho(*ids).splitlines(keepends=True)
    del lines[1 + gone]
    put(tmp_path, ("a.csv", zoho(*ids)), ("a (1).csv", "".join(lines)))
    _, pull = counted(tmp_path, cursor)
    (told,) = [warning for warning in pull.warnings() if "not in it" in warning]
    assert told.startswith("a (1).csv: 1 response of") and f"({ids[gone]})" in told
    assert "in the workbook, sheet Corrections" in told


@pytest.mark.behaviour("vanished", "google_forms", "microsoft_forms", "limesurvey")
def test_a_response_without_an_id_of_its_own_that_is_gone_is_told_too(tmp_path: Path) -> None:
    lines = csv_of(GOOGLE).splitlines(keepends=True)
    put(tmp_path, ("a.csv", "".join(lines)), ("b.csv", "".join([*lines[:3], *lines[4:]])))
    put(tmp_path, ("m.csv", microsoft(A)), ("n.csv", "".join(microsoft(A).splitlines(keepends=True)[:3])))
    _, pull = counted(tmp_path)
    assert [w.split(":")[0] for w in pull.warnings() if "not in it" in w] == ["b.csv", "n.csv"]


def test_an_older_export_or_another_part_of_the_responses_is_no_loss(tmp_path: Path) -> None:
    whole = zoho("r1", "r2", "r3", "r4", "r5")
    lines = whole.splitlines(keepends=True)
    put(
        tmp_path,
        ("old.csv", "".join(lines[:3])),
        ("whole.csv", whole),
        ("part.csv", "".join([lines[0], *lines[4:]])),
    )
    _, pull = counted(tmp_path)
    assert not any("not in it" in warning for warning in pull.warnings())


def test_responses_of_an_earlier_version_of_the_package_are_deleted_under_their_former_ids(
    tmp_path: Path,
) -> None:
    put(tmp_path, ("a.csv", microsoft(A)), ("g.csv", csv_of(GOOGLE)), ("z.csv", zoho("r1", '="r2"')))
    before = json.dumps({"rules": "before", "files": {}})
    batches = list(
        SurveyFiles(tmp_path, ANY_ORDER, settle_seconds=0).pull("responses", cursor=before).batches
    )
    deleted = [key for batch in batches for key in batch.deleted]
    assert "microsoft_forms|1 at 2024-11-13T09:01:11" in deleted
    assert 'zoho_survey|="r2"' in deleted and "zoho_survey|r1" not in deleted
    assert sum(key.startswith("google_forms|") for key in deleted) == 4
    fresh = list(SurveyFiles(tmp_path, ANY_ORDER, settle_seconds=0).pull("responses").batches)
    assert not any(batch.deleted for batch in fresh)
