"""Where databases differ: SQL that models may use because every engine agrees, and SQL they may not, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.warehouse import Warehouse, raw
from mel_pipeline_tests.fixtures.postgres import Server

COMPOSED, DECOMPOSED = "Évora", "E\u0301vora"
WORDS = "(values ('b'), ('B'), ('a'), ('é'), ('z'), ('É'), ('_'), ('10'), ('9'), (' a'), ('ß'), (null)) as t(word)"
SPELLINGS = f"(values ('{COMPOSED}'), ('{DECOMPOSED}')) as t(name)"
PARTS = (
    "(values ('Asia', 1, 2.5), ('Asia', null, 0.5), (null, 3, null), (null, 4, 1.0)) as t(region, n, amount)"
)

SAME: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "text is ordered by code points, with what is missing last": (
        f"select word from {WORDS} order by word",
        [(" a",), ("10",), ("9",), ("B",), ("_",), ("a",), ("b",), ("z",), ("É",), ("ß",), ("é",), (None,)],
    ),
    "the smallest and the largest text are those of code points": (
        f"select min(word), max(word) from {WORDS}",
        [(" a", "é")],
    ),
    "what is missing is last the other way round as well, where the query says so": (
        "select n from (values (1), (null), (2)) as t(n) order by n desc nulls last",
        [(2,), (1,), (None,)],
    ),
    "missing groups are one group": (
        f"select region, count(*), count(n), sum(n) from {PARTS} group by region order by region",
        [("Asia", 2, 1, 1), (None, 2, 2, 7)],
    ),
    "a sum of nothing is missing, a count of nothing is zero": (
        f"select sum(n), avg(n), max(n), count(n), count(*) from {PARTS} where region = 'Europe'",
        [(None, None, None, 0, 0)],
    ),
    "halves of decimals add up exactly": (
        f"select sum(amount), count(distinct amount) from {PARTS}",
        [(4, 3)],
    ),
    "a share is reckoned in doubles": (
        "select cast(1 as double precision) / 3, 100.0 * cast(2 as double precision) / nullif(cast(7 as double precision), 0)",
        [(1 / 3, 100.0 * 2 / 7)],
    ),
    "nothing over nothing is missing": (
        "select cast(1 as double precision) / nullif(cast(0 as double precision), 0)",
        [(None,)],
    ),
    "doubles come back to the last digit": (
        "select cast('0.1' as double precision) + cast('0.2' as double precision), cast('1e-17' as double precision)",
        [(0.30000000000000004, 1e-17)],
    ),
    "a remainder has the sign of what is divided": ("select 7 % 3, -7 % 3", [(1, -1)]),
    "days between dates are a whole number": (
        "select cast('2024-03-01' as date) - cast('2024-02-01' as date), cast('2024-03-01' as date) - 1",
        [(29, date(2024, 2, 29))],
    ),
    "quarters and years are read from a date": (
        "select cast(extract(year from d) as integer), cast(extract(quarter from d) as integer)"
        " from (values (cast('2024-12-31' as date)), (cast('2025-01-01' as date))) as t(d) order by d",
        [(2024, 4), (2025, 1)],
    ),
    "three months after the end of November are the end of February": (
        "select cast(cast('2023-11-30' as timestamp) + interval '3 months' as date)",
        [(date(2024, 2, 29),)],
    ),
    "a series of quarters includes the day it ends on": (
        "select cast(s.day as date) from generate_series(cast('2024-01-01' as timestamp),"
        " cast('2024-07-01' as timestamp), interval '3 months') as s(day) order by 1",
        [(date(2024, 1, 1),), (date(2024, 4, 1),), (date(2024, 7, 1),)],
    ),
    "half past eleven in the evening of New Year's Eve in London is next year in Madrid": (
        "select cast((cast('2024-12-31T23:30:00+00:00' as timestamp with time zone) at time zone 'Europe/Madrid') as date)",
        [(date(2025, 1, 1),)],
    ),
    "the hour that summer time skips and the one it repeats": (
        "select cast('2024-03-31T01:30:00+00:00' as timestamp with time zone) at time zone 'Europe/Madrid',"
        " cast('2024-10-27T00:30:00+00:00' as timestamp with time zone) at time zone 'Europe/Madrid',"
        " cast('2024-10-27T01:30:00+00:00' as timestamp with time zone) at time zone 'Europe/Madrid'",
        [(datetime(2024, 3, 31, 3, 30), datetime(2024, 10, 27, 2, 30), datetime(2024, 10, 27, 2, 30))],
    ),
    "an instant without zone is UTC in every session": (
        "select cast('2024-06-30 23:30:00' as timestamp) at time zone 'UTC' at time zone 'Asia/Tokyo'",
        [(datetime(2024, 7, 1, 8, 30),)],
    ),
    "the same name in two spellings of Unicode is two names": (
        f"select count(distinct name), min(length(name)), max(length(name)) from {SPELLINGS}",
        [(2, 5, 6)],
    ),
    "capitals are recognised by Unicode": (
        "select lower('ÉVORA ÑANDÚ ΑΘΗΝΑ'), upper('évora'), 'É' = 'é'",
        [("évora ñandú αθηνα", "ÉVORA", False)],
    ),
    "trim takes blanks and leaves other white space": (
        "select trim('  a b  '), length(trim(' a' || chr(10)))",
        [("a b", 2)],
    ),
    "missing text swallows what it is joined with, and concat leaves it out": (
        "select 'a' || cast(null as text), concat('a', cast(null as text), 'b')",
        [(None, "ab")],
    ),
    "joined text is in the requested order, without missing values": (
        f"select string_agg(word, ', ' order by word) from {WORDS} where word is null or word in ('b', 'B', 'é', 'z')",
        [("B, b, z, é",)],
    ),
    "empty text is not missing": (
        "select '' is null, nullif('', '') is null, length(''), coalesce('', 'x')",
        [(False, True, 0, "")],
    ),
    "blanks at the end count": ("select 'a' = 'a ', cast('a ' as text) = 'a '", [(False, True)]),
    "like knows capitals": ("select 'Avantia' like 'avantia%', 'a_b' like 'a_b'", [(False, True)]),
    "the largest of several leaves out what is missing": (
        "select greatest(1, null, 3), least(2, null, cast(null as integer))",
        [(3, 2)],
    ),
    "missing is distinct from a value and not from missing": (
        "select null is distinct from 'a', cast(null as text) is distinct from cast(null as text)",
        [(True, False)],
    ),
    "not in a list with something missing holds of nothing": (
        "select count(*) from (values (1), (2)) as t(n) where n not in (select x from (values (1), (null)) as s(x))",
        [(0,)],
    ),
    "a window looks at the rows before and after": (
        "select n, lag(n) over (order by n), lead(n) over (order by n),"
        " min(n) over (order by n rows between 1 following and unbounded following)"
        " from (values (1), (2), (3)) as t(n) order by n",
        [(1, None, 2, 2), (2, 1, 3, 3), (3, 2, None, None)],
    ),
    "a list in a cell is taken apart": (
        "select trim(part.word) from (values ('a; b;;é')) as e(words), unnest(string_to_array(e.words, ';'))"
        " as part(word) where trim(part.word) <> '' order by 1",
        [("a",), ("b",), ("é",)],
    ),
    "true and false are read from their words": (
        "select cast('true' as boolean), cast('False' as boolean), cast('1' as boolean), cast(null as boolean)",
        [(True, False, True, None)],
    ),
    "a sum of large whole numbers does not overflow": (
        "select sum(n) from (values (cast(9223372036854775807 as bigint)), (cast(9223372036854775807 as bigint))) as t(n)",
        [(18446744073709551614,)],
    ),
    "percent signs and colons are text": (
        "select '100 %', 'a:b', '%s', '%(x)s'",
        [("100 %", "a:b", "%s", "%(x)s")],
    ),
}


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One warehouse for all queries, which are read-only."""
    if request.param == "duckdb":
        yield Warehouse(f"duckdb:///{tmp_path_factory.mktemp('dialects') / 'w.duckdb'}")
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database()
    yield Warehouse(url)
    server.drop(url)


