"""Numbers written as words: ``trois cent vingt et un`` is 321. No digits. The words are in ``words/``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from mel_pipeline.factcheck.languages import language as language_named

_GAP = re.compile(r"[\s\u00a0\u202f\u2010\u2011-]+")


@dataclass(frozen=True)
class _Words:
    small: dict[str, int]
    hundred: frozenset[str]
    thousand: frozenset[str]
    joint: str  # "and"
    no_number: frozenset[str]
    hundred_alone: bool
    by_twenties: bool


@cache
def _words(code: str) -> _Words:
    """The number words of this language alone: ``once`` is eleven in Spanish and not in English."""
    entries = language_named(code).of("numbers")
    return _Words(
        {word: number for number, word in enumerate(entries["words"])} | entries["more"],
        frozenset(entries["hundred"]),
        frozenset(entries["thousand"]),
        entries["and"],
        frozenset(entries["no_number"]),
        entries.get("hundred_alone", True),
        entries.get("by_twenties", False),
    )


@cache
def _pattern(language: str) -> re.Pattern[str]:
    known = _words(language)
    words = sorted({*known.small, *known.hundred, *known.thousand}, key=lambda word: (-len(word), word))
    one = "(?:" + "|".join(map(re.escape, words)) + r")(?![\w’'])"
    gap = rf"(?:{_GAP.pattern}(?:{known.joint}{_GAP.pattern})?)"
    return re.compile(rf"(?<![\w’-]){one}(?:{gap}{one})*", re.IGNORECASE)


def spelled_numbers(text: str, language: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and value of every number written as words.

    Adjacent numbers that do not form one (``deux trois``) are split; a lone article
    (``une``, ``un``, ``uno``, English ``one``) is not a number.
    """
    for match in _pattern(language).finditer(text):
        yield from _runs(match, language)


def _runs(match: re.Match[str], language: str) -> Iterator[tuple[int, int, int]]:
    pieces = [
        (word.start() + match.start(), word.end() + match.start(), word.group().lower())
        for word in re.finditer(r"[^\s\u00a0\u202f\u2010\u2011-]+", match.group())
    ]
    pieces = [piece for piece in pieces if piece[2] != _words(language).joint]
    while pieces:
        count = next(
            length
            for length in range(len(pieces), 0, -1)
            if length == 1 or number_of([piece[2] for piece in pieces[:length]], language) is not None
        )
        words = [piece[2] for piece in pieces[:count]]
        value = number_of(words, language)
        if value is not None and not (count == 1 and words[0] in _words(language).no_number):
            yield pieces[0][0], pieces[count - 1][1], value
        pieces = pieces[count:]


def number_of(words: list[str], language: str) -> int | None:
    """The number these words form; None if they form none (``trois vingt``, ``two three``)."""
    known = _words(language)
    total, part, cut = 0, 0, False  # cut: thousands already read
    for place, word in enumerate(words):
        if word in known.thousand:
            if cut:
                return None
            total, part, cut = max(part, 1) * 1000, 0, True
        elif word in known.hundred:
            if part >= 10 or (part == 0 and not known.hundred_alone):
                return None
            part = max(part, 1) * 100
        else:
            added = _added(part, known.small[word], by_twenties=known.by_twenties, follows=place > 0)
            if added is None:
                return None
            part = added
    return total + part


def _added(  # noqa: PLR0911 - one return a rule of a language
    part: int, value: int, *, by_twenties: bool, follows: bool
) -> int | None:
    """``part`` plus one word; None if no number continues that way."""
    rest = part % 100
    if by_twenties and value == 20 and rest == 4 and follows:
        return part - 4 + 80
    if by_twenties and rest in (60, 80) and 10 <= value <= 16:
        return part + value
    if by_twenties and rest in (10, 70, 90) and 7 <= value <= 9:
        return part + value
    if value >= 100:
        return value if part == 0 else None
    if value >= 10:
        return part + value if rest == 0 and (value or part == 0) else None
    if rest == 0 or (rest >= 20 and rest % 10 == 0):
        return part + value if value or part == 0 else None
    return None
