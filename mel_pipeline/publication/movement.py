"""Why the figure of one period differs from that of another: sentences whose amounts add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.publication import store
from mel_pipeline.publication.changes import UNKNOWN, between_periods
from mel_pipeline.publication.restatement import OPEN, ledger_rows

if TYPE_CHECKING:
    from mel_pipeline.warehouse import Warehouse

WORDS = {
    "real_change": "what really happened",
    "membership_change": "membership recorded later",
    "correction": "corrected records",
    "late_data": "late data",
    "definition_change": "another definition",
    "not_known": "reasons the data do not tell",
}


@dataclass(frozen=True)
class Change:
    """From one shown figure to another. ``parts`` by reason add up to ``after - before``."""

    before: float
    after: float
    parts: dict[str, float]


def movement(warehouse: Warehouse, indicator_id: str, earlier: str, later: str) -> Change:
    """The change of an indicator's total from one period to another, in parts.

    Raises:
        ReportError: one of the two is not available, or withheld.
    """
    before, after = (_shown(warehouse, indicator_id, period) for period in (earlier, later))
    revised = [_revision(warehouse, indicator_id, period) for period in (earlier, later)]
    parts = between_periods(
        before + sum(revised[0].values()), after + sum(revised[1].values()), revised[0], revised[1]
    )
    return Change(before, after, parts)


def explain_movement(warehouse: Warehouse, indicator_id: str, earlier: str, later: str) -> list[str]:
    """The same, as lines of text."""
    change = movement(warehouse, indicator_id, earlier, later)
    lines = [f"{earlier}: {change.before:g}, {later}: {change.after:g} ({change.after - change.before:+g})"]
    return lines + [f"{amount:+g}  {WORDS[reason]}" for reason, amount in change.parts.items()]


def _shown(warehouse: Warehouse, indicator_id: str, period: str) -> float:
    rows = warehouse.records(
        "select value, status, note from released_figures where indicator_id = :indicator and period = :period"
        " and dimension = 'total'",
        {"indicator": indicator_id, "period": period},
    )
    if not rows or rows[0]["value"] is None:
        why = "it was not calculated" if not rows else rows[0]["note"] or "it is withheld"
        raise ReportError(f"Comparing {indicator_id} with {period}: there is no figure ({why}).")
    return float(rows[0]["value"])


def _revision(warehouse: Warehouse, indicator_id: str, period: str) -> dict[str, float]:
    """How later data changed a published figure, by reason, from the ledger; else nothing.

    A difference of too few people is held there without amounts: the parts would reveal individuals.
    """
    quarter = period if "-Q" in period else f"{period}-Q4"
    publication = store.last_publication(warehouse, quarter)
    if publication is None:
        return {}
    parts: dict[str, float] = {}
    for row in ledger_rows(warehouse, quarter):
        is_total = (row["indicator_id"], row["period"], row["disaggregation"]) == (
            indicator_id,
            period,
            "total",
        )
        is_open = row["version"] == publication.version and row["state"] == OPEN
        if is_total and is_open and row["difference"] is not None:
            reason = row["reason"] or UNKNOWN
            parts[reason] = parts.get(reason, 0.0) + row["difference"]
    return parts
