"""Checks of whole raw tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline import quality
from mel_pipeline.core.contracts import EntityContract, contract_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.listed_source import Listed, batch, deal

CRM = contract_of("zoho_crm")
TABLES = {entity: CRM.table(entity) for entity in CRM.entities}
CONTRACT = CRM.entities["deals"]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5)


def judged(warehouse: Warehouse, contract: EntityContract = CONTRACT) -> quality.TableVerdict:
    return quality.check_table(warehouse, CRM.table("deals"), contract, TABLES)


@pytest.mark.slow
def test_a_table_that_meets_its_contract_passes_with_one_sentence(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1), deal(2))]), CRM, "deals", warehouse)
    verdict = judged(warehouse)
    assert verdict.passed and not verdict.blocking
    assert verdict.sentences == [
        "Contributions: 2 rows, every key once, nothing missing in id, name, pipeline, stage, currency, created_at, modified_at."
    ]


@pytest.mark.slow
@pytest.mark.fault(25)
def test_an_empty_export_fails_the_contract_instead_of_reporting_zero(warehouse: Warehouse) -> None:
    load_entity(Listed([batch()]), CRM, "deals", warehouse)
    verdict = judged(warehouse)
    assert verdict.blocking and not verdict.passed
    assert "0 rows where at least 1" in verdict.sentences[0] and "not a zero" in verdict.sentences[0]


def test_a_table_that_was_never_loaded_blocks(warehouse: Warehouse) -> None:
    verdict = judged(warehouse)
    assert verdict.blocking and "nothing has been loaded yet" in verdict.sentences[0]


@pytest.mark.slow
def test_too_few_rows_block_so_that_a_truncated_export_gives_no_figures(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), CRM, "deals", warehouse)
    verdict = judged(warehouse, CONTRACT.model_copy(update={"min_rows": 5}))
    assert verdict.blocking and "1 rows where at least 5" in verdict.sentences[0]


@pytest.mark.slow
def test_a_missing_column_blocks_and_is_named(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), CRM, "deals", warehouse)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("alter table raw_zoho_crm__deals drop column stage")
    verdict = judged(warehouse)
    assert verdict.blocking and "stage" in verdict.sentences[0]


@pytest.mark.slow
def test_a_table_whose_rows_were_all_deleted_blocks(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), CRM, "deals", warehouse)
    load_entity(Listed([batch(deleted=("1",))]), CRM, "deals", warehouse)
    assert judged(warehouse).blocking


@pytest.mark.slow
def test_dangling_references_warn_with_their_count_and_do_not_block(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1, account="7"), deal(2))]), CRM, "deals", warehouse)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("create table raw_zoho_crm__accounts (_row_key text, _is_deleted boolean)")
    verdict = judged(warehouse)
    assert not verdict.passed and not verdict.blocking
    assert verdict.sentences == ["Contributions: 1 rows name a record in account that is not there."]


@pytest.mark.slow
def test_the_file_is_free_for_others_after_a_check(tmp_path: Path) -> None:
    import subprocess
    import sys

    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, idle_close_seconds=0)
    load_entity(Listed([batch(deal(1))]), CRM, "deals", warehouse)
    judged(warehouse)
    path = warehouse.engine.url.database
    code = f"import duckdb; duckdb.connect({path!r}).execute('create table x (a int)')"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_drop_in_rows_since_the_last_load_warns_and_so_does_a_late_table(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), CRM, "deals", warehouse)
    facts = quality.LoadFacts(stored=60, earlier=100, age_days=9)
    verdict = quality.check_table(warehouse, CRM.table("deals"), CONTRACT, TABLES, "", facts)
    by_name = {rule.name: rule for rule in verdict.rules}
    assert not verdict.blocking
    assert not by_name["volume"].passed
    assert "60 rows, 100 after the load before" in by_name["volume"].sentence
    assert (by_name["fresh"].dimension, by_name["fresh"].passed) == ("timeliness", False)


@pytest.mark.slow
def test_a_table_is_compared_with_the_count_the_source_reports(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), CRM, "deals", warehouse)
    verdict = quality.check_table(
        warehouse, CRM.table("deals"), CONTRACT, TABLES, "", quality.LoadFacts(expected=10_000, waiting=1)
    )
    counted = next(rule for rule in verdict.rules if rule.name == "counted")
    assert (counted.passed, counted.severity, counted.dimension) == (False, "warn", "completeness")
    assert "the source counts 10,000" in counted.sentence