@pytest.mark.parametrize("about", SAME)
def test_every_engine_gives_the_same_answer(about: str, engine: Warehouse) -> None:
    query, expected = SAME[about]
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(query, execution_options={"no_parameters": True}).all()
    assert [tuple(row) for row in rows] == expected


def test_models_state_the_position_of_nulls_in_descending_sorts(project: Any) -> None:
    """DuckDB puts nulls last and PostgreSQL first: a model must say which, unless the column cannot be null."""
    never_empty = {"times", "_loaded_at"}
    for model in project.models.values():
        for column, ending in re.findall(
            r"([\w.]+)\s+desc\b(\s+nulls\s+last)?", project.compile(model.name), re.IGNORECASE
        ):
            assert ending or column.rpartition(".")[2] in never_empty, f"{model.name}: {column} desc"


def _frame(names: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Name": names,
            "note": [f"line 1\nline\t2\\N \\. {number}" for number in range(len(names))],
            "_row_key": [str(number) for number in range(len(names))],
            "_source_ref": "page 1",
            "_changed_at": pd.to_datetime("2024-12-31 23:30:00.123456"),
            "_kind": "row",
        }
    )


NAMES = [COMPOSED, DECOMPOSED, "", None, "with, comma", 'with "quotes"', "🏙 city", "\\N", "a" * 10_000]


