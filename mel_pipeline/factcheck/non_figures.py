"""Digits that are not figures: dates, years, quarters, ordinals, references, page, list and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MONTHS = (
    "janvier février fevrier mars avril mai juin juillet août aout septembre octobre novembre décembre decembre"
    " january february march april may june july august september october november december"
    " enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre"
)
MONTHS = frozenset(_MONTHS.split())
_SHORT = r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|janv|févr|juil|déc|ene|abr|ago|dic"
_MONTH = "(?:" + "|".join(_MONTHS.split()) + rf"|{_SHORT})\b\.?"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:[0-3]?\d)(?:er|st|nd|rd|th|º|\.º)?"
_TO = r"\s*(?:-|–|—|au|à|et|to|and|until|al|y|a)\s*(?:le\s+|the\s+|el\s+)?"
_ORDINAL_WORDS = (
    r"(?:premier|1er|deuxième|second|troisième|quatrième|[234]e|[234](?:è|e)me|first|third|fourth|1st|2nd|3rd|4th"
    r"|primer|segundo|tercer|cuarto|1\.?er|[234]\.?º)"
)
_CALLED = (
    r"ODD|SDGs?|ODS|objecti[fv]e?|goal|objetivo|figures?|fig\.|tableaux?|tables?|tablas?|gráficos?|graphiques?|charts?"
    r"|annexe?s?|anexos?|articles?|art\.|artículos?|chapitres?|chapters?|capítulos?|sections?|sección|n[°º]|no\."
    r"|numéro|número|lignes?\s+d[’']action|lines?\s+of\s+action|líneas?\s+de\s+acción|édition|edition|edición|version"
    r"|versión|phase|fase|résolution|resolution|resolución|agenda|horizon|horizonte|ISO|lot"
)
_LIST = r"\d{1,2}(?:(?:\s*,\s*|\s*[-–]\s*|\s+(?:et|and|y|à|to)\s+)\d{1,2}(?![\d.,]?\d|\s*[%€]|[\s\u00a0\u202f]\d{3}))*"
_FLAGS = re.IGNORECASE

# The first match wins.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("address", re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\w+", _FLAGS)),
    ("date", re.compile(rf"\b{_YEAR}-[01]\d-[0-3]\d\b|\b[0-3]?\d[/.][01]?\d[/.](?:{_YEAR}|\d\d)\b")),
    (
        "date",
        re.compile(
            rf"\b{_DAY}(?:{_TO}{_DAY})?\s+(?:de\s+|of\s+)?{_MONTH}(?:,?\s+(?:de\s+|del\s+)?{_YEAR}\b)?", _FLAGS
        ),
    ),
    ("date", re.compile(rf"\b{_MONTH}\s+{_DAY}(?:{_TO}{_DAY})?(?:,?\s+{_YEAR}\b|\b(?!\s*%))", _FLAGS)),
    (
        "quarter",
        re.compile(
            rf"\b{_ORDINAL_WORDS}[\s-]+(?:trimestres?|quarters?)(?:\s+(?:de\s+|del\s+|of\s+)?{_YEAR}\b)?"
            rf"|\b[QT][1-4](?:[\s-]+(?:de\s+)?{_YEAR})?\b|\b{_YEAR}[\s-]?[QT][1-4]\b",
            _FLAGS,
        ),
    ),
    ("time", re.compile(r"\b[0-2]?\d(?::[0-5]\d|\s?h\s?[0-5]\d|\s?h(?=[\s.,;)]|$))", _FLAGS)),
    (
        "telephone",
        re.compile(
            r"(?:\+|(?<![\w.,])(?<!\d[\s\u00a0\u202f])00)[1-9][\d\s\u00a0\u202f().-]{6,}\d|\b0\d(?:[ .-]\d\d){4}\b"
            r"|(?<=tel)\.?\s*:?\s*\d[\d .-]{5,}\d|(?<=tél)\.?\s*:?\s*\d[\d .-]{5,}\d",
            _FLAGS,
        ),
    ),
    (
        "page",
        re.compile(
            r"\b(?:pages?|pp?\.|páginas?|pág\.)\s*\d+(?:\s*[-–]\s*\d+)?(?:\s*(?:/|of|sur|de)\s*\d+)?", _FLAGS
        ),
    ),
    ("reference", re.compile(rf"(?<!\w)(?:{_CALLED})\s*{_LIST}(?![\w%€]|[.,]\d|[\s\u00a0\u202f](?:%|€|\d{{3}}))", _FLAGS)),
    ("reference", re.compile(r"(?<![\w#])#?(?!(?:EUR|USD|CHF|GBP)\d)[^\W\d_]+[-‑]?\d[\w-]*")),
    ("list number", re.compile(r"\A\s*(?:\d{1,2}[.)]|\(\d{1,2}\)|\d{1,2}(?:\.\d{1,2})+\.?(?=\s+[A-ZÀ-Ý]))\s+(?=\S)")),
    ("reference", re.compile(r"(?<![\w.,])\[\d{1,3}\]")),
    ("reference", re.compile(r"(?<![\w.,])(?!\d{1,3}(?:\.\d{3})+(?!\.?\d))\d{1,3}(?:\.\d{1,3}){2,}(?!\d)")),
    (
        "ordinal",
        re.compile(r"(?<![\w.,])\d{1,3}(?:st|nd|rd|th|er|re|ère|e|ème|ᵉʳ|ᵉ|\.?[ºª]|\.?(?:er|o|a))(?!\w)", _FLAGS),
    ),
    (
        "vague",
        re.compile(
            r"\b(?:dizaines|centaines|milliers|millions|dozens|hundreds|thousands|millions|decenas|docenas"
            r"|centenares|cientos|miles|millones)\s+(?:de\b|d[’']|of\b)",
            _FLAGS,
        ),
    ),
)  # fmt: skip
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


def non_figures(text: str, names: Iterable[str] = (), nouns: frozenset[str] = frozenset()) -> list[NonFigure]:
    """Find the digits that are not figures, in order.

    Args:
        names: names with digits in them, such as that of a series of videos.
        nouns: words that are counted, in lower case: ``2024 views`` is not a year.
    """
    found: list[NonFigure] = []
    named = [re.compile(re.escape(name), _FLAGS) for name in names if any(c.isdigit() for c in name)]
    for kind, pattern in (*(("name", pattern) for pattern in named), *_PATTERNS):
        for match in pattern.finditer(text):
            if kind == "vague" and _counted(text, match.start()):
                continue
            _add(found, match.start(), match.end(), kind)
    for match in _YEARS.finditer(text):
        after = _NEXT_WORD.match(text, match.end())
        if not (after and after.group(1).lower() in nouns):
            _add(found, match.start(), match.end(), "year")
    return sorted(found, key=lambda item: item.start)


def _counted(text: str, start: int) -> bool:
    """Whether a number comes before: ``2 millions de``, ``deux milliers de``."""
    before = text[:start].split()
    article = {
        "des",
        "de",
        "d’",
        "les",
        "plusieurs",
        "many",
        "the",
        "of",
        "some",
        "muchos",
        "varias",
        "los",
        "las",
    }
    return bool(before) and before[-1].lower() not in article and not before[-1].endswith((",", ".", ";", ":", "("))  # fmt: skip


def _add(found: list[NonFigure], start: int, end: int, kind: str) -> None:
    if all(end <= one.start or start >= one.end for one in found):
        found.append(NonFigure(start, end, kind))
