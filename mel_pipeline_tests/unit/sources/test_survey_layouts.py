"""Exports of every tool, fabricated from the layouts the tools write: every quirk, down to the resulting row."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.layouts import tools
from mel_pipeline.sources.shared.survey.model import Sheet
from mel_pipeline.sources.shared.survey.profile import Profile, load_profile, profiles_in
from mel_pipeline.sources.shared.survey.recognise import recognise
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.fixtures.surveys.make import made

FOLDER = Path(__file__).parents[2] / "fixtures" / "surveys"
EXPORTS = sorted(path.name for path in FOLDER.glob("*.[cx][sl][vs]*"))
PERSONAL = ("192.0.2", "@example", "Sample", "enumerator", "d3560842b2")


def load(folder: Path, *names: str, **more: Any) -> tuple[dict[str, dict[str, Any]], list[Any]]:
    """Responses by id, and the batches they came in."""
    for name in names:
        target = folder / name
        target.write_bytes((FOLDER / name).read_bytes())
        os.utime(target, (time.time() - 60,) * 2)
    pull = SurveyFiles(folder, Rules(**more)).pull("responses")
    batches = list(pull.batches)
    rows = pd.concat([batch.frame for batch in batches]).astype(object)
    rows = rows.where(rows.notna(), None)
    found = {row["response_id"]: row for row in rows.to_dict("records")}
    for row in found.values():
        row["others"] = json.loads(row["other_answers"]) if row["other_answers"] else {}
    return found, batches


def test_the_fabricated_files_are_up_to_date_with_their_generator() -> None:
    assert {name: (FOLDER / name).read_bytes() for name in EXPORTS} == made()


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.sweep("google_forms_en", "kobo_repeats", "limesurvey", "zoho")
def test_every_export_is_claimed_by_its_own_tool_and_no_other(name: str, tmp_path: Path) -> None:
    rows, batches = load(tmp_path, name, order="day_first", fallback="cp1252")
    assert [rejected.reason for batch in batches for rejected in batch.rejected] == []
    assert {row["tool"] for row in rows.values()} == {next(tool for tool in tools() if name.startswith(tool))}


@pytest.mark.slow
@pytest.mark.behaviour("personal_data", "*")
@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.sweep("google_forms_en", "kobo_repeats", "limesurvey", "zoho")
def test_nothing_personal_of_any_tool_is_in_a_row(name: str, tmp_path: Path) -> None:
    rows, _ = load(tmp_path, name, order="day_first", fallback="cp1252")
    stored = " ".join(f"{row}" for row in rows.values())
    assert [sign for sign in PERSONAL if sign in stored] == []


# -- rules for every tool, tested on a file of each ---------------------------------------------------------

FIRST = {
    tool: next(
        name for name in EXPORTS if name.startswith(tool) and name.endswith(".csv") and "cp1252" not in name
    )
    for tool in tools()
    if tool != "zoho_survey"
}


def text_of(tool: str) -> str:
    return (FOLDER / FIRST[tool]).read_text("utf-8-sig")


def dropped(folder: Path, name: str, content: bytes, age: float = 60) -> None:
    (folder / name).write_bytes(content)
    os.utime(folder / name, (time.time() - age,) * 2)


def answers(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    varying = (
        "origin",
        "survey",
        "_source_ref",
        "response_id",
    )  # an id made of the row changes with its dialect
    return sorted(({k: v for k, v in row.items() if k not in varying} for row in rows.values()), key=str)


@pytest.mark.behaviour("encoding", "*")
@pytest.mark.parametrize("tool", FIRST)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.fault(28)
@pytest.mark.sweep("-google_forms", "-kobo")
def test_an_export_of_every_tool_says_the_same_in_every_encoding(
    tmp_path: Path, tool: str, encoding: str
) -> None:
    plain, _ = load(tmp_path, FIRST[tool], order="day_first")
    (tmp_path / FIRST[tool]).unlink()
    dropped(tmp_path, "again.csv", text_of(tool).encode(encoding))
    again, _ = load(tmp_path, order="day_first")
    assert answers(again) == answers(plain)


@pytest.mark.behaviour("delimiter", "*")
@pytest.mark.parametrize("tool", FIRST)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.sweep(";-google_forms", ";-kobo")
def test_an_export_of_every_tool_says_the_same_with_every_delimiter(
    tmp_path: Path, tool: str, delimiter: str
) -> None:
    plain, _ = load(tmp_path, FIRST[tool], order="day_first")
    (tmp_path / FIRST[tool]).unlink()
    own = text_of(tool).removeprefix("sep=;\n").removeprefix("sep=;\r\n")
    dialect = ";" if own.split("\n", 1)[0].count(";") > own.split("\n", 1)[0].count(",") else ","
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(
        csv.reader(io.StringIO(own, newline=""), delimiter=dialect)
    )
    dropped(tmp_path, "again.csv", out.getvalue().encode())
    again, _ = load(tmp_path, order="day_first")
    assert answers(again) == answers(plain)


@pytest.mark.behaviour("malformed", "*")
@pytest.mark.parametrize("tool", FIRST)
def test_a_broken_export_of_every_tool_has_its_own_error_and_the_good_one_loads(
    tmp_path: Path, tool: str
) -> None:
    lines = text_of(tool).splitlines(keepends=True)
    cut = lines[-1][: len(lines[-1]) // 2].rstrip('"\r\n,;')
    broken = {
        "cut.csv": "".join([*lines[:-1], cut]), "quote.csv": "".join([*lines[:-1], '"' + lines[-1].lstrip('"').replace('"', "")]),
        "header.csv": "".join(lines[: 1 + lines[0].startswith("sep=")]), "empty.csv": "", "login.csv": "<!DOCTYPE html><html></html>",
    }  # fmt: skip
    for name, text in broken.items():
        dropped(tmp_path, name, text.encode())
    rows, batches = load(tmp_path, FIRST[tool], order="day_first")
    reasons = {rejected.source_ref: rejected.reason for batch in batches for rejected in batch.rejected}
    assert set(reasons) == set(broken)
    assert len(set(reasons.values())) >= 4
    assert all(reason.endswith(".") for reason in reasons.values())
    assert rows


@pytest.mark.behaviour("unfinished", "*")
@pytest.mark.parametrize("tool", FIRST)
def test_an_export_of_every_tool_that_may_still_be_written_is_left_for_the_next_run(
    tmp_path: Path, tool: str
) -> None:
    dropped(tmp_path, FIRST[tool], text_of(tool).encode(), age=0)
    assert list(SurveyFiles(tmp_path, Rules(order="day_first")).pull("responses").batches) == []
    os.utime(tmp_path / FIRST[tool], (time.time() - 60,) * 2)
    assert list(SurveyFiles(tmp_path, Rules(order="day_first")).pull("responses").batches) != []


@pytest.mark.behaviour("counted_once", "*")
@pytest.mark.parametrize("tool", FIRST)
def test_the_same_responses_of_every_tool_in_two_exports_are_the_same_rows(tmp_path: Path, tool: str) -> None:
    once, _ = load(tmp_path, FIRST[tool], order="day_first")
    lines = text_of(tool).splitlines(keepends=True)
    dropped(
        tmp_path,
        f"later {FIRST[tool]}",
        "".join([*lines, ""]).encode("utf-8-sig" if lines[0][0] != "s" else "utf-8") + b"\r\n",
    )
    twice, _ = load(tmp_path, FIRST[tool], order="day_first")
    moments = [row["started_at"] or row["completed_at"] for row in once.values()]
    without_moment = sum(moment is None for moment in moments)  # ids that restart in every form need one
    assert len(twice) <= len(once) + without_moment


@pytest.mark.behaviour("multiple_choice", "kobo")
def test_kobo_choices_are_taken_from_their_own_columns_and_a_slash_inside_a_label_stays(
    tmp_path: Path,
) -> None:
    rows, _ = load(tmp_path, "kobo_labels_en.csv")
    assert rows["410001"]["others"]["Which topics did you follow?"] == ["Housing", "Water / sanitation"]
    assert rows["410001"]["others"]["Would you come and/or recommend it?"] == "Yes"


@pytest.mark.behaviour("multiple_choice", "kobo")
def test_kobo_distinguishes_not_asked_from_not_chosen(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "kobo_labels_en.csv")
    assert rows["410002"]["others"]["Which topics did you follow?"] == ["Housing"]
    assert "Which topics did you follow?" not in rows["410003"]["others"]


@pytest.mark.behaviour("header_rows", "kobo")
def test_kobo_hxl_tags_are_not_a_response(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "kobo_xml_hxl_es.csv")
    assert sorted(rows) == ["410001", "410002"]
    assert rows["410001"]["city"] == "Bogotá"
    assert rows["410001"]["_source_ref"] == "kobo_xml_hxl_es.csv, row 3"


@pytest.mark.slow
@pytest.mark.behaviour("repeats", "kobo")
def test_kobo_repeated_groups_belong_to_their_response(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "kobo_repeats_fr.xlsx")
    group = "participants_de_la_delegation_a"
    assert rows["410001"]["others"] == {group: [{"Rôle": "Élue"}, {"Rôle": "Technicien"}]}
    assert rows["410002"]["others"] == {group: [{"Rôle": "Élu"}]}
    assert rows["410001"]["overall_satisfaction"] == "Très satisfait"


@pytest.mark.behaviour("header_rows", "surveymonkey")
@pytest.mark.behaviour("multiple_choice", "surveymonkey")
def test_surveymonkey_two_header_rows_become_questions_with_their_choices(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "surveymonkey_en.csv")
    answers = rows["118052219062"]["others"]
    assert answers["Which topics did you follow?"] == ["Water & sanitation"]
    assert answers["Which topics did you follow? [Other (please specify)]"] == "Ports"
    assert answers["How satisfied were you?"] == "Neutral"  # the header contained HTML
    assert answers["Please rate: [The venue]"] == "Poor"


@pytest.mark.behaviour("date_order", "surveymonkey")
def test_surveymonkey_dates_have_the_month_first_where_the_file_says_so(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "surveymonkey_en.csv", order="day_first")
    assert rows["118052219061"]["completed_at"] == "2025-10-21T08:55:00"


@pytest.mark.behaviour("offsets", "google_forms")
def test_google_forms_offsets_keep_their_sign(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "google_forms_en.csv")
    assert "2026-08-06T23:05:40-03:00" in {row["completed_at"] for row in rows.values()}


@pytest.mark.behaviour("multiple_choice", "google_forms")
def test_google_forms_joins_choices_in_a_cell_and_a_place_with_a_comma_is_one_answer(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "google_forms_en.csv")
    answers = [row["others"] for row in rows.values()]
    assert answers[0]["Which sessions did you attend?"] == ["Housing", "Mobility"]
    assert answers[0]["Where do you work?"] == "Quito, Ecuador"
    rows, _ = load(tmp_path, "google_forms_fr.csv")
    french = next(row["others"] for row in rows.values() if row["survey"] == "google_forms_fr")
    assert french["Un commentaire ?"] == "Merci, à bientôt"


@pytest.mark.behaviour("counted_once", "google_forms")
def test_without_an_id_the_same_response_in_two_exports_is_one_and_two_equal_ones_are_two(
    tmp_path: Path,
) -> None:
    header = "Timestamp,Overall satisfaction\n"
    same = "2026/08/06 11:05:40,Satisfied\n"
    for name, rows in (("a.csv", same + same), ("b.csv", same + same + "2026/08/07 9:00:00,Neutral\n")):
        (tmp_path / name).write_text(header + rows)
        os.utime(tmp_path / name, (time.time() - 60,) * 2)
    rows, _ = load(tmp_path)
    assert len(rows) == 3


@pytest.mark.behaviour("counted_once", "microsoft_forms")
def test_ids_that_restart_in_every_form_are_kept_apart_and_exports_of_one_form_are_not(
    tmp_path: Path,
) -> None:
    header = "ID,Start time,Completion time,Email,Name,Overall satisfaction\n"
    first = "1,2025-10-24 08:50:11,2025-10-24 08:55:00,anonymous,,Satisfied\n"
    files = {"Form A(1-1).csv": first, "Form A(1-2).csv": first + "2,2025-10-24 09:00:00,2025-10-24 09:05:00,anonymous,,Neutral\n",
             "Form B.csv": "1,2025-11-02 10:00:00,2025-11-02 10:05:00,anonymous,,Satisfied\n"}  # fmt: skip
    for name, rows in files.items():
        (tmp_path / name).write_text(header + rows)
        os.utime(tmp_path / name, (time.time() - 60,) * 2)
    rows, _ = load(tmp_path)
    assert len(rows) == 3


@pytest.mark.behaviour("multiple_choice", "microsoft_forms")
def test_microsoft_forms_choices_end_in_a_semicolon(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "microsoft_forms_fr.csv")
    assert rows["1 at 2025-10-24T08:50"]["others"] == {"Thèmes suivis": ["Logement", "Mobilité"]}
    assert rows["2 at 2025-10-25T09:00"]["others"] == {"Thèmes suivis": ["Mobilité"]}


@pytest.mark.behaviour("encoding", "microsoft_forms")
def test_another_encoding_is_read_where_it_was_configured_and_refused_where_not(tmp_path: Path) -> None:
    rows, batches = load(tmp_path, "microsoft_forms_es_cp1252.csv", fallback="cp1252")
    assert rows["1 at 2025-10-24T08:50"]["others"] == {"¿Qué le pareció la sesión?": "Excelente organización"}
    assert "cp1252, as set" in batches[0].notes[0]
    (batch,) = SurveyFiles(tmp_path, Rules()).pull("responses").batches
    assert "not in UTF-8" in batch.rejected[0].reason


@pytest.mark.behaviour("missing_texts", "limesurvey")
def test_limesurvey_without_a_date_of_submission_is_partial_and_na_is_not_shown(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "limesurvey_en.csv")
    one, two = rows["1 at 2025-10-24T08:50"], rows["2 at 2025-10-24T09:00"]
    assert (one["status"], two["status"]) == ("completed", "partial")
    assert two["others"] == {"How satisfied are you?": "Neutral"}
    assert one["others"]["Which topics?"] == ["Housing"]
    assert one["language"] == "en"


@pytest.mark.behaviour("header_rows", "typeform")
def test_duplicate_typeform_headers_stay_separate(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "typeform_en.csv")
    assert rows["1f8127e3d5e1"]["others"]["Other"] == "Ports"
    assert rows["1f8127e3d5e1"]["others"]["Other (2)"] == "At work"
    assert rows["068127e3d5e9"]["started_at"] == "2025-10-24T08:50:11+00:00"


@pytest.mark.behaviour("header_rows", "qualtrics")
def test_qualtrics_columns_are_recognised_by_their_import_ids_in_any_language(tmp_path: Path) -> None:
    spanish, _ = load(tmp_path, "qualtrics_es.csv")
    assert spanish["R_1abd"]["status"] == "completed"
    assert spanish["R_2abd"]["status"] == "partial"
    assert spanish["R_1abd"]["others"] == {"¿Está satisfecha?": "Sí", "¿Qué temas?": ["Vivienda", "Agua"]}


@pytest.mark.behaviour("missing_texts", "qualtrics")
def test_qualtrics_codes_for_unanswered_are_not_answers_and_its_time_zone_is_kept(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "qualtrics_en.csv")
    assert rows["R_2abc"]["others"] == {}
    assert rows["R_1abc"]["completed_at"] == "2025-10-24T08:55:00-06:00"


@pytest.mark.behaviour("header_rows", "qualtrics")
def test_a_legacy_export_of_qualtrics_has_two_header_rows_and_a_trailing_comma(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "qualtrics_legacy_en.csv")
    assert rows["R_1abe"]["others"] == {"Any comment?": "Thanks", "How satisfied are you?": "5"}


@pytest.mark.behaviour("counted_once", "odk")
def test_odk_is_recognised_by_its_key_which_survives_edits_to_a_response(tmp_path: Path) -> None:
    rows, _ = load(
        tmp_path,
        "odk_en.csv",
    )
    assert sorted(rows) == ["uuid:one", "uuid:two"]
    assert rows["uuid:one"]["others"]["topics"] == ["housing", "water"]


@pytest.mark.behaviour("repeats", "odk")
def test_the_table_of_a_repeated_group_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "form-people.csv").write_text("role,PARENT_KEY,KEY\nChair,uuid:one,uuid:one/people[1]\n")
    os.utime(tmp_path / "form-people.csv", (time.time() - 60,) * 2)
    (batch,) = SurveyFiles(tmp_path, Rules()).pull("responses").batches
    assert "repeated groups of a form, not its responses" in batch.rejected[0].reason


# -- files of no known tool ------------------------------------------------------------------------------


def test_a_file_of_no_known_tool_is_refused_with_what_was_seen_and_what_to_do() -> None:
    sheet = Sheet("a.csv", [["When", "Ana Pérez, ana@example.org", "Happy?"], ["2025-01-01", "x", "y"]])
    with pytest.raises(FileRefusedError) as caught:
        recognise(sheet)
    assert "3 columns: 'When', (not shown), 'Happy?'" in str(caught.value)
    assert "write a profile" in str(caught.value)


def test_a_profile_says_how_a_file_of_another_tool_is_laid_out(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "paper.yml").write_text(
        "tool: paper\nresponse_id: Sheet no.\ncompleted_at: Day\ndate_order: day_first\n"
        "separators: {Topics: '|'}\nmissing: ['9']\npersonal: [Who filled it in]\n"
    )
    (tmp_path / "lab.csv").write_text(
        "Sheet No;Day;Overall satisfaction;Topics;Who filled it in\n1;03/04/2025;Satisfied;Water|Ports;Ana\n2;04/04/2025;9;;Eva\n"
    )
    os.utime(tmp_path / "lab.csv", (time.time() - 60,) * 2)
    rows, _ = load(tmp_path, profiles=profiles_in(tmp_path / "profiles")[0])
    one, two = rows["1 at 2025-04-03T00:00"], rows["2 at 2025-04-04T00:00"]
    assert (one["tool"], one["overall_satisfaction"], one["others"]) == (
        "paper",
        "Satisfied",
        {"Topics": ["Water", "Ports"]},
    )
    assert two["overall_satisfaction"] is None
    assert "Ana" not in f"{rows}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("tool: kobo\nresponse_id: a\nstatus: b\ncompleted: [x]\n", "known tool"), ("tool: mine\n", "name at least two columns"),
     ("tool: mine\nresponse_id: a\nstatus: b\n", "completed is empty"), ("tool: [", "not readable YAML"),
     ("tool: mine\nresponse_id: a\nlanguage: A\n", "named for two purposes")],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_says_why(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "mine.yml").write_text(text)
    with pytest.raises(ContractError, match=expected):
        load_profile(tmp_path / "mine.yml")


def test_a_known_tool_takes_precedence_over_a_profile() -> None:
    header = ["#", "q", "Start Date (UTC)", "Submit Date (UTC)", "Network ID"]
    mine = Profile(tool="mine", response_id="#", completed_at="Submit Date (UTC)")
    layout = recognise(Sheet("a.csv", [header, ["1", "x", "", "", ""]]), [mine])
    assert layout.tool == "typeform"


# -- codebooks of the organisation's own -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.behaviour("non_answers", "*")
def test_a_codebook_of_a_survey_names_its_questions_scale_and_event(tmp_path: Path) -> None:
    own = Codebook(
        surveys=["microsoft*"], event_code="LAB-7", scale={"Good": 4, "fair": 3, "No idea": "non_answer"},
    )  # fmt: skip
    rows, _ = load(tmp_path, "microsoft_forms_en.xlsx", "google_forms_fr.csv", codebooks=[own])
    scores = {row["overall_satisfaction"]: (row["satisfaction_score"], row["satisfaction_kind"], row["event_code"])
              for row in rows.values() if row["tool"] == "microsoft_forms" and row["overall_satisfaction"]}  # fmt: skip
    assert scores == {"Good": ("4", "score", "LAB-7"), "Fair": ("3", "score", "LAB-7")}
    assert {row["event_code"] for row in rows.values() if row["tool"] == "google_forms"} == {None}


@pytest.mark.slow
@pytest.mark.behaviour("promoter_range", "*")
@pytest.mark.parametrize("value", ["11", "-1", "7.5", "nine"])
@pytest.mark.sweep
def test_a_recommendation_outside_0_to_10_is_quarantined_and_its_response_counts_without_it(
    tmp_path: Path, value: str
) -> None:
    from mel_pipeline.ingest.load import load_entity
    from mel_pipeline.warehouse import Warehouse

    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "a.csv").write_text(
        f"Response ID,Response Status,Response End Time,NPS\nR1,Completed,2024-06-03 11:00,0\nR2,Completed,2024-06-03 11:00,{value}\n"
    )
    os.utime(folder / "a.csv", (time.time() - 60,) * 2)
    warehouse = Warehouse(f"duckdb:///{tmp_path}/w.duckdb")
    result = load_entity(SurveyFiles(folder, Rules()), contract_of("survey_files"), "responses", warehouse)
    assert (result.new, result.quarantined, result.lost_cells) == (2, 0, 1)
    assert "a.csv, row 3" in result.waiting[0]
    stored = warehouse.read(
        "select response_id, recommendation from raw_surveys__responses where recommendation is not null"
    )
    assert stored.values.tolist() == [["R1", "0"]]  # nobody recommends it: an answer like any other


@pytest.mark.behaviour("gender_apart", "*")
def test_gender_not_asked_is_distinguished_from_not_answered(tmp_path: Path) -> None:
    rows, _ = load(tmp_path, "google_forms_es.csv", "typeform_en.csv", order="day_first")
    found = {(row["tool"], row["gender_asked"], row["gender"]) for row in rows.values()}
    assert found == {
        ("google_forms", "true", "Mujer"), ("google_forms", "true", "Prefiero no decirlo"), ("google_forms", "true", None),
        ("typeform", "false", None),
    }  # fmt: skip


@pytest.mark.behaviour("personal_data", "*")
def test_a_question_that_many_answer_with_an_address_is_left_out_whole(tmp_path: Path) -> None:
    header = "Timestamp,How can we reach you?,Any other comments?\n"
    rows = "".join(
        f"2026/08/06 11:05:{n:02},{'ana@example.org' if n % 2 else 'Ana at work'},write to eva@example.org\n"
        for n in range(20)
    )
    (tmp_path / "a.csv").write_text(header + rows)
    os.utime(tmp_path / "a.csv", (time.time() - 60,) * 2)
    found, _ = load(tmp_path)
    stored = f"{list(found.values())}"
    assert "Ana" not in stored and "example.org" not in stored and "write to [removed]" in stored


@pytest.mark.slow
@pytest.mark.behaviour("repeats", "kobo")
def test_a_repeated_group_inside_another_is_followed_up_to_its_response(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Visit"
    sheets: dict[str, list[list[object]]] = {
        "Visit": [["Ville", "_id", "_uuid", "_submission_time", "_index"],
                  ["Lyon", 41, "u1", "2025-10-21T08:55:00", 1], ["Dakar", 42, "u2", "2025-10-22T08:55:00", 2]],
        "team": [["Team", "_index", "_parent_table_name", "_parent_index"], ["A", 1, "Visit", 2], ["B", 2, "Visit", 1]],
        "person": [["Role", "_index", "_parent_table_name", "_parent_index"], ["Chair", 1, "team", 1], ["Expert", 2, "team", 2]],
    }  # fmt: skip
    for name, rows in sheets.items():
        sheet = book.active if name == "Visit" else book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "visit.xlsx")
    os.utime(tmp_path / "visit.xlsx", (time.time() - 60,) * 2)
    found, _ = load(tmp_path)
    assert found["41"]["others"] == {"team": [{"Team": "B"}], "person": [{"Role": "Expert"}]}
    assert found["42"]["others"] == {"team": [{"Team": "A"}], "person": [{"Role": "Chair"}]}
