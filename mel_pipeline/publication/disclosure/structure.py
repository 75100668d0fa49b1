"""Relations between figures: totals and cells, quarters and years, genders and those who stated one.

A figure has two quantities, numerator and denominator. Everything an attacker can add and subtract is a
relation between quantities; anything else (overlapping themes, levels of different quarters) reveals no exact
value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mel_pipeline.core.periods import quarters_of_year

if TYPE_CHECKING:
    import pandas as pd

TOTAL = "total"
GENDERS = ("Woman", "Man", "Non-binary")
UNDISCLOSED = "Undisclosed"
# Breakdowns of all answers: the cells add up to the total, and each has its denominator.
SPREADS = {"answer": ("1", "2", "3", "4", "5"), "recommendation": ("Promoters", "Passives", "Detractors")}
OVERLAPPING = ("programme",)  # who took part in two programmes is one person of the total, and stands in both
RARE = "Non-binary"  # a gender few people state: this count itself is sensitive, not only the number of all who answered
HIDDEN, MISSING = "suppressed", "not_available"


@dataclass(frozen=True)
class Sensitivity:
    """How an indicator relates to people.

    ``group``: indicators about the same people are withheld together. ``people``: the quantity that counts the
    persons behind a figure. ``aggregation`` and ``unit`` are those of the catalogue. ``answers``: of a share of
    answers, the scores that its numerator counts.
    """

    group: str
    people: Literal["numerator", "denominator"]
    aggregation: str
    unit: str
    answers: tuple[str, ...] = ()
    is_stated: bool = (
        False  # counted by hand: its categories are those of any breakdown, whatever their names
    )


class Row(NamedTuple):
    """A figure by its name."""

    indicator: str
    period: str
    dimension: str
    category: str


class Quantity(NamedTuple):
    """Numerator or denominator of a figure."""

    row: Row
    part: str


@dataclass(frozen=True)
class Relation:
    """``sum(weight * quantity) = 0``, or ``<= 0`` where it is a bound."""

    weights: Mapping[Quantity, float]
    is_bound: bool = False


@dataclass
class Figures:
    """The figures about people: known quantities, withheld figures, and blank ones (not available, so their numbers
    are unknown). Zero of zero is known to be zero.

    ``people``: how many distinct persons a quantity counts, where that is fewer than its number (slots, answers).
    """

    known: dict[Quantity, float] = field(default_factory=dict)
    hidden: set[Row] = field(default_factory=set)
    blank: set[Row] = field(default_factory=set)
    people: dict[Quantity, float] = field(default_factory=dict)

    @property
    def rows(self) -> set[Row]:
        return {quantity.row for quantity in self.known} | self.hidden


class Record(NamedTuple):
    """One calculated figure about people; numbers that are missing are None."""

    row: Row
    status: str
    numerator: float | None
    denominator: float | None
    people: float | None
    members: float | None


def records_of(frame: pd.DataFrame, rules: Mapping[str, Sensitivity]) -> list[Record]:
    """Figures of the indicators that have a rule.

    Args:
        frame: may have the columns ``people`` (distinct persons behind the figure) and ``members`` (those in its
            category); without them every case is a person.
    """
    return [
        _record(record, rules[str(record["indicator_id"])])
        for record in frame[frame["indicator_id"].isin(rules)].to_dict("records")
    ]


def _record(record: Mapping[Any, Any], rule: Sensitivity) -> Record:
    """Promoters less detractors may be negative; with the denominator they are 2 a promoter and 1 a passive."""
    above, *others = (_number(record.get(name)) for name in ("numerator", "denominator", "people", "members"))
    if rule.unit == "points" and above is not None and others[0] is not None:
        above += others[0]
    return Record(row_of(record), str(record["status"]), above, *others)


def _number(value: Any) -> float | None:
    return None if value is None or is_missing(value) else float(value)


def read_figures(frame: pd.DataFrame, rules: Mapping[str, Sensitivity]) -> Figures:
    """Figures of the indicators that have a rule; ``frame`` as of ``records_of``."""
    return figures_of(records_of(frame, rules), rules)


def figures_of(records: Iterable[Record], rules: Mapping[str, Sensitivity]) -> Figures:
    """Figures by what is known, withheld and blank."""
    figures = Figures()
    for record in records:
        row = record.row
        figures.people |= _persons(record, rules[row.indicator])
        numbers = {"numerator": record.numerator, "denominator": record.denominator}
        known = {Quantity(row, part): value for part, value in numbers.items() if value is not None}
        if record.status == HIDDEN:
            figures.hidden.add(row)
        elif record.status == MISSING and len(known) < 2:
            figures.blank.add(row)
        else:
            figures.known |= known
    return figures


def _persons(record: Record, rule: Sensitivity) -> dict[Quantity, float]:
    found = {}
    counted = (record.people, record.members)
    for quantity, people in zip(counts_of(record.row, rule), counted, strict=False):
        cases = record.numerator if quantity.part == "numerator" else record.denominator
        if people is not None and cases is not None:
            found[quantity] = min(people, cases)
    return found


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The names of the figures of a frame, in its order."""
    names = ("indicator_id", "period", "dimension", "category")
    records = zip(*(frame[name].astype(object).tolist() for name in names), strict=True)
    return [row_of(dict(zip(names, record, strict=True))) for record in records]


