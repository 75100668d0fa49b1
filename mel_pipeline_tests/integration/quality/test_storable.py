"""Values that cannot be stored or cast are quarantined, so that a cast in SQL cannot fail every model."""

from __future__ import annotations

import pytest

from mel_pipeline.core.contracts import Column, EntityContract, contract_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.sources.shared.base import Batch, frame_of
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.listed_source import Listed

ENTITY = EntityContract(
    title="T",
    description="D",
    grain="G",
    row_key=["id"],
    load="snapshot",
    columns={
        "id": Column(required=True),
        "text": Column(),
        "count": Column(type="integer"),
        "share": Column(type="number"),
        "day": Column(type="date"),
        "at": Column(type="datetime"),
    },
)
CONTRACT = contract_of("zoho_crm").model_copy(update={"entities": {"things": ENTITY}})
GOOD = {"text": "a", "count": "12", "share": "1e3", "day": "2024-02-29", "at": "2024-02-29T10:00:00Z"}
BAD = [
    ("day", "2024-02-31"), ("at", "2024-02-31T10:00:00+00:00"), ("at", "2023-02-29 10:00"), ("at", "2024-02-01T10:00junk"),
    ("at", "9999-12-31T23:59:59-14:00"), ("at", "0001-01-01T00:00:00+14:00"), ("count", "9" * 30), ("count", "-" + "9" * 30),
    ("share", "1e999"), ("share", "9" * 400), ("text", "a\x00b"), ("text", "x" * 100_001),
]  # fmt: skip
KEPT = ["x" * 50_000, "a\u2028b"]


@pytest.mark.slow
@pytest.mark.fault(41)
def test_a_value_that_no_column_can_store_is_quarantined_and_the_rest_can_be_cast(warehouse_url: str) -> None:
    warehouse = Warehouse(warehouse_url)
    rows = [{**GOOD, "id": f"{n:02}", column: text} for n, (column, text) in enumerate(BAD)]
    rows += [{**GOOD, "id": f"kept {n}", "text": text} for n, text in enumerate(KEPT)]
    rows.append({**GOOD, "id": "i" * 1_001})
    placed = [{**row, "_source_ref": f"row {row['id'][:9]}"} for row in rows]
    result = load_entity(Listed([Batch(frame_of(placed, ENTITY))]), CONTRACT, "things", warehouse)
    assert (result.new, result.lost_cells, result.quarantined) == (len(rows) - 1, len(BAD), 1)
    stored = warehouse.records("select * from raw_zoho_crm__things order by id")
    for (column, _), row in zip(BAD, stored, strict=False):
        assert {name: row[name] for name in GOOD} == GOOD | {column: None}
    assert [row["text"] for row in stored[len(BAD) :]] == KEPT
    warehouse.read(
        'select cast("count" as bigint), cast(share as double precision), cast("day" as date), cast("at" as timestamptz)'
        " from raw_zoho_crm__things"
    )
    waiting = warehouse.records("select column_name, reason from quarantine order by source_ref")
    assert [fault["column_name"] for fault in waiting] == [*(column for column, _ in BAD), "id"]
    assert not [fault for fault in waiting for _, text in BAD if text in fault["reason"]]
