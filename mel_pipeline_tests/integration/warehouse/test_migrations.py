"""Tables of an older version are migrated with their rows; those of a newer version are left alone."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.migrating import SCRIPTS, ensure_tables, upgraded, version_of
from mel_pipeline.warehouse.tables import HEAD, VERSION_TABLE, metadata
from mel_pipeline_tests.fixtures.interrupted import LATER_COLUMNS

OLD_LEDGER = """
    create table load_ledger (
        load_id text primary key, source text not null, entity text not null, quarter text,
        started_at timestamp not null, finished_at timestamp not null, status text not null, fetched bigint not null,
        new bigint not null, changed bigint not null, unchanged bigint not null, repeated bigint not null,
        quarantined bigint not null, deleted bigint not null, expected bigint, message text
    )
"""
OLD_ERASURE = """
    create table erasure (
        person text primary key, source text not null, erased_at timestamp not null, rows_removed bigint not null,
        reason text not null
    )
"""
AN_ERASURE = "insert into erasure values ('p1', 'zoho_crm', timestamp '2025-01-01 00:00:00', 3, 'request')"
A_LOAD = """
    insert into load_ledger values (
        'l1', 'zoho_crm', 'deals', null, timestamp '2025-01-01 00:00:00', timestamp '2025-01-01 00:00:01', 'loaded',
        3, 3, 0, 0, 0, 0, 0, null, null
    )
