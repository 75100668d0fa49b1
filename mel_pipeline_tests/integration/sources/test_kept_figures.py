"""A stored figure stays when its account can no longer be read, or the platform no longer gives that day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sources.shared.base import Batch, Pull, simple_pull
from mel_pipeline.sources.shared.platform.rows import Availability, Period, batch_of, metric_row
from mel_pipeline.warehouse import Warehouse

CONTRACT = contract_of("instagram")
Q4 = Quarter(2024, 4)


class Fixed:
    """A source that sends these views of two accounts."""

    def __init__(self, figures: Sequence[tuple[str, int | None, Availability]]) -> None:
        self._figures = figures

    def pull(
        self, entity: str, *, quarter: Quarter | None, cursor: str | None, checkpoint: str | None = None
    ) -> Pull:
        def batches() -> Iterator[Batch]:
            period = Period("quarter", date(2024, 10, 1), date(2025, 1, 1))
            rows = [
                metric_row(
                    "instagram", account, "views", period, value, f"account {account}", why_missing=why
                )
                for account, value, why in self._figures
            ]
            yield batch_of(rows, CONTRACT.entities[entity])

        return simple_pull(batches())


def load(warehouse: Warehouse, *figures: tuple[str, int | None, Availability]) -> LoadResult:
    return load_entity(Fixed(figures), CONTRACT, "periods", warehouse, quarter=Q4)


@pytest.mark.slow
@pytest.mark.behaviour("one_account", "instagram")
@pytest.mark.parametrize("lost", ["no_access", "not_offered"])
@pytest.mark.sweep("duckdb-no_access")
def test_a_figure_stays_when_it_cannot_be_had_any_more_and_changes_when_it_can(
    warehouse_url: str, lost: Availability
) -> None:
    warehouse = Warehouse(warehouse_url, 10)
    load(warehouse, ("1", 40, "no_data"), ("2", None, "no_data"))
    result = load(warehouse, ("1", None, lost), ("2", None, lost))
    assert (result.changed, result.unchanged) == (1, 1)
    stored = "select account_id, value, availability from raw_platforms__metrics order by 1"
    assert warehouse.records(stored) == [
        {"account_id": "1", "value": "40", "availability": "given"},
        {"account_id": "2", "value": None, "availability": lost},
    ]
    load(warehouse, ("1", 50, "no_data"), ("2", 7, "no_data"))
    load(warehouse, ("1", None, "no_data"))  # the platform says that there is nothing: that is an answer
    assert warehouse.records(stored) == [
        {"account_id": "1", "value": None, "availability": "no_data"},
        {"account_id": "2", "value": "7", "availability": "given"},
    ]
