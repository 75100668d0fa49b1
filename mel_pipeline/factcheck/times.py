"""The year or quarter a number refers to, from the time expressions in its sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mel_pipeline.factcheck.languages import language as language_named
from mel_pipeline.factcheck.numbers import Number, find_numbers

_YEAR = re.compile(r"(?:19|20)\d\d")
_BRACKETS = re.compile(r"\([^()]*\)")
_QUARTER = re.compile(r"[QT]([1-4])", re.IGNORECASE)


@dataclass(frozen=True)
class Mark:
    """A year, with or without a quarter; a range of years is kept as written.

    ``bracket``: where the brackets around it begin and end, if they hold a figure as well: it belongs to that one.
    """

    place: int
    year: str
    quarter: int | None
    bracket: tuple[int, int] | None = None


@dataclass(frozen=True)
class Marks:
    """Time expressions of a sentence, the positions of its figures, and the column header in a table."""

    marks: list[Mark]
    figures: list[int]
    column: Mark | None

    @classmethod
    def of(cls, numbers: list[Number], column: str, language: str, sentence: str = "") -> Marks:
        head = [mark for number in find_numbers(column, language) if (mark := _mark(number, language))]
        figures = [one.start for one in numbers if one.kind == "figure"]
        found = [
            replace(mark, bracket=_bracket(mark.place, figures, sentence))
            for number in numbers
            if (mark := _mark(number, language))
        ]
        return cls(found, figures, head[0] if head else None)


def period_near(number: Number, marks: Marks, default: str, known: set[str]) -> tuple[str, str]:
    """The period a number refers to, or why it is unclear.

    Args:
        default: the period of the draft, for sentences that name none.
        known: periods that have figures.
    """
    found = [marks.column] if marks.column else [mark for mark in marks.marks if _reaches(mark, number)]
    if len({(mark.year, mark.quarter) for mark in found}) > 1:
        found = [mark for mark in found if not _between(mark.place, number.start, marks.figures)]
    if len({(mark.year, mark.quarter) for mark in found}) > 1:
        return "", "the sentence names several years or quarters"
    if not found:
        return default, ""
    year = found[0].year or default[:4]
    period = f"{year}-Q{found[0].quarter}" if found[0].quarter else year
    return (period, "") if period in known else ("", f"it is about {period}, which has no figures")


def _bracket(place: int, figures: list[int], sentence: str) -> tuple[int, int] | None:
    for match in _BRACKETS.finditer(sentence):
        low, high = match.span()
        if low < place < high and any(low < figure < high for figure in figures):
            return low, high
    return None


def _reaches(mark: Mark, number: Number) -> bool:
    return mark.bracket is None or mark.bracket[0] < number.start < mark.bracket[1]


def _between(place: int, start: int, figures: list[int]) -> bool:
    low, high = sorted((place, start))
    return any(low < figure < high for figure in figures)


def _mark(number: Number, language: str) -> Mark | None:
    years = _YEAR.findall(number.text)
    if number.kind == "year":
        single = re.fullmatch(_YEAR, number.text)
        return Mark(number.start, number.text if not single else years[0], None)
    if number.kind == "quarter":
        return Mark(number.start, years[0] if years else "", _quarter(number.text, language))
    if number.kind == "date" and years:
        return Mark(number.start, years[0], None)
    return None


def _quarter(text: str, language: str) -> int:
    if match := _QUARTER.search(text):
        return int(match.group(1))
    spoken = language_named(language)
    return next(
        number
        for number in range(1, 5)
        for words in (spoken.of("quarter_ordinals"), spoken.english["quarter_ordinals"])
        if text.lower().startswith((words[number], str(number)))
    )
