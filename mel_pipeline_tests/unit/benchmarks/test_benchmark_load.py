"""The benchmark load is reproducible, skewed, and shaped like the raw tables."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mel_pipeline.core.settings import PROJECT
from mel_pipeline.transform import SqlProject
from mel_pipeline_tests.benchmarks.equality import differing, export_raw
from mel_pipeline_tests.benchmarks.load import generate
from mel_pipeline_tests.benchmarks.load.generator import VARIABLES

pytestmark = pytest.mark.long  # makes the load first
ROWS = 20_000
TABLES = [
    "raw_surveys__responses",
    "raw_platforms__contents",
    "raw_platforms__metrics",
    "raw_zoho_crm__events",
]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("load") / "load.duckdb"
    generate(path, ROWS)
    return path


def asked(path: Path, sql: str) -> tuple[float, ...]:
    with duckdb.connect(str(path), read_only=True) as database:
        return tuple(database.execute(sql).fetchall()[0])


@pytest.mark.exhaustive
def test_the_same_seed_makes_the_same_rows_and_another_seed_makes_others(load: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.duckdb", tmp_path / "other.duckdb"
    generate(again, ROWS)
    generate(other, ROWS, seed=2)
    assert differing(load, again, TABLES) == {}
    assert set(differing(load, other, TABLES)) == set(TABLES)


@pytest.mark.long
def test_every_declared_raw_table_is_there_with_its_columns(load: Path) -> None:
    project = SqlProject.load(PROJECT / "dbt_like_sql", VARIABLES)
    with duckdb.connect(str(load), read_only=True) as database:
        for source in project.source_tables.values():
            columns = {row[0]: row[1] for row in database.execute(f"describe {source.table}").fetchall()}
            kinds = {"text": "VARCHAR", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN"}
            declared = {name: kinds[kind] for name, kind in source.columns.items()}
            assert declared.items() <= columns.items(), source.table


def test_keys_are_unique(load: Path) -> None:
    for table in ("raw_surveys__responses", "raw_platforms__contents", "raw_platforms__metrics"):
        assert asked(load, f"select count(*) - count(distinct _row_key) from {table}") == (0,), table


def test_few_events_get_most_answers_and_most_events_get_some(load: Path) -> None:
    most, events, typical = asked(
        load,
        f"select max(n) / {ROWS}, count(*), median(n) from"
        " (select survey, count(*) as n from raw_surveys__responses group by survey)",
    )
    assert most > 0.05
    assert events > 150
    assert typical < ROWS / 200 * 0.7


def test_answers_are_missing_late_and_in_many_languages(load: Path) -> None:
    blank, late, languages, scripts = asked(
        load,
        "select avg(case when overall_satisfaction is null then 1.0 else 0 end),"
        " avg(case when cast(r.started_at as timestamp) > cast(e.starts_at as timestamp) + interval 30 day then 1.0 else 0 end),"
        " count(distinct r.language), count(case when open_comment ~ '[一-龥]' then 1 end)"
        " from raw_surveys__responses r join raw_zoho_crm__events e on r.survey = 'survey-' || cast(cast(substr(e.id, 2) as bigint) as text)",
    )
    assert 0.08 < blank < 0.16
    assert 0.02 < late < 0.05
    assert languages == 8
    assert scripts > 0


def test_few_posts_are_seen_by_most_people(load: Path) -> None:
    (share,) = asked(
        load,
        "select sum(value) filter (place <= posts * 0.01) / sum(value) from (select cast(value as double) as value,"
        " row_number() over (order by cast(value as double) desc) as place, count(*) over () as posts"
        " from raw_platforms__metrics where grain = 'lifetime' and value is not null)",
    )
    assert share > 0.3


def test_a_table_that_differs_in_one_value_is_reported(load: Path, tmp_path: Path) -> None:
    export_raw(load, tmp_path / "same", ["raw_zoho_crm__events"])
    assert differing(load, tmp_path / "same", ["raw_zoho_crm__events"]) == {}
    changed = tmp_path / "changed"
    changed.mkdir()
    with duckdb.connect(str(load), read_only=True) as database:
        database.execute(
            "copy (select * replace (case when code = 'EV-000003' then 'other' else format end as format)"
            f" from raw_zoho_crm__events) to '{changed}/raw_zoho_crm__events.parquet' (format parquet)"
        )
    [told] = differing(load, changed, ["raw_zoho_crm__events"]).values()
    assert "EV-000003" in told
