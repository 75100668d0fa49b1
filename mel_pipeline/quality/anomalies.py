"""Totals worth a second look, judged by the kind of figure: a level, an amount, a share or a mean of n.

Each kind has a smallest effect: a change that nobody would act on is not flagged, however unusual it is in its series. A
flag asks a person to look; it never removes a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt
from statistics import median

from mel_pipeline.core.money import is_currency
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.statistics import LEAST_SERIES, MOST_Z, Z_95, robust_z
from mel_pipeline.transform.catalogue import Indicator

BOUNDS = {"percent": (0.0, 100.0), "score": (1.0, 5.0), "points": (-100.0, 100.0)}
LEAST = {
    "percent": 5.0,
    "score": 0.3,
    "points": 10.0,
    "views": 100.0,
    "visits": 100.0,
    "follows": 100.0,
    "money": 10_000.0,
}
LEAST_COUNT = 5.0  # of members, people, labs, videos
LARGE = {
    "percent": 10.0,
    "score": 0.5,
    "points": 20.0,
}  # worth a look beyond one standard error; smaller ones beyond 1.96
STOCK_STEP, STOCK_LEAST = 0.20, 0.05  # of the level: alone, and where its steps have always been smaller
COUNT_FACTOR, SERIES_FACTOR = 2.0, 1.5
# Of single answers: from 1 to 5, around 0.9 in practice; of promoters (100) and detractors (-100) among others.
DEVIATION = {"score": 1.0, "points": 70.0}


@dataclass(frozen=True)
class Total:
    """The total of a quarter and the people, answers or posts it rests on."""

    value: float
    n: int | None = None


@dataclass(frozen=True)
class Flag:
    """Why a figure is worth a look. ``rule``: bounds | previous quarter | same quarter last year | series."""

    indicator_id: str
    rule: str
    sentence: str


def flags(indicator: Indicator, series: Mapping[str, Total], quarter: str) -> list[Flag]:
    """What is unusual about the total of a quarter.

    Args:
        series: quarter → total, where known; later quarters are ignored.
    """
    now = series.get(quarter)
    if now is None:
        return []
    low, high = BOUNDS.get(indicator.unit, (0.0, inf))
    found = {}
    if not low <= now.value <= high:
        found["bounds"] = f"{_plain(now.value)} is outside {low:g} to {high:g}"
    past = {name: total for name, total in series.items() if Quarter.parse(name) < Quarter.parse(quarter)}
    if indicator.unit in BOUNDS:
        found |= _share(indicator, past, now, quarter)
    elif indicator.aggregation == "stock":
        found |= _level(indicator, past, now, quarter)
    else:
        found |= _amount(indicator, past, now, quarter)
    return [
        Flag(indicator.id, rule, f"{indicator.id} {indicator.name.en}: {words}. Check whether it is real.")
        for rule, words in found.items()
    ]


def _share(indicator: Indicator, past: Mapping[str, Total], now: Total, quarter: str) -> dict[str, str]:
    """Shares and means move by points, beyond what n lets expect; a step of the season is not news."""
    here = Quarter.parse(quarter)
    found = {}
    compared = {"previous quarter": here.previous(), "same quarter last year": here.year_before()}
    for rule, other in compared.items():
        before = past.get(str(other))
        if before is None or (rule == "previous quarter" and _is_usual(past, now, here)):
            continue
        moved = now.value - before.value
        beyond = abs(moved) / _error(indicator.unit, before, now)
        is_large = abs(moved) >= LARGE[indicator.unit] and beyond >= 1
        if is_large or (abs(moved) >= LEAST[indicator.unit] and beyond >= Z_95):
            then, today = (_with_n(total) for total in (before, now))
            found[rule] = f"{moved:+.1f} points against {other} ({then} then, {today} in {quarter})"
    return found


def _is_usual(past: Mapping[str, Total], now: Total, here: Quarter) -> bool:
    """Whether the step from the quarter before was made a year ago as well, at least half as far."""
    before = past.get(str(here.previous()))
    then, year_ago = past.get(str(here.previous().year_before())), past.get(str(here.year_before()))
    if before is None or then is None or year_ago is None:
        return False
    step, usual = now.value - before.value, year_ago.value - then.value
    return step * usual > 0 and abs(usual) >= abs(step) / 2


def _error(unit: str, before: Total, now: Total) -> float:
    """Standard error of the difference; of a census as if another one might have been: it says how few the cases are."""
    sizes = [total.n for total in (before, now) if total.n]
    if len(sizes) < 2:
        return LEAST[unit]  # n unknown: as if the least effect were one standard error
    if unit in DEVIATION:
        deviation = DEVIATION[unit]
    else:
        share = sum(t.value * (t.n or 0) for t in (before, now)) / sum(sizes) / 100
        share = min(max(share, 1 / (2 + sum(sizes))), 1 - 1 / (2 + sum(sizes)))
        deviation = 100 * sqrt(share * (1 - share))
    return deviation * sqrt(sum(1 / size for size in sizes))


def _level(indicator: Indicator, past: Mapping[str, Total], now: Total, quarter: str) -> dict[str, str]:
    """Levels move in steps: a step is large in itself, or for a level that has always moved less."""
    before = past.get(str(Quarter.parse(quarter).previous()))
    if before is None:
        return {}
    step, least = now.value - before.value, _least(indicator.unit)
    share = abs(step) / max(before.value, least)
    if abs(step) < least:
        return {}
    if share >= STOCK_STEP:
        words = _changed(before.value, now.value, str(Quarter.parse(quarter).previous()), quarter)
        return {"previous quarter": words}
    ordered = [past[name] for name in sorted(past, key=Quarter.parse)]
    steps = [later.value - earlier.value for earlier, later in pairwise(ordered)]
    z = robust_z(step, steps)
    is_first = z is None and len(steps) >= LEAST_SERIES  # it never moved
    if share >= STOCK_LEAST and (is_first or (z is not None and abs(z) > MOST_Z)):
        usual = median(abs(earlier) for earlier in steps)
        return {
            "series": f"{step:+g} since the quarter before, to {_plain(now.value)};"
            f" {_plain(usual)} is usual in {len(steps)} quarters"
        }
    return {}


def _amount(indicator: Indicator, past: Mapping[str, Total], now: Total, quarter: str) -> dict[str, str]:
    """Amounts are compared with their season and their own history; few cases vary by chance (Poisson)."""
    found = {}
    other = str(Quarter.parse(quarter).year_before())
    before, least = past.get(other), _least(indicator.unit)
    if before is not None and _is_other_amount(before.value, now.value, least, COUNT_FACTOR):
        found["same quarter last year"] = _changed(before.value, now.value, other, quarter)
    values = [total.value for total in past.values()]
    z = robust_z(now.value, values)
    if z is not None and abs(z) > MOST_Z:
        middle = median(values)
        if _is_other_amount(middle, now.value, least, SERIES_FACTOR):
            found["series"] = (
                f"{_plain(now.value)} where {_plain(middle)} is usual in its {len(values)} earlier quarters"
            )
    return found


def _is_other_amount(before: float, now: float, least: float, factor: float) -> bool:
    """By the factor or more, by the least effect or more, and beyond what chance does to counts."""
    small, great = sorted((before, now))
    return great - small >= least and great >= factor * small and great - small >= Z_95 * sqrt(great + small)


def _changed(before: float, now: float, then: str, quarter: str) -> str:
    change = f"{100 * (now - before) / before:+.0f} %" if before else "from nothing"
    return f"{change} against {then} ({_plain(before)} then, {_plain(now)} in {quarter})"


def _least(unit: str) -> float:
    return LEAST["money"] if is_currency(unit) else LEAST.get(unit, LEAST_COUNT)


def _with_n(total: Total) -> str:
    return f"{total.value:.1f}" + (f" of {total.n:,}" if total.n else "")


def _plain(value: float) -> str:
    """Large numbers whole and with separators, never as powers of ten."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}"
