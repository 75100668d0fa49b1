"""Every figure again from what has been collected: after an upgrade that changed a model's columns."""

from __future__ import annotations

from collections.abc import Iterator

from mel_pipeline.catalogue import load_catalogue
from mel_pipeline.errors import ModelError
from mel_pipeline.landing import land_catalogue, utc_now
from mel_pipeline.periods import Quarter
from mel_pipeline.publication.calculations import note_calculation
from mel_pipeline.publication.release import release
from mel_pipeline.publication.restatement import update
from mel_pipeline.settings import Settings
from mel_pipeline.sql_project import Runner, SqlProject
from mel_pipeline.variables import sql_variables
from mel_pipeline.warehouse import Warehouse


def recalculate(warehouse: Warehouse, settings: Settings) -> Iterator[Quarter]:
    """Rebuild all tables, then every quarter that had figures; yields each quarter when it is done.

    No source is asked. The first quarter builds the tables anew; if the command is cut short, the quarters that
    are still missing can be run by `mel run`. Published figures stay as they are; what differs goes to the ledger.

    Raises:
        ModelError: a model failed; the message says which and why.
    """
    land_catalogue(load_catalogue(settings.sql_dir), warehouse)
    for number, quarter in enumerate(_calculated(warehouse)):
        variables = sql_variables(settings, quarter)
        project = SqlProject.load(settings.sql_dir, variables)
        begun = utc_now()
        results = Runner(warehouse).run(project, variables=variables, full_refresh=number == 0)
        failed = [f"{result.name}: {result.message}" for result in results if result.status == "failed"]
        if failed:
            raise ModelError(f"Calculating {quarter} again: {' '.join(failed)}")
        note_calculation(warehouse, settings.sql_dir, str(quarter), project.variables, begun)
        release(warehouse, settings)
        update(warehouse, settings, str(quarter))
        yield quarter


def _calculated(warehouse: Warehouse) -> list[Quarter]:
    if not warehouse.has_table("indicator_values"):
        return []
    quarters = warehouse.read("select distinct quarter from indicator_values")["quarter"]
    return sorted(Quarter.parse(str(quarter)) for quarter in quarters)
