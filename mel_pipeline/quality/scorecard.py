"""The data-quality card: rows read, quarantined, corrected and late by source, and every rule by dimension. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.quality.results import DIMENSIONS, PLAUSIBILITY, RENAMED

if TYPE_CHECKING:
    from collections.abc import Collection

    from mel_pipeline.warehouse import Warehouse


PLAUSIBLE = "figures_are_plausible"


@dataclass(frozen=True)
class Line:
    """One source. ``cells``: left empty in stored rows. ``late``: rows that arrived after their quarter was published."""

    source: str
    title: str
    rows: int
    quarantined: int
    cells: int
    corrected: int
    late: int
    status: str


def card(warehouse: Warehouse) -> list[Line]:
    """One line per source with a load, by title."""
    there = warehouse.tables()
    if "load_ledger" not in there:
        return []
    loads = {row["source"]: row for row in warehouse.records(_LOADS)}
    quarantined = _counts(warehouse, _QUARANTINED) if "quarantine" in there else {}
    cells = _counts(warehouse, _CELLS) if "quarantine" in there else {}
    corrected = _counts(warehouse, _CORRECTED) if "correction_use" in there else {}
    late = _counts(warehouse, _LATE) if "publication_ledger" in there else {}
    lines = []
    for source in source_names():
        load = loads.get(source)
        if load is None:
            continue
        in_quarantine = quarantined.get(source, 0)
        status = "complete" if not load["failed"] else f"last load of {load['failed']} tables failed"
        lines.append(
            Line(
                source,
                contract_of(source).title,
                int(load["stored"] or 0) + in_quarantine,
                in_quarantine,
                cells.get(source, 0),
                corrected.get(source, 0),
                late.get(source, 0),
                status,
            )
        )
    return sorted(lines, key=lambda line: line.title)


def rules(warehouse: Warehouse, quarters: Collection[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Dimension → rules with their last outcome, broken ones first.

    Args:
        quarters: rules about other quarters are left out.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in DIMENSIONS}
    for row in _results(warehouse, quarters):
        if row["dimension"] in found:
            found[row["dimension"]].append(row)
    return {name: rows for name, rows in found.items() if rows}


def worth_a_look(warehouse: Warehouse, quarters: Collection[str] | None = None) -> list[str]:
    """Totals that are out of line, one sentence each: a question to a person, not a broken rule."""
    return [sentence for _, sentence in flagged_totals(warehouse, quarters)]


def flagged_totals(warehouse: Warehouse, quarters: Collection[str] | None = None) -> list[tuple[str, str]]:
    """The same, each with its indicator."""
    return [
        (row["check_name"].partition(" ")[0], row["sentence"])
        for row in _results(warehouse, quarters)
        if row["dimension"] == PLAUSIBILITY and row["check_name"] != PLAUSIBLE and not row["passed"]
    ]


def _results(warehouse: Warehouse, quarters: Collection[str] | None) -> list[dict[str, Any]]:
    if not warehouse.has_table("quality_result"):
        return []
    rows = [
        {**row, "dimension": RENAMED.get(row["dimension"], row["dimension"])}
        for row in warehouse.records(_RULES)
    ]
    return [row for row in rows if quarters is None or row["quarter"] is None or row["quarter"] in quarters]


def quarantined_rows(warehouse: Warehouse, source: str = "") -> list[dict[str, Any]]:
    """Unresolved rows and cells in quarantine."""
    if not warehouse.has_table("quarantine"):
        return []
    return warehouse.records(
        "select source, entity, source_ref, row_key, reason from quarantine where resolved_at is null"
        " and rule <> 'left out' and (:source = '' or source = :source) order by source, entity, source_ref, reason",
        {"source": source},
    )


def _counts(warehouse: Warehouse, sql: str) -> dict[str, int]:
    return {row["source"]: int(row["n"]) for row in warehouse.records(sql)}


_LOADS = (
    "select source, sum(stored) as stored, sum(failed) as failed from ("
    " select source, entity,"
    "  max(case when loaded_place = 1 and status = 'loaded' then stored end) as stored,"
    "  max(case when place = 1 and status = 'failed' then 1 else 0 end) as failed"
    " from (select *, row_number() over (partition by source, entity order by finished_at desc) as place,"
    "  row_number() over (partition by source, entity, status order by finished_at desc) as loaded_place"
    "  from load_ledger) l group by source, entity) e group by source"
)
_QUARANTINED = (
    "select source, count(distinct entity || coalesce(row_key, source_ref)) as n from quarantine"
    " where resolved_at is null and lost = 'row' group by source"
)
_CELLS = (
    "select source, count(distinct entity || row_key || column_name) as n from quarantine"
    " where resolved_at is null and lost = 'cell' group by source"
)
_CORRECTED = "select source, count(distinct entity || row_key) as n from correction_use group by source"
_LATE = (
    "select l.source, sum(l.new) as n from load_ledger l join ("
    "  select quarter, min(happened_at) as published_at from publication_ledger where event = 'published'"
    "  group by quarter) p on p.quarter = l.quarter and l.finished_at > p.published_at group by l.source"
)
_RULES = (
    "select asset, check_name, quarter, dimension, severity, passed, sentence from quality_result"
    " order by dimension, passed, asset, check_name, quarter"
)
