"""Stated targets with their milestones and revisions. The one place that reads them: ``stated_targets``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.target_path import Stage, TargetPath, last_day
from mel_pipeline.reporting.figures.measures import Measure, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

TARGET, MILESTONE, REVISION = "target", "milestone", "revision"


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


def stated_targets(frame: pd.DataFrame) -> dict[str, list[Target]]:
    """Indicator → its targets by period.

    Args:
        frame: one row per stated value: ``indicator_id``, ``period`` of the target, ``kind`` (target, milestone or
            revision), ``on_date`` of the last two, ``value``, ``origin`` (where it was stated, or why it was revised).
    """
    rows = with_kinds(frame).to_dict("records")
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
    """The stated values in order; a frame of targets alone gets the columns of the others."""
    full = frame.assign(kind=frame.get("kind", TARGET), on_date=frame.get("on_date", frame["period"]))
    return full.sort_values(["indicator_id", "period", "kind", "on_date"])


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
