"""Recalculate figures from loaded data: all of them, or the quarters that new loads affect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import ModelError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.raw_tables import ensure_all, load_catalogue_tables
from mel_pipeline.publication.calculations import note_calculation
from mel_pipeline.publication.release import release
from mel_pipeline.publication.restatement import update
from mel_pipeline.publication.settled import SETTLED, figures_digests, noted_figures, settle
from mel_pipeline.transform import ModelResult, SqlProject
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse


def recalculate(warehouse: Warehouse, settings: Settings) -> Iterator[Quarter]:
    """Rebuild all tables, then every quarter that had figures; yields each quarter when it is done.

    No source is queried. The first quarter empties and rebuilds the tables. If the command is interrupted, starting it
    again gives what an uninterrupted run gives, and so does the next night. Public figures change at the end, all
    together; published ones are unchanged, and differences go to the ledger.

    Raises:
        ModelError: a model failed; the message says which and why.
    """
    catalogue = catalogue_of(settings)
    ensure_all(catalogue, warehouse)
    load_catalogue_tables(catalogue, warehouse)
    runner = runner_for(warehouse, settings)
    quarters = _calculated(warehouse)
    for number, quarter in enumerate(quarters):
        variables = sql_variables(settings, quarter)
        project = SqlProject.load(settings.sql_dir, variables)
        begun = utc_now()
        _require_success(quarter, runner.run(project, variables=variables, full_refresh=number == 0))
        note_calculation(warehouse, settings.sql_dir, str(quarter), project.variables, begun)
        yield quarter
    _follow_up(warehouse, settings, quarters)


def catch_up(warehouse: Warehouse, settings: Settings) -> list[Quarter]:
    """Recalculate the quarters whose figures would change; returns them.

    For use after a load: a late answer or a corrected date may belong to a quarter that is no longer run. Also
    finishes what a killed run has begun. The tables must have been built. Published figures are unchanged; differences
    go to the ledger.

    Raises:
        ModelError: a model failed; the message says which and why.
    """
    runner = runner_for(warehouse, settings)
    quarters = _calculated(warehouse)
    if not quarters:
        return []
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, quarters[-1]))
    growing = {name for name, model in project.models.items() if model.config.unique_key == "quarter"}
    touched, unsettled = [], []
    parts = {quarter: sql_variables(settings, quarter) for quarter in quarters}
    to_run = dict(zip(quarters, runner.touched(project, growing, list(parts.values())), strict=True))
    all_noted, figures = noted_figures(warehouse), figures_digests(warehouse, quarters)
    for quarter, variables in parts.items():
        begun, noted, now = utc_now(), all_noted.get(str(quarter)), figures[str(quarter)]
        before = noted.made_of if noted else now
        if to_run[quarter]:
            _require_success(quarter, runner.run(project, growing, variables))
            now = figures_digests(warehouse, [quarter])[str(quarter)]
        if now != before:
            known = {**project.variables, **variables}
            note_calculation(warehouse, settings.sql_dir, str(quarter), known, begun)
            touched.append(quarter)
        elif noted and noted.found != SETTLED:
            unsettled.append(quarter)
    _follow_up(warehouse, settings, [*touched, *unsettled])
    return touched


def _follow_up(warehouse: Warehouse, settings: Settings, quarters: list[Quarter]) -> None:
    """Bring public figures and the ledger up to date with the figures."""
    if quarters:
        release(warehouse, settings)
    for quarter in quarters:
        update(warehouse, settings, str(quarter))
        settle(warehouse, str(quarter))


def _require_success(quarter: Quarter, results: Iterable[ModelResult]) -> None:
    if failed := [f"{result.name}: {result.message}" for result in results if result.status == "failed"]:
        raise ModelError(f"Recalculating {quarter}: {' '.join(failed)}")


def _calculated(warehouse: Warehouse) -> list[Quarter]:
    """Every quarter that ever had figures: a recalculation empties the tables of figures, not the record of them."""
    there = warehouse.tables() & {"indicator_values", "calculation"}
    if not there:
        return []
    each = " union ".join(f"select distinct quarter from {table}" for table in sorted(there))  # noqa: S608
    return sorted(Quarter.parse(str(row["quarter"])) for row in warehouse.records(each))
