"""The warehouse on a real PostgreSQL server: the same figures as on DuckDB, several runs at once, restarts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.publication.provenance import explain
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline.reporting.inputs.site_data import read_site
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.warehouse import Warehouse, engine
from mel_pipeline_tests.conftest import Organisation, collect_and_calculate, organisation_in
from mel_pipeline_tests.fixtures.listed_source import DEALS, Listed, batch, deal
from mel_pipeline_tests.fixtures.organisation import Small, event, member, organisation
from mel_pipeline_tests.fixtures.postgres import OWNER, PASSWORD, Server, postgres_server
from mel_pipeline_tests.unit.quality.test_quality_rules import check, stored_in

# Timestamps and ids that differ between any two runs.
MOMENTS = {
    "_load_id", "_loaded_at", "load_id", "started_at", "finished_at", "calculated_at", "calculation_id",
    "quarantined_at", "seen_at", "cursor", "first_used_at",
}  # fmt: skip


def _rows(warehouse: Warehouse, table: str) -> list[str]:
    rows = warehouse.records(f"select * from {table}")
    return sorted(repr({k: v for k, v in row.items() if k not in MOMENTS}) for row in rows)


@pytest.mark.slow
@pytest.mark.long
def test_every_table_of_a_year_holds_the_same_rows_as_on_duckdb(
    year_2024: Organisation, sandbox: Sandbox, postgres_url: str, tmp_path: Path
) -> None:
    plain = organisation_in(tmp_path, sandbox)
    settings = plain.settings.model_copy(update={"warehouse_url": postgres_url})
    shutil.copytree(
        year_2024.settings.secrets_dir, settings.secrets_dir
    )  # the same key gives the same pseudonyms
    made = Organisation(settings, Warehouse(postgres_url, 10))
    collect_and_calculate(made)
    ours, theirs = made.warehouse.tables(), year_2024.warehouse.tables()
    assert ours == theirs
    # What models and checks were made of is noted as the engine writes rows.
    tables = sorted(ours - {"fingerprint"})
    here, there = ({t: _rows(of.warehouse, t) for t in tables} for of in (made, year_2024))
    assert [(t, set(here[t]) ^ set(there[t])) for t in tables if here[t] != there[t]] == []
    assert len(_rows(made.warehouse, "released_figures")) > 800
    for indicator in catalogue_of(settings).indicators:
        ours_of = explain(made.warehouse, settings, indicator.id, "2024-Q4")
        theirs_of = explain(year_2024.warehouse, year_2024.settings, indicator.id, "2024-Q4")
        assert ours_of.records == theirs_of.records, indicator.id
    assert read_site(made.warehouse, settings).edition.figures.equals(
        read_site(year_2024.warehouse, year_2024.settings).edition.figures
    )


@pytest.fixture
def small(tmp_path: Path, postgres_url: str) -> Small:
    made = organisation(tmp_path)
    return replace(
        made,
        settings=made.settings.model_copy(update={"warehouse_url": postgres_url}),
        warehouse=Warehouse(postgres_url, 30),
    )


@pytest.mark.slow
@pytest.mark.long
def test_a_quarter_is_published_restated_and_rebuilt_byte_for_byte(small: Small) -> None:
    small.load("accounts", [member(n) for n in range(1, 6)])
    small.load("events", [event(1)])
    small.load_the_rest()
    small.calculate("2024-Q4")
    small.publish("2024-Q4")
    small.load("events", [event(1, status="Cancelled", modified_at="2025-01-20T00:00:00+00:00")])
    small.calculate("2024-Q4")
    sentences = [item.sentence for item in small.restated("2024-Q4")]
    assert "LAB-01 2024-Q4 total: published 1, now 0; -1 by correction." in sentences
    assert rebuild(small.warehouse, "2024-Q4").identical
    left = small.warehouse.records("select 1 from pg_tables where tablename like '%scratch%'")
    assert left == []


@pytest.mark.slow
@pytest.mark.fault(7)
@pytest.mark.long
def test_runs_of_the_same_and_of_different_quarters_at_once_end_as_one_after_another(small: Small) -> None:
    """Concurrent readers see old rows or new ones: never none, never an error."""
    quarters = ["2024-Q3", "2024-Q4", "2024-Q4", "2024-Q3"]
    small.load("accounts", [member(n) for n in range(1, 20)])
    small.load_the_rest()
    for quarter in ("2024-Q3", "2024-Q4"):
        small.calculate(quarter)
    before = _rows(small.warehouse, "indicator_values")
    ended, seen, met = threading.Event(), [], []

    def read() -> None:
        reader = Warehouse(small.warehouse.url)
        while not ended.is_set():
            try:
                row = reader.records(
                    "select (select count(*) from indicator_values) as figures,"
                    " (select count(*) from dim_member) as members, (select count(*) from stg_zoho_crm__accounts) as raw"
                )[0]
                seen.append(tuple(row.values()))
            except Exception as error:
                met.append(error)

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for run in [pool.submit(small.calculate, quarter) for quarter in quarters]:
            run.result()
        ended.set()
        for reader in readers:
            reader.result()
    assert met == []
    assert len(seen) > 20
    assert set(seen) == {(len(before), 19, 19)}
    assert _rows(small.warehouse, "indicator_values") == before


@pytest.mark.fault(7)
@pytest.mark.long
def test_loads_of_one_table_at_once_write_every_row_once_and_every_load_into_the_ledger(
    postgres_url: str,
) -> None:
    def load(number: int) -> Any:
        rows = [deal(n, name=f"Deal {n} of load {number}") for n in range(1, 200)]
        return load_entity(
            Listed([batch(*rows)], cursor=str(number)), DEALS, "deals", Warehouse(postgres_url, 30)
        )

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(load, range(4)))
    warehouse = Warehouse(postgres_url)
    keys = warehouse.records(
        "select count(*) as n, count(distinct _row_key) as keys from raw_zoho_crm__deals"
    )[0]
    assert keys == {"n": 199, "keys": 199}
    assert sum(result.new for result in results) == 199
    assert len(warehouse.records("select * from load_ledger where status = 'loaded'")) == 4


@pytest.mark.slow
def test_a_second_writer_that_times_out_gets_a_clear_error_and_readers_do_not_wait(postgres_url: str) -> None:
    with Warehouse(postgres_url).transaction() as connection:
        connection.exec_driver_sql("create table t (n integer)")
        with (
            pytest.raises(WarehouseError, match="another run has been writing it for 1 seconds"),
            Warehouse(postgres_url, 1).transaction(),
        ):
            pass
        assert Warehouse(postgres_url, 1).tables() == set()
    assert Warehouse(postgres_url).tables() == {"t"}


@pytest.fixture
def own_server(postgres_data: Path) -> Iterator[Server]:
    """A server that a test may stop."""
    with postgres_server(postgres_data) as server:
        yield server


class Interrupted(Listed):
    """A source that runs a callback in the middle of its response."""

    def __init__(self, *args: Any, between: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.between = between

    def pull(self, *args: Any, **kwargs: Any) -> Pull:
        pull = super().pull(*args, **kwargs)

        def given():
            for number, each in enumerate(self.batches):
                if number == 1:
                    self.between()
                yield each

        return replace(pull, batches=given())


@pytest.mark.slow
@pytest.mark.fault(6)
def test_a_server_that_restarts_between_batches_or_within_a_transaction_costs_no_row(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mel_pipeline.ingest.load.STAGED_ROWS", 2)
    url = own_server.database()

    def restart() -> None:
        own_server.stop()
        own_server.start()

    batches = [batch(deal(1), deal(2), checkpoint="a"), batch(deal(3), deal(4), checkpoint="b")]
    first = load_entity(Interrupted(batches, between=restart), DEALS, "deals", Warehouse(url, 20))
    assert (first.new, first.repeated) == (4, 0)

    # A lock on the quarantine table makes the next load wait in the middle of its transaction.
    blocker = psycopg.connect(url)
    blocker.execute("lock table quarantine in access exclusive mode")

    def restart_when_it_waits() -> None:
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'mel'"
        for _ in range(200):
            if own_server.execute(waiting)[0][0]:
                break
            threading.Event().wait(0.05)
        restart()

    thread = threading.Thread(target=restart_when_it_waits)
    thread.start()
    second = load_entity(
        Listed([batch(deal(1, name="Another"), deal(5))]), DEALS, "deals", Warehouse(url, 20)
    )
    thread.join()
    blocker.close()
    assert (second.new, second.changed, second.repeated) == (1, 1, 0), "tried again, and written once"
    rows = Warehouse(url).records("select name from raw_zoho_crm__deals order by _row_key")
    assert [row["name"] for row in rows] == ["Another", "Deal 2", "Deal 3", "Deal 4", "Deal 5"]
    assert len(Warehouse(url).records("select * from load_ledger")) == 2


@pytest.mark.slow
@pytest.mark.fault(6)
@pytest.mark.long
def test_a_server_that_stays_down_is_an_error_and_the_next_run_resumes_with_nothing_half_written(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mel_pipeline.ingest.load.STAGED_ROWS", 2)
    url = own_server.database()
    batches = [batch(deal(1), deal(2), checkpoint="a"), batch(deal(3), deal(4), checkpoint="b")]
    with pytest.raises(WarehouseError, match="the server cannot be reached") as failed:
        load_entity(Interrupted(batches, between=own_server.stop), DEALS, "deals", Warehouse(url, 1))
    assert PASSWORD not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)
    own_server.start()
    assert not Warehouse(url).has_table("raw_zoho_crm__deals")
    going_on = Listed(batches[1:])
    result = load_entity(going_on, DEALS, "deals", Warehouse(url, 20))
    assert (going_on.resumed_at, result.new, result.repeated) == ("a", 4, 0)


@pytest.mark.slow
def test_a_commit_whose_confirmation_was_lost_counts_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after the server has committed: a retry must not load twice."""
    whole = Warehouse.transaction
    lost = []

    @contextmanager
    def breaking(self: Warehouse, memory_mb: int | None = None) -> Iterator[Any]:
        with whole(self, memory_mb) as connection:
            yield connection
        if not lost:
            lost.append(True)
            raise engine.LostError("the answer did not come")

    monkeypatch.setattr(Warehouse, "transaction", breaking)
    warehouse = Warehouse(postgres_url)
    result = load_entity(Listed([batch(deal(1), deal(2))], complete=True), DEALS, "deals", warehouse)
    assert lost
    assert result.new == 2
    assert len(warehouse.records("select * from load_ledger")) == 1
    assert [
        row["_is_deleted"] for row in warehouse.records("select _is_deleted from raw_zoho_crm__deals")
    ] == [
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong-secret"}, "refused user or password"),
        ({"user": "nobody_here"}, "refused user or password"),
        ({"database": "not_there"}, "no such database"),
    ],
)
def test_a_wrong_url_is_reported_without_password_or_address(
    postgres: Server, change: dict[str, str], said: str
) -> None:
    url = postgres.url(**{"database": "postgres", **change})
    with pytest.raises(WarehouseError, match=said) as failed:
        Warehouse(url, 1).tables()
    text = repr(failed.value) + str(failed.value.__cause__)
    for secret in (PASSWORD, "wrong-secret", "127.0.0.1", str(postgres.port)):
        assert secret not in text


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_usual_way_to_write_the_url_works(postgres_url: str, scheme: str) -> None:
    assert Warehouse(postgres_url.replace("postgresql", scheme, 1)).tables() == set()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["a password of any signs", "a socket"])
