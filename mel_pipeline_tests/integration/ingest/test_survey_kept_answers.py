"""A later export never takes away what an earlier one said: second downloads, fewer columns, another wording."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import CASES

HEAD = "Response ID,Response Status,End time"
ROLES = {
    "overall_satisfaction": "Overall satisfaction", "recommendation": "NPS?", "gender": "Gender", "city": "City",
    "event_code": "Event code",
}  # fmt: skip
RULES = Rules(order="day_first", codebooks=[Codebook(questions={"recommendation": ["NPS?"]})])
VALUES = {
    "overall_satisfaction": "Satisfied", "recommendation": "9", "gender": "Woman", "city": "Quito", "event_code": "E-1",
}  # fmt: skip


def load(folder: Path, warehouse: Warehouse, rules: Rules = RULES) -> list[dict[str, Any]]:
    source = SurveyFiles(folder, rules, settle_seconds=0)
    load_entity(source, contract_of("survey_files"), "responses", warehouse)
    names = ", ".join([*ROLES, "gender_asked", "satisfaction_key", "city_key"])
    return warehouse.records(f"select response_id, {names} from raw_surveys__responses order by response_id")


def export(folder: Path, name: str, roles: list[str], rows: dict[str, dict[str, str]], age: int = 60) -> None:
    lines = [",".join([HEAD, *(ROLES[role] for role in roles)])]
    lines += [
        ",".join([key, "Completed", "2024-11-05 09:00", *(row.get(role, "") for role in roles)])
        for key, row in rows.items()
    ]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    os.utime(path, (time.time() - age,) * 2)


@pytest.mark.slow
def test_the_second_download_of_the_case_keeps_and_adds_answers(tmp_path: Path, warehouse_url: str) -> None:
    folder, warehouse = tmp_path / "drop", Warehouse(warehouse_url)
    folder.mkdir()
    for name in ("codebook_second_download.csv", "codebook_second_download (1).csv"):
        (folder / name).write_bytes((CASES / name).read_bytes())
        rows = load(folder, warehouse)
    assert [row["overall_satisfaction"] for row in rows] == ["Very satisfied", "Satisfied", "Dissatisfied"]
    assert [row["recommendation"] for row in rows] == ["9", "8", "3"]


@pytest.mark.slow
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.behaviour("keeps_answers", "zoho_survey")
@pytest.mark.fault(76)
@pytest.mark.sweep("duckdb-True")
def test_an_export_without_a_question_keeps_what_an_earlier_one_said(
    tmp_path: Path, warehouse_url: str, together: bool
) -> None:
    folder, warehouse = tmp_path / "drop", Warehouse(warehouse_url)
    folder.mkdir()
    export(folder, "first.csv", list(ROLES), {"a": VALUES, "b": VALUES}, age=90)
    if not together:
        load(folder, warehouse)
    export(folder, "second.csv", ["city"], {"a": {"city": "Lyon"}, "c": {"city": "Rabat"}})
    a, b, c = load(folder, warehouse)
    assert {role: a[role] for role in ROLES} == VALUES | {"city": "Lyon"}
    assert (a["gender_asked"], a["satisfaction_key"], a["city_key"]) == ("true", "satisfied", "lyon")
    assert {role: b[role] for role in ROLES} == VALUES
    assert {role: c[role] for role in ROLES} == dict.fromkeys(ROLES) | {"city": "Rabat"}
    assert load(folder, warehouse, Rules(order="month_first", codebooks=RULES.codebooks)) == [
        a,
        b,
        c,
    ]  # read again


@pytest.mark.slow
def test_an_answer_that_was_cleared_stays_cleared(tmp_path: Path, warehouse_url: str) -> None:
    folder, warehouse = tmp_path / "drop", Warehouse(warehouse_url)
    folder.mkdir()
    export(folder, "first.csv", list(ROLES), {"a": VALUES}, age=90)
    load(folder, warehouse)
    export(folder, "second.csv", list(ROLES), {"a": VALUES | {"gender": ""}})
    (row,) = load(folder, warehouse)
    assert (row["gender"], row["gender_asked"]) == (None, "true")


@pytest.mark.slow
def test_a_codebook_that_is_corrected_takes_back_what_it_read_wrongly(
    tmp_path: Path, warehouse_url: str
) -> None:
    """Whether one file holds the response or two."""
    folder, warehouse = tmp_path / "drop", Warehouse(warehouse_url)
    folder.mkdir()
    export(folder, "first.csv", ["city", "gender"], {"a": VALUES, "b": VALUES}, age=90)
    load(folder, warehouse)
    export(folder, "second.csv", ["gender"], {"a": VALUES})
    assert [row["city"] for row in load(folder, warehouse)] == ["Quito", "Quito"]
    right = Rules(order="day_first", codebooks=[Codebook(ignored=["City"])])
    assert [row["city"] for row in load(folder, warehouse, right)] == [None, None]
    assert [row["gender"] for row in load(folder, warehouse, right)] == ["Woman", "Woman"]


@given(st.lists(st.tuples(st.sets(st.sampled_from(sorted(ROLES))), st.booleans()), min_size=1, max_size=4))
@settings(
    max_examples=examples(2, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.deep
@pytest.mark.slow  # each step is a load with all its checks
def test_whatever_later_exports_hold_each_answer_is_the_last_that_was_given(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[set[str], bool]]
) -> None:
    home = tmp_path_factory.mktemp("story")
    folder, warehouse = home / "drop", Warehouse(f"duckdb:///{home / 'w.duckdb'}")
    folder.mkdir()
    expected: dict[str, str | None] = dict.fromkeys(ROLES)
    numbered = [(number, *step) for number, step in enumerate(steps)]
    for (number, roles, loads), (_, _, last) in pairwise([*numbered, (0, set(), True)]):
        given = {
            role: str(number) if role == "recommendation" else f"{role[0].upper()}-{number}"
            for role in sorted(roles)
        }
        export(folder, f"{number}.csv", sorted(roles), {"a": given}, age=600 - number)
        expected |= given
        if loads or number == len(steps) - 1 or not last:
            (row,) = load(folder, warehouse)
            assert {role: row[role] for role in ROLES} == expected
