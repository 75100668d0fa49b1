"""One cell of the result, and the three kinds there are: counts, shares and figures that cannot be had."""

from __future__ import annotations

from typing import NamedTuple

from mel_pipeline_tests.backtests.second_calculation.periods import Period


class Cell(NamedTuple):
    """``value`` is None where the figure is not available; percentages run from 0 to 100.

    ``n``: the cases it rests on, those of the denominator where there is one.
    """

    indicator: str
    period: str
    disaggregation: str
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    n: float | None = None


def count(indicator: str, period: Period, of: str, value: float, n: float | None = None) -> Cell:
    """A sum; ``n`` cases are behind it, by default as many as it counts."""
    return Cell(
        indicator, period.name, of, float(value), float(value), None, float(value if n is None else n)
    )


def share(
    indicator: str, period: Period, of: str, numerator: float, denominator: float, factor: float = 100
) -> Cell:
    """Numerator over denominator, in percent by default; without a denominator there is no figure."""
    value = factor * numerator / denominator if denominator else None
    return Cell(indicator, period.name, of, value, float(numerator), float(denominator), float(denominator))


def missing(indicator: str, period: Period, of: str) -> Cell:
    return Cell(indicator, period.name, of, None)
