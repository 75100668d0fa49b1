"""Intervals and outliers. Pure functions of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import median

Z_95 = 1.959963984540054  # two-sided, 95 %
MAD_TO_DEVIATION = 1.4826  # of a normal distribution
LEAST_SERIES = 8  # values before a robust z-score means anything
MOST_Z = 3.5  # Iglewicz and Hoaglin (1993)
TOLERATED_GAP = 0.03  # of the days (issues, agreements) of a period: up to three days of a quarter


@dataclass(frozen=True)
class Range:
    low: float
    high: float


def wilson(successes: float, n: float, z: float = Z_95) -> Range:
    """Wilson score interval of a share, in per cent (E. B. Wilson, 1927).

    The SQL macro ``bounds`` has the same formula: it writes the interval of every calculated share.

    Args:
        successes: from 0 to n.
        n: answers; more than 0.

    Raises:
        ValueError: the numbers are inconsistent.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Range(max(0.0, 100 * (centre - half)), min(100.0, 100 * (centre + half)))


def differs(now: float, its: Range, then: float, theirs: Range) -> bool:
    """Whether two shares or means differ by more than chance: the 95 % interval of their difference leaves out zero.

    The interval of the difference is made of the two intervals: for shares R. G. Newcombe (1998), method 10; for means
    as well G. Y. Zou and A. Donner (2008). Both take the figures as independent, which figures of the same people are
    not: for these it errs towards "no difference".
    """
    moved = now - then
    low = moved - hypot(now - its.low, theirs.high - then)
    high = moved + hypot(its.high - now, then - theirs.low)
    return low > 0 or high < 0


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


def is_covered(expected: float | None, covered: float | None) -> bool:
    """Whether a figure rests on nearly all of the days (issues, agreements) that it should; without a number on all."""
    return not expected or covered is None or 1 - covered / expected <= TOLERATED_GAP
