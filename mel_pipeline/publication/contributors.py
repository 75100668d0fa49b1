"""Who and what a count counts, by name, and how that changed from one period to another. People are never listed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mel_pipeline.publication.changes import CELL
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.transform.variables import sql_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.transform.catalogue import Indicator
    from mel_pipeline.warehouse import Warehouse

# Key of a record → its name: of organisations and events, which are public. A key without an entry names itself.
NAMES = {
    "account_id": "select account_id as record, account_name as name from dim_member",
    "membership_id": "select s.membership_id as record, m.account_name as name from dim_membership as s"
    " join dim_member as m on m.account_id = s.account_id",
    "deal_id": "select deal_id as record, donor as name from fct_contribution",
    "event_id": "select event_id as record, event_name as name from dim_event",
}
# The breakdowns that tell where a change comes from, the most telling first.
PLACES = (
    "region",
    "campaign",
    "donor",
    "platform",
    "activity_type",
    "programme",
    "theme",
    "site",
    "account",
    "line_of_action",
)
MOST = 12


def records(warehouse: Warehouse, project: SqlProject, indicator: Indicator, period: str) -> list[str]:
    """Names of the counted records, from the model's own common table expressions; two of a name as ``name ×2``."""
    names = _counted(warehouse, project, indicator, period)
    return [name if count == 1 else f"{name} ×{count}" for name, count in sorted(names.items())]


def _counted(warehouse: Warehouse, project: SqlProject, indicator: Indicator, period: str) -> Counter[str]:
    from mel_pipeline.transform.contributing_rows import contributing_query

    if indicator.records is None or indicator.disclosure is not None:
        return Counter()
    counted = indicator.records
    query = contributing_query(
        project.compile(indicator.model), counted.table, counted.key, warehouse.dialect
    )
    keys = [str(row["record"]) for row in warehouse.records(query) if row["period"] == period]
    names = _names(warehouse, counted.key) if keys else {}
    return Counter(names.get(key, key) for key in keys)


def changed_by(
    warehouse: Warehouse, settings: Settings, indicator_id: str, earlier: str, later: str
) -> list[str]:
    """What came and went between two periods, and how far each place moved, as lines of text."""
    found = next(item for item in load_catalogue(settings.sql_dir).indicators if item.id == indicator_id)
    return [
        *_came_and_went(warehouse, settings, found, earlier, later),
        *_places(warehouse, found, earlier, later),
    ]


def _came_and_went(
    warehouse: Warehouse, settings: Settings, indicator: Indicator, earlier: str, later: str
) -> Iterable[str]:
    before, after = (
        _counted(warehouse, _project(settings, period), indicator, period) for period in (earlier, later)
    )
    for sign, names in (("+", after - before), ("-", before - after)):
        if names:
            listed = sorted(names)
            more = f" and {len(listed) - MOST:,} more" if len(listed) > MOST else ""
            yield f"{sign} {', '.join(listed[:MOST])}{more}"


def _project(settings: Settings, period: str) -> SqlProject:
    from mel_pipeline.core.periods import Quarter

    quarter = Quarter.parse(period if "-Q" in period else f"{period}-Q4")
    return SqlProject.load(settings.sql_dir, sql_variables(settings, quarter))


def _places(warehouse: Warehouse, indicator: Indicator, earlier: str, later: str) -> Iterable[str]:
    """The first breakdown that both periods have; withheld cells stay out of it."""
    rows = warehouse.records(
        f"select {', '.join(CELL)}, dimension, category, value from released_figures"  # noqa: S608
        " where indicator_id = :indicator and period in (:earlier, :later) and status = 'ok' and dimension <> 'total'",
        {"indicator": indicator.id, "earlier": earlier, "later": later},
    )
    for dimension in PLACES:
        before, after = (
            {
                row["category"]: row["value"]
                for row in rows
                if (row["dimension"], row["period"]) == (dimension, when)
            }
            for when in (earlier, later)
        )
        moved = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in {*before, *after}}
        if any(moved.values()) and (before or dimension == "campaign"):
            largest = sorted(
                (name for name in moved if moved[name]), key=lambda name: (-abs(moved[name]), name)
            )
            listed = "; ".join(f"{name} {_signed(moved[name])}" for name in largest[:MOST])
            yield f"by {dimension.replace('_', ' ')}: {listed}"
            return


def _signed(amount: float) -> str:
    return f"{amount:+,.0f}" if abs(amount) >= 100 or amount == int(amount) else f"{amount:+.1f}"


def _names(warehouse: Warehouse, key: str) -> Mapping[str, str]:
    if key not in NAMES:
        return {}
    return {str(row["record"]): str(row["name"]) for row in warehouse.records(NAMES[key])}
