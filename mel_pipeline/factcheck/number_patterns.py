"""What stands around a number in a language: scales, units, qualifiers, ranges. Words in, regular expressions out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mel_pipeline.factcheck.languages import language

SPACES = " \u00a0\u202f\u2009\u2007"
S = f"[{SPACES}]"
LETTERS = {"k": 3, "m": 6, "md": 9, "mds": 9, "bn": 9}
LETTER_SCALE = re.compile(rf"{S}?(?P<scale>[Kk]|M|Md|Mds|m(?=€)|bn|(?<=\d)m)(?=€|[^\w’'.]|\.?(?:\s|$)|$)")
_SIGNS = {"EUR": r"€|EUR\b", "USD": r"US\$|USD\b|\$", "CHF": r"CHF\b", "GBP": r"£|GBP\b"}
_QUALIFIERS = ("at least", "at most", "up to", "more than", "less than", "almost", "about")


@dataclass(frozen=True)
class Patterns:
    """``qualified``: name and pattern in the order in which they are tried; ``round``: values of ``une dizaine``."""

    locale: str
    scales: dict[str, int]
    scale: re.Pattern[str]
    percent: re.Pattern[str]
    points: re.Pattern[str]
    score: re.Pattern[str]
    money_after: dict[str, re.Pattern[str]]
    money_before: dict[str, re.Pattern[str]]
    qualified: list[tuple[str, re.Pattern[str]]]
    round: dict[str, int]
    round_word: re.Pattern[str]
    one_scaled: re.Pattern[str]
    range: re.Pattern[str]
    range_and: re.Pattern[str]
    between: re.Pattern[str]
    moved_from: re.Pattern[str]


@cache
def patterns_of(code: str) -> Patterns:
    """Those of a language and of English."""
    spoken = language(code)

    def words(*path: str) -> str:
        return spoken.either(*path, space=S)

    scales, rounds = spoken.merged("numbers", "scales"), spoken.merged("numbers", "round")
    points = "|".join([spoken.of("points"), spoken.english["points"]]).replace("{s}", S)
    money = {code: "|".join([sign, words("currencies", code)]) for code, sign in _SIGNS.items()}
    before = "|".join(f"{word}{S}" for word in spoken.both("after_qualifier"))
    articles = "|".join(rf"{word}{S}" for word in spoken.both("after_to"))
    ends = words("to")
    return Patterns(
        locale=spoken.of("locale"),
        scales=scales,
        scale=_compiled(rf"{S}*(?P<scale>{_longest_first(scales)})(?![\w’'])"),
        percent=_compiled(rf"{S}*(?:%|{words('percent')})"),
        points=_compiled(rf"{S}*(?:{points})"),
        score=_compiled(rf"{S}*(?:/|{words('of_five')}){S}*5(?![\d%]|[.,]\d)"),
        money_after={
            name: _compiled(rf"{S}*(?:{words('of_money')})?(?:{pattern})") for name, pattern in money.items()
        },
        money_before={name: _compiled(rf"(?:{pattern}){S}*\Z") for name, pattern in money.items()},
        qualified=[
            (
                name,
                _compiled(
                    rf"(?:^|[^\w])(?:{_qualifier(name, words('qualifiers', name))}){S}*(?:{before})?\Z"
                ),
            )
            for name in _QUALIFIERS
        ],
        round=rounds,
        round_word=_compiled(rf"\b(?:{words('numbers', 'articles')})\s+(?P<word>{_longest_first(rounds)})\b"),
        one_scaled=_compiled(
            rf"\b(?:{words('numbers', 'one')})(?=\s+(?:{_longest_first(_singular(scales))})\b)"
        ),
        range=re.compile(rf"{S}*(?:-|–|—){S}*|{S}+(?:{ends}){S}+(?:{articles})?"),
        range_and=re.compile(rf"{S}+(?:{words('between_and')}){S}+"),
        between=_compiled(rf"\b(?:{words('between')})\s+(?:[€$]|{articles})?\s*\Z"),
        moved_from=_compiled(rf"\b(?:{words('from')})\s+(?:[€$])?\s*\Z"),
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _longest_first(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


def _singular(scales: dict[str, int]) -> dict[str, int]:
    """Words that follow "one": not a plural such as "millions"."""
    return {word: power for word, power in scales.items() if " " not in word}


def _qualifier(name: str, words: str) -> str:
    return f"{words}|~|≈" if name == "about" else words
