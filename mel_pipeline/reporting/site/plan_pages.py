"""The plan at a glance: lines of action by year, what was planned, reached, and expected by now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting.figures.judgement import (
    JUDGED,
    ON_TRACK,
    Standing,
    Status,
    standing,
    status_of,
)
from mel_pipeline.reporting.figures.lookup import SUPPRESSED, Figures
from mel_pipeline.reporting.figures.targets import Target, stated_targets
from mel_pipeline.reporting.site.indicators import groups

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.indicators import Group
    from mel_pipeline.reporting.site.templates import Pages
    from mel_pipeline.reporting.text.texts import Texts

YEARS = 3  # of a plan; of a longer one, those that end with its last target


@dataclass(frozen=True)
class Cell:
    """An indicator in a year, in words. ``period``: the one whose figure stands here; empty before the year begins."""

    period: str
    planned: str
    reached: str
    expected: str
    missing: bool
    status: Status | None
    code: str


@dataclass(frozen=True)
class Line:
    """A line of action: for each year how many of its judged figures are on the way, then each indicator's cells."""

    group: Group
    counts: list[tuple[int, int, int]]  # on the way, judged, planned
    rows: list[tuple[Measure, list[Cell]]]


def plan_pages(content: Content, known: list[Measure], pages: Pages) -> dict[str, bytes]:
    """None where no target has been stated."""
    years = plan_years(content)
    if not years:
        return {}
    views = {year: _view(content, known, year) for year in years}
    lines = [
        _line(group, years, views, content, pages.texts) for group in _groups(content, known, pages.texts)
    ]
    stem = "plan/index"
    page = pages.render(
        "plan.html.jinja",
        stem,
        section="plan",
        title=pages.texts("site.plan_title"),
        years=years,
        lines=lines,
        now=pages.texts.period(content.site.edition.period),
    )
    return {pages.address(stem): page}


def plan_years(content: Content) -> list[str]:
    """The years of the plan, by its targets."""
    stated = stated_targets(content.site.edition.targets).values()
    years = sorted({target.period[:4] for targets in stated for target in targets})
    if not years:
        return []
    first = max(int(years[0]), int(years[-1]) - YEARS + 1)
    return [str(year) for year in range(first, int(years[-1]) + 1)]


def _groups(content: Content, known: list[Measure], texts: Texts) -> list[Group]:
    """Lines of action with those of their indicators that have a target."""
    stated = stated_targets(content.site.edition.targets)
    found = [
        replace(group, measures=[measure for measure in group.measures if measure.id in stated])
        for group in groups(content.site.edition, known, texts)
    ]
    return [group for group in found if group.number or group.measures]


def _view(content: Content, known: list[Measure], year: str) -> Figures | None:
    """The figures as of a year: of the whole year once it has closed, else of the edition; None before it begins."""
    edition = content.site.edition
    here = edition.period
    if year > here[:4]:
        return None
    closed = year < here[:4] or closing_quarter(here) == f"{year}-Q4"
    period = year if closed and year in set(edition.figures["period"]) else here
    if period[:4] != year:
        return None
    grain = "quarter" if "-Q" in period else "year"
    said = edition.said if period == here else None
    return Figures(replace(edition, period=period, grain=grain, said=said), known)


def _line(
    group: Group, years: list[str], views: dict[str, Figures | None], content: Content, texts: Texts
) -> Line:
    targets = stated_targets(content.site.edition.targets)
    rows = [
        (
            measure,
            [_cell(measure, year, views[year], targets.get(measure.id, []), texts) for year in years],
        )
        for measure in group.measures
    ]
    counts = []
    for index in range(len(years)):
        codes = [cells[index].code for _, cells in rows]
        counts.append(
            (
                sum(code in ON_TRACK for code in codes),
                sum(code in JUDGED for code in codes),
                sum(bool(cells[index].planned) for _, cells in rows),
            )
        )
    return Line(group, counts, rows)


def _cell(measure: Measure, year: str, figures: Figures | None, targets: list[Target], texts: Texts) -> Cell:
    mine = [target for target in targets if target.period[:4] == year]
    target = max(mine, key=lambda item: (closing_quarter(item.period), "-" not in item.period), default=None)
    if figures is None:
        planned = "" if target is None else texts.value_with_unit(measure, target.value)
        return Cell("", planned, "", "", missing=True, status=None, code="")
    if target is not None:
        target = target.as_of(figures.period)
    planned = "" if target is None else texts.value_with_unit(measure, target.value)
    found = standing(measure, figures)
    reached = _reached(measure, found, texts)
    expected = (
        "" if found.expected is None or found.is_due else texts.value_with_unit(measure, found.expected)
    )
    return Cell(
        figures.period,
        planned,
        reached,
        expected,
        found.value is None,
        status_of(found, texts),
        found.code,
    )


def _reached(measure: Measure, found: Standing, texts: Texts) -> str:
    if found.value is None:
        return texts.choice("status", "suppressed" if found.code == SUPPRESSED else "not_available")
    return texts.value_with_unit(measure, found.value)
