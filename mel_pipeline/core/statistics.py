"""Intervals and outliers. Pure functions of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import median

Z_95 = 1.959963984540054  # two-sided, 95 %
MAD_TO_DEVIATION = 1.4826  # of a normal distribution
LEAST_SERIES = 8  # values before a robust z-score means anything
MOST_Z = 3.5  # Iglewicz and Hoaglin (1993)


@dataclass(frozen=True)
class Range:
    low: float
    high: float


def wilson(successes: float, n: float, population: float | None = None, z: float = Z_95) -> Range:
    """Wilson score interval of a share, in per cent (E. B. Wilson, 1927).

    With a known population the sample counts for ``n * (N - 1) / (N - n)`` answers (finite population
    correction): a survey that everyone answered has an interval of width zero.

    Args:
        successes: from 0 to n.
        n: answers; more than 0.
        population: all who could have answered, at least n; None if unknown.

    Raises:
        ValueError: the numbers are inconsistent.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    share = successes / n
    size = inf if population is not None and population <= n else n
    if population is not None and population > n:
        size = n * (population - 1) / (population - n)
    if size == inf:
        return Range(100 * share, 100 * share)
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return Range(max(0.0, 100 * (centre - half)), min(100.0, 100 * (centre + half)))


def robust_z(value: float, earlier: Sequence[float]) -> float | None:
    """Distance of a value from the median of earlier ones, in robust deviations.

    Median and median absolute deviation, so that one earlier outlier does not hide the next.

    Returns:
        None if the series is too short or constant.
    """
    if len(earlier) < LEAST_SERIES:
        return None
    middle = median(earlier)
    spread = MAD_TO_DEVIATION * median(abs(other - middle) for other in earlier)
    return (value - middle) / spread if spread else None
