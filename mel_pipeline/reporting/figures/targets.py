"""Stated targets with their milestones and revisions. The one place that reads them: ``stated_targets``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.target_path import Stage, TargetPath, last_day
from mel_pipeline.reporting.figures.measures import Measure, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

TARGET, MILESTONE, REVISION, BASELINE = "target", "milestone", "revision", "baseline"
WHOLE = ("total", "")  # dimension and category


@dataclass(frozen=True)
class Step:
    """A milestone, to be reached by ``on``, or a revision of the target, decided on ``on``: a day or a period."""

    on: str
    value: float
    reason: str


@dataclass(frozen=True)
class Target:
    """What is to be reached in or by ``period``. ``value`` is as revised until the period it is read for."""

    period: str
    value: float
    origin: str
    first: float | None = None  # as first stated, where it was revised since
    milestones: tuple[Step, ...] = ()
    revisions: tuple[Step, ...] = ()

    def path(self, baseline: Stage | None) -> TargetPath:
        return TargetPath(
            last_day(self.period),
            self.value if self.first is None else self.first,
            baseline,
            _stages(self.milestones),
            _stages(self.revisions),
        )

    def as_of(self, period: str) -> Target:
        """The target as it was stated when a period closed."""
        first = self.value if self.first is None else self.first
        return replace(self, value=self.path(None).target_on(last_day(period)), first=first)


@dataclass(frozen=True)
class PartTargets:
    """What is to be reached in one part of an indicator, such as a region. ``baseline``: its value by period."""

    dimension: str
    category: str
    targets: tuple[Target, ...]
    baseline: tuple[str, float] | None = None


def stated_targets(frame: pd.DataFrame) -> dict[str, list[Target]]:
    """Indicator → its targets by period, of the whole.

    Args:
        frame: one row per stated value: ``indicator_id``, ``period`` of the target, ``kind`` (target, milestone or
            revision), ``on_date`` of the last two, ``value``, ``origin`` (where it was stated, or why it was revised);
            of a part also ``dimension`` and ``category``.
    """
    return _by_indicator([row for row in _rows(frame) if _part(row) == WHOLE])


def part_targets(frame: pd.DataFrame) -> dict[str, list[PartTargets]]:
    """Indicator → what is stated of its parts, in the order of dimension and category. Argument as ``stated_targets``."""
    by_part: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for row in _rows(frame):
        if (part := _part(row)) != WHOLE:
            by_part.setdefault(part, []).append(row)
    found: dict[str, list[PartTargets]] = {}
    for part, mine in sorted(by_part.items()):
        first = {
            words(row["indicator_id"]): (words(row["period"]), float(row["value"]))
            for row in mine
            if words(row["kind"]) == BASELINE and number(row["value"]) is not None
        }
        for indicator, targets in _by_indicator(mine).items():
            found.setdefault(indicator, []).append(
                PartTargets(*part, targets=tuple(targets), baseline=first.get(indicator))
            )
    return found


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return with_kinds(frame).to_dict("records")


def _part(row: Mapping[Any, Any]) -> tuple[str, str]:
    return words(row["dimension"]) or "total", words(row["category"])


def _by_indicator(rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = {}
    for row in sorted(rows, key=lambda row: (words(row["indicator_id"]), words(row["period"]))):
        value = number(row["value"])
        if words(row["kind"]) == TARGET and value is not None:
            period = words(row["period"])
            mine = [
                other
                for other in rows
                if (other["indicator_id"], other["period"]) == (row["indicator_id"], period)
            ]
            target = Target(
                period,
                value,
                words(row["origin"]),
                milestones=_steps(mine, MILESTONE),
                revisions=_steps(mine, REVISION),
            )
            found.setdefault(words(row["indicator_id"]), []).append(target)
    return found


def with_kinds(frame: pd.DataFrame) -> pd.DataFrame:
    """The stated values in order; a frame of targets alone, or of the whole alone, gets the columns of the others."""
    full = frame.assign(
        dimension=frame.get("dimension", WHOLE[0]),
        category=frame.get("category", WHOLE[1]),
        kind=frame.get("kind", TARGET),
        on_date=frame.get("on_date", frame["period"]),
    )
    return full.sort_values(["indicator_id", "dimension", "category", "period", "kind", "on_date"])


def baseline_of(measure: Measure) -> Stage | None:
    """The baseline with its day; None where no value was stated."""
    if measure.baseline_value is None or not measure.baseline_period:
        return None
    return Stage(last_day(measure.baseline_period), measure.baseline_value)


def _steps(rows: Sequence[Mapping[Any, Any]], kind: str) -> tuple[Step, ...]:
    steps = [
        Step(words(row["on_date"]), float(row["value"]), words(row["origin"]))
        for row in rows
        if words(row["kind"]) == kind and number(row["value"]) is not None
    ]
    return tuple(sorted(steps, key=lambda step: last_day(step.on)))


def _stages(steps: Sequence[Step]) -> tuple[Stage, ...]:
    return tuple(Stage(last_day(step.on), step.value) for step in steps)
