"""Loads that end before they are done: cut short by the source, killed, or kept waiting for the file."""

from __future__ import annotations

import textwrap
import time
from datetime import timedelta
from pathlib import Path

import pytest

from mel_pipeline.core.errors import SourceError, TransientSourceError, WarehouseError
from mel_pipeline.ingest import load as loading
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.forking import Forking
from mel_pipeline_tests.fixtures.listed_source import DEALS, NOW, Listed, batch, deal, deals


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, 1)


@pytest.mark.slow
def test_an_interrupted_load_resumes_from_its_checkpoint_and_publishes_nothing_until_then(
    warehouse: Warehouse,
) -> None:
    fault = TransientSourceError("Zoho CRM, Deals, page 2: no answer.")
    with pytest.raises(SourceError):
        load_entity(Listed([batch(deal(1), checkpoint="page 2")], fault=fault), DEALS, "deals", warehouse)
    assert not warehouse.has_table("raw_zoho_crm__deals")
    rest = Listed([batch(deal(2), checkpoint="page 3")], cursor="end")
    result = load_entity(rest, DEALS, "deals", warehouse)
    assert rest.resumed_at == "page 2"
    assert (result.new, result.fetched) == (2, 2)
    assert any("Resumed the load begun" in note for note in result.notes)
    assert not warehouse.has_table("raw_zoho_crm__deals_staged")
    assert warehouse.read("select count(*) n from load_checkpoint")["n"].item() == 0


@pytest.mark.slow
def test_a_source_without_checkpoints_starts_over_after_a_failure(warehouse: Warehouse) -> None:
    fault = TransientSourceError("No answer.")
    with pytest.raises(SourceError):
        load_entity(Listed([batch(deal(1))], fault=fault), DEALS, "deals", warehouse)
    again = Listed([batch(deal(2))])
    assert load_entity(again, DEALS, "deals", warehouse).new == 1
    assert again.resumed_at is None and list(deals(warehouse)["_row_key"]) == ["2"]


@pytest.mark.slow
@pytest.mark.parametrize("again", [[2], [], [1, 2, 3, 4]])
def test_rows_that_an_interrupted_load_left_in_the_staging_table_are_not_of_the_next_one(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, again: list[int]
) -> None:
    monkeypatch.setattr(loading, "STAGED_ROWS", 1)
    monkeypatch.setattr(loading, "MORE_STAGED_ROWS", 2)
    load_entity(Listed([batch(deal(5))]), DEALS, "deals", warehouse)
    cut = Listed([batch(deal(1)), batch(deal(3))], fault=TransientSourceError("No answer."))
    with pytest.raises(SourceError):
        load_entity(cut, DEALS, "deals", warehouse)
    assert warehouse.has_table("raw_zoho_crm__deals_staged"), "there is something to leave out"
    load_entity(Listed([batch(deal(number)) for number in again]), DEALS, "deals", warehouse)
    assert not warehouse.has_table("raw_zoho_crm__deals_staged")
    assert sorted(deals(warehouse)["_row_key"]) == sorted(map(str, [*again, 5]))


@pytest.mark.slow
def test_a_checkpoint_from_another_contract_or_from_last_week_is_not_resumed(warehouse: Warehouse) -> None:
    fault = TransientSourceError("No answer.")
    cut = Listed([batch(deal(1), checkpoint="page 2")], fault=fault)
    for later in (DEALS.model_copy(deep=True), DEALS):
        with pytest.raises(SourceError):
            load_entity(cut, DEALS, "deals", warehouse, clock=lambda: NOW)
        again = Listed([batch(deal(2))])
        if later is not DEALS:
            later.entities["deals"].columns["stage"].allowed = ["Signed"]
            load_entity(again, later, "deals", warehouse, clock=lambda: NOW)
        else:
            load_entity(again, later, "deals", warehouse, clock=lambda: NOW + timedelta(days=8))
        assert again.resumed_at is None
        assert "1" not in set(deals(warehouse)["_row_key"])


