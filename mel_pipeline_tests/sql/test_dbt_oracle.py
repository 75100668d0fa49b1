"""Real dbt builds the same folder for two quarters in sequence, and every table is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
import yaml

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import PROJECT, Settings, with_sample_values
from mel_pipeline.ingest.city_names import match_cities
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.raw_tables import load_catalogue_tables
from mel_pipeline.sandbox import running
from mel_pipeline.sources import open_source
from mel_pipeline.sources.workbook.versions import current
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.processing import PSEUDONYMISED
from mel_pipeline_tests.fixtures.shared import made_once

FOLDER = PROJECT / "dbt_like_sql"
QUIET = [
    "--log-level-file",
    "none",
    "--no-write-json",
    "--no-send-anonymous-usage-stats",
    "--no-version-check",
]
QUARTERS = ["2024-Q3", "2024-Q4"]
TODAY = date(2025, 1, 31)


def dbt_executable() -> Path:
    path = Path(os.environ.get("MEL_DBT") or PROJECT / ".venv-dbt" / "bin" / "dbt")
    if not path.exists():
        pytest.skip(
            f"Real dbt is not installed at {path}: install requirements/dbt.txt in .venv-dbt, or set MEL_DBT."
        )
    return path


def variables(quarter: str) -> dict[str, object]:
    return {
        "quarter": quarter,
        "today": TODAY.isoformat(),
        "first_quarter": "2023-Q1",
        "time_zone": "Europe/Madrid",
        "currency": "EUR",
        "fund_pipeline": "International Fund",
        "least_attendance_pct": 50,
        "least_attendance_seconds": 0,
    }


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with only raw tables: the sample organisation, loaded through the real sources by one worker."""
    return made_once(tmp_path_factory, "landed", _land) / "warehouse.duckdb"


def _land(home: Path) -> None:
    with running(
        today=TODAY, survey_dir=home / "survey_exports", attendance_dir=home / "attendance_lists"
    ) as box:
        settings = with_sample_values(Settings(home=home, today=TODAY, _env_file=None), box.port)
        warehouse = Warehouse(settings.database_url)
        for quarter in QUARTERS:
            for name in source_names():
                contract = contract_of(name)
                for entity in contract.entities:
                    source = open_source(name, settings)
                    load_entity(
                        source,
                        contract,
                        entity,
                        warehouse,
                        quarter=Quarter.parse(quarter),
                        processing=PSEUDONYMISED,
                    )
    match_cities(warehouse, current(settings))
    load_catalogue_tables(load_catalogue(FOLDER), warehouse)
    warehouse.fold()
    warehouse.engine.dispose()


def build_with_dbt(
    dbt: Path, project: Path, database: Path, values: Mapping[str, object], command: str
) -> None:
    done = subprocess.run(
        [
            str(dbt),
            *QUIET,
            command,
            "--project-dir",
            ".",
            "--profiles-dir",
            ".",
            "--vars",
            json.dumps(values),
        ],
        cwd=project,
        env={**os.environ, "MEL_DBT_DUCKDB_PATH": str(database), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "ERROR=0" in done.stdout


@pytest.mark.exhaustive
def test_real_dbt_builds_the_same_tables_for_two_quarters_in_sequence(landed: Path, tmp_path: Path) -> None:
    dbt = dbt_executable()
    ours, theirs = tmp_path / "ours.duckdb", tmp_path / "theirs.duckdb"
    shutil.copy(landed, ours)
    shutil.copy(landed, theirs)
    shutil.copytree(FOLDER, tmp_path / "project")
    for quarter in QUARTERS:
        project = SqlProject.load(FOLDER, variables(quarter))
        results = list(Runner(_closing(ours)).run(project))
        assert [result.message for result in results if result.status != "ok"] == []
        command = (
            "build" if quarter == QUARTERS[-1] else "run"
        )  # dbt's own tests of both quarters run at the end
        build_with_dbt(dbt, tmp_path / "project", theirs, project.variables, command)
        different = _differing(ours, theirs, list(project.models))
        assert different == {}, f"{quarter}: not the same in dbt and in our runner"
    values = _closing(ours).read("select * from indicator_values")
    assert set(values["quarter"]) == set(QUARTERS)


def test_dbt_clears_the_quarter_of_every_model_that_grows_by_quarter() -> None:
    """Its delete+insert keeps the old rows of a quarter that has none any more; our runner deletes them itself."""
    folders = yaml.safe_load((FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["mel"]
    assert folders["marts"]["+pre-hook"] == "{{ clear_quarter(this) }}"
    growing = [
        model
        for model in SqlProject.load(FOLDER, variables("2024-Q4")).models.values()
        if model.config.unique_key == "quarter"
    ]
    assert growing and all("marts" in model.path.parts for model in growing)


def _closing(path: Path) -> Warehouse:
    """Closed after each query: an open file would keep dbt's, which is attached for comparison, locked as well."""
    return Warehouse(f"duckdb:///{path}", idle_close_seconds=0)


def _differing(ours: Path, theirs: Path, tables: list[str]) -> dict[str, str]:
    """Tables whose columns, types or rows differ; the order of rows does not matter."""
    found = {}
    with _closing(ours).connect() as connection:
        # dbt writes the name of its database into its views, so it has to be attached by that name.
        connection.exec_driver_sql(f"attach '{theirs}' as {theirs.stem} (read_only)")
        for table in tables:
            columns = [
                connection.exec_driver_sql(
                    "select column_name, data_type from information_schema.columns"
                    f" where table_catalog = '{database}' and table_name = '{table}' order by ordinal_position"
                ).fetchall()
                for database in (ours.stem, theirs.stem)
            ]
            if not columns[0] or columns[0] != columns[1]:
                found[table] = f"columns {columns}"
                continue
            left, right = (f"select * from {path.stem}.main.{table}" for path in (ours, theirs))
            only = [
                connection.exec_driver_sql(f"select count(*) from ({one} except all {other})").scalar()
                for one, other in ((left, right), (right, left))
            ]
            if only != [0, 0]:
                found[table] = f"{only[0]} rows only in ours, {only[1]} only in dbt's"
    return found
