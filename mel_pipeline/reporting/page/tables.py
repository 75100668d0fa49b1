"""Figures as the rows a page prints: every cell already formatted. Decides nothing about markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import closing_quarter, previous_period, year_before
from mel_pipeline.reporting.figures.coverage import change_in_words, compared
from mel_pipeline.reporting.figures.judgement import Standing, Status, is_of_year, standing, status_of
from mel_pipeline.reporting.figures.lookup import (
    NOT_AVAILABLE,
    SUPPRESSED,
    Figures,
    Reading,
    quarters_shown,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import EarlierFigure, Stated
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.figures.targets import Target
    from mel_pipeline.reporting.text.texts import Texts

SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 96.0, 26.0, 4.0


@dataclass(frozen=True)
class Cell:
    """A figure and, for an earlier one, the change since."""

    text: str
    change: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Spark:
    """Unbroken runs of points, each ``"x,y x,y"``, and the last point; coordinates in a 96 × 26 box."""

    runs: list[str]
    last: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    measure: Measure
    unit: str
    actual: Cell
    previous: Cell
    year_before: Cell
    target: Cell
    standing: Standing
    status: Status
    spark: Spark
    note: str
    numerator: str
    denominator: str
    n: str
    baseline: Cell  # with the period it is of
    interval: str  # 95 %, of shares and means
    part_targets: tuple[str, ...] = ()  # of regions, genders and the like, with what each has reached
    stated: tuple[str, ...] = ()  # of a figure counted by hand: by whom, when, with what evidence
    earlier: tuple[str, ...] = ()  # figures published before the pipeline, with document and page
    months: tuple[str, ...] = ()  # of a flow, where they say something
    restated: str = ""  # what the data give now, where a published figure has changed


def table_row(measure: Measure, figures: Figures, texts: Texts, restated: str = "") -> Row:
    """One indicator of the edition's period; ``restated`` is the footnote of a published figure that changed."""
    period = figures.period
    reading = figures.total(measure.id, period) or Reading(NOT_AVAILABLE)
    judged = standing(measure, figures)
    return Row(
        measure=measure,
        unit=texts.unit(measure),
        actual=_cell(measure, reading, texts),
        previous=_earlier(measure, figures, previous_period(period), texts),
        year_before=_earlier(measure, figures, year_before(period), texts),
        target=target_cell(measure, judged, period, texts),
        standing=judged,
        status=status_of(judged, texts),
        spark=spark([figures.total(measure.id, quarter) for quarter in quarters_shown(period, 8)]),
        note=texts.say(reading.reservation),
        numerator=_amount(reading.numerator, measure, texts),
        denominator=_amount(reading.denominator, measure, texts),
        n=_base(reading, texts),
        interval=_interval(measure, reading, texts),
        baseline=_baseline(measure, texts),
        part_targets=part_target_words(measure, figures, texts),
        stated=tuple(
            statement_words(item, measure, texts) for item in figures.statements(measure.id, period)
        ),
        earlier=tuple(earlier_words(item, measure, texts) for item in figures.earlier_figures(measure.id)),
        months=months_words(measure, figures, texts),
        restated=restated,
    )


def part_target_words(measure: Measure, figures: Figures, texts: Texts) -> tuple[str, ...]:
    """``Africa: 5 by 2025; 3 in Q4 2024``, a line for each target of a part that is due, or not due yet."""
    found = []
    for part in figures.part_targets(measure.id):
        name = texts.category(part.dimension, part.category)
        if part.baseline:
            first, value = part.baseline
            shown = texts.value_with_unit(measure, value)
            name = texts("page.part_from", name=name, value=shown, period=texts.period(first))
        for target in part.targets:
            if closing_quarter(target.period) < closing_quarter(figures.period):
                continue
            period = _measured_in(measure, target, figures.period)
            reading = figures.cells(measure.id, period, part.dimension).get(part.category)
            found.append(
                texts(
                    "page.part_target",
                    name=name,
                    target=texts.value_with_unit(measure, target.value),
                    due=texts.period(target.period),
                    value=_cell(measure, reading or Reading(NOT_AVAILABLE), texts).text,
                    period=texts.period(period),
                )
            )
    return tuple(found)


def _measured_in(measure: Measure, target: Target, period: str) -> str:
    """Of an amount of a year that has closed, its year; otherwise the edition's own period."""
    closes = closing_quarter(target.period) == period
    return target.period if closes and is_of_year(measure, target, period) else period


def months_words(measure: Measure, figures: Figures, texts: Texts) -> tuple[str, ...]:
    """``example.org: 1,012 in Sept 2024 and 3,036 in Oct 2024``, a line for the total and each part that stands out."""
    return tuple(
        texts(
            "page.months_line",
            name=month_part(part, texts),
            months=texts.listed(
                [
                    texts(
                        "page.month", month=texts.month(month.period), value=texts.value(measure, month.value)
                    )
                    for month in months
                ]
            ),
        )
        for part, months in figures.months(measure.id).items()
    )


