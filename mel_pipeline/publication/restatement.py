"""The restatement ledger: published figures next to their current values, with the reason.

The reason is derived from the data where possible (see ``changes``); otherwise a person states it. A figure about
people is not restated while it, or another figure about the same people, differs by fewer people than a small group:
one late answer between two versions of a mean would reveal what that person answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import PublicationError
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import last_calculation
from mel_pipeline.publication.changes import CELL, REASONS, UNKNOWN, Movement, revisions
from mel_pipeline.publication.sensitivity import people_indicators
from mel_pipeline.publication.store import Entry
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import restatement

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse

OPEN, HELD, RESTATED = "open", "held", "restated"
KEY = list(CELL)
BY_DATA = "data"


@dataclass(frozen=True)
class Difference:
    """A published figure that the data no longer support, with one reason and its part of the difference."""

    indicator_id: str
    period: str
    disaggregation: str
    state: str
    reason: str | None
    stated_by: str
    published: float | None
    current: float | None
    difference: float | None
    note: str | None = None

    @property
    def sentence(self) -> str:
        return sentence_of(vars(self))


def sentence_of(row: Mapping[str, Any]) -> str:
    """A row of the ledger in words."""
    what = f"{row['indicator_id']} {row['period']} {row['disaggregation']}"
    why = (row["reason"] or "reason not known, state it with `mel restate`").replace("_", " ")
    if row["state"] == HELD:
        return f"{what}: differs by too few people to be shown ({why})."
    before, now = (
        "not available" if row[name] is None else f"{row[name]:g}" for name in ("published", "current")
    )
    if row["difference"] is None:
        return f"{what}: published {before}, now {now} ({why})."
    return f"{what}: published {before}, now {now}; {row['difference']:+g} by {why}."


def update(warehouse: Warehouse, settings: Settings, quarter: str) -> list[Difference]:
    """Compare a published quarter with the current data and rewrite its ledger entries.

    Reasons stated by a person are kept. Does nothing for an unpublished quarter.
    """
    publication = store.last_publication(warehouse, quarter)
    if publication is None:
        return []
    found = list(_differences(warehouse, settings, publication))
    _write(warehouse, publication, found)
    return found


def _differences(warehouse: Warehouse, settings: Settings, publication: Entry) -> Iterable[Difference]:
    quarter = publication.quarter
    now = last_calculation(warehouse, quarter)
    made = {item.calculation_id: item for item in store.calculations(warehouse, quarter)}
    shown = published(warehouse, quarter, publication.version or 1)
    bases = {publication.details["calculation"], *publication.details.get("bases", [])}
    movements = []
    for base in sorted(bases):
        if made[base].figures == now.figures:
            continue
        for movement in revisions(warehouse, made[base], now, settings.sql_dir):
            key = (movement.indicator_id, movement.period, movement.disaggregation)
            # Withheld figures were never shown, and are not shown now; those of a new indicator or grain restate nothing.
            is_known = key[:2] in {name[:2] for name in shown}
            if is_known and _base(publication, key) == base and shown.get(key) != "suppressed":
                movements.append(movement)
    people = people_indicators(settings)
    about_people = any(movement.indicator_id in people for movement in movements)
    restated = _restated(warehouse, settings, quarter) if about_people else set()
    for movement in movements:
        key = (movement.indicator_id, movement.period, movement.disaggregation)
        yield from _rows_of(movement, held=movement.indicator_id in people and key not in restated)


def _restated(warehouse: Warehouse, settings: Settings, quarter: str) -> set[tuple[str, str, str]]:
    """Figures that a new version would show with new numbers."""
    from mel_pipeline.publication.release import candidate
    from mel_pipeline.publication.sensitivity import sensitivities

    found, rules = candidate(warehouse, settings, quarter), sensitivities(settings)
    held, kept = {(block.group, block.period) for block in found.held}, set(found.kept)
    rows = found.figures.loc[found.figures["status"] != "suppressed", KEY].itertuples(index=False)
    names = ((str(row[0]), str(row[1]), str(row[2])) for row in rows)
    return {
        name
        for name in names
        if name[0] not in rules or ((rules[name[0]].group, name[1]) not in held and name not in kept)
    }


def kept_cells(
    cells: Iterable[tuple[str, str, str]], before: Entry | None, calculation: str
) -> dict[str, Any]:
    """Figures of a new version that do not come from its calculation: they differ by too few people to be shown.

    Args:
        before: the version whose figures they are; none of a year that is the sum of its published quarters.

    Returns:
        ``kept``: their names; ``bases``: the calculation each of them comes from, in the same order.
    """
    names = sorted(cells)
    bases = [_base(before, cell) if before else calculation for cell in names]
    return {"kept": [list(cell) for cell in names], "bases": bases} if names or before else {}


def _base(publication: Entry, cell: tuple[str, ...]) -> str:
    """The calculation that a published figure comes from."""
    kept = [tuple(name) for name in publication.details.get("kept", [])]
    calculation = publication.details["calculation"]
    return str(publication.details["bases"][kept.index(cell)] if cell in kept else calculation)


def published(warehouse: Warehouse, quarter: str, version: int) -> dict[tuple[str, str, str], str]:
    """Cell → status of every published figure of a quarter."""
    rows = warehouse.records(
        "select indicator_id, period, disaggregation, status from published_figures"
        " where quarter = :quarter and version = :version",
        {"quarter": quarter, "version": version},
    )
    return {(row["indicator_id"], row["period"], row["disaggregation"]): row["status"] for row in rows}


def _rows_of(movement: Movement, *, held: bool) -> Iterable[Difference]:
    parts: Mapping[str, float | None] = movement.parts or dict.fromkeys(movement.reasons or (UNKNOWN,))
    for reason, part in parts.items():
        yield Difference(
            movement.indicator_id,
            movement.period,
            movement.disaggregation,
            HELD if held else OPEN,
            None if reason == UNKNOWN else reason,
            BY_DATA,
            None if held else movement.before,
            None if held else movement.after,
            None if held else part,
        )


def _write(warehouse: Warehouse, publication: Entry, found: list[Difference]) -> None:
    quarter, version = publication.quarter, publication.version
    mine = sa.and_(restatement.c.quarter == quarter, restatement.c.state != RESTATED)
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        old = {
            (row.indicator_id, row.period, row.disaggregation, row.reason): row
            for row in connection.execute(sa.select(restatement).where(mine))
        }
        stated = {key[:3]: row for key, row in old.items() if row.stated_by != BY_DATA}
        rows = []
        for item in found:
            key = (item.indicator_id, item.period, item.disaggregation)
            values = vars(item) | {"quarter": quarter, "version": version}
            if item.reason is None and key in stated:
                entry = stated[key]
                values |= {"reason": entry.reason, "stated_by": entry.stated_by, "note": entry.note}
            before = old.get((*key, values["reason"]))
            rows.append(values | {"first_seen_at": before.first_seen_at if before else utc_now()})
        if not rows and not old:
            return
        connection.execute(sa.delete(restatement).where(mine))
        if rows:
            connection.execute(sa.insert(restatement), rows)


def state_reason(
    warehouse: Warehouse,
    quarter: str,
    indicator_id: str,
    reason: str,
    role: str,
    note: str,
    by: Person | None = None,
) -> int:
    """State the reason for an indicator's differences that the data do not explain. Returns how many.

    Args:
        by: as for ``publishing.approve``.

    Raises:
        PublicationError: the reason is not one of the four, or no difference needs one.
    """
    if reason not in REASONS:
        raise PublicationError(
            f"Restating {indicator_id}: '{reason}' is not a known reason. Use one of {', '.join(REASONS)}."
        )
    waiting = sa.and_(
        restatement.c.quarter == quarter,
        restatement.c.indicator_id == indicator_id,
        restatement.c.state != RESTATED,
        sa.or_(restatement.c.reason.is_(None), restatement.c.stated_by != BY_DATA),
    )
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        count = connection.execute(
            sa.select(sa.func.count()).select_from(restatement).where(waiting)
        ).scalar_one()
        if not count:
            raise PublicationError(
                f"Restating {indicator_id} of {quarter}: no difference waits for a reason. See `mel restatements`."
            )
        given = {"reason": reason, "stated_by": role, "note": note}
        connection.execute(sa.update(restatement).where(waiting).values(**given))
        details = {"indicator": indicator_id, "reason": reason, **store.signed(by)}
        store.append(
            connection,
            Entry(quarter, "reason", utc_now(), figures="", role=role, note=note, details=details),
        )
    return int(count)


def require_reasons(warehouse: Warehouse, quarter: str) -> None:
    """Refuse a new version while a difference has no reason.

    Raises:
        PublicationError: names the figures.
    """
    nameless = [
        row for row in ledger_rows(warehouse, quarter) if row["state"] == OPEN and row["reason"] is None
    ]
    if nameless:
        listed = ", ".join(sorted({f"{row['indicator_id']} {row['period']}" for row in nameless}))
        raise PublicationError(
            f"Publishing a new version of {quarter}: the data do not explain why {listed} changed. State the reason with"
            f" `mel restate {quarter} {nameless[0]['indicator_id']} --reason ... --role ... --note ...`."
        )


def close(connection: sa.Connection, quarter: str) -> None:
    """Mark differences included in a new version as restated; held ones stay."""
    connection.execute(
        sa.update(restatement)
        .where(restatement.c.quarter == quarter, restatement.c.state == OPEN)
        .values(state=RESTATED)
    )


def ledger_rows(warehouse: Warehouse, quarter: str | None = None) -> list[dict[str, Any]]:
    """The ledger, oldest first."""
    if not warehouse.has_table(restatement.name):
        return []
    rows = warehouse.records(
        f"select * from {restatement.name} order by quarter, version, indicator_id, period, disaggregation, reason"  # noqa: S608
    )
    return [row for row in rows if quarter in (None, row["quarter"])]


def open_cells(warehouse: Warehouse, quarter: str) -> int:
    """Number of published figures that differ from the current data."""
    rows = [row for row in ledger_rows(warehouse, quarter) if row["state"] != RESTATED]
    return len({tuple(row[name] for name in CELL) for row in rows})
