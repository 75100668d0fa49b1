"""Public figures are worked out again when something they follow from has changed, and only then."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.publication import release as module
from mel_pipeline.publication.release import Released, release
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.fingerprints import rows_digest
from mel_pipeline_tests.conftest import Organisation

CHANGES = {
    "a figure": "update indicator_values set numerator = numerator + 1, value = value + 1"
    " where indicator_id = 'TRN-03' and dimension = 'total' and period = '2024-Q2'",
    "the people behind figures": "update disclosure_people set people = 3 where period = '2024-Q3'",
    "a figure that is gone": "delete from indicator_values where period = '2024-Q1' and dimension <> 'total'",
    "a public figure, by hand": "update released_figures set value = 1 where indicator_id = 'MEM-01'",
    "public figures that were lost": "delete from released_figures where quarter = '2024-Q2'",
}


@pytest.fixture
def made(year_2024: Organisation, tmp_path: Path) -> Organisation:
    year_2024.warehouse.fold()
    shutil.copy(year_2024.settings.home / "warehouse.duckdb", tmp_path)
    settings = year_2024.settings.model_copy(update={"home": tmp_path, "warehouse_url": ""})
    return Organisation(settings, Warehouse(settings.database_url))


def outcome(warehouse: Warehouse, settings: Settings) -> tuple[Released, str]:
    done = release(warehouse, settings)
    with warehouse.connect() as connection:
        return done, rows_digest(connection, "released_figures")


def worked_out_again(warehouse: Warehouse, settings: Settings) -> tuple[Released, str]:
    """With nothing known from before."""
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from fingerprint where subject = 'release'")
    return outcome(warehouse, settings)


@pytest.mark.long
def test_public_figures_follow_each_change_as_if_nothing_were_known(
    made: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, settings = made.warehouse, made.settings
    before = outcome(warehouse, settings)
    worked_out: list[str] = []
    really = module._release

    def counting(warehouse: Warehouse, settings: Settings) -> Released:
        worked_out.append("again")
        return really(warehouse, settings)

    monkeypatch.setattr(module, "_release", counting)
    assert outcome(warehouse, settings) == before and not worked_out
    for name, change in CHANGES.items():
        with warehouse.transaction() as connection:
            assert connection.exec_driver_sql(change), name
        found = outcome(warehouse, settings)
        assert worked_out == ["again"], name
        assert found == outcome(warehouse, settings) and worked_out == ["again"], name
        assert found == worked_out_again(warehouse, settings), name
        worked_out.clear()
    stricter = settings.model_copy(update={"min_cell": 12})
    found = outcome(warehouse, stricter)
    assert worked_out and found[0].withheld > before[0].withheld
    assert found == worked_out_again(warehouse, stricter)
