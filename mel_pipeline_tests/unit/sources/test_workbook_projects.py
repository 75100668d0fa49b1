"""Rows about projects, outcomes and partnerships: what goes together, and texts that name a person."""

from __future__ import annotations

import pytest

from mel_pipeline.sources.workbook.named_persons import doubts, names_a_person
from mel_pipeline.sources.workbook.rules import RULES
from mel_pipeline.sources.workbook.sheets import sheets

OUTCOME = {"organisation": "Dakar", "happened_on": "2024-10-31", "change_en": "The city changed its rules."}
GRANT = {"partner": "Freetown", "kind": "grant", "name_en": "First edition"}


def wrong(sheet: str, row: dict[str, str]) -> list[str]:
    return [column for column, _ in RULES[sheet](row)]


@pytest.mark.fault(156)
@pytest.mark.parametrize(
    ("sheet", "row", "columns"),
    [
        ("projects", {"starts_on": "2025-01-01", "ends_on": "2024-01-01"}, ["ends_on"]),
        ("projects", {"starts_on": "2025-01-01", "ends_on": "2025-01-01"}, []),
        ("project_finances", {"year": "2024"}, ["budget"]),
        ("project_finances", {"year": "2024", "budget": "1", "rate": "0"}, ["rate"]),
        ("project_finances", {"year": "2024", "spent": "0"}, []),
        ("logframe", {"dimension": "gender", "indicator": "GEN-01"}, ["category"]),
        ("logframe", {"dimension": "gender", "category": "Woman"}, ["indicator"]),
        ("logframe", {"baseline": "0", "target_by": "2026"}, ["baseline_on", "target"]),
        ("logframe", {"target": "100", "target_by": "2025"}, []),
        ("outcomes", {**OUTCOME, "substantiated": "yes"}, ["evidence_1"]),
        ("outcomes", {**OUTCOME, "substantiated": "yes", "evidence_1": "Minutes"}, ["evidence_2"]),
        ("outcomes", {**OUTCOME, "evidence_1": "Minutes", "evidence_2": "minutes"}, ["evidence_2"]),
        (
            "outcomes",
            {**OUTCOME, "substantiated": "yes", "evidence_1": "Minutes", "evidence_2": "Budget"},
            [],
        ),
        ("outcomes", {**OUTCOME, "evidence_1": "Minutes"}, []),
        ("partnerships", {**GRANT, "status": "agreed"}, ["agreed_on"]),
        ("partnerships", {**GRANT, "status": "applied"}, ["applied_on"]),
        (
            "partnerships",
            {**GRANT, "status": "declined", "applied_on": "2024-01-01", "agreed_on": "2024-02-01"},
            ["agreed_on"],
        ),
        (
            "partnerships",
            {**GRANT, "status": "agreed", "applied_on": "2024-03-01", "agreed_on": "2024-02-01"},
            ["agreed_on"],
        ),
        (
            "partnerships",
            {**GRANT, "status": "agreed", "agreed_on": "2024-02-01", "amount": "1"},
            ["currency"],
        ),
    ],
)
def test_columns_that_belong_together_are_asked_for(sheet, row, columns):
    assert wrong(sheet, row) == columns


@pytest.mark.parametrize(
    "text",
    [
        "Mme Fatou Sow signed it",
        "told by Dr. Ruiz",
        "M. Dupont a signé",
        "La Sra. Pérez lo confirmó",
        "Mayor Ada Costa opened it",
        "l’Alcaldessa Ada Costa hi era",
        "write to ana@example.org",
        "call +34 600 123 456",
    ],
)
def test_an_address_or_a_title_before_a_name_is_noticed(text):
    assert names_a_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "The Mayor of Dakar signed it",
        "the Ministry of Transport of Senegal",
        "Decision 12.3.2024 of the council",
        "Santa Cruz de la Sierra",
        "Programme MGET Dakar",
        "10 Minutes With the Mayor",
        "DR Congo",
        "Budget 2025",
    ],
)
def test_roles_places_and_dates_are_no_persons(text):
    assert not names_a_person(text)


def test_a_doubt_gives_row_and_columns_and_none_of_the_words():
    rows = [{"id": "O-0007", "change_en": "Mme Sow signed", "evidence_1": "a@b.org", "organisation": "Dakar"}]
    [sentence] = doubts("outcomes", rows)
    assert sentence.startswith("O-0007, change_en, evidence_1: ")
    assert "Sow" not in sentence
    assert "a@b.org" not in sentence


def test_sheets_that_are_never_printed_are_not_searched():
    assert doubts("cities", [{"id": "Y-0001", "answer": "Mme Sow"}]) == []


def test_every_row_number_begins_with_a_letter_of_its_own():
    prefixes = [sheet.prefix for sheet in sheets().values()]
    assert len(set(prefixes)) == len(prefixes)