def month_part(part: str, texts: Texts) -> str:
    total = texts("table.total")
    return texts.named("category", part) if part else total[:1].upper() + total[1:]


def statement_words(item: Stated, measure: Measure, texts: Texts) -> str:
    """``Q4 2024: MEL lead, 30 November 2026, version 7 of the workbook. Evidence: attendance lists``."""
    which = texts.period(item.period)
    if item.category:
        which = f"{which}, {texts.category(item.dimension, item.category)}"
    if item.day is None:
        return texts("page.stated_before", which=which, role=measure.owner_role, evidence=item.evidence)
    return texts(
        "page.stated_line",
        which=which,
        role=item.role,
        day=texts.day(item.day),
        version=item.version,
        evidence=item.evidence,
    )


def earlier_words(item: EarlierFigure, measure: Measure, texts: Texts) -> str:
    """``2022: 1,200 (Annual report 2022, p. 14)``."""
    words = texts(
        "page.earlier_line",
        period=item.period,
        value=texts.value_with_unit(measure, item.value),
        document=item.document,
        page=item.page,
    )
    return f"{words} {item.note}".strip()


def target_cell(
    measure: Measure, judged: Standing, period: str, texts: Texts, *, measured: bool = True
) -> Cell:
    """The target, by when, and what of it was expected by now.

    Args:
        measured: also say the year's figure, where that is what is measured and stands nowhere beside it.
    """
    target = judged.target
    if target is None:
        return Cell(texts("page.no_target"), missing=True)
    parts = [] if target.period == period else [texts("page.target_by", period=target.period)]
    is_said = measured and is_of_year(measure, target, period) and judged.code != "ahead"
    if is_said and judged.value is not None:
        name = "page.in_year" if judged.is_due else "page.so_far"
        parts.append(texts(name, value=texts.value(measure, judged.value), period=target.period))
    if judged.expected is not None and not judged.is_due and judged.code != "ahead":
        parts.append(texts("page.expected", value=texts.value(measure, judged.expected)))
    return Cell(texts.value(measure, target.value), change=", ".join(parts))


def _cell(measure: Measure, reading: Reading, texts: Texts) -> Cell:
    if reading.value is None:
        code = "suppressed" if reading.status == SUPPRESSED else "not_available"
        return Cell(texts.choice("status", code), missing=True)
    return Cell(texts.value_with_unit(measure, reading.value))


def _earlier(measure: Measure, figures: Figures, earlier: str, texts: Texts) -> Cell:
    now, then = figures.total(measure.id, figures.period), figures.total(measure.id, earlier)
    if then is None or then.value is None:
        return _cell(measure, then or Reading(NOT_AVAILABLE), texts)
    shown = texts.value(measure, then.value)
    if now is None or now.value is None:
        return Cell(shown)
    found = compared(measure, figures, figures.period, earlier)
    if found is None:
        return Cell(shown, change=texts("page.other_coverage"))
    return Cell(shown, change=change_in_words(measure, found, texts))


def _amount(value: float | None, measure: Measure, texts: Texts) -> str:
    if value is None:
        return ""
    return texts.number(value, 0 if float(value).is_integer() else max(1, measure.decimals))


def _base(reading: Reading, texts: Texts) -> str:
    if reading.status == SUPPRESSED:
        return texts("page.fewer")
    return "" if reading.n is None else texts.number(reading.n)


def _interval(measure: Measure, reading: Reading, texts: Texts) -> str:
    if reading.interval is None:
        return ""
    low, high = reading.interval
    key = "page.interval_volunteers" if measure.by_volunteers else "page.interval"
    return texts(key, low=texts.number(low, measure.decimals), high=texts.value(measure, high))


def _baseline(measure: Measure, texts: Texts) -> Cell:
    if measure.baseline_value is None:
        return Cell(texts("page.no_baseline"), missing=True)
    shown = texts.value_with_unit(measure, measure.baseline_value)
    return Cell(shown, change=texts.period(measure.baseline_period))


def spark(readings: Sequence[Reading | None]) -> Spark:
    """A sparkline from zero or from the lowest value; a missing quarter breaks it."""
    values = [None if reading is None else reading.value for reading in readings]
    known = [value for value in values if value is not None]
    if not known:
        return Spark([], None)
    low, high = min(known), max(known)
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(1, len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for slot, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        share = 0.5 if high == low else (value - low) / (high - low)
        y = SPARK_HEIGHT - SPARK_EDGE - share * (SPARK_HEIGHT - 2 * SPARK_EDGE)
        runs[-1].append((round(SPARK_EDGE + slot * step, 1), round(y, 1)))
    last = runs[-1][-1] if runs[-1] else None
    return Spark([" ".join(f"{x},{y}" for x, y in run) for run in runs if run], last)
