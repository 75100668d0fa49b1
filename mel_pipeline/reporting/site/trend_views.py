"""What the chart on an indicator's page can show: a view for each grain and part, of released figures only. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import Quarter, closing_quarter
from mel_pipeline.reporting.chart_data.indicator import (
    EARLIER,
    SCORED,
    break_words,
    breaks_of,
    whole_year_note,
)
from mel_pipeline.reporting.figures.findings import UNSTATED, finding
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Figures, Reading
from mel_pipeline.reporting.figures.monthly import by_part, months_shown
from mel_pipeline.reporting.page.restatement_notes import footnotes
from mel_pipeline.reporting.site.indicators import amount, category

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.data import Site
    from mel_pipeline.reporting.text.texts import Texts

QUARTER, YEAR, MONTH = "quarter", "year", "month"
TOTAL = "total"
OK = "ok"


@dataclass(frozen=True)
class Mark:
    """A figure in a view. ``value`` is None where there is none: the chart has a gap there, never a zero.

    ``status``: ok, suppressed, not_available or earlier (published before the pipeline). ``low`` and ``high``: its 95 %
    interval. ``remark``: that it was restated or recalled. ``breaks``: something else is counted than before.
    """

    period: str
    status: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    text: str = ""  # the value in words, or why there is none
    short: str = ""  # as its label in the chart
    fraction: str = ""
    base: str = ""
    note: str = ""
    remark: str = ""
    breaks: bool = False
    now: bool = False  # of the edition's period
    provisional: bool = False  # not published, on a site where others are


@dataclass(frozen=True)
class View:
    """One chart: the total or one part (``dimension`` and ``category``), by quarter, year or month; oldest first."""

    grain: str
    dimension: str
    category: str
    name: str  # of the part, in the reader's language; empty for the total
    title: str
    subtitle: str
    marks: tuple[Mark, ...]
    notes: tuple[str, ...]  # under the chart
    target: str = ""
    band: str = ""

    @property
    def values(self) -> list[float]:
        return [mark.value for mark in self.marks if mark.value is not None]


def quarters_of(figures: Figures, measure: Measure, period: str, first: str) -> list[str]:
    """Every quarter from the indicator's first one, calculated or published before, to the edition's."""
    last = Quarter.parse(closing_quarter(period))
    before = [item.period for item in figures.earlier_figures(measure.id) if "-" in item.period]
    quarter = min([Quarter.parse(first), *map(Quarter.parse, before)])
    found: list[str] = []
    while quarter <= last:
        is_known = figures.total(measure.id, str(quarter)) is not None or str(quarter) in before
        if found or is_known:
            found.append(str(quarter))
        quarter = quarter.next()
    return found


def views(
    site: Site, measure: Measure, figures: Figures, texts: Texts, quarters: Sequence[str]
) -> list[View]:
    """Every view of an indicator: by quarter, year, month, in each the total and then the parts; empty without figures."""
    scene = _Scene(site, measure, figures, texts)
    found = []
    for grain, periods in ((QUARTER, quarters), (YEAR, scene.years())):
        if periods:
            found += [scene.view(grain, TOTAL, "", periods)]
            found += [scene.view(grain, *part, periods) for part in scene.parts(periods)]
    return found + scene.by_month()


@dataclass(frozen=True)
class _Scene:
    """What the views of an indicator are made from."""

    site: Site
    measure: Measure
    figures: Figures
    texts: Texts

    @property
    def edition(self) -> Edition:
        return self.site.edition

    @cached_property
    def _remarks(self) -> dict[str, str]:
        """Period → that its published figure was restated, or its edition recalled."""
        restated = footnotes(self.edition.restatements, {self.measure.id: self.measure}, self.texts)
        found = dict.fromkeys((self.edition.period,) if restated else (), " ".join(restated.values()))
        for period, recall in self.site.recalls.items():
            words = self.texts("release.recalled", day=self.texts.day(recall.day), reason=recall.reason)
            found[period] = f"{self.texts.period(period)}: {words}"
        return found

    def years(self) -> list[str]:
        """From the first year with a figure to the last; one without a figure between them is a gap."""
        known = {
            *self.figures.years(self.measure.id),
            *(
                item.period
                for item in self.figures.earlier_figures(self.measure.id)
                if "-" not in item.period
            ),
        }
        return [str(year) for year in range(int(min(known)), int(max(known)) + 1)] if known else []

    def parts(self, periods: Sequence[str]) -> list[tuple[str, str]]:
        """(dimension, category) of every figure in these periods: the largest of the last one first, the unstated last."""
        found = []
        for dimension in self.figures.dimensions(self.measure.id, periods):
            latest: dict[str, Reading] = {}
            for period in periods:
                latest |= self.figures.cells(self.measure.id, period, dimension)
            order = sorted(
                latest,
                key=lambda name: (
                    name in UNSTATED,
                    0.0 if dimension == SCORED else -(latest[name].value or 0.0),
                    name,
                ),
            )
            found += [(dimension, name) for name in order]
        return found

    def view(self, grain: str, dimension: str, name: str, periods: Sequence[str]) -> View:
        is_total = dimension == TOTAL
        marks = tuple(self._mark(period, dimension, name) for period in periods)
        broken = breaks_of(self.figures, self.measure, periods) if is_total else []
        marks = tuple(replace(mark, breaks=mark.period in broken) for mark in marks)
        return self._view(grain, dimension, name, marks, broken)

    def by_month(self) -> list[View]:
        """Months of the edition's period, of flows that have them; parts are those of ``Measure.parts``."""
        parts = by_part(self.edition.months).get(self.measure.id, {})
        known = {month.period for months in parts.values() for month in months}
        shown = [period for period in months_shown(self.edition.period) if period >= min(known, default="")]
        found = []
        for name, months in sorted(parts.items()):
            values = {month.period: month.value for month in months}
            marks = tuple(
                self._of(period, Reading(OK, values[period]) if period in values else Reading(NOT_AVAILABLE))
                for period in shown
            )
            dimension = (self.measure.parts or "category") if name else TOTAL
            found.append(self._view(MONTH, dimension, name, marks, []))
        return found

    def _view(
        self, grain: str, dimension: str, name: str, marks: tuple[Mark, ...], broken: list[str]
    ) -> View:
        measure, texts = self.measure, self.texts
        is_total = dimension == TOTAL
        shown = category(dimension, name, texts) if name else ""
        label = self._target_words(marks) if is_total else ""
        band = ""
        if is_total and measure.band is not None:
            low, high = measure.band
            band = texts("chart.band", low=texts.number(low), high=texts.number(high))
        subtitle = texts(
            "chart.trend_subtitle",
            unit=texts.unit(measure),
            statistic=texts.choice("statistic", "ratio" if measure.is_estimate else measure.aggregation),
            first=named(marks[0].period, texts),
            last=named(marks[-1].period, texts),
        )
        title = texts("site.chart_part", name=measure.name, part=shown) if shown else measure.name
        if is_total and grain in (QUARTER, self.edition.grain):
            title = finding(measure, self.figures, self.edition.period, texts)
        return View(
            grain,
            dimension,
            name,
            shown,
            title,
            subtitle,
            marks,
            self._notes(grain, marks, broken, is_total=is_total),
            label,
            band,
        )

    def _notes(
        self, grain: str, marks: Sequence[Mark], broken: list[str], *, is_total: bool
    ) -> tuple[str, ...]:
        texts = self.texts
        source = texts("chart.source", source=texts.say(self.measure.source))
        lines = [
            whole_year_note(self.edition, self.measure, texts) if grain == QUARTER and is_total else "",
            break_words(broken, texts),
            texts("chart.interval") if any(mark.low is not None for mark in marks) else "",
            texts("chart.earlier") if any(mark.status == EARLIER for mark in marks) else "",
            texts("site.chart_provisional") if any(mark.provisional for mark in marks) else "",
            *(f"* {mark.remark}" for mark in marks if mark.remark),
            texts("chart.sample", rest=source) if self.edition.is_sample else source,
        ]
        return tuple(line for line in lines if line)

    def _target_words(self, marks: Sequence[Mark]) -> str:
        for mark in reversed(marks):
            near = self.figures.target_line(self.measure, mark.period) if mark.target is not None else None
            if near is not None:
                value = self.texts.value(self.measure, near.value)
                return self.texts("chart.target", period=near.period, value=value)
        return ""

    def _mark(self, period: str, dimension: str, name: str) -> Mark:
        figures, measure, texts = self.figures, self.measure, self.texts
        reading = figures.cells(measure.id, period, dimension).get(name)
        if dimension != TOTAL:
            return self._of(period, reading or Reading(NOT_AVAILABLE))
        near = figures.target_line(measure, period)
        mark = self._of(period, reading or Reading(NOT_AVAILABLE))
        mark = replace(
            mark,
            target=None if near is None else near.value,
            remark=self._remarks.get(period, "") if mark.value is not None else "",
        )
        before = figures.earlier(measure.id, period)
        if before is None:
            return mark
        return replace(
            mark,
            status=EARLIER,
            value=before.value,
            text=texts("chart.earlier_value", value=texts.value(measure, before.value)),
            short=texts.short_value(measure, before.value),
            note=texts("chart.earlier_note", document=before.document, page=before.page),
        )

    def _of(self, period: str, reading: Reading) -> Mark:
        measure, texts = self.measure, self.texts
        now = _is_of(period, self.edition.period)
        if reading.value is None:
            code = SUPPRESSED if reading.status == SUPPRESSED else NOT_AVAILABLE
            note = "" if code == SUPPRESSED else texts.say(reading.note)
            return Mark(period, code, text=texts.choice("status", code), note=note, now=now)
        parts = [amount(part, texts) for part in (reading.numerator, reading.denominator)]
        low, high = reading.interval or (None, None)
        return Mark(
            period,
            OK,
            reading.value,
            reading.numerator,
            reading.denominator,
            reading.n,
            low,
            high,
            text=texts.value_with_unit(measure, reading.value),
            short=texts.short_value(measure, reading.value),
            fraction=" / ".join(parts) if all(parts) else "",
            base="" if reading.n is None else texts.number(reading.n),
            note=texts.say(reading.note),
            now=now,
            provisional=bool(self.site.standings)
            and not _is_month(period)
            and period not in self.site.standings,
        )


def named(period: str, texts: Texts) -> str:
    """A quarter, year or month as the language writes it."""
    return texts.month(period) if _is_month(period) else texts.period(period)


def _is_month(period: str) -> bool:
    return "-" in period and "Q" not in period


def _is_of(period: str, edition: str) -> bool:
    """Whether the figure of a period belongs to the edition's: a month or quarter of it, or the year it is in."""
    if _is_month(period):
        year, month = period.split("-")
        period = str(Quarter(int(year), (int(month) + 2) // 3))
    return period.startswith(edition) or edition.startswith(period)