def test_rows_come_back_as_they_were_landed(warehouse_url: str) -> None:
    warehouse = Warehouse(warehouse_url)
    frame = _frame(NAMES)
    with warehouse.transaction() as connection:
        raw.stage(connection, "things", ["Name", "note"], frame)
        done = raw.publish(
            connection, "raw_things", "things", ["Name", "note"], "l1", datetime(2025, 1, 1), complete=True
        )
    assert done.new == len(NAMES)
    rows = warehouse.records(
        'select "Name", note, _changed_at from raw_things order by cast(_row_key as integer)'
    )
    assert [row["Name"] for row in rows] == NAMES, (
        "nothing is normalised, nothing is trimmed, empty is not missing"
    )
    assert [row["note"] for row in rows] == list(frame["note"])
    assert {row["_changed_at"] for row in rows} == {datetime(2024, 12, 31, 23, 30, 0, 123456)}
    assert warehouse.columns("raw_things")[0] == "Name", "capitals of a source's columns stay"


def test_a_load_without_rows_empties_nothing_that_is_not_gone_and_makes_an_empty_table(
    warehouse_url: str,
) -> None:
    warehouse = Warehouse(warehouse_url)
    with warehouse.transaction() as connection:
        raw.stage(connection, "things", ["Name", "note"], _frame([]))
        done = raw.publish(
            connection, "raw_things", "things", ["Name", "note"], "l1", datetime(2025, 1, 1), complete=True
        )
    assert (done.fetched, warehouse.records("select * from raw_things")) == (0, [])


def test_a_database_with_a_language_collation_is_refused_with_how_to_create_a_suitable_one(
    postgres: Server,
) -> None:
    postgres.execute("drop database if exists by_language", "create database by_language template template0")
    try:
        with pytest.raises(WarehouseError, match=r"create database mel template template0 .*lc_collate 'C'"):
            Warehouse(postgres.url("by_language")).tables()
    finally:
        postgres.execute("drop database by_language")


@pytest.mark.slow
def test_the_schema_in_the_url_holds_everything(postgres_url: str, tmp_path: Path) -> None:
    elsewhere = f"{postgres_url}?options=-csearch_path%3Dmel"
    with pytest.raises(WarehouseError, match="create schema mel"):
        Warehouse(elsewhere).tables()
    with Warehouse(postgres_url).transaction() as connection:
        connection.exec_driver_sql("create schema mel")
    with Warehouse(elsewhere).transaction() as connection:
        raw.ensure_table(connection, "raw_things", ["Name"])
    assert Warehouse(elsewhere).has_table("raw_things")
    assert not Warehouse(postgres_url).has_table("raw_things")
