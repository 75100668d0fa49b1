"""Loads identical to the last one: nothing is written, and the result is the same as if it had been."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest import load as loading
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.warehouse import Warehouse, raw
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.listed_source import DEALS, Listed, batch, deal, deals

QUARTERS = (Quarter(2024, 1), Quarter(2024, 2))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, 1)


@contextmanager
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Tables that were updated from staged rows, in order."""
    tables: list[str] = []
    real = raw.publish
    with monkeypatch.context() as patched:
        patched.setattr(
            raw, "publish", lambda *args, **kwargs: (tables.append(args[1]), real(*args, **kwargs))[1]
        )
        yield tables


def load(
    warehouse: Warehouse,
    *rows: dict[str, str | None],
    complete: bool = False,
    quarter: Quarter | None = None,
    **more,
) -> LoadResult:
    source = Listed([batch(*rows, **more)], complete=complete)
    return load_entity(source, DEALS, "deals", warehouse, quarter=quarter)


def counts(result: LoadResult) -> tuple[int, ...]:
    return (
        result.fetched, result.new, result.changed, result.unchanged, result.repeated, result.quarantined,
        result.deleted, result.stored,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.sweep
def test_identical_rows_are_counted_and_logged_but_not_compared_again(
    warehouse: Warehouse, monkeypatch, complete: bool
) -> None:
    rows = [deal(1), deal(2), deal(2)]
    load(warehouse, *rows, complete=complete)
    before = deals(warehouse)
    with written(monkeypatch) as tables:
        assert counts(load(warehouse, *rows, complete=complete)) == (3, 0, 0, 2, 1, 0, 0, 2)
        assert tables == []
    pd.testing.assert_frame_equal(deals(warehouse), before)
    assert len(warehouse.read("select * from load_ledger where status = 'loaded'")) == 2


@pytest.mark.long
def test_a_quarter_is_not_compared_again_because_others_were_loaded_since(
    warehouse: Warehouse, monkeypatch
) -> None:
    first, second = QUARTERS
    load(warehouse, deal(1), deal(2), quarter=first)
    load(warehouse, deal(3), quarter=second)
    with written(monkeypatch) as tables:
        assert counts(load(warehouse, deal(1), deal(2), quarter=first)) == (2, 0, 0, 2, 0, 0, 0, 3)
        assert counts(load(warehouse, deal(3), quarter=second)) == (1, 0, 0, 1, 0, 0, 0, 3)
        assert tables == []


@pytest.mark.slow
def test_a_row_that_another_quarter_changed_since_is_compared_again(
    warehouse: Warehouse, monkeypatch
) -> None:
    first, second = QUARTERS
    load(warehouse, deal(1), deal(2), quarter=first)
    load(warehouse, deal(2, name="renamed"), quarter=second)
    with written(monkeypatch) as tables:
        assert load(warehouse, deal(1), deal(2), quarter=first).changed == 1
        assert tables == ["raw_zoho_crm__deals"]
    assert deals(warehouse)["name"].tolist() == ["Deal 1", "Deal 2"]


@pytest.mark.slow
def test_an_empty_load_is_logged_and_changes_nothing(warehouse: Warehouse, monkeypatch) -> None:
    load(warehouse, deal(1))
    with written(monkeypatch) as tables:
        assert counts(load(warehouse)) == (0, 0, 0, 0, 0, 0, 0, 1)
        assert tables == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "by_hand",
    [
        "update raw_zoho_crm__deals set name = 'by hand'",
        "delete from raw_zoho_crm__deals where _row_key = '1'",
        "update raw_zoho_crm__deals set _is_deleted = true where _row_key = '1'",
    ],
)
@pytest.mark.sweep
def test_a_table_edited_by_hand_is_restored(warehouse: Warehouse, by_hand: str) -> None:
    load(warehouse, deal(1), deal(2))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(by_hand)
    load(warehouse, deal(1), deal(2))
    table = deals(warehouse)
    assert table["name"].tolist() == ["Deal 1", "Deal 2"]
    assert not table["_is_deleted"].any()


@pytest.mark.slow
def test_a_dropped_table_is_recreated(warehouse: Warehouse) -> None:
    load(warehouse, deal(1))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("drop table raw_zoho_crm__deals")
    assert load(warehouse, deal(1)).new == 1
    load(warehouse)
    assert len(deals(warehouse)) == 1


@pytest.mark.long
def test_identical_rows_in_a_full_load_delete_the_others(warehouse: Warehouse) -> None:
    load(warehouse, deal(9))
    load(warehouse, deal(1), deal(2))
    load(warehouse, deal(1), deal(2))
    assert load(warehouse, deal(1), deal(2), complete=True).deleted == 1


