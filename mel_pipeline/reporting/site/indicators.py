"""The content of an indicator's page, in words. Computes no figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting.figures.findings import UNSTATED
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Reading
from mel_pipeline.reporting.figures.measures import words
from mel_pipeline.reporting.page.tables import month_part

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class Line:
    """A figure in a table: everything in words; ``missing`` marks words in place of a number."""

    label: str
    value: str
    fraction: str
    base: str
    note: str
    missing: bool
    share: float | None = None  # of the longest bar beside it, 0 to 100


@dataclass(frozen=True)
class Breakdown:
    title: str
    column: str
    lines: list[Line]


@dataclass(frozen=True)
class Group:
    """Indicators of one line of action."""

    number: str
    name: str
    measures: list[Measure]


def line(measure: Measure, reading: Reading | None, label: str, texts: Texts) -> Line:
    reading = reading or Reading(NOT_AVAILABLE)
    if reading.value is None:
        withheld = reading.status == SUPPRESSED
        shown = texts.choice("status", SUPPRESSED if withheld else NOT_AVAILABLE)
        return Line(label, shown, "", "", "" if withheld else reading.note, missing=True)
    parts = [amount(part, texts) for part in (reading.numerator, reading.denominator)]
    return Line(
        label,
        texts.value_with_unit(measure, reading.value),
        " / ".join(parts) if all(parts) else "",
        "" if reading.n is None else texts.number(reading.n),
        reading.note,
        missing=False,
    )


def amount(value: float | None, texts: Texts) -> str:
    """A numerator or denominator in words; empty where there is none."""
    if value is None:
        return ""
    return texts.number(value, 0 if float(value).is_integer() else 1)


@dataclass(frozen=True)
class Detail:
    """The breakdowns of a period."""

    period: str
    tables: list[Breakdown]


def details(edition: Edition, measure: Measure, figures: Figures, texts: Texts) -> list[Detail]:
    """Breakdowns of the edition's period; where that is a quarter, also of the last year: people do not add up to it."""
    shown = [edition.period]
    if "-Q" in edition.period:
        last = closing_quarter(edition.period)
        shown += [year for year in figures.years(measure.id) if closing_quarter(year) <= last][-1:]
    found = [Detail(period, breakdowns(measure, figures, texts, period)) for period in shown]
    return [one for one in found if one.tables]


def breakdowns(measure: Measure, figures: Figures, texts: Texts, period: str) -> list[Breakdown]:
    """A table for each dimension of a period, largest first, the unstated last."""
    found = []
    for dimension in figures.dimensions(measure.id, [period]):
        cells = figures.cells(measure.id, period, dimension)
        order = sorted(
            cells,
            key=lambda name: (name in UNSTATED, cells[name].value is None, -(cells[name].value or 0), name),
        )
        named = texts.named("dimension", dimension)
        lines = [line(measure, cells[name], category(dimension, name, texts), texts) for name in order]
        longest = max([cells[name].value or 0 for name in order], default=0)
        found.append(
            Breakdown(
                texts("site.breakdown", dimension=named),
                named[:1].upper() + named[1:],
                [
                    _with_bar(item, cells[name].value, longest)
                    for item, name in zip(lines, order, strict=True)
                ],
            )
        )
    return found


def _with_bar(item: Line, value: float | None, longest: float) -> Line:
    if value is None or longest <= 0 or value < 0:
        return item
    return Line(**{**vars(item), "share": round(100 * value / longest, 1)})


def by_month(measure: Measure, figures: Figures, texts: Texts) -> list[Breakdown]:
    """A table with bars for the total and each part whose months stand out."""
    found = []
    for part, months in figures.months(measure.id).items():
        longest = max((month.value for month in months), default=0.0)
        lines = [
            Line(
                texts.month(month.period),
                texts.value_with_unit(measure, month.value),
                "",
                "",
                "",
                missing=False,
                share=100 * month.value / longest if longest else 0.0,
            )
            for month in months
        ]
        found.append(Breakdown(month_part(part, texts), texts("site.month"), lines))
    return found


def category(dimension: str, name: str, texts: Texts) -> str:
    """A category in the reader's language, where there is a translation."""
    if dimension == "gender":
        return texts.named("gender", name)
    return region(name, texts) if dimension == "region" else texts.named("category", name)


def region(name: str, texts: Texts) -> str:
    shown = texts.named("category", name)
    return shown if shown != name else texts.named("site.region_name", name)


def targets(measure: Measure, figures: Figures, texts: Texts) -> list[tuple[str, str]]:
    """Each target with its milestones and revisions, and where each was stated."""
    found = []
    for target in sorted(figures.stated_targets(measure.id), key=lambda item: closing_quarter(item.period)):
        lines = [("site.target_of", target.period, target.value, target.origin)]
        lines += [("site.milestone_of", step.on, step.value, step.reason) for step in target.milestones]
        lines += [("site.revision_of", step.on, step.value, step.reason) for step in target.revisions]
        found += [
            (texts(key, value=texts.value_with_unit(measure, value), period=when), why)
            for key, when, value, why in lines
        ]
    return found


def groups(edition: Edition, known: list[Measure], texts: Texts) -> list[Group]:
    """By line of action; an indicator of several is listed under each, one of none across the organisation."""
    lines = [
        Group(
            str(int(row["number"])),
            words(row.get(f"name_{texts.language}")) or words(row["name_en"]),
            [measure for measure in known if str(int(row["number"])) in measure.lines],
        )
        for row in edition.lines_of_action.to_dict("records")
    ]
    listed = {measure.id for group in lines for measure in group.measures}
    across = [measure for measure in known if measure.id not in listed]
    return [*lines, Group("", texts("site.across"), across)] if across else lines
