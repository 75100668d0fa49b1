"""Check a whole draft: a verdict for every number. Frames and text in, lines out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.money import is_currency
from mel_pipeline.factcheck.choosing import TOTAL, Candidate, Figure, Finding
from mel_pipeline.factcheck.languages import OwnWords, language_of
from mel_pipeline.factcheck.matching import Matcher
from mel_pipeline.factcheck.numbers import Number, find_numbers
from mel_pipeline.factcheck.passages import Passage, sentences
from mel_pipeline.factcheck.reading import Draft
from mel_pipeline.factcheck.scope import Scope, read_words, scopes
from mel_pipeline.factcheck.times import Marks, period_near
from mel_pipeline.factcheck.vocabulary import Vocabulary, build

if TYPE_CHECKING:
    import pandas as pd

AGREES, DISAGREES, UNKNOWN, WITHHELD, NO_FIGURE = "agrees", "disagrees", "unknown", "withheld", "not a figure"
VERDICTS = (DISAGREES, WITHHELD, UNKNOWN, AGREES, NO_FIGURE)
PARTS = ("value", "numerator", "denominator", "n")


@dataclass(frozen=True)
class Line:
    """One number of the draft. ``published`` and ``difference`` are formatted; empty without a figure."""

    verdict: str
    number: str
    place: str
    sentence: str
    indicator_id: str = ""
    period: str = ""
    cell: str = ""
    part: str = ""
    published: str = ""
    difference: str = ""
    status: str = ""  # published | provisional
    reason: str = ""
    candidates: str = ""


@dataclass(frozen=True)
class Report:
    """The result: one line per number in the order of the draft, and the basis of comparison."""

    lines: list[Line]
    language: str
    period: str
    periods: dict[str, bool]  # every period compared: whether it is published
    warnings: list[str] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        return sum(line.verdict == verdict for line in self.lines)

    @property
    def kinds(self) -> dict[str, int]:
        """Number of non-figures by kind."""
        return dict(sorted(Counter(line.reason for line in self.lines if line.verdict == NO_FIGURE).items()))


@dataclass(frozen=True)
class Published:
    """The figures a draft is compared with.

    ``figures`` is ``released_figures`` (small groups withheld), ``indicators`` is ``dim_indicator``; ``names`` are
    names with digits in them, ``translated`` other names of categories by dimension and category; ``organisation`` is its
    name, ``words`` its own words by language.
    """

    figures: pd.DataFrame
    indicators: pd.DataFrame
    translated: Mapping[tuple[str, str], Iterable[str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    organisation: str = ""
    words: Mapping[str, OwnWords] = field(default_factory=dict)


def check(
    draft: Draft, published: Published, language: str | None = None, period: str | None = None
) -> Report:
    """Compare every number of a draft with the figures.

    Args:
        language: one of ``known_languages``; detected from the text if not given.
        period: a year or a quarter; by default the year with figures that the draft names most often.
    """
    text = "\n".join(passage.text for passage in draft.passages)
    spoken = language or language_of(text)
    known = sorted(set(published.figures["period"].astype(str)))
    default_period = period or _period_of(text, known)
    checker = _Checker(published, spoken, default_period, set(known))
    lines = [line for passage in draft.passages for line in checker.passage(passage)]
    named = {default_period, *(line.period for line in lines if line.period)} & set(known)
    periods = {name: checker.is_published(name) for name in sorted(named)}
    return Report(lines, spoken, default_period, periods, draft.warnings)


def _period_of(text: str, known: list[str]) -> str:
    years = [name for name in known if "-Q" not in name] or known
    named = Counter(year for year in re.findall(r"\b(?:19|20)\d\d\b", text) if year in years)
    return max(years, key=lambda year: (named[year], year))


class _Checker:
    def __init__(self, published: Published, language: str, period: str, known: set[str]) -> None:
        self.published, self.language, self.period, self.known = published, language, period, known
        cells = {
            (str(row.dimension), str(row.category))
            for row in published.figures[["dimension", "category"]].drop_duplicates().itertuples()
            if row.dimension != TOTAL
        }
        self.vocabulary: Vocabulary = build(
            published.indicators,
            cells,
            published.translated,
            published.names,
            language,
            published.organisation,
            published.words,
        )
        self.decimals = dict(
            zip(
                published.indicators["indicator_id"],
                published.indicators["decimals"].astype(int),
                strict=True,
            )
        )
        self.matchers: dict[str, Matcher] = {}

    def is_published(self, period: str) -> bool:
        rows = self.published.figures[self.published.figures["period"].astype(str) == period]
        return "version" in rows.columns and len(rows) > 0 and bool(rows["version"].notna().all())

    def passage(self, passage: Passage) -> Iterable[Line]:
        heading = read_words(f"{passage.heading} {passage.column}", [], self.vocabulary)
        before = read_words("", [], self.vocabulary)
        for sentence in sentences(passage.text, self.language):
            numbers = find_numbers(sentence, self.language, self.vocabulary.names, self.vocabulary.nouns)
            if passage.kind == "margin" and re.fullmatch(r"\s*[-–]?\s*\d{1,4}\s*[-–]?\s*", sentence):
                yield Line(NO_FIGURE, sentence.strip(), passage.place, sentence, reason="page")
                continue
            around = iter(scopes(sentence, numbers, self.vocabulary, before, heading))
            for number in numbers:
                if number.kind == "figure":
                    yield self._line(passage, sentence, next(around), numbers)
                else:
                    yield Line(NO_FIGURE, number.text, passage.place, sentence, reason=number.kind)
            before = read_words(sentence, numbers, self.vocabulary)

    def _line(self, passage: Passage, sentence: str, scope: Scope, numbers: list[Number]) -> Line:
        if why := self._column_use(passage.column):
            return Line(UNKNOWN, scope.number.text, passage.place, sentence, reason=f"{why}, not a result")
        marks = Marks.of(numbers, passage.column, self.language, sentence)
        period, why = period_near(scope.number, marks, self.period, self.known)
        if why:
            return Line(UNKNOWN, scope.number.text, passage.place, sentence, period="", reason=why)
        finding = self._matcher(period).judge(scope)
        return self._line_of(finding, scope.number, passage.place, sentence)

    def _column_use(self, column: str) -> str:
        """What a column holds instead of results, such as targets."""
        tokens = read_words(column, [], self.vocabulary).tokens
        return next(iter(sorted(use for token in tokens for use in token.other_use)), "")

    def _matcher(self, period: str) -> Matcher:
        if period not in self.matchers:
            rows = self.published.figures[self.published.figures["period"].astype(str) == period]
            about = {str(row.indicator_id): row for row in self.published.indicators.itertuples()}
            figures = [
                _figure({str(name): value for name, value in row.items()}, about[str(row["indicator_id"])])
                for row in rows.to_dict("records")
                if str(row["indicator_id"]) in about
            ]
            self.matchers[period] = Matcher(figures, self.vocabulary)
        return self.matchers[period]

    def _line_of(self, finding: Finding, number: Number, place: str, sentence: str) -> Line:
        one = finding.candidate
        candidates = "; ".join(dict.fromkeys(self._named(item) for item in finding.candidates))
        if one is None:
            return Line(
                finding.verdict, number.text, place, sentence, reason=finding.reason, candidates=candidates
            )
        return Line(
            finding.verdict,
            number.text,
            place,
            sentence,
            one.figure.indicator_id,
            one.figure.period,
            one.figure.cell,
            one.reads,
            self._written(one),
            self._difference(number, one) if finding.verdict == DISAGREES else "",
            "published" if one.figure.published else "provisional",
            finding.reason,
            candidates,
        )

    def _written(self, one: Candidate) -> str:
        if one.figure.status == "suppressed" or one.value is None:
            return ""
        return _formatted(Decimal(repr(float(one.value))), self._places(one)) + _sign(one)

    def _difference(self, number: Number, one: Candidate) -> str:
        if number.high is not None or one.value is None:
            return ""
        difference = number.value - Decimal(repr(float(one.value)))
        places = max(self._places(one), -int(number.step.adjusted()) if number.step < 1 else 0)
        return (
            ("+" if difference > 0 else "")
            + _formatted(difference, places)
            + (" points" if _sign(one) == " %" else "")
        )

    def _places(self, one: Candidate) -> int:
        return self.decimals[one.figure.indicator_id] if one.reads == "value" else 0

    def _named(self, one: Candidate) -> str:
        figure = one.figure
        part = "" if one.reads == "value" else f" {one.reads}"
        value = {"suppressed": "withheld", "not_available": "not available"}.get(
            figure.status, self._written(one)
        )
        return f"{figure.indicator_id} {figure.period} {figure.cell}{part} = {value}"


def _sign(one: Candidate) -> str:
    if one.reads != "value":
        return ""
    return (
        f" {one.figure.unit}" if is_currency(one.figure.unit) else {"percent": " %"}.get(one.figure.unit, "")
    )


def _formatted(value: Decimal, places: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):,f}"


def _figure(row: Mapping[str, Any], indicator: Any) -> Figure:
    import pandas as pd

    def number(value: Any) -> float | None:
        return None if pd.isna(value) else float(value)

    return Figure(
        str(row["indicator_id"]),
        str(row["period"]),
        str(row["disaggregation"]),
        str(row["dimension"]),
        str(row["category"]),
        str(row["status"]),
        {part: number(row[part]) for part in PARTS},
        str(indicator.unit),
        str(indicator.aggregation),
        number(row.get("version")) is not None,
    )
