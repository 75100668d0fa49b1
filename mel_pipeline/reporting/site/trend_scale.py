"""The vertical scale of a chart: its range, and round numbers on it. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.trend_views import View
    from mel_pipeline.reporting.text.texts import Texts

MOST = 6  # ticks; a step of 1, 2 or 5 always fits
HIGH_UP = 0.5  # a level that never falls below this part of its highest value need not begin at zero


@dataclass(frozen=True)
class Scale:
    """From ``low`` to ``high``, the first and the last of the ticks."""

    ticks: tuple[float, ...]

    @property
    def low(self) -> float:
        return self.ticks[0]

    @property
    def high(self) -> float:
        return self.ticks[-1]

    def share(self, value: float) -> float:
        """Where a value stands, 0 at the bottom and 1 at the top."""
        return (value - self.low) / (self.high - self.low)


def ticks(low: float, high: float, *, decimals: int = 0) -> tuple[float, ...]:
    """Two to ``MOST`` equally spaced round numbers from at most ``low`` to at least ``high``.

    The step is 1, 2 or 5 times a power of ten, and no finer than the decimals that are printed. Zero is one of
    them where it is in the range.

    Raises:
        ValueError: a number is not finite, or ``low`` is above ``high``.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise ValueError(
            f"A scale goes from a finite number to one that is not smaller, not {low} to {high}."
        )
    first, last = Decimal(repr(float(low))), Decimal(repr(float(high)))
    finest = Decimal(1).scaleb(-decimals)
    spread = max(last - first, finest)
    power = spread.adjusted() - 1
    steps = (Decimal(part).scaleb(power + up) for up in range(4) for part in (1, 2, 5))
    for step in steps:
        bottom = (first / step).to_integral_value("ROUND_FLOOR")
        top = max((last / step).to_integral_value("ROUND_CEILING"), bottom + 1)
        if step >= finest and top - bottom < MOST:
            return tuple(float(step * at) for at in range(int(bottom), int(top) + 1))
    raise AssertionError("a step of ten times the spread always fits")


def scale_of(measure: Measure, view: View) -> Scale:
    """Amounts, shares and bars begin at zero, scores at one; other levels may begin higher."""
    if measure.unit == "score":
        return Scale((1.0, 2.0, 3.0, 4.0, 5.0))
    found = [
        number
        for mark in view.marks
        for number in (mark.value, mark.low, mark.high, mark.target)
        if number is not None
    ]
    found += measure.band if measure.band is not None and view.band else ()
    low, high = min(found, default=0.0), max(found, default=0.0)
    if measure.unit in ("percent", "points"):
        high = max(high, 10.0)
    is_high_up = measure.aggregation == "stock" and not measure.is_estimate and low > HIGH_UP * high
    if not is_high_up:
        low, high = min(low, 0.0), max(high, 0.0)
    return Scale(ticks(low, high, decimals=measure.decimals))


def tick_words(measure: Measure, values: Sequence[float], texts: Texts) -> list[str]:
    """The ticks in words, no two alike: as short as that allows."""
    step = Decimal(repr(values[1])) - Decimal(repr(values[0]))
    plain = replace(measure, decimals=max(0, -int(step.normalize().as_tuple().exponent)))
    short = [texts.short_value(plain, value) for value in values]
    return short if len(set(short)) == len(short) else [texts.value(plain, value) for value in values]