@pytest.mark.slow
def test_a_quarantined_row_is_resolved_although_the_table_is_unchanged(warehouse: Warehouse) -> None:
    load(warehouse, deal(1), deal(2))
    assert load(warehouse, deal(2, currency="euro")).waiting
    assert load(warehouse, deal(1), deal(2)).waiting == []


@pytest.mark.slow
def test_an_unchanged_full_load_below_the_minimum_row_count_is_refused(
    warehouse: Warehouse, monkeypatch
) -> None:
    load(warehouse, deal(1), complete=True)
    monkeypatch.setattr(DEALS.entities["deals"], "min_rows", 2)
    with pytest.raises(ContractError, match="fewer than 2 rows"):
        load(warehouse, deal(1), complete=True)


@pytest.mark.slow
def test_rows_staged_at_a_checkpoint_are_published_although_the_rest_is_unchanged(
    warehouse: Warehouse, monkeypatch
) -> None:
    """The last batch only repeats the last load; the batch staged before it is new."""
    load(warehouse, deal(1))
    monkeypatch.setattr(loading, "STAGED_ROWS", 1)
    first, second = batch(deal(2), checkpoint="a"), batch(deal(1))
    assert load_entity(Listed([first, second]), DEALS, "deals", warehouse).new == 1
    assert deals(warehouse)["id"].tolist() == ["1", "2"]


@pytest.mark.slow
def test_a_row_deleted_in_the_last_load_is_restored_when_it_arrives_without_the_deletion(
    warehouse: Warehouse,
) -> None:
    load(warehouse, deal(1), deleted=("1",))
    assert load(warehouse, deal(1)).new == 1


@dataclass(frozen=True)
class Event:
    """A load of these deals with these names, or a change in between."""

    kind: Literal["load", "erase", "edit"]
    rows: tuple[tuple[int, str, bool], ...] = ()  # number, name, whether a rule is broken
    deleted: tuple[str, ...] = ()
    complete: bool = False
    quarter: Quarter = QUARTERS[0]


ROW = st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.sampled_from([False] * 5 + [True]))
LOAD = st.builds(
    Event,
    st.just("load"),
    st.lists(ROW, max_size=3).map(tuple),
    st.sampled_from([(), (), ("1",)]),
    st.booleans(),
    st.sampled_from(QUARTERS),
)
REPEATED = LOAD.flatmap(
    lambda event: st.sampled_from([[event], [event] * 2, [event, replace(event, deleted=())]])
)
OTHER = st.sampled_from([[Event("erase")], [Event("edit")]])
STORY = st.lists(st.one_of(REPEATED, REPEATED, REPEATED, OTHER), min_size=2, max_size=5).map(
    lambda parts: [event for part in parts for event in part]
)


def outcomes(warehouse: Warehouse, story: list[Event]) -> list[object]:
    """Everything a story leaves behind, without load ids and timestamps."""
    seen: list[object] = []
    for event in story:
        if event.kind == "load":
            rows = [
                deal(number, name=name, currency="euro" if bad else "EUR") for number, name, bad in event.rows
            ]
            try:
                how = {"complete": event.complete, "deleted": event.deleted, "quarter": event.quarter}
                result = load(warehouse, *rows, **how)
                seen.append((counts(result), result.waiting))
            except ContractError:
                seen.append("refused")
        elif warehouse.has_table("raw_zoho_crm__deals"):
            change = {
                "erase": "delete from {0} where id = '1'",
                "edit": "update {0} set name = 'c' where id = '2'",
            }
            with warehouse.transaction() as connection:
                connection.exec_driver_sql(change[event.kind].format("raw_zoho_crm__deals"))
        for table in ("raw_zoho_crm__deals", "raw_zoho_crm__deals_history"):
            if warehouse.has_table(table):
                query = f"select id, name, currency, _is_deleted, _source_ref from {table} order by all"
                seen.append(warehouse.records(query))
        if warehouse.has_table("quarantine"):
            quarantined = "select row_key, reason, resolved_at is null as waits from quarantine order by all"
            seen.append(warehouse.records(quarantined))
    return seen


@pytest.mark.exhaustive
@pytest.mark.deep
# Without shrinking: an example takes a second, and the stories are short.
@settings(max_examples=examples(3, 30), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(story=STORY)
def test_any_sequence_of_loads_ends_as_if_every_row_had_been_compared(story: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        quick = outcomes(Warehouse(f"duckdb:///{folder}/quick.duckdb", 5, 2), story)
        patched.setattr(loading._Load, "_nothing_to_write", lambda *_, **__: None)
        assert outcomes(Warehouse(f"duckdb:///{folder}/slow.duckdb", 5, 2), story) == quick
