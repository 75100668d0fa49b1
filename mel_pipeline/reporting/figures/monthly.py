"""The months of a flow, where they say what its quarter hides: a month of twice or half the one before. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import Quarter, closing_quarter
from mel_pipeline.core.statistics import Z_95, is_covered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FACTOR, LEAST = 2.0, 5.0  # a step of the factor, and of this many at least


@dataclass(frozen=True)
class Month:
    """``period`` is ``2024-11``; ``is_whole``: nearly all of its days are counted."""

    period: str
    value: float
    is_whole: bool = True


def months_shown(period: str) -> list[str]:
    """The months of a quarter or year, and the one before: its first month may be the step."""
    last = Quarter.parse(closing_quarter(period))
    year, end = last.year, 3 * last.number
    count = 4 if "-Q" in period else 13
    numbers = [12 * year + end - 1 - back for back in reversed(range(count))]
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]


def by_part(rows: Iterable[Mapping[str, object]]) -> dict[str, dict[str, list[Month]]]:
    """Indicator → part (empty: the total) → its months in order.

    Args:
        rows: indicator_id, period, category, value, expected, covered; one a month and part.
    """
    found: dict[str, dict[str, list[Month]]] = {}
    for row in sorted(rows, key=lambda row: str(row["period"])):
        expected, covered = (
            None if row[name] is None else float(str(row[name])) for name in ("expected", "covered")
        )
        month = Month(str(row["period"]), float(str(row["value"])), is_covered(expected, covered))
        found.setdefault(str(row["indicator_id"]), {}).setdefault(str(row["category"] or ""), []).append(
            month
        )
    return found


def telling(parts: Mapping[str, Sequence[Month]], period: str) -> dict[str, list[Month]]:
    """The parts with a step between two months, and the total before them; nothing where no month stands out."""
    shown = set(months_shown(period))
    mine = {name: [month for month in months if month.period in shown] for name, months in parts.items()}
    found = {name: months for name, months in sorted(mine.items()) if _has_step(months)}
    return {"": mine[""]} | found if found and "" in mine else found


def _has_step(months: Sequence[Month]) -> bool:
    return any(
        one.is_whole and other.is_whole and _is_step(one.value, other.value)
        for one, other in pairwise(months)
    )


def _is_step(one: float, other: float) -> bool:
    """By the factor, by the least amount, and beyond what chance does to a count."""
    small, great = sorted((one, other))
    return great >= FACTOR * small and great - small >= max(LEAST, Z_95 * sqrt(great + small))
