"""Every calculation can be repeated: its rows and its definitions are kept."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ModelError, ReportError
from mel_pipeline.publication import store
from mel_pipeline.publication.store import Calculation
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.project import INDICATOR_PREFIX

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.snapshot import Past

FOLDERS = ("macros", "models", "tests")
FIGURES = "indicator_values"


def definition_files(folder: Path) -> dict[str, str]:
    """Text of every file that defines a figure: name below the folder → content."""
    paths = [folder / "dbt_project.yml"]
    paths += [
        path for name in FOLDERS for path in (folder / name).rglob("*") if path.suffix in (".sql", ".yml")
    ]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in sorted(paths)}


def listing_of(files: Mapping[str, str]) -> str:
    """The list of definitions with their digests, as text."""
    return json.dumps({name: store.digest_of(text) for name, text in files.items()}, sort_keys=True)


def note_calculation(
    warehouse: Warehouse, folder: Path, quarter: str, variables: Mapping[str, object], begun_at: datetime
) -> Calculation:
    """Record how the figures of a quarter were calculated; identical definitions are stored once.

    Args:
        begun_at: UTC without zone; rows loaded until then are in the figures.
    """
    from mel_pipeline.publication.settled import note_figures
    from mel_pipeline.warehouse.migrating import ensure_tables

    files = definition_files(folder)
    listing = listing_of(files)
    figures = warehouse.read(f"select * from {FIGURES} where quarter = :quarter", {"quarter": quarter})  # noqa: S608
    calculation = Calculation(
        calculation_id=f"{quarter}-{begun_at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        quarter=quarter,
        calculated_at=begun_at,
        definitions=store.digest_of(listing),
        variables={name: value for name, value in variables.items() if name != "indicator_models"},
        code_version=version("mel-pipeline"),
        figures=store.digest_of(store.figures_text(figures)),
    )
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        store.store_texts(connection, [*files.values(), listing])
        store.note_calculation(connection, calculation)
        note_figures(connection, quarter)
    return calculation


def last_calculation(warehouse: Warehouse, quarter: str) -> Calculation:
    """The calculation whose figures are in the warehouse.

    Raises:
        ReportError: there is none.
    """
    found = store.calculations(warehouse, quarter)
    if not found:
        raise ReportError(
            f"Reading the calculation of {quarter}: there is none. Run `mel run --quarter {quarter}` first."
        )
    return found[-1]


def calculate_again(
    warehouse: Warehouse,
    calculation: Calculation,
    pasts: Mapping[str, Past] | None = None,
    folder: Path | None = None,
) -> pd.DataFrame:
    """Recompute the figures of a quarter in a snapshot; the warehouse is not changed.

    Args:
        pasts: which versions of the rows to use, by raw table; by default those of the calculation.
        folder: definitions; by default those of the calculation.

    Raises:
        ModelError: a definition is no longer stored, or a model failed.
    """
    with tempfile.TemporaryDirectory(prefix="mel-definitions-") as place:
        if folder is None:
            folder = Path(place)
            _restore(warehouse, calculation, folder)
        return _calculate(warehouse, calculation, pasts, folder)


def raw_tables_by_indicator(warehouse: Warehouse, calculation: Calculation) -> dict[str, set[str]]:
    """The raw tables that each indicator of a calculation reads, by its own definitions; those counted by hand read none
    that holds persons, and are not listed."""
    with tempfile.TemporaryDirectory(prefix="mel-definitions-") as place:
        _restore(warehouse, calculation, Path(place))
        project = SqlProject.load(Path(place), calculation.variables)
    return {
        model.removeprefix(INDICATOR_PREFIX).upper().replace("_", "-"): {
            table for name in project.upstream(model) for table in project.models[name].sources
        }
        for model in project.models
        if model.startswith(INDICATOR_PREFIX)
    }


def _restore(warehouse: Warehouse, calculation: Calculation, folder: Path) -> None:
    with warehouse.connect() as connection:
        listing = store.read_texts(connection, [calculation.definitions])
        names = json.loads(listing.get(calculation.definitions, "{}"))
        texts = store.read_texts(connection, names.values())
    if not names or set(names.values()) - set(texts):
        raise ModelError(
            f"Calculating {calculation.quarter} as on {calculation.calculated_at:%Y-%m-%d}: its definitions are not"
            " kept in the warehouse (table kept_file). Restore the warehouse from a backup."
        )
    for name, digest in names.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[digest], encoding="utf-8")


def _calculate(
    warehouse: Warehouse, calculation: Calculation, pasts: Mapping[str, Past] | None, folder: Path
) -> pd.DataFrame:
    import pandas as pd
    import sqlalchemy as sa

    from mel_pipeline.warehouse.snapshot import Past, snapshot

    project = SqlProject.load(folder, calculation.variables)
    columns = {source.table: list(source.columns) for source in project.source_tables.values()}
    then = Past(calculation.calculated_at, calculation.calculated_at)
    wanted = dict.fromkeys(columns, then) if pasts is None else dict(pasts)
    with snapshot(warehouse, columns, wanted) as past:
        results = list(Runner(past).run(project, project.upstream(FIGURES), with_tests=False))
        if failed := [f"{result.name}: {result.message}" for result in results if result.status == "failed"]:
            raise ModelError(f"Recalculating {calculation.quarter}: {' '.join(failed)}")
        return pd.read_sql(sa.text(f"select * from {FIGURES}"), past.connection)  # noqa: S608
