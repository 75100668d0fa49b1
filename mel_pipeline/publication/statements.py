"""By which role, when and with what evidence a figure was stated. The workbook's versions know; nothing is stored twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Version
    from mel_pipeline.warehouse import Warehouse

MANUAL, EARLIER = "raw_workbook__manual_figures", "raw_workbook__earlier_figures"
TARGETS = "raw_workbook__targets"
TOTAL = "total"
_KEY = ("indicator", "period", "dimension", "category")
_NUMBERS = ("value", "numerator", "denominator", "people")


@dataclass(frozen=True)
class Statement:
    """A figure counted by hand, as loaded. ``day`` and ``role`` are those of the version that stated it; None and empty
    where it counted before the first version. ``category`` is empty for a total."""

    indicator_id: str
    period: str
    dimension: str
    category: str
    evidence: str
    note: str
    role: str
    day: date | None
    version: int

    @property
    def sentence(self) -> str:
        which = f"{self.period}{f', {self.dimension} {self.category}' if self.category else ''}"
        if self.day is None:
            return f"{which}: stated before the first version of the workbook. Evidence: {self.evidence}"
        return (
            f"{which}: stated by {self.role} on {self.day:%Y-%m-%d} (workbook version {self.version}). Evidence:"
            f" {self.evidence}"
        )


def read_statements(warehouse: Warehouse, settings: Settings) -> list[Statement]:
    """Every figure counted by hand that has been loaded, by indicator and period, totals first."""
    rows = _rows(warehouse, MANUAL)
    if not rows:
        return []
    from mel_pipeline.sources.workbook.versions import history

    versions = history(settings)
    return [
        Statement(
            row["indicator"],
            row["period"],
            row["dimension"] or TOTAL,
            (row["category"] or "") if row["dimension"] else "",
            row["evidence"] or "",
            row["note"] or "",
            *_stated_in(row, versions),
        )
        for row in rows
    ]


def earlier_rows(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Figures published before the pipeline, as loaded; texts, and None where a cell is empty."""
    return _rows(warehouse, EARLIER)


def baseline_rows(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Stated baselines of totals, as loaded; texts, and None where a cell is empty."""
    return [row for row in _rows(warehouse, TARGETS) if row["kind"] == "baseline" and not row["dimension"]]


def _rows(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    if not warehouse.has_table(table):
        return []
    return warehouse.records(
        f"select * from {table} where not _is_deleted"  # noqa: S608 - one of three names
        " order by indicator, period, coalesce(dimension, ''), coalesce(category, ''), id"
    )


def _stated_in(row: Mapping[str, Any], versions: Sequence[Version]) -> tuple[str, date | None, int]:
    """Role, day and number of the version from which on the row reads as it was loaded."""
    first: Version | None = None
    for version in versions:  # the newest first
        same = any(_is_same(row, stated) for stated in version.rows.get("manual_figures", ()))
        if same:
            first = version
        elif first is not None:
            break
    if first is None or first.accepted_at is None:
        return "", None, first.number if first else 0
    return first.role, first.accepted_at.date(), first.number


def _is_same(row: Mapping[str, Any], stated: Mapping[str, str | None]) -> bool:
    if row["id"] != stated["id"]:
        return False
    if any((row[name] or None) != (stated.get(name) or None) for name in (*_KEY, "evidence", "note")):
        return False
    return all(_number(row[name]) == _number(stated.get(name)) for name in _NUMBERS)


def _number(written: str | None) -> float | None:
    return float(written) if written else None
