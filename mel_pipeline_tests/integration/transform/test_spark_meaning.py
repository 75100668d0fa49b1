"""SQL whose meaning differs between engines: each query gives the same result on Spark as in the warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.transform.dialects import to_dialect
from mel_pipeline.transform.spark.session import open_session
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.spark import Cluster
from mel_pipeline_tests.sql.test_dialects import SAME

pytestmark = pytest.mark.slow

ROWS = (
    "(values ('b', 2, null), ('a', 1, 'x'), (null, 3, 'É'), ('É', null, 'e'), ('Z', 3, 'y'), ('é', 2, 'y'))"
    " as t(word, number, other)"
)
MEANT = {
    "nulls are last in either order, and text goes by its bytes": f"""
        select word, row_number() over (order by word) as up, row_number() over (order by number desc, word) as down
        from {ROWS} order by up""",
    "nulls are one group and count for nothing": f"""
        select other, count(*) as times, count(word) as words, count(distinct word) as different, sum(number) as total
        from {ROWS} group by other order by other""",
    "a share of whole numbers has decimals": "select 7 / 2 as half, 1 / 3 as third, -7 / 2 as less",
    "decimals and doubles": """
        select 100.0 * cast(1 as double precision) / 3 as share, 0.9 * 10 >= 9 as tenth,
        cast(cast(1.005 as decimal(10, 2)) as text) as rounded""",
    "texts are joined over a null, and not added to one": """
        select concat('a', null, 'b') as joined, 'a' || null as added, coalesce(nullif('', ''), 'none') as emptied""",
    "lists keep their order and leave nulls out": f"""
        select string_agg(word, ', ' order by word) as words, string_agg(other, '' order by number desc, word) as others,
        string_agg(case when number > 9 then word end, ',') as nobody from {ROWS}""",
    "distinct sees null once": f"select distinct other from {ROWS} order by other",
    "small letters of any script, blanks around": """
        select lower('ÀÉÎÕÜÇ ŁÓDŹ') as small, trim('  é ') as bare, length('é') as one, lower('ΑΘΉΝΑ') as greek""",
    "quarters and days": """
        select extract(quarter from d) as quarter, extract(year from d) as year, cast(d as text) as day,
        d + 1 as next, d - 1 as last, cast(d as date) - cast('2024-02-28' as date) as days,
        cast(d + interval '3 months' as date) as later
        from (select cast('2024-03-01' as date) as d) as t""",
    "the business day of an instant, with its offset and over a change of clocks": """
        select cast(i as text) as instant,
        cast((cast(i as timestamp with time zone) at time zone 'Europe/Madrid') as date) as day,
        cast((cast(i as timestamp with time zone) at time zone 'UTC') as date) as utc_day
        from (values ('2024-12-31T23:30:00+00:00'), ('2024-12-31T23:30:00+01:00'), ('2024-10-27T00:30:00Z'),
        ('2024-03-31T22:30:00Z'), (null)) as t(i) order by i""",
    "a moment without zone leaves out the offset of its text": """
        select cast(cast('2024-06-30T23:30:00+02:00' as timestamp) as date) as day,
        cast(cast('2024-06-30T00:30:00+02:00' as timestamp) as date) as earlier""",
    "the greatest and the least leave nulls out": """
        select greatest(cast('2024-01-01' as date), null) as late, least(3, null, 2) as few""",
    "distinct from null": f"select word from {ROWS} where word is distinct from 'a' order by word",
    "not in a list with a null is never true": f"select count(*) as n from {ROWS} where word not in ('a', null)",
    "parts of a text": """
        select p.word from (select 'one; two;;é.*' as list union all select null) as t,
        unnest(string_to_array(t.list, ';')) as p(word) order by p.word""",
    "series of months": """
        select cast(s.day as date) as day from generate_series(cast('2024-01-31' as timestamp),
        cast('2024-07-01' as timestamp), interval '3 months') as s(day) order by day""",
    "an empty table": f"""
        select count(*) as n, sum(number) as total, max(word) as word, string_agg(word, ',' order by word) as words
        from {ROWS} where 1 = 0""",
    "characters that are replaced": "select translate('a.b' || chr(10) || 'c', '.' || chr(10), '  ') as blanks",
}


@pytest.mark.parametrize("query", [pytest.param(query, id=name) for name, query in MEANT.items()])
def test_a_query_means_the_same(query: str, tmp_path: Path, spark_cluster: Cluster) -> None:
    session = open_session(spark_cluster.url, 60)
    said = session.sql(to_dialect(query, "spark"))
    rows = [{name: _plain(row[name]) for name in said.columns} for row in said.collect()]
    expected = Warehouse(f"duckdb:///{tmp_path / 'empty.duckdb'}").records(query)
    assert rows == [{name: _plain(value) for name, value in row.items()} for row in expected]


# Spark adds whole numbers in 64 bits, and raises an error instead of returning a wrong result.
REFUSED = "a sum of large whole numbers does not overflow"


@pytest.mark.parametrize("about", SAME)
def test_spark_gives_the_same_results_as_duckdb_and_postgresql(about: str, spark_cluster: Cluster) -> None:
    query, expected = SAME[about]
    session = open_session(spark_cluster.url, 60)
    if about == REFUSED:
        with pytest.raises(Exception, match="ARITHMETIC_OVERFLOW"):
            session.sql(to_dialect(query, "spark")).collect()
        return
    said = session.sql(to_dialect(query, "spark")).collect()
    assert [tuple(_plain(value) for value in row) for row in said] == [
        tuple(_plain(value) for value in row) for row in expected
    ]


def _plain(value: object) -> object:
    """Dates as text: the warehouse returns a timestamp when it adds to a date."""
    if hasattr(value, "isoformat"):
        return str(value)[:10]
    return round(float(value), 12) if hasattr(value, "as_tuple") or isinstance(value, float) else value