def test_great_expectations_checks_tables_however_the_server_is_reached(
    postgres: Server, postgres_url: str, way: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    if way == "a socket":
        url = f"postgresql://{OWNER}:{PASSWORD}@/{name}?host={postgres.folder}&port={postgres.port}"
    else:
        password = "p@ss:w/$HOME ${x} %40?#'é"
        quoted = password.replace("'", "''")
        postgres.execute(f"create role {name} login superuser password '{quoted}'")
        url = postgres.url(name, name, quote(password, safe=""))
    warehouse = stored_in(Warehouse(url, 5), {"id": "1"}, {"id": "2", "part_of": "9"})
    verdict = check(warehouse)
    assert verdict.counts["rows"] == 2
    assert [rule.name for rule in verdict.rules if not rule.passed] == ["reference part_of"]
    with psycopg.connect(postgres_url) as connection:
        others = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
        ).fetchone()
    assert others == (1,), "no connection is left open"


def test_sessions_use_utc_whatever_the_server_is_set_to(postgres: Server, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"alter database {name} set timezone to 'Asia/Tokyo'")
    row = Warehouse(postgres_url).records(
        "select cast(cast('2024-12-31T23:30:00+00:00' as timestamp with time zone) as text) as moment"
    )[0]
    assert row["moment"] == "2024-12-31 23:30:00+00"
    with Warehouse(postgres_url).transaction() as connection:
        connection.exec_driver_sql("create table t (moment timestamp)")
        connection.exec_driver_sql("insert into t values ('2024-12-31 23:30:00')")
    assert Warehouse(postgres_url).records("select moment from t") == [
        {"moment": datetime(2024, 12, 31, 23, 30)}
    ]
