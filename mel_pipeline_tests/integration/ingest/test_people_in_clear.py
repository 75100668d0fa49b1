"""A load that would store people as they are named is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import ContractError
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.row_processing import RowProcessing
from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.warehouse import Warehouse

PEOPLE = [
    ("attendance_lists", "attendances", "person"),
    ("zoho_crm", "contacts", "id"),
    ("zoho_people", "employees", "Zoho_ID"),
]


class Untouched:
    """A source that must not even be asked."""

    def pull(self, entity: str, **_: object) -> Pull:
        raise AssertionError(f"{entity} was pulled")


@pytest.mark.fault(172)
@pytest.mark.parametrize(("source", "entity", "column"), PEOPLE)
@pytest.mark.parametrize("given", [{}, {"processing": RowProcessing()}])
def test_people_are_never_stored_in_clear(tmp_path: Path, source, entity, column, given) -> None:
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
    with pytest.raises(
        ContractError, match=f"{entity}: .*{column}.* would be stored in clear. Nothing was loaded"
    ):
        load_entity(Untouched(), contract_of(source), entity, warehouse, **given)
    assert not warehouse.tables()
