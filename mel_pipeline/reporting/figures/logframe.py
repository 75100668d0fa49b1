"""How far a statement of a logframe has come: the released figure of its indicator, judged on its own way. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.core.target_path import Stage, TargetPath, judge, last_day
from mel_pipeline.reporting.figures.judgement import Standing
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from mel_pipeline.reporting.figures.lookup import Figures, Reading
    from mel_pipeline.reporting.figures.measures import Measure


@dataclass(frozen=True)
class Aim:
    """Baseline and target of a statement, for a cell of an indicator; each value with its quarter, year or day."""

    dimension: str = "total"
    category: str = ""
    baseline: float | None = None
    baseline_on: str = ""
    target: float | None = None
    target_by: str = ""


@dataclass(frozen=True)
class Progress:
    """``standing.value`` is the actual value, None where there is none.

    ``period``: of a level the period it stands for, of an amount the last one in the sum; ``missing``: periods that
    the sum lacks. An incomplete sum is not judged. ``lacks``: the period whose figure is not there, where there is no
    value; ``why``: what its figure says about that, empty where none was calculated.
    """

    standing: Standing
    period: str = ""
    missing: tuple[str, ...] = ()
    lacks: str = ""
    why: str = ""


def periods_to(figures: Sequence[str], period: str) -> list[str]:
    """Quarters and years among the periods of figures, up to one; months are left out."""
    last = closing_quarter(period)
    known = {name for name in figures if "-Q" in name or "-" not in name}
    return sorted(name for name in known if closing_quarter(name) <= last)


def progress(measure: Measure, aim: Aim, figures: Figures, periods: Sequence[str]) -> Progress:
    """The actual value and how it stands.

    Args:
        periods: every quarter and year with figures, up to the edition's.
    """
    found = _amount(aim, measure, figures, periods) if measure.aggregation == "flow" else None
    if found is None:
        found = _level(aim, measure, figures, periods)
    value = found.standing.value
    if value is None or found.missing or found.standing.code == "ahead":
        return found
    if aim.target is None or not aim.target_by:
        return Progress(Standing("no_target", value), found.period)
    path = TargetPath(last_day(aim.target_by), aim.target, _start(aim))
    judged = judge(
        value, path, last_day(found.period), fewer=measure.direction == "decrease", decimals=measure.decimals
    )
    return Progress(Standing(judged.code, value, None, judged.expected, judged.is_due), found.period)


def _start(aim: Aim) -> Stage | None:
    if aim.baseline is None or not aim.baseline_on:
        return None
    return Stage(last_day(aim.baseline_on), aim.baseline)


def _reading(aim: Aim, measure: Measure, figures: Figures, period: str) -> Reading | None:
    if aim.dimension == "total":
        return figures.total(measure.id, period)
    cell = figures.cells(measure.id, period, aim.dimension).get(aim.category)
    whole = figures.total(measure.id, period)
    # A category that nothing belongs to has no row; of an amount that is a zero once the total is known.
    is_empty = (
        cell is None and whole is not None and whole.value is not None and measure.aggregation == "flow"
    )
    return _zero(whole) if is_empty and whole is not None else cell


def _zero(whole: Reading) -> Reading:
    return replace(whole, value=0.0, numerator=0.0, denominator=None, n=0)


def _level(aim: Aim, measure: Measure, figures: Figures, periods: Sequence[str]) -> Progress:
    """The latest figure; of things counted once a year, that of the last whole year where there is one."""
    years = [period for period in periods if "-" not in period]
    order = years if measure.aggregation == "distinct" and years else list(periods)
    latest = sorted(order, key=_close, reverse=True)
    for period in latest:
        reading = _reading(aim, measure, figures, period)
        if reading is not None and reading.value is not None:
            return Progress(Standing("no_target", reading.value), period)
        if reading is not None and reading.status == SUPPRESSED:
            return Progress(Standing(SUPPRESSED), lacks=period)
    return _without(aim, measure, figures, latest)


def _without(aim: Aim, measure: Measure, figures: Figures, latest: Sequence[str]) -> Progress:
    """Nothing was calculated; ``latest``: periods, the last first."""
    lacks = next(iter(latest), "")
    reading = _reading(aim, measure, figures, lacks) if lacks else None
    return Progress(Standing(NOT_AVAILABLE), lacks=lacks, why=reading.note if reading else "")


def _amount(aim: Aim, measure: Measure, figures: Figures, periods: Sequence[str]) -> Progress:
    """Everything since the baseline: whole years where there are some, quarters of the others."""
    since = last_day(aim.baseline_on) if aim.baseline_on else None
    after = [period for period in periods if since is None or last_day(period) > since]
    if not after and aim.baseline is not None:
        return Progress(Standing("ahead", aim.baseline), aim.baseline_on)
    quarters = sorted(period for period in after if "-Q" in period)
    years = {period for period in after if "-" not in period and _lies_after(period, since)}
    total, lacking, last, seen = aim.baseline or 0.0, [], "", False
    for year in sorted({period[:4] for period in after}):
        whole = _reading(aim, measure, figures, year) if year in years else None
        if whole is not None and whole.value is not None:
            total, last, seen = total + whole.value, year, True
            continue
        for quarter in (name for name in quarters if name[:4] == year):
            part = _reading(aim, measure, figures, quarter)
            if part is not None and part.status == SUPPRESSED:
                return Progress(Standing(SUPPRESSED), lacks=quarter)
            if part is None or part.value is None:
                lacking.append(quarter)
            else:
                total, last, seen = total + part.value, quarter, True
    if not seen:
        return _without(aim, measure, figures, sorted(after, key=_close, reverse=True))
    code = NOT_AVAILABLE if lacking else "no_target"
    return Progress(Standing(code, total), last, tuple(lacking))


def _lies_after(year: str, since: date | None) -> bool:
    """Whether a whole year follows the baseline."""
    return since is None or last_day(str(int(year) - 1)) >= since


def _close(period: str) -> tuple[str, int]:
    """A year after its last quarter."""
    return closing_quarter(period), int("-" not in period)
