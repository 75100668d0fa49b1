"""Rows and tables that were judged are judged again only if they, or the rules, have changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.ingest.load import load_entity
from mel_pipeline.quality.results_log import judge_table
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.listed_source import DEALS, Listed, batch, deal


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, 1)


class ValidationCalls:
    """Number of Great Expectations calls, for rows and for tables."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from mel_pipeline.quality import expectations

        self.rows, self.tables = 0, 0
        validate = expectations.validate

        def counted(connection: object, rows: str, rules: object) -> object:
            self.rows += "_staged" in rows
            self.tables += "_staged" not in rows
            return validate(connection, rows, rules)

        monkeypatch.setattr(expectations, "validate", counted)


@pytest.mark.slow
def test_rows_that_passed_every_rule_are_not_validated_again_but_changed_ones_are(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ValidationCalls(monkeypatch)
    for rows in (
        [deal(1), deal(2)],
        [deal(1), deal(2)],
        [deal(1), deal(2, _source_ref="page 9")],  # its location in the source is not validated
    ):
        load_entity(Listed([batch(*rows)]), DEALS, "deals", warehouse)
        assert calls.rows == 1
    load_entity(Listed([batch(deal(1), deal(2, stage="Lost"))]), DEALS, "deals", warehouse)
    assert calls.rows == 2


@pytest.mark.slow
def test_a_batch_with_an_invalid_row_is_validated_every_time(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ValidationCalls(monkeypatch)
    for times in (1, 2):
        done = load_entity(Listed([batch(deal(1), deal(2, currency=None))]), DEALS, "deals", warehouse)
        assert (done.quarantined, calls.rows) == (1, times)


@pytest.mark.slow
def test_rows_are_validated_again_when_a_rule_has_changed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ValidationCalls(monkeypatch)
    load_entity(Listed([batch(deal(1))]), DEALS, "deals", warehouse)
    stricter = DEALS.model_copy(deep=True)
    stricter.entities["deals"].columns["name"].pattern = "Project .*"
    done = load_entity(Listed([batch(deal(1))]), stricter, "deals", warehouse)
    assert (done.quarantined, calls.rows) == (1, 2)


@pytest.mark.slow
def test_a_table_is_validated_again_only_when_its_rows_or_the_rows_it_references_have_changed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ValidationCalls(monkeypatch)
    load_entity(Listed([batch(deal(1, account="a1"))]), DEALS, "deals", warehouse)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "create table raw_zoho_crm__accounts as select 'a1' as _row_key, false as _is_deleted"
        )
    first = judge_table(warehouse, DEALS, "deals")
    again = judge_table(warehouse, DEALS, "deals")
    assert calls.tables == 1
    assert (again.rules, again.sentences, again.counts) == (first.rules, first.sentences, first.counts)

    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update raw_zoho_crm__accounts set _is_deleted = true")
    broken = judge_table(warehouse, DEALS, "deals")
    assert calls.tables == 2
    assert any("name a record in account that is not there" in sentence for sentence in broken.sentences)
    assert not broken.blocking

    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update raw_zoho_crm__deals set name = null")
    emptied = judge_table(warehouse, DEALS, "deals")
    assert calls.tables == 3
    assert emptied.rules != broken.rules


@pytest.mark.slow
def test_a_table_that_becomes_late_is_reported_although_its_rows_are_not_validated_again(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lateness and volume come from the ledger, which changes even in a night without rows."""
    calls = ValidationCalls(monkeypatch)
    load_entity(Listed([batch(deal(1))]), DEALS, "deals", warehouse)
    assert judge_table(warehouse, DEALS, "deals").passed
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update load_ledger set finished_at = timestamp '2020-01-01 00:00:00'")
    late = judge_table(warehouse, DEALS, "deals")
    assert [rule.name for rule in late.rules if not rule.passed] == ["fresh"]
    assert calls.tables == 1
