"""Numbers written as words in English, French and Spanish: ``trois cent vingt et un`` is 321. No digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_FRENCH = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
_SPANISH = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
    " diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco"
    " veintiséis veintisiete veintiocho veintinueve"
)
_SMALL: dict[str, dict[str, int]] = {
    "en": {word: number for number, word in enumerate(_ENGLISH.split())}
    | {word: 10 * n for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)},
    "fr": {word: number for number, word in enumerate(_FRENCH.split())}
    | {"zero": 0, "une": 1, "vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50}
    | {"soixante": 60, "septante": 70, "huitante": 80, "octante": 80, "nonante": 90},
    "es": {word: number for number, word in enumerate(_SPANISH.split())}
    | {"un": 1, "una": 1, "dieciseis": 16, "veintiún": 21, "veintiuna": 21, "veintidos": 22, "veintitres": 23}
    | {"veintiseis": 26}
    | {word: 10 * n for n, word in enumerate(["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"], 3)}
    | {"ciento": 100, "cien": 100}
    | {
        stem + ending: 100 * n
        for stem, n in (
            *(("doscient", 2), ("trescient", 3), ("cuatrocient", 4), ("quinient", 5), ("seiscient", 6)),
            *(("setecient", 7), ("ochocient", 8), ("novecient", 9)),
        )
        for ending in ("os", "as")
    },
}  # fmt: skip
_HUNDRED = {"en": {"hundred"}, "fr": {"cent", "cents"}, "es": set[str]()}
_THOUSAND = {"en": {"thousand"}, "fr": {"mille"}, "es": {"mil"}}
_AND = {"en": "and", "fr": "et", "es": "y"}
# Usually articles or pronouns; count only inside a longer number.
_ALONE_NO_NUMBER = {"en": {"one"}, "fr": {"un", "une"}, "es": {"un", "una", "uno"}}
_GAP = re.compile(r"[\s\u00a0\u202f\u2010\u2011-]+")


@cache
def _pattern(language: str) -> re.Pattern[str]:
    words = sorted(
        {*_SMALL[language], *_HUNDRED[language], *_THOUSAND[language]}, key=lambda word: (-len(word), word)
    )
    one = "(?:" + "|".join(map(re.escape, words)) + r")(?![\w’'])"
    gap = rf"(?:{_GAP.pattern}(?:{_AND[language]}{_GAP.pattern})?)"
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
    pieces = [piece for piece in pieces if piece[2] != _AND[language]]
    while pieces:
        count = next(
            length
            for length in range(len(pieces), 0, -1)
            if length == 1 or number_of([piece[2] for piece in pieces[:length]], language) is not None
        )
        words = [piece[2] for piece in pieces[:count]]
        value = number_of(words, language)
        if value is not None and not (count == 1 and words[0] in _ALONE_NO_NUMBER[language]):
            yield pieces[0][0], pieces[count - 1][1], value
        pieces = pieces[count:]


def number_of(words: list[str], language: str) -> int | None:
    """The number these words form; None if they form none (``trois vingt``, ``two three``)."""
    total, part, cut = 0, 0, False  # cut: thousands already read
    for place, word in enumerate(words):
        if word in _THOUSAND[language]:
            if cut:
                return None
            total, part, cut = max(part, 1) * 1000, 0, True
        elif word in _HUNDRED[language]:
            if part >= 10 or (part == 0 and language == "en"):
                return None
            part = max(part, 1) * 100
        else:
            added = _added(part, _SMALL[language][word], word, language, place > 0)
            if added is None:
                return None
            part = added
    return total + part


def _added(  # noqa: PLR0911 - one return a rule of a language
    part: int, value: int, word: str, language: str, follows: bool
) -> int | None:
    """``part`` plus one word; None if no number continues that way."""
    rest = part % 100
    if language == "fr" and word in ("vingt", "vingts") and rest == 4 and follows:
        return part - 4 + 80
    if language == "fr" and rest in (60, 80) and 10 <= value <= 16:
        return part + value
    if language == "fr" and rest in (10, 70, 90) and 7 <= value <= 9:
        return part + value
    if value >= 100:
        return value if part == 0 else None
    if value >= 10:
        return part + value if rest == 0 and (value or part == 0) else None
    if rest == 0 or (rest >= 20 and rest % 10 == 0):
        return part + value if value or part == 0 else None
    return None
