"""Columns of projects, outcomes and partnerships that go together, as in ``rules``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mel_pipeline.sources.workbook.said import Said

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row

Wrong = Iterator[tuple[str, Said]]


def _projects(row: Row) -> Wrong:
    starts, ends = row.get("starts_on"), row.get("ends_on")
    if starts and ends and ends < starts:
        yield "ends_on", Said("project_days")


def _project_finances(row: Row) -> Wrong:
    if not row.get("budget") and not row.get("spent"):
        yield "budget", Said("finance_value")
    if row.get("rate") is not None and float(row["rate"] or 0) == 0:
        yield "rate", Said("zero_rate")


def _logframe(row: Row) -> Wrong:
    if bool(row.get("dimension")) != bool(row.get("category")):
        missing = "category" if row.get("dimension") else "dimension"
        yield missing, Said("category_pair")
    for value, when in (("baseline", "baseline_on"), ("target", "target_by")):
        if bool(row.get(value)) != bool(row.get(when)):
            missing = when if row.get(value) else value
            yield missing, Said("value_and_date")
    if row.get("dimension") and not row.get("indicator"):
        yield "indicator", Said("dimension_without_indicator")


def _outcomes(row: Row) -> Wrong:
    first, second = row.get("evidence_1"), row.get("evidence_2")
    if row.get("substantiated") == "yes" and not (first and second):
        missing = "evidence_2" if first else "evidence_1"
        yield missing, Said("evidence_two")
    if first and second and first.casefold() == second.casefold():
        yield "evidence_2", Said("evidence_same")


def _partnerships(row: Row) -> Wrong:
    status, agreed, applied = row.get("status"), row.get("agreed_on"), row.get("applied_on")
    if status in ("agreed", "completed") and not agreed:
        yield (
            "agreed_on",
            Said("agreed_day"),
        )
    if status == "applied" and not applied:
        yield "applied_on", Said("applied_day")
    if status in ("applied", "declined") and agreed:
        yield (
            "agreed_on",
            Said("not_agreed_day"),
        )
    if agreed and applied and agreed < applied:
        yield "agreed_on", Said("agreed_before")
    if bool(row.get("amount")) != bool(row.get("currency")):
        missing = "currency" if row.get("amount") else "amount"
        yield missing, Said("amount_currency")


RULES: dict[str, Callable[[Row], Wrong]] = {
    "projects": _projects,
    "project_finances": _project_finances,
    "logframe": _logframe,
    "outcomes": _outcomes,
    "partnerships": _partnerships,
}
