"""Columns of projects, outcomes and partnerships that go together, as in ``rules``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row

Wrong = Iterator[tuple[str, str]]


def _projects(row: Row) -> Wrong:
    starts, ends = row.get("starts_on"), row.get("ends_on")
    if starts and ends and ends < starts:
        yield "ends_on", "the project ends before it starts. Correct one of the two days"


def _project_finances(row: Row) -> Wrong:
    if not row.get("budget") and not row.get("spent"):
        yield "budget", "a year needs its budget, what was spent, or both"
    if row.get("rate") is not None and float(row["rate"] or 0) == 0:
        yield "rate", "nothing can be divided by zero. Leave the rate empty if it is not known"


def _logframe(row: Row) -> Wrong:
    if bool(row.get("dimension")) != bool(row.get("category")):
        missing = "category" if row.get("dimension") else "dimension"
        yield missing, "disaggregation and category go together. Fill in both, or neither"
    for value, when in (("baseline", "baseline_on"), ("target", "target_by")):
        if bool(row.get(value)) != bool(row.get(when)):
            missing = when if row.get(value) else value
            yield missing, "a value and its date go together. Fill in both, or neither"
    if row.get("dimension") and not row.get("indicator"):
        yield "indicator", "a disaggregation needs the indicator that it breaks down"


def _outcomes(row: Row) -> Wrong:
    first, second = row.get("evidence_1"), row.get("evidence_2")
    if row.get("substantiated") == "yes" and not (first and second):
        missing = "evidence_2" if first else "evidence_1"
        yield missing, "a substantiated outcome needs two sources of evidence. Name both, or choose no"
    if first and second and first.casefold() == second.casefold():
        yield "evidence_2", "the second source of evidence is the first one. Name another, or leave it empty"


def _partnerships(row: Row) -> Wrong:
    status, agreed, applied = row.get("status"), row.get("agreed_on"), row.get("applied_on")
    if status in ("agreed", "completed") and not agreed:
        yield (
            "agreed_on",
            "what is agreed needs the day of its signature or award: it decides where it counts",
        )
    if status == "applied" and not applied:
        yield "applied_on", "an application needs its day"
    if status in ("applied", "declined") and agreed:
        yield (
            "agreed_on",
            "what is not agreed has no day of signature or award. Correct the status, or empty the day",
        )
    if agreed and applied and agreed < applied:
        yield "agreed_on", "it was agreed before the application. Correct one of the two days"
    if bool(row.get("amount")) != bool(row.get("currency")):
        missing = "currency" if row.get("amount") else "amount"
        yield missing, "an amount and its currency go together. Fill in both, or neither"


RULES: dict[str, Callable[[Row], Wrong]] = {
    "projects": _projects,
    "project_finances": _project_finances,
    "logframe": _logframe,
    "outcomes": _outcomes,
    "partnerships": _partnerships,
}
