"""What the site reads of projects and outcomes: up to a day, with consent, without persons."""

from __future__ import annotations

from datetime import date

import pytest

from mel_pipeline.reporting.inputs.register_data import read_register
from mel_pipeline.reporting.site.register import Register
from mel_pipeline.transform import Runner

MODELS = ("dim_project", "fct_project_finance", "dim_logframe", "fct_outcome", "fct_partnership")
OUTCOMES = [
    {"id": "O-1", "change_en": "Printed", "organisation": "Dakar", "happened_on": "2024-10-01", "consent": "yes"},
    {"id": "O-2", "change_en": "Secret", "organisation": "Quito", "happened_on": "2024-10-01", "consent": "no"},
    {"id": "O-3", "change_en": "Silent", "organisation": "Accra", "happened_on": "2024-10-01"},
    {"id": "O-4", "change_en": "Mme Sow signed", "organisation": "Lima", "happened_on": "2024-10-01", "consent": "yes"},
    {"id": "O-5", "change_en": "Later", "organisation": "Lima", "happened_on": "2025-01-01", "consent": "yes"},
]  # fmt: skip
RAW = {
    "raw_workbook__outcomes": OUTCOMES,
    "raw_workbook__projects": [
        {"id": "J-1", "code": "A", "name_en": "A", "status": "active"},
        {"id": "J-2", "code": "B", "name_en": "B", "status": "active", "partners": "ask ana@example.org"},
    ],
    "raw_workbook__logframe": [
        {"id": "R-1", "project": "A", "level": "output", "statement_en": "Trained"},
        {"id": "R-2", "project": "B", "level": "output", "statement_en": "Of a project that is not shown"},
    ],
    "raw_workbook__project_finances": [
        {"id": "B-1", "project": "A", "year": "2024", "budget": "1"},
        {"id": "B-2", "project": "A", "year": "2025", "budget": "1"},
        {"id": "B-3", "project": "B", "year": "2024", "budget": "1"},
    ],
}


@pytest.fixture
def register(project, warehouse, fill) -> Register:
    return read(project, warehouse, fill, RAW)


def read(project, warehouse, fill, raw) -> Register:
    fill(warehouse, raw)
    wanted = {name for model in MODELS for name in project.upstream(model)}
    results = list(Runner(warehouse).run(project, wanted, {"quarter": "2024-Q4"}))
    assert [result.message for result in results if result.status != "ok"] == []
    return read_register(warehouse, date(2024, 12, 31))


@pytest.mark.slow
@pytest.mark.fault(155)
def test_outcomes_without_consent_or_with_a_name_do_not_leave_the_warehouse(register):
    assert [outcome.id for outcome in register.outcomes] == ["O-1"]
    assert (register.unprinted, register.withheld) == (2, 1)
    assert not any(word in repr(register) for word in ("Secret", "Silent", "Sow"))


@pytest.mark.slow
def test_a_project_that_may_name_a_person_is_left_out_with_its_money_and_logframe(register):
    assert list(register.projects["project_id"]) == ["A"]
    assert list(register.logframe["logframe_id"]) == ["R-1"]
    assert list(register.finances["finance_id"]) == ["B-1"]


@pytest.mark.slow
@pytest.mark.parametrize("empty", [*RAW, None])
@pytest.mark.sweep("duckdb-None", "duckdb-raw_workbook__projects", "postgres-raw_workbook__logframe")
def test_an_organisation_may_lack_any_kind_of_entry(project, warehouse, fill, empty):
    register = read(
        project,
        warehouse,
        fill,
        {name: rows if empty and name != empty else [] for name, rows in RAW.items()},
    )
    assert "project_id" in register.projects
    assert len(register.outcomes) == (0 if empty in (None, "raw_workbook__outcomes") else 1)


def test_a_warehouse_of_an_earlier_version_has_an_empty_register(warehouse):
    assert not read_register(warehouse, date(2024, 12, 31)).has_projects
