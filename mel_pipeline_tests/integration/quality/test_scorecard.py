"""What the quality card counts: rules that hold, by the dimensions of the standards, and totals worth a look apart."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.quality.judging import DIMENSION
from mel_pipeline.quality.results import DIMENSIONS, PLAUSIBILITY, RuleResult
from mel_pipeline.quality.results_log import note_results
from mel_pipeline.quality.rules import table_rules
from mel_pipeline.quality.scorecard import PLAUSIBLE, rules, worth_a_look
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.checks import DIMENSIONS as OF_TESTS
from mel_pipeline.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'w.duckdb'}")


def test_the_check_of_the_released_figures_is_known_by_its_name() -> None:
    from mel_pipeline.defs import publication

    assert publication.PLAUSIBLE == PLAUSIBLE


def test_an_outlier_is_a_question_and_no_broken_rule(warehouse: Warehouse) -> None:
    holds = RuleResult("required name", "completeness", "error", True, "Events: name is never missing.")
    note_results(warehouse, [("raw_zoho_crm__events", holds)])
    for quarter in ("2024-Q3", "2024-Q4"):
        look = RuleResult(f"GEN-01 {quarter}", PLAUSIBILITY, "warn", False, f"GEN-01: look at {quarter}.")
        sums = RuleResult(PLAUSIBLE, PLAUSIBILITY, "warn", False, "1 total is out of line.")
        total = RuleResult("one total", "completeness", "error", quarter == "2024-Q4", "One total each.")
        asset = [("released_figures", look), ("released_figures", sums), ("indicator_values", total)]
        note_results(warehouse, asset, quarter=quarter)
    assert [rule["passed"] for rule in rules(warehouse)["completeness"]] == [False, True, True]
    assert list(rules(warehouse)) == ["completeness"]
    assert [rule["passed"] for rule in rules(warehouse, ["2024-Q4"])["completeness"]] == [True, True]
    assert worth_a_look(warehouse, ["2024-Q4"]) == ["GEN-01: look at 2024-Q4."]
    assert len(worth_a_look(warehouse)) == 2


def test_results_stored_under_the_old_names_count_under_the_new_ones(warehouse: Warehouse) -> None:
    note_results(warehouse, [("a", RuleResult("x", "consistency", "warn", True, "Holds."))])
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update quality_result set dimension = 'integrity'"))
    assert list(rules(warehouse)) == ["consistency"]


def test_every_rule_has_a_dimension_of_the_standards() -> None:
    named = {
        rule.name
        for source in source_names()
        for contract in [contract_of(source)]
        for entity in contract.entities.values()
        for rule in table_rules(entity, {name: name for name in contract.entities}, 1, 0)
    }
    assert named == DIMENSION.keys()
    project = SqlProject.load(PROJECT / "dbt_like_sql", {"quarter": "2024-Q4", "today": "2025-01-01"})
    singular = {test.dimension for test in project.singular_tests.values()}
    assert {*DIMENSION.values(), *OF_TESTS.values(), *singular} <= set(DIMENSIONS)
