"""Loads: all or nothing, and the same result however often they are repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.core.errors import ContractError
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.privacy import Pseudonyms
from mel_pipeline.ingest.raw_tables import recent_drift
from mel_pipeline.ingest.row_processing import RowProcessing
from mel_pipeline.sources.shared.base import Batch, Rejected, frame_of
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.fixtures.listed_source import DEALS, Listed, batch, deal, deals


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, 1)


@pytest.mark.slow
@pytest.mark.fault(17)
def test_the_same_load_twice_changes_nothing(warehouse: Warehouse) -> None:
    source = Listed([batch(deal(1), deal(2))], cursor="a")
    first = load_entity(source, DEALS, "deals", warehouse)
    before = deals(warehouse)
    second = load_entity(source, DEALS, "deals", warehouse)
    assert (first.new, second.new, second.changed, second.unchanged) == (2, 0, 0, 2)
    pd.testing.assert_frame_equal(before, deals(warehouse))


@pytest.mark.slow
def test_every_row_read_is_loaded_unchanged_repeated_or_quarantined(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), DEALS, "deals", warehouse)
    rejected = Rejected("page 2", "9", "amount", "no number", "{}")
    result = load_entity(
        Listed([batch(deal(1), deal(2), deal(2), deal(3, stage="?"), rejected=(rejected,))]),
        DEALS,
        "deals",
        warehouse,
    )
    assert (
        result.fetched
        == 5
        == result.new + result.changed + result.unchanged + result.repeated + result.quarantined
    )
    assert (result.new, result.unchanged, result.repeated, result.quarantined) == (1, 1, 1, 2)
    assert result.sentence == "5 rows read, 1 new, 0 changed, 1 duplicate, 2 quarantined."


@pytest.mark.slow
@pytest.mark.long
def test_pages_in_any_order_or_split_give_the_same_table(tmp_path: Path) -> None:
    rows = [deal(number) for number in range(1, 8)]
    splits = [
        [batch(*rows)],
        [batch(*rows[4:]), batch(*rows[:4])],
        [batch(row) for row in rows] + [batch(*rows[2:5])],
    ]
    tables = []
    for number, batches in enumerate(splits):
        made = Warehouse(f"duckdb:///{tmp_path / f'{number}.duckdb'}")
        load_entity(Listed(batches), DEALS, "deals", made)
        tables.append(deals(made).drop(columns=["_load_id", "_loaded_at"]))
    for table in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], table)


@pytest.mark.slow
def test_a_bad_row_is_quarantined_with_page_key_and_reason_and_the_good_ones_load(
    warehouse: Warehouse,
) -> None:
    load_entity(Listed([batch(deal(1), deal(2, stage="Maybe", amount="many"))]), DEALS, "deals", warehouse)
    quarantined = warehouse.read(
        "select source_ref, row_key, column_name, rule, reason from quarantine order by column_name"
    )
    assert quarantined.values.tolist() == [
        ["page 1", "2", "amount", "type", "amount is not a number"],
        [
            "page 1",
            "2",
            "stage",
            "allowed",
            "stage 'Maybe' is not one of: Prospect, Negotiation, Signed, Lost",
        ],
    ]
    assert list(deals(warehouse)["_row_key"]) == ["1"]


def faults(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    """Key, column and what was lost for every unresolved quarantine entry."""
    rows = warehouse.records(
        "select row_key, column_name, lost from quarantine where resolved_at is null order by row_key, column_name"
    )
    return [(row["row_key"], row["column_name"], row["lost"]) for row in rows]


@pytest.fixture
def on_each_engine(warehouse_url: str) -> Warehouse:
    return Warehouse(warehouse_url, 30)


@pytest.mark.slow
def test_an_unreadable_cell_is_left_empty_in_its_row_until_a_readable_value_arrives(
    on_each_engine: Warehouse,
) -> None:
    warehouse = on_each_engine
    load_entity(Listed([batch(deal(1, amount="5"), deal(2, amount="many"))]), DEALS, "deals", warehouse)
    assert deals(warehouse)["amount"].fillna("").tolist() == ["5", ""]
    assert faults(warehouse) == [("2", "amount", "cell")]
    again = load_entity(Listed([batch(deal(2, amount="-1"))]), DEALS, "deals", warehouse)
    assert (again.quarantined, again.lost_cells, again.unchanged) == (0, 1, 1)
    assert again.waiting == ["page 1: amount is outside 0 and more"], "what was wrong before no longer is"
    load_entity(Listed([batch(deal(2, amount="7"))]), DEALS, "deals", warehouse)
    assert (deals(warehouse)["amount"].tolist(), faults(warehouse)) == (["5", "7"], [])


@pytest.mark.slow
def test_a_row_that_lacks_an_essential_cell_is_quarantined_with_all_its_faults(
    on_each_engine: Warehouse,
) -> None:
    rows = [deal(1, currency="euro", amount="many"), deal(2), deal(3, id="three", amount="some")]
    result = load_entity(Listed([batch(*rows)], complete=True), DEALS, "deals", on_each_engine)
    assert (result.new, result.quarantined, result.lost_cells) == (1, 2, 0)
    assert faults(on_each_engine) == [("1", "amount", "row"), ("1", "currency", "row"), ("three", "amount", "row"), ("three", "id", "row")]  # fmt: skip


@pytest.mark.slow
def test_changing_a_rule_changes_what_is_quarantined(on_each_engine: Warehouse) -> None:
    rows = [deal(number, amount=str(number)) for number in range(1, 6)]
    for most, lost in ((None, []), (3, ["4", "5"]), (4, ["5"])):
        contract = DEALS.model_copy(deep=True)
        contract.entities["deals"].columns["amount"].maximum = most
        load_entity(Listed([batch(*rows)]), contract, "deals", on_each_engine)
        assert [key for key, _, _ in faults(on_each_engine)] == lost


@pytest.mark.slow
def test_a_malformed_person_id_is_caught_although_only_its_pseudonym_is_staged(
    on_each_engine: Warehouse,
) -> None:
    stamp = dict.fromkeys(("created_at", "modified_at"), "2024-01-01T10:00:00+01:00")
    people = [{"id": name, "gender": None, "_source_ref": "page 1", **stamp} for name in ("71", "Anna Lopez")]
    frame = frame_of(people, DEALS.entities["contacts"])
    processing = RowProcessing((), Pseudonyms(b"k" * 32))
    result = load_entity(Listed([Batch(frame)]), DEALS, "contacts", on_each_engine, processing=processing)
    assert (result.new, result.quarantined) == (1, 1)
    [waits] = on_each_engine.records("select row_key, column_name, rule, payload from quarantine")
    assert (waits["column_name"], waits["rule"]) == ("id", "pattern")
    assert "Lopez" not in waits["payload"] and waits["row_key"] in waits["payload"]


@pytest.mark.slow
def test_a_quarantined_row_is_resolved_by_a_valid_version_and_not_duplicated_by_another_bad_one(
    warehouse: Warehouse,
) -> None:
    bad = Listed([batch(deal(1), deal(2, stage="Maybe"))])
    load_entity(bad, DEALS, "deals", warehouse)
    load_entity(bad, DEALS, "deals", warehouse)
    assert warehouse.read("select resolved_at from quarantine")["resolved_at"].isna().tolist() == [True]
    load_entity(Listed([batch(deal(2, stage="Lost"))]), DEALS, "deals", warehouse)
    assert warehouse.read("select resolved_at from quarantine")["resolved_at"].isna().tolist() == [False]


@pytest.mark.slow
def test_a_deleted_record_becomes_a_tombstone_and_a_restored_one_is_active_again(
    warehouse: Warehouse,
) -> None:
    load_entity(Listed([batch(deal(1), deal(2))]), DEALS, "deals", warehouse)
    assert load_entity(Listed([batch(deleted=("2", "77"))]), DEALS, "deals", warehouse).deleted == 1
    assert deals(warehouse)["_is_deleted"].tolist() == [False, True]
    load_entity(Listed([batch(deal(2))]), DEALS, "deals", warehouse)
    assert deals(warehouse)["_is_deleted"].tolist() == [False, False]


def versions(warehouse: Warehouse) -> list[tuple[str, str | None, bool]]:
    """Key, stage and tombstone of every version kept, oldest first."""
    kept = warehouse.read("select * from raw_zoho_crm__deals_history order by _row_key, _changed_at")
    return [(row["_row_key"], row["stage"], row["_is_deleted"]) for row in kept.to_dict("records")]


@pytest.mark.slow
def test_every_version_of_a_row_is_kept_with_the_time_it_changed_at_the_source(
    warehouse: Warehouse,
) -> None:
    may, june, july = (f"2024-0{month}-01T10:00:00+02:00" for month in (5, 6, 7))
    load_entity(Listed([batch(deal(1, stage="Prospect", modified_at=may))]), DEALS, "deals", warehouse)
    load_entity(Listed([batch(deal(1, stage="Signed", modified_at=june))]), DEALS, "deals", warehouse)
    load_entity(Listed([batch(deal(1, stage="Signed", modified_at=june))]), DEALS, "deals", warehouse)
    gone = datetime.fromisoformat(july)
    load_entity(Listed([batch(deleted={"1": gone})]), DEALS, "deals", warehouse)
    assert versions(warehouse) == [("1", "Prospect", False), ("1", "Signed", False), ("1", "Signed", True)]
    as_of_june = warehouse.read(
        "select stage from raw_zoho_crm__deals_history where _changed_at <= timestamp '2024-06-15'"
        " order by _changed_at desc limit 1"
    )
    assert as_of_june["stage"].item() == "Signed"
    stored = deals(warehouse)
    assert str(stored["_changed_at"].item()) == "2024-07-01 08:00:00", "an instant, in UTC"


@pytest.mark.slow
def test_a_record_deleted_after_it_was_read_in_the_same_load_is_gone(warehouse: Warehouse) -> None:
    read = deal(1, modified_at="2024-05-01T10:00:00+02:00")
    gone = {"1": datetime.fromisoformat("2024-05-01T08:00:01+00:00")}
    load_entity(Listed([batch(read), batch(deleted=gone)]), DEALS, "deals", warehouse)
    assert deals(warehouse).empty or deals(warehouse)["_is_deleted"].tolist() == [True]


@pytest.mark.slow
def test_a_record_restored_after_deletion_is_active_whichever_arrives_first(warehouse: Warehouse) -> None:
    gone = {"1": datetime.fromisoformat("2024-05-01T08:00:00+00:00")}
    load_entity(Listed([batch(deal(1))]), DEALS, "deals", warehouse)
    again = deal(1, modified_at="2024-05-01T10:00:01+02:00")
    load_entity(Listed([batch(again), batch(deleted=gone)]), DEALS, "deals", warehouse)
    assert deals(warehouse)["_is_deleted"].tolist() == [False]


@pytest.mark.slow
def test_an_older_version_that_arrives_late_changes_nothing(warehouse: Warehouse) -> None:
    new, old = "2024-05-02T10:00:00+02:00", "2024-05-01T23:00:00+05:30"
    load_entity(Listed([batch(deal(1, stage="Signed", modified_at=new))]), DEALS, "deals", warehouse)
    late = load_entity(Listed([batch(deal(1, stage="Prospect", modified_at=old))]), DEALS, "deals", warehouse)
    assert (late.changed, late.unchanged) == (0, 1)
    assert deals(warehouse)["stage"].tolist() == ["Signed"]


@pytest.mark.slow
def test_rows_missing_from_a_full_load_are_deleted_but_quarantined_ones_are_not(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1), deal(2), deal(3))]), DEALS, "deals", warehouse)
    full = Listed([batch(deal(1), deal(3, stage="Maybe"))], complete=True)
    assert load_entity(full, DEALS, "deals", warehouse).deleted == 1
    assert deals(warehouse)["_is_deleted"].tolist() == [False, True, False]


@pytest.mark.slow
def test_an_empty_full_load_is_refused_and_deletes_nothing(warehouse: Warehouse) -> None:
    load_entity(Listed([batch(deal(1))]), DEALS, "deals", warehouse)
    with pytest.raises(ContractError, match="does not mean an empty organisation"):
        load_entity(Listed([], complete=True), DEALS, "deals", warehouse)
    assert deals(warehouse)["_is_deleted"].tolist() == [False]
    failed = warehouse.read("select status from load_ledger order by started_at")["status"].tolist()
    assert failed == ["loaded", "failed"]


@pytest.mark.slow
def test_new_removed_and_retyped_fields_are_recorded_once(warehouse: Warehouse) -> None:
    before = {"Stage": "picklist", "Amount": "currency", "Note": "text"}
    after = {"Stage": "text", "Amount": "currency", "Donor": "lookup"}
    for schema in (before, before, after, after):
        load_entity(Listed([batch(deal(1))], schema=schema), DEALS, "deals", warehouse)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert recent_drift(warehouse, "zoho_crm", "deals") == [
        f"Donor is new (lookup), seen on {today}.",
        f"Note is gone (was text), seen on {today}.",
        f"Stage changed from picklist to text, seen on {today}.",
    ]
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=31)
    assert recent_drift(warehouse, "zoho_crm", "deals", later) == []


@pytest.mark.slow
def test_the_whole_sample_loads_and_a_second_load_reads_almost_nothing(organisation: Organisation) -> None:
    first = organisation.load("zoho_crm", "contacts")
    second = organisation.load("zoho_crm", "contacts")
    assert (first.new, first.quarantined) == (4321, 0)
    assert second.fetched < 20 and second.new == second.changed == 0


@pytest.mark.slow
def test_personal_data_of_a_survey_never_reaches_the_warehouse(organisation: Organisation) -> None:
    organisation.load("survey_files", "responses")
    text = organisation.warehouse.read("select * from raw_surveys__responses").to_csv()
    text += organisation.warehouse.read("select * from quarantine").to_csv()
    assert "@example.org" not in text and "192.0.2." not in text and "Mozilla" not in text
    assert "survey.example.org" not in text


@pytest.mark.long
def test_a_load_too_large_for_its_memory_limit_is_published_with_a_higher_one(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mel_pipeline.ingest.load.MEMORY_MB", 2)
    rows = [deal(number, name=f"{number} " + "x" * 200) for number in range(6_000)]
    assert load_entity(Listed([batch(*rows)]), DEALS, "deals", warehouse).new == 6_000