"""


@pytest.fixture
def warehouse(warehouse_url: str) -> Warehouse:
    return Warehouse(warehouse_url, 30)


def bring_up(warehouse: Warehouse) -> str | None:
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        return version_of(connection)


def execute(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.transaction() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def layout(warehouse: Warehouse) -> set[tuple[object, ...]]:
    rows = warehouse.records(
        "select table_name, column_name, data_type, is_nullable from information_schema.columns"
        " where table_schema = current_schema()"
    )
    return {tuple(row.values()) for row in rows if row["table_name"] != VERSION_TABLE}


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


@pytest.mark.slow
def test_migrations_end_at_the_layout_of_a_new_warehouse(warehouse: Warehouse, tmp_path: object) -> None:
    assert bring_up(warehouse) == HEAD
    new = layout(warehouse)
    assert len(new) > 150
    execute(warehouse, *(f"drop table {name}" for name in [VERSION_TABLE, *metadata.tables]))
    # With one table present it is not a new warehouse, so every migration runs.
    execute(warehouse, "create table kept_file (digest text primary key, content text not null)")
    assert bring_up(warehouse) == HEAD
    assert layout(warehouse) == new


@pytest.mark.slow
def test_alembic_finds_no_difference_between_tables_and_their_description(postgres_url: str) -> None:
    warehouse = Warehouse(postgres_url)
    bring_up(warehouse)
    with warehouse.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        connection.exec_driver_sql("alter table erasure drop column reason")
        assert compare_metadata(context, metadata) != [], "it would find one"


@pytest.mark.slow
def test_a_warehouse_from_before_migrations_gets_what_it_lacks_and_keeps_its_rows(
    warehouse: Warehouse,
) -> None:
    execute(warehouse, OLD_LEDGER, A_LOAD)
    assert bring_up(warehouse) == HEAD
    [row] = warehouse.records("select load_id, fetched, stored, corrected from load_ledger")
    assert row == {"load_id": "l1", "fetched": 3, "stored": None, "corrected": None}
    assert warehouse.has_table("publication_ledger") and warehouse.has_table("fingerprint")


@pytest.mark.slow
def test_a_warehouse_of_the_first_version_gets_the_tables_that_came_later(warehouse: Warehouse) -> None:
    bring_up(warehouse)
    execute(
        warehouse,
        "drop table fingerprint",
        "drop table data_origin",
        "drop table protected_numbers",
        "drop table erasure",
        OLD_ERASURE,
        AN_ERASURE,
        "alter table quarantine drop column lost",
        "alter table quarantine drop column seen_at",
        *LATER_COLUMNS,
        "insert into quarantine values ('f', 'l1', 'zoho_crm', 'deals', 'page 1', '7', 'amount', 'type', 'no number',"
        " '{}', timestamp '2025-01-01 00:00:00', null)",
        f"update {VERSION_TABLE} set version_num = '0001'",
        A_LOAD.replace("null, null\n", "null, null, null, null\n"),
    )
    assert bring_up(warehouse) == HEAD
    assert warehouse.columns("fingerprint")[0] == "subject"
    assert warehouse.columns("data_origin")[0] == "source"
    assert warehouse.records("select person, removed from erasure") == [{"person": "p1", "removed": None}]
    assert warehouse.columns("protected_numbers")[0] == "quarter"
    [waits] = warehouse.records("select lost, seen_at = quarantined_at as is_seen from quarantine")
    assert waits == {"lost": "row", "is_seen": True}
    assert len(warehouse.records("select * from load_ledger")) == 1


@pytest.mark.slow
def test_a_process_that_did_not_import_alembic_upgrades_a_file(tmp_path: Path) -> None:
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 30)
    execute(warehouse, OLD_LEDGER, A_LOAD)
    code = (
        "import sys; from mel_pipeline.warehouse import Warehouse; warehouse = Warehouse(sys.argv[1])\n"
        "assert len(warehouse.tables()) == 1 and 'alembic' not in sys.modules\n"
        "from mel_pipeline.warehouse.migrating import ensure_tables\n"
        "with warehouse.transaction() as connection: ensure_tables(connection)"
    )
    subprocess.run([sys.executable, "-c", code, warehouse.url], check=True, cwd=PROJECT, timeout=60)
    assert len(warehouse.tables()) > 10


def test_a_reader_finds_an_older_warehouse_in_this_versions_layout(warehouse: Warehouse) -> None:
    assert upgraded(warehouse).tables() == set(), "an empty one stays empty"
    bring_up(warehouse)
    execute(warehouse, *LATER_COLUMNS)
    execute(warehouse, "alter table quarantine drop column lost", "alter table quarantine drop column seen_at",
            "drop table fingerprint", "create table model_build (model text)", "create table check_outcome (subject text)",
            "drop table data_origin", "drop table protected_numbers", "drop table erasure", OLD_ERASURE,
            f"update {VERSION_TABLE} set version_num = '0003'")  # fmt: skip
    assert upgraded(warehouse).records("select lost, seen_at from quarantine") == []


def test_a_warehouse_that_a_newer_version_has_written_is_refused(warehouse: Warehouse) -> None:
    bring_up(warehouse)
    execute(warehouse, f"update {VERSION_TABLE} set version_num = '9000'")
    with pytest.raises(WarehouseError, match="written by a newer version of this package"):
        bring_up(warehouse)
    assert warehouse.records(f"select version_num from {VERSION_TABLE}") == [{"version_num": "9000"}]


@pytest.mark.slow
@pytest.mark.long
def test_runs_that_begin_at_once_on_an_old_warehouse_migrate_it_once(postgres_url: str) -> None:
    warehouse = Warehouse(postgres_url)
    execute(warehouse, OLD_LEDGER, A_LOAD)
    script = (
        "from mel_pipeline.warehouse import Warehouse\n"
        "from mel_pipeline.warehouse.migrating import ensure_tables, version_of\n"
        f"with Warehouse({postgres_url!r}, 60).transaction() as connection:\n"
        "    ensure_tables(connection)\n    print(version_of(connection))\n"
    )

    def start(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script], check=False, capture_output=True, text=True, cwd=PROJECT
        )

    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(start, range(3)))
    assert [(run.returncode, run.stdout.strip()) for run in ended] == [(0, HEAD)] * 3
    assert len(warehouse.records("select * from load_ledger")) == 1
    with warehouse.connect() as connection:
        assert connection.execute(sa.text(f"select count(*) from {VERSION_TABLE}")).scalar() == 1
