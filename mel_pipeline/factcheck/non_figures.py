"""Digits that are not figures: dates, years, quarters, ordinals, references, page, list and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from mel_pipeline.factcheck.languages import language as language_named

_YEAR = r"(?:19|20)\d\d"
_FLAGS = re.IGNORECASE


@cache
def _patterns(code: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Kinds and patterns of a language and of English; the first match wins."""
    spoken = language_named(code)
    words = spoken.either
    month = rf"(?:{words('months')}|{words('short_months')})\b\.?"
    day = rf"(?:[0-3]?\d)(?:{words('day_endings')})?"
    to_day = rf"\s*(?:-|–|—|{words('to_day')})\s*(?:{words('the_day')})?"
    year_of_month = words("of_month_year")
    also = "|".join([words("between_and"), words("to")])
    listed = (
        rf"\d{{1,2}}(?:(?:\s*,\s*|\s*[-–]\s*|\s+(?:{also})\s+)\d{{1,2}}"
        r"(?![\d.,]?\d|\s*[%€]|[\s\u00a0\u202f]\d{3}))*"
    )
    telephones = "".join(rf"|(?<={word})\.?\s*:?\s*\d[\d .-]{{5,}}\d" for word in spoken.both("telephone"))
    found = (
        ("address", r"(?:https?://|www\.)\S+|\S+@\S+\.\w+"),
        ("date", rf"\b{_YEAR}-[01]\d-[0-3]\d\b|\b[0-3]?\d[/.][01]?\d[/.](?:{_YEAR}|\d\d)\b"),
        (
            "date",
            rf"\b{day}(?:{to_day}{day})?\s+(?:{words('of_month')})?{month}(?:,?\s+(?:{year_of_month})?{_YEAR}\b)?",
        ),
        ("date", rf"\b{month}\s+{day}(?:{to_day}{day})?(?:,?\s+{_YEAR}\b|\b(?!\s*%))"),
        (
            "quarter",
            rf"\b(?:{words('ordinals')})[\s-]+(?:{words('quarters')})(?:\s+(?:{words('of_year')})?{_YEAR}\b)?"
            rf"|\b[QT][1-4](?:[\s-]+(?:{words('of_year')})?{_YEAR})?\b|\b{_YEAR}[\s-]?[QT][1-4]\b",
        ),
        ("time", r"\b[0-2]?\d(?::[0-5]\d|\s?h\s?[0-5]\d|\s?h(?=[\s.,;)]|$))"),
        (
            "telephone",
            r"(?:\+|(?<![\w.,])(?<!\d[\s\u00a0\u202f])00)[1-9][\d\s\u00a0\u202f().-]{6,}\d|\b0\d(?:[ .-]\d\d){4}\b"
            + telephones,
        ),
        (
            "page",
            rf"\b(?:{words('pages')})\s*\d+(?:\s*[-–]\s*\d+)?(?:\s*(?:/|{words('of_pages')})\s*\d+)?",
        ),
        (
            "reference",
            rf"(?<!\w)(?:{words('called')})\s*{listed}(?![\w%€]|[.,]\d|[\s\u00a0\u202f](?:%|€|\d{{3}}))",
        ),
        ("reference", r"(?<![\w#])#?(?!(?:EUR|USD|CHF|GBP)\d)[^\W\d_]+[-‑]?\d[\w-]*"),
        ("list number", _LIST_NUMBER),
        ("reference", r"(?<![\w.,])\[\d{1,3}\]"),
        ("reference", r"(?<![\w.,])(?!\d{1,3}(?:\.\d{3})+(?!\.?\d))\d{1,3}(?:\.\d{1,3}){2,}(?!\d)"),
        ("ordinal", rf"(?<![\w.,])\d{{1,3}}(?:{words('ordinal_endings')})(?!\w)"),
        ("vague", rf"\b(?:{words('vague')})\s+(?:{words('of_vague')})"),
    )
    return tuple(
        (kind, re.compile(pattern, 0 if pattern in _AS_WRITTEN else _FLAGS)) for kind, pattern in found
    )


_LIST_NUMBER = r"\A\s*(?:\d{1,2}[.)]|\(\d{1,2}\)|\d{1,2}(?:\.\d{1,2})+\.?(?=\s+[A-ZÀ-Ý]))\s+(?=\S)"
_AS_WRITTEN = frozenset({_LIST_NUMBER})  # a capital tells a heading's number
_YEARS = re.compile(
    rf"(?<![\w.,€$])(?<![€$]\s)({_YEAR})(?:\s*[-–/]\s*(?:{_YEAR}|\d\d))?"
    r"(?![\w%€]|[.,]\d|[\s\u00a0\u202f]*[%€])"
)
_NEXT_WORD = re.compile(r"\s+([^\W\d_]+)")


@dataclass(frozen=True)
class NonFigure:
    """Digits in a text that are not a figure, and what they are."""

    start: int
    end: int
    kind: str


def non_figures(
    text: str, language: str, names: Iterable[str] = (), nouns: frozenset[str] = frozenset()
) -> list[NonFigure]:
    """Find the digits that are not figures, in order.

    Args:
        names: names with digits in them, such as that of a series of videos.
        nouns: words that are counted, in lower case: ``2024 views`` is not a year.
    """
    found: list[NonFigure] = []
    named = [re.compile(re.escape(name), _FLAGS) for name in names if any(c.isdigit() for c in name)]
    for kind, pattern in (*(("name", pattern) for pattern in named), *_patterns(language)):
        for match in pattern.finditer(text):
            if kind == "vague" and _counted(text, match.start(), language):
                continue
            _add(found, match.start(), match.end(), kind)
    for match in _YEARS.finditer(text):
        after = _NEXT_WORD.match(text, match.end())
        if not (after and after.group(1).lower() in nouns):
            _add(found, match.start(), match.end(), "year")
    return sorted(found, key=lambda item: item.start)


def _counted(text: str, start: int, language: str) -> bool:
    """Whether a number comes before: ``2 millions de``, ``deux milliers de``."""
    before = text[:start].split()
    if not before or before[-1].endswith((",", ".", ";", ":", "(")):
        return False
    return before[-1].lower() not in language_named(language).both("not_counted_after")


def _add(found: list[NonFigure], start: int, end: int, kind: str) -> None:
    if all(end <= one.start or start >= one.end for one in found):
        found.append(NonFigure(start, end, kind))