def row_of(record: Mapping[Any, Any]) -> Row:
    category = record["category"]
    named = "" if is_missing(category) else str(category)
    return Row(str(record["indicator_id"]), str(record["period"]), str(record["dimension"]), named)


def is_missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 - not a number


def counts_of(row: Row, rule: Sensitivity) -> tuple[Quantity, ...]:
    """The quantities of a figure that count persons, who could be recognised if few."""
    people = Quantity(row, rule.people)
    return (people, Quantity(row, "numerator")) if row.category == RARE else (people,)


def relations(figures: Figures, rules: Mapping[str, Sensitivity]) -> list[Relation]:
    """Every relation between the quantities of these figures."""
    there = figures.rows
    found: list[Relation] = []
    for row in sorted(there):
        found += _own_bounds(row, rules[row.indicator])
    found += _of_dimensions(there, figures.blank, rules)
    found += _of_years(there, figures.blank, rules)
    found += _of_groups(there, rules)
    found += _of_scores(there, figures.blank, rules)
    return found


def _own_bounds(row: Row, rule: Sensitivity) -> Iterator[Relation]:
    """A share's numerator is at most its denominator; a mean score is between 1 and 5, a promoter counts 2."""
    above, below = Quantity(row, "numerator"), Quantity(row, "denominator")
    if rule.unit == "score":
        yield Relation({above: 1.0, below: -5.0}, is_bound=True)
        yield Relation({below: 1.0, above: -1.0}, is_bound=True)
    elif rule.unit in ("percent", "points"):
        yield Relation({above: 1.0, below: -2.0 if rule.unit == "points" else -1.0}, is_bound=True)


def overlaps(figures: Figures, rules: Mapping[str, Sensitivity]) -> Iterator[tuple[Quantity, list[Quantity]]]:
    """Totals of distinct people, each with the cells of a breakdown in which one person may stand in several."""
    for (indicator, period, dimension), parts in sorted(_cells(figures.rows).items()):
        total = Row(indicator, period, TOTAL, "")
        if total in figures.rows and _may_overlap(dimension, rules[indicator]):
            for part in ("numerator", "denominator"):
                yield Quantity(total, part), [Quantity(row, part) for row in parts]


def _may_overlap(dimension: str, rule: Sensitivity) -> bool:
    return dimension in OVERLAPPING and rule.aggregation == "distinct" and not rule.is_stated


def _cells(there: set[Row]) -> dict[tuple[str, str, str], list[Row]]:
    cells: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in sorted(there):
        if row.dimension != TOTAL:
            cells[row.indicator, row.period, row.dimension].append(row)
    return cells


def _of_dimensions(there: set[Row], blank: set[Row], rules: Mapping[str, Sensitivity]) -> Iterator[Relation]:
    for (indicator, period, dimension), parts in _cells(there).items():
        total = Row(indicator, period, TOTAL, "")
        if total not in there or any(
            (row.indicator, row.period, row.dimension) == (indicator, period, dimension) for row in blank
        ):
            continue
        is_stated = rules[indicator].is_stated
        if dimension == "gender" and not is_stated:
            yield from _of_genders(total, {row.category: row for row in parts})
            continue
        if dimension in SPREADS and not is_stated:
            yield from _of_answers(total, parts, SPREADS[dimension])
            continue
        overlap = _may_overlap(dimension, rules[indicator])
        for part in ("numerator", "denominator"):
            whole, cases = Quantity(total, part), [Quantity(row, part) for row in parts]
            if not overlap:
                yield Relation({whole: -1.0, **dict.fromkeys(cases, 1.0)})
                continue
            yield Relation({whole: 1.0, **dict.fromkeys(cases, -1.0)}, is_bound=True)
            for quantity in cases:
                yield Relation({quantity: 1.0, whole: -1.0}, is_bound=True)


