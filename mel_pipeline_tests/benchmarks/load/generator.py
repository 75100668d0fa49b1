"""Write the load into a DuckDB file with SQL: about a million rows a second, within DuckDB's memory limit."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from pathlib import Path

import duckdb

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.ingest.raw_tables import load_catalogue_tables
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.benchmarks.load.texts import CITIES, COMMENTS, GENDERS, LABELS, NETWORKS

FOLDER = PROJECT / "dbt_like_sql"
FORMAT = 1  # of the load: raise it whenever the rows change, so that kept files are rebuilt
VARIABLES: dict[str, object] = {
    "quarter": "2024-Q4",
    "today": "2025-01-31",
    "first_quarter": "2023-Q1",
    "time_zone": "Europe/Madrid",
    "currency": "EUR",
    "fund_pipeline": "International Fund",
    "least_attendance_pct": 50,
    "least_attendance_seconds": 0,
}


def load_of(rows: int, seed: int = 1) -> Path:
    """The DuckDB file with ``rows`` survey responses and as many social figures; built once, then kept."""
    home = Path(os.environ.get("MEL_BENCHMARK_DIR") or PROJECT / ".mel" / "benchmarks")
    path = home / f"load-{FORMAT}-{rows}-{seed}.duckdb"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        generate(unfinished, rows, seed)
        unfinished.rename(path)
    return path


def generate(path: Path, rows: int, seed: int = 1) -> None:
    """Every raw table the models read; those not generated stay empty.

    Args:
        rows: number of survey responses, and of social network figures.
    """
    warehouse = Warehouse(f"duckdb:///{path}", idle_close_seconds=0)  # DuckDB itself opens it next
    load_catalogue_tables(load_catalogue(FOLDER), warehouse)
    warehouse.fold()
    project = SqlProject.load(FOLDER, VARIABLES)
    with duckdb.connect(str(path)) as database:
        database.execute("set preserve_insertion_order = false")
        database.execute("set enable_progress_bar = false")
        for macro in _chance(seed):
            database.execute(macro)
        _texts(database)
        events = max(200, min(20_000, rows // 250))
        for name in ("organisations", "events", "responses", "platforms"):
            text = (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
            database.execute(text.replace("{rows}", str(rows)).replace("{events}", str(events)))
        _tidy(database, project)
        database.execute("checkpoint")
    for left in path.parent.glob(f"{path.name}.*"):
        left.unlink()  # the lock of the landing


def _chance(seed: int) -> list[str]:
    """``u(i, what)``: uniform in [0, 1), the same for the same row number, subject and seed."""
    return [
        "create macro u(i, what) as"
        f" ((hash(xor(hash(i), hash(what || '{seed}'))) >> 11)::double / 9007199254740992.0)",
        "create macro pick(list, chance) as list[1 + cast(floor(chance * len(list)) as integer)]",
        # Few get most: the first of `size` positions is the likeliest.
        "create macro few(size, chance, steep) as cast(floor(size * pow(chance, steep)) as bigint)",
    ]


def _texts(database: duckdb.DuckDBPyConnection) -> None:
    """The lists the rows draw from, as tables dropped at the end."""
    cities = list(csv.DictReader(CITIES.read_text(encoding="utf-8").splitlines()))
    cities.sort(
        key=lambda city: hashlib.sha256(city["name"].encode()).digest()
    )  # size does not follow the alphabet
    lists = {
        "fab_city": [
            {"place": place, "key": normalize_text(city["name"]), **city} for place, city in enumerate(cities)
        ],
        "fab_label": [
            {"language": language, "score": score, "label": label, "key": normalize_text(label)}
            for language, labels in LABELS.items()
            for score, label in labels.items()
        ],
        "fab_gender": [
            {"language": language, "labels": labels, "keys": [normalize_text(label) for label in labels]}
            for language, labels in GENDERS.items()
        ],
        "fab_comment": [{"language": language, "texts": texts} for language, texts in COMMENTS.items()],
        "fab_network": [
            {"place": place, "platform": platform, "kind": kind, "metrics": metrics, "daily": daily}
            for place, (platform, (kind, metrics, daily)) in enumerate(NETWORKS.items())
        ],
    }
    for table, rows in lists.items():
        columns = ", ".join(
            f"{name} {'bigint' if isinstance(value, int) else 'text[]' if isinstance(value, list) else 'text'}"
            for name, value in rows[0].items()
        )
        database.execute(f"create table {table} ({columns})")
        marks = ", ".join("?" for _ in rows[0])
        database.executemany(f"insert into {table} values ({marks})", [list(row.values()) for row in rows])
    unknown = database.execute(
        "select label from fab_label where key not in (select label_key from raw_catalogue__scale_labels)"
    ).fetchall()
    assert not unknown, f"labels the common scale does not know: {json.dumps(unknown, ensure_ascii=False)}"


def _tidy(database: duckdb.DuckDBPyConnection, project: SqlProject) -> None:
    """Keep only raw tables, including every declared one."""
    for (table,) in database.execute(
        "select table_name from duckdb_tables() where table_name like 'fab_%'"
    ).fetchall():
        database.execute(f"drop table {table}")
    for macro in ("u", "pick", "few"):
        database.execute(f"drop macro {macro}")
    there = {
        name for (name,) in database.execute("select table_name from information_schema.tables").fetchall()
    }
    for source in project.source_tables.values():
        if source.table not in there:
            body = ", ".join(f'"{name}" {kind}' for name, kind in source.columns.items())
            database.execute(f"create table {source.table} ({body})")
