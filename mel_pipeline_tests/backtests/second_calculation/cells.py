"""One cell of the result, and the three kinds there are: counts, shares and figures that cannot be had."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import pandas as pd
from scipy.stats import norm, t

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
    low: float | None = None  # 95 % interval of a share or mean
    high: float | None = None


def count(indicator: str, period: Period, of: str, value: float, n: float | None = None) -> Cell:
    """A sum; ``n`` cases are behind it, by default as many as it counts."""
    return Cell(
        indicator, period.name, of, float(value), float(value), None, float(value if n is None else n)
    )


def share(indicator: str, period: Period, of: str, numerator: float, denominator: float) -> Cell:
    """Numerator over denominator in percent, with the interval of Wilson (1927); without a denominator no figure."""
    cell = Cell(indicator, period.name, of, None, float(numerator), float(denominator), float(denominator))
    if not denominator:
        return cell
    n, z = denominator, norm.ppf(0.975)
    part = numerator / n
    cell = cell._replace(value=100 * part)
    if part > 1:
        return cell
    middle, half = part + z * z / (2 * n), z * sqrt(part * (1 - part) / n + (z / (2 * n)) ** 2)
    low, high = (100 * (middle + side * half) / (1 + z * z / n) for side in (-1, 1))
    return cell._replace(low=max(0.0, low), high=min(100.0, high))


def everybody(indicator: str, period: Period, n: float) -> Cell:
    """The total of a breakdown of all answers: always 100 percent, so without an interval."""
    return share(indicator, period, "total", n, n)._replace(low=None, high=None)


def mean(
    indicator: str, period: Period, of: str, values: pd.Series, scale: tuple[float, float], factor: float = 1
) -> Cell:
    """A mean with the interval of Student (1908), within its scale; of fewer than five values, or equal ones, none.

    ``factor``: of values that are parts of a hundred; the numerator is their sum all the same.
    """
    n, total = float(len(values)), float(values.sum())
    value = factor * total / n if n else None
    cell = Cell(indicator, period.name, of, value, total, n, n)
    if value is None or n < 5 or values.nunique() == 1:
        return cell
    half = t.ppf(0.975, n - 1) * factor * values.std() / sqrt(n)
    return cell._replace(low=max(scale[0], value - half), high=min(scale[1], value + half))


def missing(indicator: str, period: Period, of: str) -> Cell:
    return Cell(indicator, period.name, of, None)