@pytest.mark.slow
def test_a_source_that_fails_halfway_leaves_rows_and_cursor_unchanged(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))], cursor="one"), DEALS, "deals", warehouse)
    fault = TransientSourceError("Zoho CRM, Deals, page 2: no answer.")
    with pytest.raises(SourceError):
        load_entity(Listed([batch(deal(2))], cursor="two", fault=fault), DEALS, "deals", warehouse)
    assert list(deals(warehouse)["_row_key"]) == ["1"]
    assert warehouse.read("select cursor from source_cursor")["cursor"].tolist() == ["one"]
    failed = warehouse.read("select status, message from load_ledger order by started_at")
    assert failed.values.tolist()[-1] == ["failed", "Zoho CRM, Deals, page 2: no answer."]


_LOAD_FOR_EVER = """
    import sys
    from mel_pipeline.core.contracts import contract_of
    from mel_pipeline.ingest.load import load_entity
    from mel_pipeline.ingest.raw_tables import recent_drift
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline_tests.fixtures.listed_source import Listed, batch, deal
    warehouse = Warehouse(sys.argv[1], 20)
    print("ready", flush=True)
    for turn in range(10_000):
        rows = [deal(number, name=f"turn {turn}") for number in range(1, 400)]
        load_entity(Listed([batch(*rows)], cursor=str(turn)), contract_of("zoho_crm"), "deals", warehouse)
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.2, 0.45, 0.8])
@pytest.mark.fault(1)
@pytest.mark.sweep("0.45")
def test_a_load_killed_in_the_middle_leaves_a_readable_warehouse_and_the_next_run_right(
    warehouse: Warehouse, forked: Forking, tmp_path: Path, delay: float
) -> None:
    load_entity(Listed([batch(deal(0))], cursor="start"), DEALS, "deals", warehouse)
    forked.start(textwrap.dedent(_LOAD_FOR_EVER), warehouse.url, said=tmp_path / "said")
    assert forked.line() == "ready"
    _wait_for(warehouse, 1)
    time.sleep(delay)
    forked.kill()
    assert not forked.ended_well()
    table = deals(warehouse)
    turns = set(table.loc[table["_row_key"] != "0", "name"])
    cursor = warehouse.read("select cursor from source_cursor")["cursor"].item()
    loads = warehouse.read("select count(*) as n from load_ledger")["n"].item()
    assert turns == {f"turn {cursor}"}, "rows and cursor are of one load"
    assert loads == int(cursor) + 2, "and so is the ledger"
    result = load_entity(Listed([batch(deal(1, name="after"))], cursor="end"), DEALS, "deals", warehouse)
    assert (result.changed, len(deals(warehouse))) == (1, 400)


def _wait_for(warehouse: Warehouse, loads: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if warehouse.read("select count(*) as n from load_ledger")["n"].item() > loads:
            return
        time.sleep(0.02)
    raise AssertionError("the other process loaded nothing")


_HOLD = """
    import sys, time
    from mel_pipeline.warehouse import Warehouse
    with Warehouse(sys.argv[1]).connect():
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
"""


def _hold(forked: Forking, folder: Path, url: str, seconds: float) -> None:
    forked.start(textwrap.dedent(_HOLD), url, str(seconds), said=folder / "said")
    assert forked.line() == "held"


@pytest.mark.fault(7)
@pytest.mark.long
def test_the_second_of_two_runs_waits_until_the_first_releases_the_file(
    warehouse: Warehouse, forked: Forking, tmp_path: Path
) -> None:
    _hold(forked, tmp_path, warehouse.url, 1.0)
    begun = time.monotonic()
    assert load_entity(Listed([batch(deal(1))]), DEALS, "deals", warehouse).new == 1
    assert time.monotonic() - begun > 0.5
    assert forked.ended_well()


@pytest.mark.slow
@pytest.mark.fault(7)
def test_a_run_that_times_out_waiting_says_who_holds_the_file_and_what_to_do(
    warehouse: Warehouse, forked: Forking, tmp_path: Path
) -> None:
    impatient = Warehouse(warehouse.url, 0.5)
    _hold(forked, tmp_path, warehouse.url, 30)
    with pytest.raises(WarehouseError, match=rf"PID {forked.child}.*Wait for that run"):
        impatient.read("select 1")
    forked.kill()
    assert not forked.ended_well()
