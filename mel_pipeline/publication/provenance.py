"""Where a figure comes from: definition, lineage with rows and loads, checks, publication, contributing records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.contracts import assets_of
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import Quarter, closing_quarter
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import last_calculation
from mel_pipeline.publication.contributors import records
from mel_pipeline.publication.restatement import ledger_rows, sentence_of
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.variables import sql_variables

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.store import Calculation, Entry
    from mel_pipeline.transform.catalogue import Indicator
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Input:
    """A raw table behind a figure, with the load that wrote to it last. ``cells``: left empty, their values in quarantine."""

    table: str
    rows: int
    quarantined: int
    cells: int
    load_ids: tuple[str, ...]


@dataclass(frozen=True)
class Provenance:
    """Everything about one figure. ``figures`` are its public cells; ``records`` lists what a count counts;
    ``statements`` say by which role, when and with what evidence public cells were stated."""

    indicator: Indicator
    period: str
    figures: list[dict[str, Any]]
    calculation: Calculation
    model: str
    sql: str
    lineage: list[str]
    inputs: list[Input]
    checks: list[dict[str, Any]]
    corrections: int
    publications: list[Entry]
    restatements: list[dict[str, Any]]
    records: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)  # of a figure counted by hand
    earlier: list[str] = field(default_factory=list)  # published before the pipeline
    months: str = ""  # of a flow with months: that they add up to the figure, or by how much they do not

    @property
    def models(self) -> list[str]:
        """The SQL models involved, in order."""
        return [name for name in self.lineage if not name.startswith("raw_")]

    @property
    def restated(self) -> list[str]:
        return [sentence_of(row) for row in self.restatements]

    @property
    def withheld(self) -> int:
        return sum(row["status"] == "suppressed" for row in self.figures)


def explain(warehouse: Warehouse, settings: Settings, indicator_id: str, period: str) -> Provenance:
    """Collect everything known about one figure.

    Args:
        period: ``2024-Q4``, ``2024``, or of some flows a month: ``2024-11``.

    Raises:
        ReportError: there is no such indicator, or the period has not been calculated.
    """
    catalogue = catalogue_of(settings)
    indicator = next((item for item in catalogue.indicators if item.id == indicator_id), None)
    if indicator is None:
        known = ", ".join(item.id for item in catalogue.indicators)
        raise ReportError(f"Explaining {indicator_id}: there is no such indicator. Known: {known}.")
    quarter = closing_quarter(period)
    calculation = last_calculation(warehouse, quarter)
    figures = warehouse.records(
        "select * from released_figures where indicator_id = :indicator and period = :period"
        " order by case when dimension = 'total' then 0 else 1 end, dimension, category",
        {"indicator": indicator_id, "period": period},
    )
    if not figures:
        raise ReportError(
            f"Explaining {indicator_id} {period}: no figure. Run `mel run --quarter {quarter}` first."
        )
    today = sql_variables(settings, Quarter.parse(quarter))  # a calculation of an earlier version has fewer
    project = SqlProject.load(settings.sql_dir, {**today, **calculation.variables})
    upstream = project.upstream(indicator.model)
    lineage = [model.name for model in project.order(upstream)]
    raw = sorted({table for name in lineage for table in project.models[name].sources})
    entries = [entry for entry in store.ledger(warehouse, quarter) if entry.event == "published"]
    mine = [
        row
        for row in ledger_rows(warehouse, quarter)
        if (row["indicator_id"], row["period"]) == (indicator_id, period)
    ]
    return Provenance(
        indicator,
        period,
        figures,
        calculation,
        str(project.models[indicator.model].path.relative_to(settings.sql_dir.parent)),
        project.compile(indicator.model),
        [*raw, *lineage],
        list(_inputs(warehouse, raw).values()),
        _checks(warehouse, [*lineage, *raw], quarter),
        _corrections(warehouse, raw),
        entries,
        mine,
        records(warehouse, project, indicator, period),
        _statements(warehouse, settings, indicator, period),
        _earlier(warehouse, indicator_id),
        _months(warehouse, indicator, period, figures[0]),
    )


def _statements(warehouse: Warehouse, settings: Settings, indicator: Indicator, period: str) -> list[str]:
    """Those of the period, or of the quarters of a year; not of withheld figures, whose number their words could say."""
    if not indicator.stated:
        return []
    from mel_pipeline.publication.statements import read_statements

    rows = warehouse.records(
        "select period, dimension, category from released_figures where indicator_id = :indicator and status = 'suppressed'",
        {"indicator": indicator.id},
    )
    hidden = {(row["period"], row["dimension"], row["category"] or "") for row in rows}
    return [
        item.sentence
        for item in read_statements(warehouse, settings)
        if item.indicator_id == indicator.id
        and (item.period == period or item.period.startswith(f"{period}-"))
        and (item.period, item.dimension, item.category) not in hidden
    ]


def _months(warehouse: Warehouse, indicator: Indicator, period: str, total: dict[str, Any]) -> str:
    """The months of a quarter or year as a sum beside its figure."""
    if not indicator.months or total["grain"] == "month" or total["value"] is None:
        return ""
    rows = warehouse.records(
        "select period, value from released_figures where indicator_id = :indicator and grain = 'month'"
        " and dimension = 'total' and value is not null and (quarter = :period or substr(quarter, 1, 4) = :period)"
        " order by period",
        {"indicator": indicator.id, "period": period},
    )
    if not rows:
        return ""
    added = sum(row["value"] for row in rows)
    listed = " + ".join(f"{row['value']:,.0f} ({row['period']})" for row in rows)
    says = "the figure" if abs(added - total["value"]) < 1e-6 else f"but the figure is {total['value']:,.0f}"
    return f"{listed} = {added:,.0f}, {says}"


def _earlier(warehouse: Warehouse, indicator_id: str) -> list[str]:
    from mel_pipeline.publication.statements import earlier_rows

    return [
        f"{' '.join(filter(None, [row['period'], row['dimension'], row['category']]))}: {float(row['value']):g}"
        f" ({row['document']}, p. {row['page']})"
        for row in earlier_rows(warehouse)
        if row["indicator"] == indicator_id
    ]


def origins(warehouse: Warehouse, settings: Settings) -> dict[str, list[str]]:
    """For the report, by indicator: its SQL model, and the raw tables behind it with rows and the last load.

    It is stable as long as the data are.
    """
    project = SqlProject.load(settings.sql_dir, sql_variables(settings, settings.open_quarter))
    indicators = catalogue_of(settings).indicators
    raw_of = {
        indicator.id: sorted(
            {table for name in project.upstream(indicator.model) for table in project.models[name].sources}
        )
        for indicator in indicators
    }
    described = {}
    for table, item in _inputs(
        warehouse, sorted({table for raw in raw_of.values() for table in raw})
    ).items():
        last = item.load_ids[0] if item.load_ids else "never loaded"
        described[table] = f"{table}: {item.rows:,} rows, last changed by {last}"
    found = {}
    for indicator in indicators:
        path = project.models[indicator.model].path.relative_to(settings.sql_dir.parent)
        found[indicator.id] = [str(path), *(described[table] for table in raw_of[indicator.id])]
    return found


_WAITING = (
    "select source, entity, count(distinct case when lost = 'row' then coalesce(row_key, source_ref) end) as n,"
    " count(case when lost = 'cell' then 1 end) as cells from quarantine where resolved_at is null"
    " group by source, entity"
)


def _inputs(warehouse: Warehouse, listed: list[str]) -> dict[str, Input]:
    """By name of the raw table."""
    there = warehouse.tables()
    waiting = warehouse.records(_WAITING) if "quarantine" in there else []
    return {table: _input(warehouse, table, there, waiting) for table in listed}


def _input(warehouse: Warehouse, table: str, there: set[str], waiting: list[dict[str, Any]]) -> Input:
    if table not in there:
        return Input(table, 0, 0, 0, ())
    base = table.removesuffix("_history")
    rows = warehouse.records(f"select count(*) as n from {table}")[0]["n"]  # noqa: S608 - models name tables
    loads = warehouse.records(
        f"select _load_id, max(_loaded_at) as last from {table} group by _load_id order by last desc nulls last, _load_id limit 5"  # noqa: S608
    )
    mine = [row for row in waiting if f"raw_{row['source']}__{row['entity']}" in assets_of(base)]
    if not base.startswith("raw_"):
        mine = []
    quarantined, cells = (sum(int(row[name]) for row in mine) for name in ("n", "cells"))
    return Input(table, int(rows), quarantined, cells, tuple(str(row["_load_id"]) for row in loads))


def _checks(warehouse: Warehouse, assets: list[str], quarter: str) -> list[dict[str, Any]]:
    if not warehouse.has_table("quality_result"):
        return []
    rows = warehouse.records(
        "select asset, check_name, dimension, severity, passed, sentence from quality_result"
        " where quarter is null or quarter = :quarter order by passed, asset, check_name",
        {"quarter": quarter},
    )
    return [row for row in rows if row["asset"] in set(assets)]


def _corrections(warehouse: Warehouse, tables: list[str]) -> int:
    if not warehouse.has_table("correction_use"):
        return 0
    used = warehouse.records(
        "select source, entity, count(*) as n from correction_use group by source, entity"
    )
    assets = {asset for table in tables for asset in assets_of(table)}
    return sum(int(row["n"]) for row in used if f"raw_{row['source']}__{row['entity']}" in assets)
