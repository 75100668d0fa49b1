"""Why the figure of one period differs from that of another: sentences whose amounts add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import last_calculation
from mel_pipeline.publication.changes import Movement, between_periods, revisions

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
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


def movement(warehouse: Warehouse, settings: Settings, indicator_id: str, earlier: str, later: str) -> Change:
    """The total of an indicator from one period to another, in parts.

    Raises:
        ReportError: one of the two is not available, or withheld.
    """
    before, after = (_shown(warehouse, indicator_id, period) for period in (earlier, later))
    revised = [_revision(warehouse, settings, indicator_id, period) for period in (earlier, later)]
    parts = between_periods(
        before + sum(revised[0].values()), after + sum(revised[1].values()), revised[0], revised[1]
    )
    return Change(before, after, parts)


def explain_movement(
    warehouse: Warehouse, settings: Settings, indicator_id: str, earlier: str, later: str
) -> list[str]:
    """The same as lines for a reader."""
    change = movement(warehouse, settings, indicator_id, earlier, later)
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


def _revision(warehouse: Warehouse, settings: Settings, indicator_id: str, period: str) -> dict[str, float]:
    """What the data have made of a published figure since, by reason; nothing for a draft."""
    quarter = period if "-Q" in period else f"{period}-Q4"
    publication = store.last_publication(warehouse, quarter)
    if publication is None:
        return {}
    made = publication.details["calculation"]
    then = next(item for item in store.calculations(warehouse, quarter) if item.calculation_id == made)
    now = last_calculation(warehouse, quarter)
    if then.figures == now.figures:
        return {}
    for found in revisions(warehouse, then, now, settings.sql_dir):
        if (found.indicator_id, found.period, found.disaggregation) == (indicator_id, period, "total"):
            return dict(_told(found, settings))
    return {}


def _told(found: Movement, settings: Settings) -> dict[str, float]:
    """A figure about people that differs by too few of them is not taken apart: the parts would tell who."""
    from mel_pipeline.publication.sensitivity import people_indicators

    if found.indicator_id in people_indicators(settings) and found.people < settings.min_cell:
        return {}
    return dict(found.parts)
