"""Figures judged against their targets and bands, as a code, a shape and a word. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from mel_pipeline.core.target_path import Judgement, Stage, TargetPath, judge, last_day
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Figures, Reading
from mel_pipeline.reporting.figures.targets import Target, baseline_of

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

ON_TRACK, JUDGED = ("over", "on"), ("over", "on", "near", "off")
IN_BAND, BANDS = "in_band", ("in_band", "out_of_band")  # a class of their own: no target is reached by them
ON_THE_WAY = "_way"
SHAPES = {
    "over": "★",
    "on": "●",
    "near": "▲",
    "off": "▼",
    "ahead": "◇",
    "no_baseline": "○",
    "in_band": "●",
    "out_of_band": "▲",
    "no_target": "○",
    "context": "○",
    "not_available": "○",
    "suppressed": "○",
}


@dataclass(frozen=True)
class Status:
    """Status of a figure: code for the style sheet, shape and word for the reader."""

    code: str
    shape: str
    word: str


@dataclass(frozen=True)
class Standing:
    """How a figure stands. ``value`` is what is measured against the target: of an amount, the year's sum so far.

    ``expected``: by now; None where nothing is judged. ``is_due``: the target's period has closed.
    """

    code: str
    value: float | None = None
    target: Target | None = None
    expected: float | None = None
    is_due: bool = False


def standing(measure: Measure, figures: Figures) -> Standing:
    """Judge the edition's figure: on its way from the dated baseline to the target, or against its band.

    A level is judged by where it is, an amount by what its year has brought so far. A published edition keeps its
    judgements.
    """
    if published := figures.judged(measure):
        target = figures.target(measure, figures.period)
        return Standing(published.code, published.value, target, published.expected, published.is_due)
    reading = figures.total(measure.id, figures.period) or Reading(NOT_AVAILABLE)
    target = figures.target(measure, figures.period)
    if reading.value is None:
        return Standing(SUPPRESSED if reading.status == SUPPRESSED else NOT_AVAILABLE, target=target)
    if measure.direction == "context":
        return Standing("context", reading.value, target)
    if measure.direction == IN_BAND and measure.band:
        inside = measure.band[0] <= reading.value <= measure.band[1]
        return Standing(IN_BAND if inside else "out_of_band", reading.value, target)
    if target is None:
        return Standing("no_target", reading.value)
    value, found = _judged(measure, reading.value, target, figures)
    return Standing(found.code, value, target, found.expected, found.is_due)


def is_of_year(measure: Measure, target: Target | None, period: str) -> bool:
    """Whether a quarter's page measures the year's figure against a target of the year: of an amount the sum so far, of
    a share or a mean the whole year's once it has closed."""
    if target is None or "-" not in period or "-" in target.period:
        return False
    return not measure.is_level or (measure.aggregation == "ratio" and period == f"{target.period}-Q4")


def status_of(found: Standing, texts: Texts) -> Status:
    """Its status in words."""
    return status_named(status_key(found), texts)


def status_key(found: Standing) -> str:
    """The key of its word in the texts. On the way to a target, the words say so: behind schedule is not yet missed."""
    on_the_way = found.code in ("on", "near", "off") and not found.is_due
    return f"{found.code}{ON_THE_WAY}" if on_the_way else found.code


def status_named(key: str, texts: Texts) -> Status:
    """The status of a key that ``status_key`` gave."""
    code = key.removesuffix(ON_THE_WAY)
    return Status(code, SHAPES[code], texts.choice("status", key))


def _judged(measure: Measure, value: float, target: Target, figures: Figures) -> tuple[float, Judgement]:
    day, period = last_day(figures.period), figures.period
    year = figures.total(measure.id, target.period) if is_of_year(measure, target, period) else None
    if measure.is_level:
        value = year.value if year is not None and year.value is not None else value
        path = target.path(baseline_of(measure))
        passed = figures.earlier_targets(measure, target)
        steps = tuple(Stage(last_day(earlier.period), earlier.value) for earlier in passed)
        return value, _judge(measure, value, replace(path, milestones=(*steps, *path.milestones)), day)
    if ("-" in target.period) == ("-" in period):
        return value, _amount(measure, value, target, day)
    if year is not None and year.value is not None and period == f"{target.period}-Q4":
        return year.value, _amount(measure, year.value, target, day)
    so_far = figures.so_far(measure, target)
    if so_far is None:
        return value, Judgement("ahead", target.value)
    return so_far, _pace(measure, so_far, target, day)


def _amount(measure: Measure, value: float, target: Target, day: date) -> Judgement:
    """An amount of a whole period: from the baseline of a period of the same kind, else from nothing."""
    baseline = baseline_of(measure) if _same_grain(measure, target) else None
    path = target.path(baseline)
    if baseline is None or baseline.on >= path.due:
        if day < path.due:
            return Judgement("ahead", target.value)  # each period begins from nothing
        path = replace(path, baseline=Stage(date.min, 0.0))
    return _judge(measure, value, path, day)


def _pace(measure: Measure, so_far: float, target: Target, day: date) -> Judgement:
    """The sum of a year that is not over: an even share of its target by now, or its milestones."""
    year = target.path(Stage(date(last_day(target.period).year - 1, 12, 31), 0.0))
    wanted = year.expected_on(day) or 0.0
    baseline = baseline_of(measure) if _same_grain(measure, target) else None
    before = 0.0 if baseline is None or not target.value else baseline.value * wanted / target.value
    found = _judge(measure, so_far, TargetPath(day, wanted, Stage(date.min, before)), day)
    return replace(found, target=target.value, is_due=False)


def _judge(measure: Measure, value: float, path: TargetPath, day: date) -> Judgement:
    return judge(value, path, day, fewer=measure.direction == "decrease", decimals=measure.decimals)


def _same_grain(measure: Measure, target: Target) -> bool:
    return ("-Q" in measure.baseline_period) == ("-Q" in target.period) and "/" not in measure.baseline_period
