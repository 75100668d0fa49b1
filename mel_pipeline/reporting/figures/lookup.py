"""Look figures up. Everything printed passes through here; suppression was applied before."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import Quarter, closing_quarter, quarters_of_year
from mel_pipeline.core.statistics import Range, differs
from mel_pipeline.reporting.figures.measures import Measure, missing, number, words
from mel_pipeline.reporting.figures.monthly import Month, by_part, telling
from mel_pipeline.reporting.figures.targets import PartTargets, Target, part_targets, stated_targets
from mel_pipeline.reporting.text.phrases import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from mel_pipeline.reporting.edition import EarlierFigure, Edition, Judged, Stated

SUPPRESSED = "suppressed"
NOT_AVAILABLE = "not_available"
_INEXACT = re.compile(r"from a sample\.$|without small groups\.$|^Small groups are left out\.$")


@dataclass(frozen=True)
class Reading:
    """One figure. ``value`` is None unless ``status`` is ok: a missing figure cannot pass for a zero."""

    status: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n: int | None = None
    note: str = ""
    interval: tuple[float, float] | None = None  # 95 %
    expected: float | None = None  # days, issues or agreements it should rest on; None: it is whole by nature
    covered: float | None = None  # those it does rest on

    @property
    def reservation(self) -> str:
        """What stands beside the figure itself: why there is none, or that it is not exact."""
        if self.value is None:
            return self.note
        return " ".join(sentence for sentence in SENTENCE.split(self.note) if _INEXACT.search(sentence))


class Figures:
    """The figures of an edition, by indicator, period and cell."""

    def __init__(self, edition: Edition, known: Iterable[Measure]) -> None:
        self.period = edition.period
        measures = {measure.id: measure for measure in known}
        self._cells: dict[tuple[str, str, str], dict[str, Reading]] = {}
        # Indicator → period → breakdowns, the total included.
        self._dimensions: dict[str, dict[str, set[str]]] = {}
        for row in edition.figures.to_dict("records"):
            measure = measures.get(words(row["indicator_id"]))
            if measure is None:
                raise ReportError(
                    f"Reporting {edition.period}: figures of {row['indicator_id']} have no definition."
                    " Add its YAML file or rebuild the SQL models."
                )
            key = (measure.id, words(row["period"]), words(row["dimension"]) or "total")
            cells, category = self._cells.setdefault(key, {}), words(row["category"])
            self._dimensions.setdefault(key[0], {}).setdefault(key[1], set()).add(key[2])
            if category in cells:
                raise ReportError(
                    f"Reporting {edition.period}: {measure.id} has two figures for {key[1]},"
                    f" {key[2]} {category}. Fix its SQL model: one row per cell."
                )
            cells[category] = _reading(row)
        self._stated: dict[str, list[Stated]] = {}
        for statement in edition.statements:
            self._stated.setdefault(statement.indicator_id, []).append(statement)
        self._earlier: dict[str, dict[str, EarlierFigure]] = {}
        for figure in edition.earlier:
            if figure.dimension == "total":
                self._earlier.setdefault(figure.indicator_id, {})[figure.period] = figure
        self._targets = stated_targets(edition.targets)
        self._part_targets = part_targets(edition.targets)
        self._said = edition.said
        self._months = by_part(edition.months)

    def total(self, indicator: str, period: str) -> Reading | None:
        """The figure of a period, None when that period was never calculated."""
        return self._cells.get((indicator, period, "total"), {}).get("")

    def cells(self, indicator: str, period: str, dimension: str) -> dict[str, Reading]:
        """Category → figure; empty when there is no such breakdown."""
        return self._cells.get((indicator, period, dimension), {})

    def dimensions(self, indicator: str, periods: Container[str]) -> list[str]:
        """The breakdowns that an indicator has in any of these periods, by name."""
        mine = self._dimensions.get(indicator, {})
        return sorted({name for period in mine if period in periods for name in mine[period]} - {"total"})

    def years(self, indicator: str) -> list[str]:
        """The years that there are figures of, in order."""
        return sorted(period for period in self._dimensions.get(indicator, {}) if "-" not in period)

    def stated_targets(self, indicator: str) -> list[Target]:
        """All targets of the whole, as they stand now."""
        return self._targets.get(indicator, [])

    def months(self, indicator: str) -> dict[str, list[Month]]:
        """Part (empty: the total) → its months, where they say something; see ``telling``."""
        return telling(self._months.get(indicator, {}), self.period)

    def statements(self, indicator: str, period: str) -> list[Stated]:
        """Where the figures of a period, or of the quarters of a year, were stated; totals first."""
        return [
            item
            for item in self._stated.get(indicator, [])
            if item.period == period or item.period.startswith(f"{period}-")
        ]

    def earlier(self, indicator: str, period: str) -> EarlierFigure | None:
        """What was published before, where the period has no figure of its own; a withheld one is a figure."""
        reading = self.total(indicator, period)
        if reading is not None and reading.status != NOT_AVAILABLE:
            return None
        return self._earlier.get(indicator, {}).get(period)

    def earlier_figures(self, indicator: str) -> list[EarlierFigure]:
        """All that were published before, in the order of their periods."""
        found = [self.earlier(indicator, period) for period in sorted(self._earlier.get(indicator, {}))]
        return [figure for figure in found if figure is not None]

    def target(self, measure: Measure, period: str) -> Target | None:
        """The target of exactly this period, else the next one due, as it was stated when the period closed.

        An amount of a year is not measured against the target of a quarter.
        """
        stated = self._targets.get(measure.id, [])
        exact = [target for target in stated if target.period == period]
        due = [target for target in stated if closing_quarter(target.period) >= closing_quarter(period)]
        if not measure.is_level and "-" not in period:
            due = [target for target in due if "-" not in target.period]
        found = exact[0] if exact else min(due, key=lambda item: closing_quarter(item.period), default=None)
        return None if found is None else found.as_of(period)

    def part_targets(self, indicator: str) -> list[PartTargets]:
        """What is stated of its parts, each target as it was stated when the edition's period closed."""
        return [
            replace(part, targets=tuple(target.as_of(self.period) for target in part.targets))
            for part in self._part_targets.get(indicator, [])
        ]

    def target_line(self, measure: Measure, period: str) -> Target | None:
        """The target as a line in a chart of quarters: a later year's would stretch the scale, a year's sum be another one."""
        target = self.target(measure, period)
        fits = target is not None and (measure.is_level or target.period == period)
        return target if target is not None and fits and period.startswith(target.period[:4]) else None

    def judged(self, measure: Measure) -> Judged | None:
        """The judgement that the edition was published with."""
        return self._said.judgements.get(measure.id) if self._said else None

    def published_finding(self, measure: Measure, period: str, language: str) -> str | None:
        """The title that the edition was published with."""
        if self._said is None or period != self.period:
            return None
        titles: dict[str, str] = self._said.sentences.get(language, {}).get("findings", {})
        return titles.get(measure.id)

    def earlier_targets(self, measure: Measure, target: Target) -> list[Target]:
        """Targets that were due before this one, as stated when they were."""
        due = closing_quarter(target.period)
        stated = self._targets.get(measure.id, [])
        return [item.as_of(item.period) for item in stated if closing_quarter(item.period) < due]

    def so_far(self, measure: Measure, target: Target) -> float | None:
        """The sum of the quarters of the target's year up to the edition's; None where they do not add up or one is missing."""
        if measure.aggregation != "flow" or "-" not in self.period or self.period[:4] != target.period:
            return None
        here = Quarter.parse(self.period)
        past = [self.total(measure.id, str(item)) for item in quarters_of_year(here.year) if item <= here]
        values = [reading.value for reading in past if reading is not None and reading.value is not None]
        return sum(values) if len(values) == len(past) else None


