"""Movements of all indicators, largest first: measured against their own noise and their own history. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.core.statistics import MAD_TO_DEVIATION, Z_95
from mel_pipeline.reporting.figures.coverage import Comparison, compared
from mel_pipeline.reporting.figures.findings import comparison
from mel_pipeline.reporting.figures.lookup import Figures, Reading, beyond_chance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.figures.measures import Measure

LEAST_PAST, MOST_PAST = 4, 12  # earlier movements that make a history, and how many of them count
NOTABLE = 1.0  # times what is usual
LEAST_EFFECT = 0.02  # of the earlier value: below it a movement counts as this fraction of it would
LEAST_POINTS = {"percent": 1.0, "score": 0.1, "points": 2.0}
DEVIATION = {"score": 1.0, "points": 70.0}  # of single answers from 1 to 5; of promoters and detractors


@dataclass(frozen=True)
class Movement:
    """A total beside that of ``earlier``, like for like. ``moved``: the difference of what is printed; ``size``: times what
    is usual.
    """

    measure: Measure
    earlier: str
    common: Comparison
    moved: float
    size: float

    @property
    def now(self) -> Reading:
        return self.common.now

    @property
    def then(self) -> Reading:
        return self.common.then


def movements(known: Sequence[Measure], figures: Figures) -> list[Movement]:
    """Comparable movements that show in print and exceed chance, largest first; ties in report order.

    A share whose parts are another indicator's movement is left out: it would say the same twice.
    """
    found = [
        movement
        for measure in known
        if not measure.is_distribution and (movement := _movement(measure, figures)) is not None
    ]
    counted = {(item.now.value, item.then.value) for item in found}
    news = [
        item
        for item in found
        if item.measure.unit != "percent" or (item.now.numerator, item.then.numerator) not in counted
    ]
    notable = [item for item in news if item.measure.headline or item.size >= NOTABLE]
    return sorted(notable, key=lambda item: -item.size)


def incomparable(known: Sequence[Measure], figures: Figures) -> list[tuple[Measure, str]]:
    """Headline figures that have nothing in common with the period that they would be compared with."""
    found = []
    for measure in known:
        earlier, common = comparison(measure, figures, figures.period)
        now = figures.total(measure.id, figures.period)
        if measure.headline and earlier and now is not None and now.value is not None and common is None:
            found.append((measure, earlier))
    return found


def _movement(measure: Measure, figures: Figures) -> Movement | None:
    earlier, common = comparison(measure, figures, figures.period)
    if common is None or common.now.value is None or common.then.value is None:
        return None
    now, then = common.now, common.then
    difference = common.now.value - common.then.value
    moved = common.moved(measure.decimals)
    beyond = abs(difference) / _noise(measure, now, then)
    by_chance = beyond < Z_95 if (judged := beyond_chance(now, then)) is None else not judged
    if not moved or (measure.is_estimate and (by_chance or beyond < NOTABLE)):
        return None
    past = _past(measure, figures, earlier)
    if len(past) < LEAST_PAST:
        return Movement(measure, earlier, common, moved, beyond)
    usual = median(past)
    spread = MAD_TO_DEVIATION * median(abs(other - usual) for other in past)
    unusual = abs(difference - usual) / max(spread, _floor(measure, then))
    size = min(beyond, unusual) if measure.is_estimate else unusual
    return Movement(measure, earlier, common, moved, size)


def _past(measure: Measure, figures: Figures, earlier: str) -> list[float]:
    """Earlier movements over the same distance, like for like."""
    step = year_before if earlier == year_before(figures.period) else previous_period
    found: list[float] = []
    period = previous_period(figures.period)
    for _ in range(MOST_PAST):
        common = compared(measure, figures, period, step(period))
        if common and common.now.value is not None and common.then.value is not None:
            found.append(common.now.value - common.then.value)
        period = previous_period(period)
    return found


def _noise(measure: Measure, now: Reading, then: Reading) -> float:
    """What chance alone usually does: a standard error of shares and means, of counts that of Poisson."""
    if measure.is_estimate:
        if now.interval is not None and then.interval is not None:
            halves = [(high - low) / (2 * Z_95) for low, high in (now.interval, then.interval)]
            return max(sqrt(sum(half * half for half in halves)), _floor(measure, then))
        sizes = [reading.n for reading in (now, then) if reading.n]
        if len(sizes) == 2:
            share = min(max(((now.value or 0.0) + (then.value or 0.0)) / 200, 0.02), 0.98)
            deviation = DEVIATION.get(measure.unit, 100 * sqrt(share * (1 - share)))
            return max(deviation * sqrt(sum(1 / size for size in sizes)), _floor(measure, then))
        return _floor(measure, then)
    chance = 0.0 if measure.aggregation == "stock" else sqrt((now.value or 0.0) + (then.value or 0.0))
    return max(chance, _floor(measure, then))


def _floor(measure: Measure, then: Reading) -> float:
    """The least that counts as a movement: a printed unit, a point, or a small part of the earlier value."""
    if measure.is_estimate:
        return max(10.0**-measure.decimals, LEAST_POINTS[measure.unit])
    return max(10.0**-measure.decimals, LEAST_EFFECT * abs(then.value or 0.0))
