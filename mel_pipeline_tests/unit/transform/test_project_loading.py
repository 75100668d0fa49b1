"""Reading a project: references, cycles, configuration, and the error when a file is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mel_pipeline.core.errors import ModelError
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.transform import SqlProject, column_lineage

CONFIG = "name: small\nversion: '1.0'\nmodels:\n  small:\n    marts: {+materialized: table, +tags: [kept]}\nvars: {day: monday}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "models" / "marts").mkdir(parents=True)
    return tmp_path


def write(folder: Path, **models: str) -> None:
    for name, sql in models.items():
        (folder / "models" / "marts" / f"{name}.sql").write_text(sql, encoding="utf-8")


def test_a_cycle_is_named(folder: Path) -> None:
    write(
        folder,
        a="select * from {{ ref('b') }}",
        b="select * from {{ ref('c') }}",
        c="select * from {{ ref('a') }}",
    )
    with pytest.raises(ModelError, match="a → b → c → a"):
        SqlProject.load(folder, {})


def test_an_unknown_reference_shows_the_nearest_name(folder: Path) -> None:
    write(folder, dim_member="select 1 as one", late="select * from {{ ref('dim_membre') }}")
    with pytest.raises(ModelError, match="Did you mean 'dim_member'"):
        SqlProject.load(folder, {})


def test_an_unknown_source_is_refused(folder: Path) -> None:
    write(folder, a="select * from {{ source('zoho', 'contacts') }}")
    with pytest.raises(ModelError, match=r"a\.sql.*'contacts' of 'zoho'"):
        SqlProject.load(folder, {})


def test_a_variable_nobody_sets_is_named_with_the_known_ones(folder: Path) -> None:
    write(folder, a="select '{{ var(\"quarter\") }}' as quarter")
    with pytest.raises(ModelError, match=r"'quarter' is not set\. Known: .*day"):
        SqlProject.load(folder, {})


def test_a_template_error_names_file_and_line(folder: Path) -> None:
    write(folder, a="select 1\n{% if %}")
    with pytest.raises(ModelError, match=r"a\.sql, line 2"):
        SqlProject.load(folder, {})


def test_a_description_without_a_model_is_refused(folder: Path) -> None:
    (folder / "models" / "schema.yml").write_text("models: [{name: gone}]", encoding="utf-8")
    with pytest.raises(ModelError, match=r"there is no gone\.sql"):
        SqlProject.load(folder, {})


def test_a_selection_of_an_unknown_model_is_refused(folder: Path) -> None:
    write(folder, figures="select 1 as one")
    with pytest.raises(ModelError, match="Did you mean 'figures'"):
        SqlProject.load(folder, {}).order({"figure"})


def test_configuration_comes_from_the_folder_and_the_file_wins(folder: Path) -> None:
    write(folder, a="select 1 as one", b="{{ config(materialized='view') }} select '{{ var('day') }}' as day")
    project = SqlProject.load(folder, {"day": "friday"})
    assert project.models["a"].config.materialized == "table"
    assert project.models["a"].config.tags == ("kept",)
    assert project.models["b"].config.materialized == "view"
    assert project.compile("b") == "select 'friday' as day"
    assert project.compile("b", {"day": "sunday"}) == "select 'sunday' as day"


def test_macros_can_call_each_other_and_their_references_count(folder: Path) -> None:
    (folder / "macros").mkdir()
    (folder / "macros" / "a.sql").write_text(
        "{% macro outer_() %}{{ inner_() }}{% endmacro %}", encoding="utf-8"
    )
    (folder / "macros" / "b.sql").write_text(
        "{% macro inner_() %}{{ ref('a') }}{% endmacro %}", encoding="utf-8"
    )
    write(folder, a="select 1 as one", b="select one from {{ outer_() }}")
    assert SqlProject.load(folder, {}).models["b"].depends_on == ["a"]


def test_lineage_names_the_columns_a_column_is_derived_from() -> None:
    project = SqlProject.load(PROJECT / "dbt_like_sql", {})
    found = column_lineage(project, "fct_contribution")
    assert found["amount_converted"] == [
        ("stg_zoho_crm__deals", "amount"),
        ("stg_zoho_crm__deals", "currency"),
        ("stg_zoho_crm__deals", "exchange_rate"),
    ]
    assert found["donor"] == [("stg_zoho_crm__accounts", "account_name")]
    assert column_lineage(project, "stg_zoho_crm__accounts")["region"] == [
        ("raw_zoho_crm__accounts", "region")
    ]


@pytest.mark.slow
def test_loading_imports_no_heavy_library() -> None:
    script = (
        "import sys; from pathlib import Path; from mel_pipeline.transform import SqlProject;"
        "from mel_pipeline.transform.catalogue import load_catalogue; folder = Path('dbt_like_sql');"
        "SqlProject.load(folder, {}); load_catalogue(folder);"
        "print([m for m in ('pandas', 'sqlalchemy', 'sqlglot', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
