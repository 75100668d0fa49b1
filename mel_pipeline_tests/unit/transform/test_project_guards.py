"""Rules for every model and indicator of the project, so that adding one takes only its two files."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.ingest import city_names
from mel_pipeline.transform import SqlProject, column_lineage
from mel_pipeline.transform.catalogue import Catalogue, load_catalogue
from mel_pipeline.transform.catalogue.frames import COLUMNS
from mel_pipeline.warehouse.raw import history_of

FOLDER = PROJECT / "dbt_like_sql"
INDICATORS = FOLDER / "models" / "marts" / "indicators"
FIGURE_COLUMNS = [
    *("period", "grain", "quarter", "dimension", "category", "value"),
    *("numerator", "denominator", "n", "low", "high", "variance", "expected", "covered", "status", "note"),
]
META = {"_row_key", "_load_id", "_source_ref", "_changed_at", "_loaded_at", "_is_deleted"}


@pytest.fixture(scope="module")
def project() -> SqlProject:
    return SqlProject.load(FOLDER, {})


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(FOLDER)


def names(ending: str) -> set[str]:
    return {path.stem for path in Path(INDICATORS).glob(f"*.{ending}")}


def test_every_indicator_has_its_sql_and_its_definition_side_by_side() -> None:
    assert names("sql") == names("yml")


def test_every_model_states_its_grain(project: SqlProject) -> None:
    silent = [model.name for model in project.models.values() if "One row per" not in model.description]
    assert not silent


def test_every_indicator_model_is_replaced_by_quarter(project: SqlProject, catalogue: Catalogue) -> None:
    partitioned = {name for name, model in project.models.items() if model.config.unique_key == "quarter"}
    of_all = {"indicator_values", "disclosure_people", "manual_values"}
    assert partitioned == {indicator.model for indicator in catalogue.indicators} | of_all


def test_the_dimensions_of_an_indicator_are_those_its_definition_names(
    project: SqlProject, catalogue: Catalogue
) -> None:
    for indicator in catalogue.indicators:
        [allowed] = [
            test.arguments["values"]
            for test in project.models[indicator.model].column_tests
            if test.name == "accepted_values_dimension"
        ]
        assert set(allowed) == {"total", *indicator.disaggregations}, indicator.id
        if indicator.chart.dimension:
            assert indicator.chart.dimension in indicator.disaggregations, indicator.id


@pytest.mark.long
def test_every_indicator_model_gives_the_same_columns(project: SqlProject, catalogue: Catalogue) -> None:
    for indicator in catalogue.indicators[:4]:
        assert list(column_lineage(project, indicator.model)) == FIGURE_COLUMNS


def test_every_raw_column_the_models_rely_on_is_promised_by_a_contract(project: SqlProject) -> None:
    promised = {
        contract_of(source).table(entity): set(details.columns)
        for source in source_names()
        for entity, details in contract_of(source).entities.items()
    }
    promised |= {
        history_of(table): columns
        for table, columns in promised.items()
        if history_of(table) in {read.table for read in project.source_tables.values()}
    }
    promised[city_names.TABLE] = set(city_names.COLUMNS)
    promised |= {f"raw_catalogue__{name}": set(columns) for name, columns in COLUMNS.items()}
    declared = {table.table: set(table.columns) - META for table in project.source_tables.values()}
    assert declared.keys() == promised.keys(), (
        "each raw table is declared in dbt_like_sql/models/staging/<source>/__sources.yml, and no other"
    )
    assert declared == promised


def test_staging_leaves_deleted_rows_out(project: SqlProject) -> None:
    staging = [model for model in project.models.values() if model.layer == "staging"]
    assert staging
    assert all("where not _is_deleted" in project.compile(model.name) for model in staging)


def test_only_staging_reads_raw_tables(project: SqlProject) -> None:
    assert not [m.name for m in project.models.values() if m.sources and m.layer != "staging"]


def test_shared_tables_do_not_depend_on_the_quarter_that_is_run(project: SqlProject) -> None:
    shared = [model.name for model in project.models.values() if model.config.unique_key != "quarter"]
    for name in shared:
        assert project.compile(name, {"quarter": "2023-Q1"}) == project.compile(name, {"quarter": "2025-Q1"})


def test_the_columns_of_every_indicator_are_tested_without_being_listed(
    project: SqlProject, catalogue: Catalogue
) -> None:
    for indicator in catalogue.indicators:
        tests = [(test.name, test.arguments) for test in project.models[indicator.model].column_tests]
        assert tests == [
            ("not_null_period", {}),
            ("not_null_quarter", {}),
            ("not_null_dimension", {}),
            ("accepted_values_dimension", {"values": ["total", *indicator.disaggregations]}),
            ("not_null_status", {}),
            ("accepted_values_status", {"values": ["ok", "not_available"]}),
        ]


def test_positions_leave_room_so_that_another_indicator_fits_between(catalogue: Catalogue) -> None:
    places = sorted(indicator.position for indicator in catalogue.indicators)
    assert min(second - first for first, second in itertools.pairwise(places)) >= 2
