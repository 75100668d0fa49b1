"""Survey exports: the layouts as the tools write them, and every way a file can be broken."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import time
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.sources.shared.base import Batch, Pull
from mel_pipeline.sources.shared.dates import order_of, read_moment
from mel_pipeline.sources.shared.files import FileRefusedError, read_table
from mel_pipeline.sources.shared.survey.codebook import common_codebook
from mel_pipeline.sources.shared.survey.model import Question
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline.warehouse import Warehouse

EXPORTS = Path(__file__).parents[2] / "fixtures" / "zoho_survey"
CONTRACT = contract_of("survey_files").entities["responses"]
HEADER = "Response ID,Response Status,Response Start Time,Response End Time,event_code,Gender"
PERSONAL = re.compile(r"192\.0\.2|2001:db8|@example|Mozilla|survey\.example|Sample Person|\+34 600")


def drop(folder: Path, name: str, content: str | bytes, age: float = 60) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def simple(*rows: str) -> str:
    return "\r\n".join([HEADER, *rows]) + "\r\n"


def response(identity: str = "R1", end: str = "Jun 03, 2024 11:07:29", more: str = "Woman") -> str:
    return f'{identity},Completed,"Jun 03, 2024 11:00:00","{end}",LAB-1,{more}'


def pull(folder: Path, cursor: str | None = None, rules: Rules | None = None) -> tuple[list[Batch], Pull]:
    source = SurveyFiles(folder, rules or Rules(order="day_first"), settle_seconds=2)
    result = source.pull("responses", cursor=cursor)
    return list(result.batches), result


def rows_of(batches: list[Batch]) -> pd.DataFrame:
    """What remains after a load: the last answered, or last read, version of each response."""
    frame = pd.concat([batch.frame for batch in batches], ignore_index=True)
    frame = frame.sort_values("answered_at", kind="stable")
    return frame.drop_duplicates("response_id", keep="last").set_index("response_id").sort_index()


def reasons(batches: list[Batch]) -> dict[str, str]:
    return {row.source_ref: row.reason for batch in batches for row in batch.rejected}


def parse(folder: Path, name: str) -> tuple[pd.DataFrame, list[Batch]]:
    drop(folder, name, (EXPORTS / name).read_bytes())
    batches, _ = pull(folder)
    return rows_of(batches), batches


@pytest.mark.parametrize("name", ["spanish_ui.csv", "english_webhook.csv", "french_ui.csv"])
def test_every_layout_lands_in_the_same_columns(tmp_path: Path, name: str) -> None:
    frame, _ = parse(tmp_path, name)
    first = frame.loc["R100"]
    assert set(frame.reset_index().columns) == {*CONTRACT.columns, "_source_ref"}
    assert (first["status"], first["event_code"]) == ("completed", "TRN-2025-Q4-01")
    assert (first["started_at"], first["completed_at"]) == ("2025-10-24T08:50:00", "2025-10-24T08:58:00")
    assert first["recommendation"] == "9"  # from the built-in column: the question's own is empty
    assert frame.loc["R101", "status"] == "partial"
    assert pd.isna(frame.loc["R101", "overall_satisfaction"])
    assert first["_source_ref"] == f"{name}, row 2"
    assert (first["tool"], first["survey"]) == ("zoho_survey", name.removesuffix(".csv"))
    assert first["origin"] == f"file {hashlib.sha256((EXPORTS / name).read_bytes()).hexdigest()}"


@pytest.mark.parametrize("name", ["spanish_ui.csv", "english_webhook.csv", "french_ui.csv"])
@pytest.mark.behaviour("personal_data", "zoho_survey")
def test_nothing_personal_leaves_the_reader(tmp_path: Path, name: str) -> None:
    assert PERSONAL.search((EXPORTS / name).read_text(encoding="utf-8-sig"))
    _, batches = parse(tmp_path, name)
    for batch in batches:
        assert not PERSONAL.search(f"{batch.frame.to_csv()} {batch.rejected} {batch.notes}")
        assert "personal columns left out" in batch.notes[0]


def test_other_questions_are_kept_but_not_those_that_look_personal(tmp_path: Path) -> None:
    frame, _ = parse(tmp_path, "spanish_ui.csv")
    assert json.loads(frame.loc["R100", "other_answers"]) == {
        "¿El formato fue adecuado?": "Sí",
        "¿Cómo se llama su ciudad?": "Ciudad de ejemplo",
    }


@pytest.mark.behaviour("personal_data", "zoho_survey")
def test_an_address_typed_into_a_comment_is_removed_and_the_comment_kept(tmp_path: Path) -> None:
    frame, _ = parse(tmp_path, "english_webhook.csv")
    assert frame.loc["R100", "open_comment"] == "Please write to [removed]; it was clear."


@pytest.mark.behaviour("missing_texts", "zoho_survey")
def test_na_and_none_are_answers_and_only_empty_cells_are_missing(tmp_path: Path) -> None:
    drop(
        tmp_path,
        "a.csv",
        simple(response("R1", more="N/A"), response("R2", more="None"), response("R3", more="")),
    )
    frame = rows_of(pull(tmp_path)[0])
    assert frame["gender"].iloc[:2].tolist() == ["N/A", "None"]
    assert frame["gender"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    "encoded",
    [simple(response(more="Género")).encode(), simple(response(more="Género")).encode("utf-8-sig"),
     simple(response(more="Género")).encode("utf-16"), b"\xfe\xff" + simple(response(more="Género")).encode("utf-16-be")],
    ids=["UTF-8", "UTF-8 with mark", "UTF-16", "UTF-16 big end first"],
)  # fmt: skip
@pytest.mark.behaviour("encoding", "zoho_survey")
def test_an_encoding_is_detected_by_its_byte_order_mark_or_strict_utf_8(
    tmp_path: Path, encoded: bytes
) -> None:
    drop(tmp_path, "a.csv", encoded)
    assert rows_of(pull(tmp_path)[0])["gender"].tolist() == ["Género"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.behaviour("delimiter", "zoho_survey")
def test_the_delimiter_is_the_one_that_fits_every_row(tmp_path: Path, delimiter: str, declared: bool) -> None:
    lines = [
        ["Response ID", "Response Status", "event_code", "One, two, three, four, five?"],
        ["R1", "Completed", "L", "x"],
    ]
    text = "\n".join(
        delimiter.join(f'"{cell}"' if delimiter == "," else cell for cell in line) for line in lines
    )
    drop(tmp_path, "a.csv", f"sep={delimiter}\n{text}\n" if declared else text + "\n")
    frame = rows_of(pull(tmp_path)[0])
    assert json.loads(frame.loc["R1", "other_answers"]) == {"One, two, three, four, five?": "x"}


def test_a_line_break_inside_quotes_does_not_break_a_row(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", simple(response(more='"two\r\nlines"'), response("R2")))
    assert len(rows_of(pull(tmp_path)[0])) == 2


BROKEN = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\xef\xbb\xbf \r\n", "empty"),
    "header_only.csv": (simple().encode(), "no rows"),
    "web_page.csv": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
    "latin.csv": (simple(response(more="Género")).encode("cp1252"), "not in UTF-8"),
    "zeros.csv": (simple(response(more="a\x00b")).encode(), "not text"),
    "cut_row.csv": (simple(response(), "R2,Completed").encode(), "Row 3 has 2 fields where the header has 6"),
    "open_quote.csv": (simple(response(), 'R2,"Completed,x,y,z,a').encode(), "row 3 a quotation mark"),
    "one_column.csv": (b"Response ID\nR1\n", "single column"),
    "no_id.csv": (b"Name,City\nA,B\n", "not an export of a known survey tool"),
    "twice.csv": (b"Response ID,Response Status,event_code,Gender,G\xc3\xa9nero\n1,Completed,L,Woman,Man\n", "both mean gender"),
    "both_orders.csv": (simple("R1,Completed,13/01/2024 10:00,01/13/2024 11:00,L,Woman").encode(), "day first and others"),
}  # fmt: skip


@pytest.mark.behaviour("malformed", "zoho_survey")
def test_each_broken_file_is_one_clear_error_and_the_others_still_load(tmp_path: Path) -> None:
    for name, (content, _) in BROKEN.items():
        drop(tmp_path, name, content)
    drop(tmp_path, "good.csv", simple(response()))
    batches, result = pull(tmp_path)
    assert rows_of(batches).index.tolist() == ["R1"]
    found = reasons(batches)
    assert set(found) == set(BROKEN)
    for name, (_, expected) in BROKEN.items():
        assert expected in found[name], (name, found[name])
    assert all(row.row_key is None for batch in batches for row in batch.rejected)
    assert list(json.loads(result.cursor() or "")["files"]) == ["good.csv"]


def test_a_broken_file_is_tried_again_next_time_and_a_fixed_one_loads(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", simple(response(), "R2,Completed"))
    batches, result = pull(tmp_path)
    assert result.cursor() is None
    again, _ = pull(tmp_path, result.cursor())
    assert reasons(again) == reasons(batches) != {}
    drop(tmp_path, "a.csv", simple(response(), response("R2")))
    assert len(rows_of(pull(tmp_path, result.cursor())[0])) == 2


def test_a_file_that_was_loaded_is_not_read_again_under_its_own_or_another_name(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", simple(response()))
    drop(tmp_path, "same.csv", simple(response()))
    batches, first = pull(tmp_path)
    assert sum(batch.fetched for batch in batches) == 1
    drop(tmp_path, "copy.csv", simple(response()))
    batches, second = pull(tmp_path, first.cursor())
    assert batches == []
    assert set(json.loads(second.cursor() or "")["files"]) == {"a.csv", "same.csv", "copy.csv"}
    batches, third = pull(tmp_path, second.cursor())
    assert batches == []
    assert third.cursor() is None


@pytest.mark.behaviour("unfinished", "zoho_survey")
def test_a_file_that_may_still_be_written_is_left_for_the_next_run(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", simple(response()), age=0)
    batches, result = pull(tmp_path)
    assert (batches, result.cursor()) == ([], None)
    os.utime(path, (time.time() - 3,) * 2)
    assert len(rows_of(pull(tmp_path)[0])) == 1


def test_hidden_and_other_files_are_not_taken_for_exports(tmp_path: Path) -> None:
    for name in (".a.csv", "~b.csv", "c.csv.part", "d.docx"):
        drop(tmp_path, name, simple(response()))
    drop(tmp_path, "E.CSV", simple(response("R9")))
    assert rows_of(pull(tmp_path)[0]).index.tolist() == ["R9"]


@pytest.mark.parametrize("newer_first", [True, False])
@pytest.mark.parametrize("in_one_run", [True, False])
@pytest.mark.behaviour("counted_once", "zoho_survey")
def test_a_response_in_two_exports_counts_once_in_its_latest_version(
    tmp_path: Path, newer_first: bool, in_one_run: bool
) -> None:
    old = simple(response("R1", "Jun 03, 2024 11:07:29", "Woman"), response("R2"))
    new = simple(response("R1", "Jun 04, 2024 09:00:00", "Man"), response("R3"))
    first, second = (new, old) if newer_first else (old, new)
    drop(tmp_path, "1.csv", first, age=90)
    cursor, loaded = None, []
    if not in_one_run:
        batches, result = pull(tmp_path)
        cursor, loaded = result.cursor(), batches
    drop(tmp_path, "2.csv", second, age=60)
    frame = rows_of(loaded + pull(tmp_path, cursor)[0])
    assert frame.index.tolist() == ["R1", "R2", "R3"]
    assert frame.loc["R1", "gender"] == "Man"


def test_a_missing_folder_says_which_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PermanentSourceError, match="MEL_SURVEY_DIR"):
        pull(tmp_path / "nowhere")


@pytest.mark.slow
def test_an_unreadable_start_loses_no_response_with_a_readable_end(tmp_path: Path) -> None:
    drop(tmp_path / "drop", "a.csv", simple(response().replace("Jun 03, 2024 11:00:00", "yesterday")))
    warehouse = Warehouse(f"duckdb:///{tmp_path}/w.duckdb")
    source = SurveyFiles(tmp_path / "drop", Rules(order="day_first"), settle_seconds=2)
    result = load_entity(source, contract_of("survey_files"), "responses", warehouse)
    assert (result.new, result.quarantined, result.lost_cells) == (1, 0, 1)
    assert result.waiting == ["a.csv, row 2: started_at is not a date with time"]
    [row] = warehouse.records("select started_at, completed_at from raw_surveys__responses")
    assert (row["started_at"], row["completed_at"][:16]) == (None, "2024-06-03T11:07")


def test_a_date_that_cannot_be_read_loses_no_response_whose_start_or_event_is_known(tmp_path: Path) -> None:
    unknown = response("R3", "yesterday").replace("Jun 03, 2024 11:00:00", "yesterday")
    drop(tmp_path, "a.csv", simple(response(), response("R2", "yesterday"), unknown))
    batches, _ = pull(tmp_path)
    frame = rows_of(batches)
    assert frame.index.tolist() == ["R1", "R2", "R3"]
    assert frame.loc["R2", "answered_at"] == "2024-06-03T11:00:00"
    assert reasons(batches) == {}  # the contract takes the cells out


def test_a_response_of_no_known_time_and_event_is_quarantined_with_its_number(tmp_path: Path) -> None:
    unknown = response("R2", "yesterday").replace("Jun 03, 2024 11:00:00", "yesterday").replace("LAB-1", "")
    drop(tmp_path, "a.csv", simple(response(), unknown))
    batches, _ = pull(tmp_path)
    assert rows_of(batches).index.tolist() == ["R1"]
    (row,) = [row for batch in batches for row in batch.rejected]
    assert (row.source_ref, row.row_key, row.column) == ("a.csv, row 3", "zoho_survey|R2", "started_at")


@pytest.mark.behaviour("date_order", "zoho_survey")
def test_one_date_decides_the_order_for_the_whole_file() -> None:
    assert order_of(["03/04/2025 10:00", "24/10/2025 08:50"], None) == "day_first"
    assert order_of(["03/04/2025 10:00", "10/24/2025 08:50"], None) == "month_first"
    assert order_of(["03/04/2025 10:00"], "month_first") == "month_first"
    assert order_of(["10/24/2025 08:50"], "day_first") == "month_first"  # the file knows better


@pytest.mark.behaviour("date_order", "zoho_survey")
def test_ambiguous_dates_are_refused_with_both_readings() -> None:
    with pytest.raises(
        FileRefusedError, match=r"2025-04-03 with the day first, or 2025-03-04 with the month first"
    ):
        order_of(["03/04/2025 10:00", "05/06/2025"], None)


@pytest.mark.parametrize(
    ("text", "iso"),
    [("24/10/2025 08:50", "2025-10-24T08:50:00"), ("Jun 03, 2024 11:07:29", "2024-06-03T11:07:29"),
     ("June 3 2024", "2024-06-03T00:00:00"), ("2024-06-03 11:07", "2024-06-03T11:07:00"),
     ("2026/08/06 11:05:40 p.m. GMT-3", "2026-08-06T23:05:40-03:00"), ("2025-11-05T10:11:12.123+0100", "2025-11-05T10:11:12+01:00"),
     ("3 août 2025 à 14h05", "2025-08-03T14:05:00"), ("3 de agosto de 2025, 14:05", "2025-08-03T14:05:00"), ("3/8/25 9:05", "2025-08-03T09:05:00"),
     ("03/06/2024 12:05 AM", "2024-06-03T00:05:00"), ("03/06/2024 12:05:01 p.m.", "2024-06-03T12:05:01")],
)  # fmt: skip
def test_the_dates_the_tools_write_are_read(text: str, iso: str) -> None:
    assert read_moment(text, "day_first") == iso


@pytest.mark.parametrize("text", ["31/02/2024 10:00", "Foo 03, 2024", "soon", "2024-13-01", "03/06/124"])
def test_text_that_is_not_a_date_is_not_turned_into_one(text: str) -> None:
    with pytest.raises(ValueError):
        read_moment(text, "day_first")


def test_questions_match_exactly_apart_from_case_accents_and_punctuation() -> None:
    book = common_codebook()
    assert book.role(Question("q", "  ¿COMO describe su genero ")) == "gender"
    assert book.role(Question("q", "Insatisfecho con la sesión")) is None
    assert book.role(Question("q", "How do you describe your gender identity?")) is None
    assert normalize_text("Où est l'été ?") == "ou est l ete"
    assert book.language_of("Español") == "es"
    assert book.language_of("Tiếng Việt") == "Tiếng Việt"  # stays as written


def test_an_overlong_field_is_an_error_of_that_file_even_if_a_library_raised_the_limit() -> None:
    csv.field_size_limit(10_000_000)
    with pytest.raises(FileRefusedError):
        read_table(f'a,b\n"{"x" * 200_000}",2\n'.encode())
