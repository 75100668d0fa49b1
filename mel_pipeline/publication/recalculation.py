"""Recalculate figures from loaded data: all of them, or the quarters that new loads affect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import ModelError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.load import load_catalogue_tables
from mel_pipeline.publication.calculations import FIGURES, note_calculation
from mel_pipeline.publication.release import release
from mel_pipeline.publication.restatement import update
from mel_pipeline.transform import ModelResult, SqlProject
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.fingerprints import rows_digest


def recalculate(warehouse: Warehouse, settings: Settings) -> Iterator[Quarter]:
    """Rebuild all tables, then every quarter that had figures; yields each quarter when it is done.

    No source is queried. The first quarter rebuilds the tables; if the command is interrupted, the remaining quarters
    can be run with `mel run`. Published figures are unchanged; differences go to the ledger.

    Raises:
        ModelError: a model failed; the message says which and why.
    """
    load_catalogue_tables(load_catalogue(settings.sql_dir), warehouse)
    runner = runner_for(warehouse, settings)
    for number, quarter in enumerate(_calculated(warehouse)):
        variables = sql_variables(settings, quarter)
        project = SqlProject.load(settings.sql_dir, variables)
        begun = utc_now()
        _require_success(quarter, runner.run(project, variables=variables, full_refresh=number == 0))
        note_calculation(warehouse, settings.sql_dir, str(quarter), project.variables, begun)
        release(warehouse, settings)
        update(warehouse, settings, str(quarter))
        yield quarter


def catch_up(warehouse: Warehouse, settings: Settings) -> list[Quarter]:
    """Recalculate the quarters whose figures would change; returns them.

    For use after a load: a late answer or a corrected date may belong to a quarter that is no longer run.
    The tables must have been built. Published figures are unchanged; differences go to the ledger.

    Raises:
        ModelError: a model failed; the message says which and why.
    """
    runner = runner_for(warehouse, settings)
    quarters = _calculated(warehouse)
    if not quarters:
        return []
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, quarters[-1]))
    growing = {name for name, model in project.models.items() if model.config.unique_key == "quarter"}
    touched = []
    for quarter in quarters:
        variables, begun, before = sql_variables(settings, quarter), utc_now(), _figures(warehouse, quarter)
        _require_success(quarter, runner.run(project, growing, variables))
        if _figures(warehouse, quarter) != before:
            known = {**project.variables, **variables}
            note_calculation(warehouse, settings.sql_dir, str(quarter), known, begun)
            touched.append(quarter)
    if touched:
        release(warehouse, settings)
    for quarter in touched:
        update(warehouse, settings, str(quarter))
    return touched


def _figures(warehouse: Warehouse, quarter: Quarter) -> str:
    with warehouse.connect() as connection:
        return rows_digest(connection, FIGURES, f"quarter = '{quarter}'")


def _require_success(quarter: Quarter, results: Iterable[ModelResult]) -> None:
    if failed := [f"{result.name}: {result.message}" for result in results if result.status == "failed"]:
        raise ModelError(f"Recalculating {quarter}: {' '.join(failed)}")


def _calculated(warehouse: Warehouse) -> list[Quarter]:
    if not warehouse.has_table("indicator_values"):
        return []
    quarters = warehouse.read("select distinct quarter from indicator_values")["quarter"]
    return sorted(Quarter.parse(str(quarter)) for quarter in quarters)
