"""Why a figure changed: the difference between two calculations, or two periods, in parts that add up.

Each part is how far the figure moves when one more kind of change is applied: it is recalculated with the old rows
and, step by step, the new ones (a sequential decomposition in the order of ``REASONS``). The parts add up to the
whole difference exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import calculate_again, definition_files, listing_of
from mel_pipeline.warehouse.snapshot import Past, has_changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from mel_pipeline.publication.store import Calculation
    from mel_pipeline.warehouse import Warehouse

MEMBERSHIP = "membership_change"
CORRECTION = "correction"
LATE = "late_data"
DEFINITION = "definition_change"
REAL = "real_change"
UNKNOWN = "not_known"
REASONS = (MEMBERSHIP, CORRECTION, LATE, DEFINITION)
MEMBER_TABLES = ("raw_zoho_crm__accounts",)
DEFINITION_TABLES = "raw_catalogue__"
CELL = ("indicator_id", "period", "disaggregation")


@dataclass(frozen=True)
class Movement:
    """One figure at two moments. ``parts``: reason → how much of the difference; they add up to it.

    A figure that was or is not available has no difference (``parts`` is empty then), but ``reasons`` still
    says which kinds of change touched it.
    """

    indicator_id: str
    period: str
    disaggregation: str
    before: float | None
    after: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before


def revisions(warehouse: Warehouse, before: Calculation, after: Calculation, folder: Path) -> list[Movement]:
    """How the figures of a quarter changed between two calculations; only those that differ.

    Args:
        folder: the current definitions, in case ``after`` is the present.
    """
    stages = _stages(warehouse, before, after, folder)
    cells: dict[tuple[str, ...], list[tuple[str, dict[str, object]]]] = {}
    for reason, frame in stages:
        for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
            key = tuple(str(row[name]) for name in CELL)
            cells.setdefault(key, []).append((reason, {str(name): value for name, value in row.items()}))
    names = [reason for reason, _ in stages]
    found = (_movement(key, dict(rows), names) for key, rows in cells.items())
    return [movement for movement in found if movement is not None]


def between_periods(
    earlier_now: float,
    later_now: float,
    earlier_revision: Mapping[str, float],
    later_revision: Mapping[str, float],
) -> dict[str, float]:
    """The movement from one published figure to the next, split into the real change and later revisions.

    Args:
        earlier_now, later_now: both figures from the current data.
        earlier_revision, later_revision: how each differs from its published value, by reason.

    Returns:
        Non-zero parts of the difference between the published figures; they add up to it.
    """
    parts = {REAL: later_now - earlier_now}
    for reason in (*REASONS, UNKNOWN):
        part = earlier_revision.get(reason, 0.0) - later_revision.get(reason, 0.0)
        if part:
            parts[reason] = part
    return parts


def _stages(
    warehouse: Warehouse, before: Calculation, after: Calculation, folder: Path
) -> list[tuple[str, pd.DataFrame]]:
    """The figures at the start and after each kind of change is applied; kinds that did not occur are left out."""
    raw = _raw_tables(warehouse)
    span = Past(before.calculated_at, after.calculated_at)
    with warehouse.connect() as connection:
        touched = {table: has_changed(connection, table, span) for table in raw}
    pasts = dict.fromkeys(raw, span)
    stages = [("", calculate_again(warehouse, before, pasts))]

    for reason, new, changed in ((MEMBERSHIP, True, True), (CORRECTION, False, True), (LATE, True, False)):
        moving = [
            table
            for table, (has_new, has_changes) in touched.items()
            if reason_of(table, new=new) == reason and ((new and has_new) or (changed and has_changes))
        ]
        for table in moving:
            past = pasts[table]
            pasts[table] = replace(past, new=past.new or new, changed=past.changed or changed)
        if moving:
            stages.append((reason, calculate_again(warehouse, before, pasts)))
    definitions = [table for table in raw if table.startswith(DEFINITION_TABLES) and touched[table][1]]
    if definitions or before.definitions != after.definitions or before.variables != after.variables:
        pasts |= {table: replace(span, new=True, changed=True) for table in raw}
        same = store.digest_of(listing_of(definition_files(folder))) == after.definitions
        stages.append((DEFINITION, calculate_again(warehouse, after, pasts, folder if same else None)))
    return stages


def reason_of(table: str, *, new: bool) -> str:
    """The reason code of a change in a raw table: membership, late data or a correction."""
    if table.startswith(DEFINITION_TABLES):
        return DEFINITION
    if table in MEMBER_TABLES:
        return MEMBERSHIP
    return LATE if new else CORRECTION


def _raw_tables(warehouse: Warehouse) -> list[str]:
    names = warehouse.tables()
    return sorted(name for name in names if name.startswith("raw_") and f"{name}_history" in names)


def _movement(
    key: tuple[str, ...], rows: Mapping[str, dict[str, object]], stages: Iterable[str]
) -> Movement | None:
    """A cell missing from a stage counts as not available there."""
    values = [(reason, rows.get(reason, {})) for reason in stages]
    first, last = values[0][1], values[-1][1]
    if _shown(first) == _shown(last):
        return None
    reasons = tuple(reason for (_, then), (reason, now) in pairwise(values) if _shown(then) != _shown(now))
    numbers = [(reason, _number(row, "value")) for reason, row in values]
    before, after = numbers[0][1], numbers[-1][1]
    parts: dict[str, float] = {}
    known = [number for _, number in numbers if number is not None]
    if len(known) == len(numbers):
        for (_, then), (reason, now) in pairwise(numbers):
            if reason in reasons:
                parts[reason] = (now or 0.0) - (then or 0.0)
    elif before is not None and after is not None:
        parts[UNKNOWN] = after - before  # it was not available in between: no part can be determined
    return Movement(key[0], key[1], key[2], before, after, parts, reasons)


def _shown(row: Mapping[str, object]) -> tuple[object, ...]:
    """A figure for comparison: twelve digits, as when it is frozen."""
    names = ("value", "numerator", "denominator", "n")
    numbers = [_number(row, name) for name in names]
    return (row.get("status"), *(None if number is None else f"{number:.12g}" for number in numbers))


def _number(row: Mapping[str, object], name: str) -> float | None:
    value = row.get(name)
    return None if value is None else float(value)  # type: ignore[arg-type]


__all__ = ["REASONS", "Movement", "between_periods", "reason_of", "revisions"]
