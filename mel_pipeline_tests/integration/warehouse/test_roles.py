"""Least-privilege roles on a real server: the writer runs the pipeline, the reader sees what anybody may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.errors import MelError
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.roles import FOR_READERS, READER, WRITER
from mel_pipeline_tests.fixtures.organisation import Small, event, member, organisation
from mel_pipeline_tests.fixtures.postgres import Server

LOGINS = ("nightly", "viewer")
SHOWN = {
    *FOR_READERS, "dim_indicator", "dim_period", "dim_region", "dim_target", "dim_line_of_action", "dim_member", "dim_event",
    "dim_translation", "dim_project", "dim_logframe",
}  # fmt: skip


@pytest.fixture
def server(postgres: Server) -> Iterator[Server]:
    """Roles belong to the whole server, so they are dropped after the test's databases."""
    yield postgres
    postgres.execute(*(f"drop role if exists {name}" for name in (*LOGINS, WRITER, READER)))


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    made = server.database()
    yield made
    server.drop(made)


@pytest.fixture
def make_roles(
    url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    def make(*more: str) -> str:
        monkeypatch.setenv("MEL_WAREHOUSE_URL", url)
        monkeypatch.setenv("MEL_HOME", str(tmp_path))
        arguments = ["warehouse", "roles", "--writer", "nightly", "--reader", "viewer", *more]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        if "--print" not in more:
            server.execute(*(f"alter role {name} password 'word of {name}'" for name in LOGINS))
        return result.output

    return make


def as_login(url: str, name: str) -> str:
    """The same database, logged in as another."""
    place = url.rpartition("@")[2]
    return f"postgresql://{name}:word%20of%20{name}@{place}"


def small_on(url: str, folder: Path) -> Small:
    made = organisation(folder)
    settings = made.settings.model_copy(update={"warehouse_url": url})
    return replace(made, settings=settings, warehouse=Warehouse(url, 10))


def readable(url: str) -> set[str]:
    """Every table and view that this login can actually select from."""
    seen = set()
    with psycopg.connect(url, autocommit=True) as connection:
        names = connection.execute("select relname from pg_class where relkind in ('r', 'v')"
                                   " and relnamespace = 'public'::regnamespace").fetchall()  # fmt: skip
        for (name,) in names:
            try:
                connection.execute(f'select 1 from public."{name}" limit 1')
                seen.add(name)
            except psycopg.errors.InsufficientPrivilege:
                continue
    assert len(names) > 60
    return seen


@pytest.mark.slow
@pytest.mark.long
def test_the_writer_can_do_all_of_the_pipeline_and_the_reader_sees_only_what_is_named_for_readers(
    url: str, make_roles: Callable[..., str], tmp_path: Path
) -> None:
    make_roles()
    small = small_on(as_login(url, "nightly"), tmp_path)
    small.load("accounts", [member(n) for n in range(1, 6)])
    small.load("events", [event(1)])
    small.load_the_rest()
    small.calculate("2024-Q4")
    small.publish("2024-Q4")
    assert readable(as_login(url, "viewer")) == set(FOR_READERS), "no model is shown by itself"

    make_roles()
    assert readable(as_login(url, "viewer")) == SHOWN
    reader = Warehouse(as_login(url, "viewer"), 5)
    rows = reader.records("select value from published_figures where indicator_id = 'MEM-01' and period = '2024-Q4'"
                          " and dimension = 'total'")  # fmt: skip
    assert rows == [{"value": 5}]
    for attempt in (
        "delete from published_figures",
        "create table mine (n integer)",
        "update dim_member set region = 'x'",
        "select details from publication_ledger",  # who was signed in
    ):
        with pytest.raises(Exception, match="permission denied"), reader.connect() as connection:
            connection.exec_driver_sql(attempt)
    with (
        psycopg.connect(as_login(url, "nightly")) as writer,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        writer.execute("create role another")

    # Rebuilt tables keep the readers' grants, even when their columns have changed.
    with Warehouse(as_login(url, "nightly")).transaction() as connection:
        connection.exec_driver_sql("alter table dim_member add column more integer")
    small.load("accounts", [member(6)])
    small.calculate("2024-Q4")
    assert readable(as_login(url, "viewer")) == SHOWN
    owners = small.warehouse.records("select distinct tableowner from pg_tables where schemaname = 'public'")
    assert owners == [{"tableowner": WRITER}], "whichever writer created it"


@pytest.mark.slow
@pytest.mark.long
def test_tables_that_were_there_before_the_roles_go_to_the_writer(
    url: str, make_roles: Callable[..., str], tmp_path: Path
) -> None:
    before = small_on(url, tmp_path)
    before.load("accounts", [member(1)])
    before.calculate("2024-Q4")
    make_roles()
    after = small_on(as_login(url, "nightly"), tmp_path)
    after.load("accounts", [member(2)])
    after.calculate("2024-Q4")
    assert after.figure("MEM-01", "2024-Q4") == 2


@pytest.mark.slow
def test_the_sql_can_be_read_first_and_holds_no_password(
    url: str, server: Server, make_roles: Callable[..., str]
) -> None:
    said = make_roles("--print")
    assert "grant mel_writer to nightly" in said and "password" not in said
    assert server.execute(
        "select count(*) from pg_roles where rolname like 'mel_%er' and rolname <> 'mel_owner'"
    ) == [(0,)]


@pytest.mark.slow
def test_a_file_has_no_roles_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["warehouse", "roles"])
    assert isinstance(result.exception, MelError)
    assert "anyone who may read the file reads all of it" in str(result.exception)


@pytest.mark.slow
def test_a_layout_can_be_upgraded_by_hand(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_WAREHOUSE_URL", url)
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    for _ in range(2):
        result = CliRunner().invoke(app, ["upgrade"])
        assert result.exit_code == 0 and "the latest" in result.output