def _of_genders(total: Row, cells: Mapping[str, Row]) -> Iterator[Relation]:
    """The total is the share of women among those who stated a gender; all genders share its denominator."""
    stated = Quantity(total, "denominator")
    if "Woman" in cells:
        yield Relation({Quantity(cells["Woman"], "numerator"): 1.0, Quantity(total, "numerator"): -1.0})
    named = [cells[name] for name in GENDERS if name in cells]
    for row in named:
        yield Relation({Quantity(row, "denominator"): 1.0, stated: -1.0})
    if len(named) == len(GENDERS):
        yield Relation({stated: -1.0, **{Quantity(row, "numerator"): 1.0 for row in named}})
    if UNDISCLOSED in cells:
        row = cells[UNDISCLOSED]
        yield Relation({Quantity(row, "denominator"): 1.0, Quantity(row, "numerator"): -1.0, stated: -1.0})


def _of_answers(total: Row, cells: Sequence[Row], every: Sequence[str]) -> Iterator[Relation]:
    """The total is all who answered; it is the denominator of every score, or class."""
    everybody = Quantity(total, "denominator")
    yield Relation({Quantity(total, "numerator"): 1.0, everybody: -1.0})
    for row in cells:
        yield Relation({Quantity(row, "denominator"): 1.0, everybody: -1.0})
    if {row.category for row in cells} == set(every):
        yield Relation({everybody: -1.0, **{Quantity(row, "numerator"): 1.0 for row in cells}})


def _of_scores(there: set[Row], blank: set[Row], rules: Mapping[str, Sensitivity]) -> Iterator[Relation]:
    """What a mean, a share of satisfied answers and a net score reveal about the answers by score, and vice versa."""
    spread: dict[tuple[str, str], dict[str, Quantity]] = defaultdict(dict)
    for row in sorted(there - blank):
        if row.dimension in SPREADS:
            spread[rules[row.indicator].group, row.period][row.category] = Quantity(row, "numerator")
    for row in sorted(there - blank):
        rule = rules[row.indicator]
        cells = spread.get((rule.group, row.period), {})
        if row.dimension != TOTAL or set(cells) not in [set(every) for every in SPREADS.values()]:
            continue
        weights = _weights(rule)
        if weights and weights.keys() <= cells.keys():
            found = {cells[name]: weight for name, weight in weights.items()}
            yield Relation({Quantity(row, "numerator"): -1.0, **found})


def _weights(rule: Sensitivity) -> dict[str, float]:
    """How much an answer of each score or class adds to the numerator of a figure over all of them."""
    if rule.unit == "score":
        return {score: float(score) for score in SPREADS["answer"]}
    if rule.unit == "points":
        return {"Promoters": 2.0, "Passives": 1.0}
    return dict.fromkeys(rule.answers, 1.0)


def _of_years(there: set[Row], blank: set[Row], rules: Mapping[str, Sensitivity]) -> Iterator[Relation]:
    """A category missing from a calculated quarter had nobody in it, which is public.

    Where a quarter was not calculated, or is not available, the others still add up to at most the year.
    """
    for year in sorted(row for row in there if "-" not in row.period):
        aggregation = rules[year.indicator].aggregation
        if aggregation == "stock":
            continue
        parts = [year._replace(period=str(quarter)) for quarter in quarters_of_year(int(year.period))]
        whole_year = all(row._replace(dimension=TOTAL, category="") in there for row in parts)
        whole_year = whole_year and not blank & set(parts)
        parts = [row for row in parts if row in there]
        for part in ("numerator", "denominator"):
            whole, quarters = Quantity(year, part), [Quantity(row, part) for row in parts]
            if aggregation == "distinct":
                for quantity in quarters:
                    yield Relation({quantity: 1.0, whole: -1.0}, is_bound=True)
                if whole_year:
                    yield Relation({whole: 1.0, **dict.fromkeys(quarters, -1.0)}, is_bound=True)
            else:
                yield Relation({whole: -1.0, **dict.fromkeys(quarters, 1.0)}, is_bound=not whole_year)


def _of_groups(there: set[Row], rules: Mapping[str, Sensitivity]) -> Iterator[Relation]:
    """Indicators of a group count the same people, each in its named quantity.

    A numerator may leave some of them out (answers beyond the invitations): it is at most the others' denominator.
    """
    alike: dict[tuple[str, str, str, str], list[Quantity]] = defaultdict(list)
    for row in sorted(there):
        rule = rules[row.indicator]
        alike[rule.group, row.period, row.dimension, row.category].append(Quantity(row, rule.people))
    for same in alike.values():
        # Denominators first: a numerator that differs must not part them.
        for first, second in pairwise(sorted(same, key=lambda quantity: (quantity.part, quantity.row))):
            yield Relation({first: 1.0, second: -1.0})
            if first.part != second.part:
                yield Relation({second: 1.0, first: -1.0}, is_bound=True)