def _reading(row: dict[Any, Any]) -> Reading:
    value, n = number(row["value"]), number(row["n"])
    status = words(row["status"]) or NOT_AVAILABLE
    if status == SUPPRESSED:
        return Reading(SUPPRESSED)
    if status == "ok" and value is None:
        status = NOT_AVAILABLE
    return Reading(
        status=status,
        value=value if status == "ok" else None,
        numerator=number(row["numerator"]),
        denominator=number(row["denominator"]),
        n=None if n is None else int(n),
        note="" if missing(row["note"]) else str(row["note"]).strip(),
        interval=_interval(row),
        expected=number(row.get("expected")),
        covered=number(row.get("covered")),
    )


def _interval(row: dict[Any, Any]) -> tuple[float, float] | None:
    low, high = number(row.get("low")), number(row.get("high"))
    return None if low is None or high is None else (low, high)


def beyond_chance(now: Reading, then: Reading) -> bool | None:
    """Whether two shares or means differ by more than chance; None where one of them has no interval."""
    if now.value is None or then.value is None or now.interval is None or then.interval is None:
        return None
    return differs(now.value, Range(*now.interval), then.value, Range(*then.interval))


def quarters_shown(period: str, count: int) -> list[str]:
    """The last ``count`` quarters up to the period (a year ends with its fourth quarter)."""
    quarter = Quarter.parse(closing_quarter(period))
    shown = [quarter]
    while len(shown) < count:
        shown.insert(0, shown[0].previous())
    return [str(item) for item in shown]


def require_headlines(figures: Figures, known: Iterable[Measure], period: str) -> None:
    """Stop the report if a headline figure was never calculated: "not available" is a result, a missing row is not.

    Raises:
        ReportError: names the indicators without a row.
    """
    absent = [item.id for item in known if item.headline and figures.total(item.id, period) is None]
    if absent:
        raise ReportError(
            f"Reporting {period}: no figure at all for {', '.join(absent)}."
            f" Run `mel run --quarter {closing_quarter(period)}` again, then the report."
        )
