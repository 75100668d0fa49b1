"""Figures worth a second look: out of bounds, far from the previous quarter or year, or an outlier in their series.

A flag asks a person to look; it never removes a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.statistics import MOST_Z, robust_z
from mel_pipeline.transform.catalogue import Indicator

BOUNDS = {"percent": (0.0, 100.0), "score": (1.0, 5.0), "points": (-100.0, 100.0)}
# How far a figure may move before it is flagged: levels move slowly, amounts with the calendar of events.
MOST_POINTS = {"percent": 15.0, "score": 0.5, "points": 20.0}
MOST_PERCENT = {"stock": 20.0, "flow": 100.0, "distinct": 100.0, "ratio": 100.0}
LEAST_BASE = 10.0  # below it a percentage change is meaningless


@dataclass(frozen=True)
class Flag:
    """Why a figure is worth a look. ``rule``: bounds | previous quarter | same quarter last year | series."""

    indicator_id: str
    rule: str
    sentence: str


def flags(indicator: Indicator, series: Mapping[str, float], quarter: str) -> list[Flag]:
    """What is unusual about the total of a quarter.

    Args:
        series: quarter → value, where known; later quarters are ignored.
    """
    value = series.get(quarter)
    if value is None:
        return []
    here = Quarter.parse(quarter)
    found = []
    low, high = BOUNDS.get(indicator.unit, (0.0, float("inf")))
    if not low <= value <= high:
        found.append(_flag(indicator, "bounds", f"{value:g} is outside {low:g} to {high:g}"))
    compared = {"previous quarter": here.previous(), "same quarter last year": here.year_before()}
    for rule, other in compared.items():
        seasonal = indicator.aggregation in ("flow", "distinct") and rule == "previous quarter"
        before = series.get(str(other))
        if before is not None and not seasonal and (moved := _moved(indicator, before, value)):
            found.append(
                _flag(indicator, rule, f"{moved} against {other} ({before:g} then, {value:g} in {quarter})")
            )
    earlier = [number for name, number in series.items() if Quarter.parse(name) < here]
    z = robust_z(value, earlier)
    if z is not None and abs(z) > MOST_Z:
        found.append(
            _flag(
                indicator,
                "series",
                f"{value:g} is {abs(z):.1f} robust deviations from its {len(earlier)} earlier quarters",
            )
        )
    return found


def _moved(indicator: Indicator, before: float, now: float) -> str:
    """The change in words, if it exceeds the limit."""
    if indicator.unit in MOST_POINTS:
        points = now - before
        return f"{points:+.1f} points" if abs(points) > MOST_POINTS[indicator.unit] else ""
    if abs(before) < LEAST_BASE:
        return ""
    change = 100 * (now - before) / before
    # A fall to half is as much as a rise to double.
    most = MOST_PERCENT[indicator.aggregation]
    too_much = change > most or change < -100 * most / (100 + most)
    return f"{change:+.0f} %" if too_much else ""


def _flag(indicator: Indicator, rule: str, words: str) -> Flag:
    return Flag(indicator.id, rule, f"{indicator.id} {indicator.name.en}: {words}. Check whether it is real.")
