"""Coding of open comments by theme: agreement of two coders, and themes to suggest. Pure; holds on to no text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.statistics import Z_95, Range

LEAST_CODED = 3  # comments of a theme and language before it is suggested
LEAST_LIKENESS = 0.15  # cosine; below, a suggestion is noise
LEAST_LETTERS = 3  # of a word
_WORD = re.compile(r"[^\W\d_]+")
Weights = dict[str, float]


@dataclass(frozen=True)
class Agreement:
    """How two coders agree. ``kappa`` is None where it is not defined: both used one and the same theme only."""

    comments: int
    same: int
    kappa: float | None
    interval: Range | None


def agreement(pairs: Mapping[tuple[str, str], int]) -> Agreement:
    """Cohen's kappa with its 95% interval: agreement beyond that of two coders who choose by chance.

    J. Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20, 37-46:
    kappa = (po - pe) / (1 - pe), its standard error sqrt(po (1 - po) / (n (1 - pe)²)).

    Args:
        pairs: (theme by the first coder, theme by the second) → comments.
    """
    comments = sum(pairs.values())
    same = sum(count for (first, second), count in pairs.items() if first == second)
    firsts, seconds = Counter[str](), Counter[str]()
    for (first, second), count in pairs.items():
        firsts[first] += count
        seconds[second] += count
    by_chance = sum(firsts[theme] * seconds[theme] for theme in firsts)
    if by_chance == comments**2:  # also without any comment
        return Agreement(comments, same, None, None)
    observed, expected = same / comments, by_chance / comments**2
    kappa = (observed - expected) / (1 - expected)
    half = Z_95 * sqrt(observed * (1 - observed) / comments) / (1 - expected)
    return Agreement(comments, same, kappa, Range(max(-1.0, kappa - half), min(1.0, kappa + half)))


@dataclass(frozen=True)
class Written:
    """A comment with its language and, once somebody has given it, its theme."""

    language: str | None
    text: str
    theme: str | None = None


def suggested(coded: Iterable[Written], waiting: Sequence[Written]) -> list[str | None]:
    """For each waiting comment the theme whose comments share most words with it; None: no theme is near.

    Words are weighed by how few comments have them (tf-idf), a theme is the sum of its comments (J. Rocchio, 1971), likeness is
    the cosine, and languages are never compared. Scripts without spaces between words get no suggestions.
    """
    by_language: dict[str | None, list[Written]] = {}
    for one in coded:
        by_language.setdefault(one.language, []).append(one)
    known = {language: _Themes(those) for language, those in by_language.items()}
    return [known[one.language].nearest(one.text) if one.language in known else None for one in waiting]


class _Themes:
    """The themes of one language as weighed words."""

    def __init__(self, coded: Sequence[Written]) -> None:
        found = Counter(word for one in coded for word in set(_words(one.text)))
        self._rarity = {word: log((1 + len(coded)) / count) for word, count in found.items()}
        times = Counter(one.theme for one in coded)
        sums: dict[str, Weights] = {}
        for one in coded:
            if one.theme and times[one.theme] >= LEAST_CODED:
                whole = sums.setdefault(one.theme, {})
                for word, weight in self._weights(one.text).items():
                    whole[word] = whole.get(word, 0.0) + weight
        self._themes = {theme: _to_length_one(whole) for theme, whole in sorted(sums.items())}

    def nearest(self, text: str) -> str | None:
        words = self._weights(text)
        likeness = {
            theme: sum(weight * whole.get(word, 0.0) for word, weight in words.items())
            for theme, whole in self._themes.items()
        }
        best = sorted(likeness.values(), reverse=True)[:2]
        if not best or best[0] < LEAST_LIKENESS or len(set(best)) < len(best):  # two as near: neither
            return None
        return max(likeness, key=lambda theme: likeness[theme])

    def _weights(self, text: str) -> Weights:
        counts = Counter(word for word in _words(text) if word in self._rarity)
        return _to_length_one({word: count * self._rarity[word] for word, count in counts.items()})


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(normalize_text(text)) if len(word) >= LEAST_LETTERS]


def _to_length_one(weights: Weights) -> Weights:
    length = sqrt(sum(weight**2 for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()} if length else {}
