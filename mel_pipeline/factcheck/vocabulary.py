"""The words people use for what the figures count: concepts, indicators and categories. Texts in, tags out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.languages import BASE
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.factcheck.languages import FOLDER, Language, OwnWords, language

if TYPE_CHECKING:
    import pandas as pd

_NEVER = re.compile(r"(?!)")
Cell = tuple[str, str]  # dimension and category
UNORDERED = ("account", "campaign", "site")  # their words may occur in any order, and apart
_SHORTEST = 3  # letters of the shortest definition word that counts


@dataclass(frozen=True)
class Phrase:
    """One way to refer to a part of an indicator: concepts required near the number."""

    counted: frozenset[str] = frozenset()  # beside the number
    about: frozenset[str] = frozenset()  # in the sentence, the one before, or the heading
    by: tuple[str, ...] = ()  # a category of one of these dimensions must be named
    without: frozenset[str] = frozenset()
    reads: str = "value"
    cell: str = ""
    only_agrees: bool = False
    needs_whole: bool = False


@dataclass(frozen=True)
class Way:
    """A sequence of words, the last possibly a stem, and its meaning."""

    words: tuple[str, ...]
    stem: bool
    means: Any


@dataclass
class Lexicon:
    """Word sequences indexed by their first word."""

    ways: dict[str, list[Way]] = field(default_factory=dict)
    stems: list[Way] = field(default_factory=list)

    def add(self, text: str, means: Any) -> None:
        words = tuple(normalize_text(text.rstrip("*")).split())
        if not words:
            return
        way = Way(words, text.endswith("*"), means)
        if way.stem and len(words) == 1:
            self.stems.append(way)
        else:
            self.ways.setdefault(words[0], []).append(way)

    def found(self, words: list[str]) -> Iterable[tuple[int, int, Any]]:
        """Start, end and meaning of every match."""
        for place, word in enumerate(words):
            for way in self.ways.get(word, ()):
                end = place + len(way.words)
                if tuple(words[place:end]) == way.words:
                    yield place, end, way.means
            for way in self.stems:
                if word.startswith(way.words[0]):
                    yield place, place + 1, way.means


@dataclass(frozen=True)
class Vocabulary:
    """Everything the checker understands. ``own_words``: words of an indicator's name, definition and formula."""

    concepts: Lexicon
    other_use: Lexicon
    whole: Lexicon
    categories: Lexicon
    scattered: dict[Cell, frozenset[str]]
    phrases: dict[str, list[Phrase]]
    own_words: dict[str, frozenset[str]]
    neutral: frozenset[str]
    joining: frozenset[str]
    stopping: frozenset[str]
    splitting: frozenset[str]
    months: frozenset[str]
    verb: re.Pattern[str]
    any_word_is_a_verb: bool
    base: re.Pattern[str]  # what follows a share of the women or the men themselves
    share_after: re.Pattern[str]
    nouns: frozenset[str]
    names: tuple[str, ...]
    organisation: frozenset[str]  # words of its name


@cache
def _listed() -> Mapping[str, Any]:
    entries: Mapping[str, Any] = from_yaml((FOLDER / "indicators.yml").read_text("utf-8"))["indicators"]
    return entries


def listed_indicators() -> set[str]:
    """Ids that ``indicators.yml`` has entries for."""
    return set(_listed())


def build(
    indicators: pd.DataFrame,
    cells: Iterable[Cell],
    translated: Mapping[Cell, Iterable[str]],
    names: Iterable[str] = (),
    code: str = BASE,
    organisation: str = "",
    own: Mapping[str, OwnWords] | None = None,
) -> Vocabulary:
    """The vocabulary for these indicators and categories, in a language and in English.

    Args:
        indicators: ``dim_indicator``: indicator_id, names and definitions by language, formula.
        cells: dimension and category of every figure.
        translated: other names of categories, such as those of regions in French.
        names: names with digits in them, which are not figures.
        code: the language of the draft.
        organisation: its name; ``own``: its own words by language.
    """
    spoken = language(code).with_own(own or {})
    of_name = frozenset(normalize_text(organisation).split())
    concepts = _lexicon(_by_key(spoken, "concepts"))
    categories, scattered = _categories(spoken, set(cells), translated)
    rows = [{str(name): value for name, value in row.items()} for row in indicators.to_dict("records")]
    known = dict.fromkeys([code, BASE])
    months = {normalize_text(month) for month in spoken.both("months")}
    return Vocabulary(
        concepts=concepts,
        other_use=_lexicon(_by_key(spoken, "other_use")),
        whole=_lexicon({"whole": spoken.both("whole")}),
        categories=categories,
        scattered=scattered,
        phrases={
            row["indicator_id"]: _phrases(_listed().get(row["indicator_id"]), row, concepts, known)
            for row in rows
        },
        own_words={row["indicator_id"]: frozenset(_words_of(row, known)) for row in rows},
        neutral=frozenset(normalize_text(word) for word in spoken.both("neutral")) | of_name,
        joining=frozenset(spoken.of("joining")),
        stopping=frozenset(spoken.of("stopping")),
        splitting=frozenset(spoken.both("splitting")),
        months=frozenset(months - set(spoken.both("words_like_months"))),
        verb=re.compile(spoken.of("verb")),
        any_word_is_a_verb=spoken.of("any_word_is_a_verb", False),
        base=re.compile(rf"\s*(?:{spoken.of('base')})\b", re.IGNORECASE),
        share_after=re.compile(rf"{spoken.of('share_after')}\Z") if spoken.of("share_after") else _NEVER,
        nouns=frozenset(
            word for words in _by_key(spoken, "concepts").values() for word in words if word.isalpha()
        ),
        names=tuple(names),
        organisation=of_name,
    )


def _by_key(spoken: Language, key: str) -> dict[str, list[str]]:
    """Lists of words by meaning: those of the language, then those of English."""
    return {meaning: spoken.both(key, meaning) for meaning in spoken.merged(key)}


def _lexicon(entries: Mapping[str, list[str]]) -> Lexicon:
    lexicon = Lexicon()
    for meaning, words in entries.items():
        for word in words:
            lexicon.add(str(word), meaning)
    return lexicon


def _categories(
    spoken: Language, cells: set[Cell], translated: Mapping[Cell, Iterable[str]]
) -> tuple[Lexicon, dict[Cell, frozenset[str]]]:
    lexicon = Lexicon()
    scattered: dict[Cell, frozenset[str]] = {}
    for cell in sorted(cells):
        dimension, category = cell
        name = re.sub(r"\([^)]*\)", " ", category)
        if dimension in UNORDERED:
            scattered[cell] = frozenset(normalize_text(name).split())
        elif not category.isdigit():  # a line of action is a reference, not a word
            lexicon.add(name, cell)
        for words in (*spoken.both("categories", dimension, category), *translated.get(cell, ())):
            lexicon.add(str(words), cell)
    return lexicon, scattered


def _phrases(
    listed: list[dict[str, Any]] | None, row: Mapping[str, Any], concepts: Lexicon, known: Iterable[str]
) -> list[Phrase]:
    """The phrases of ``indicators.yml``, or the full names of the catalogue."""
    if listed is not None:
        return [
            Phrase(
                frozenset(entry.get("counted", ())),
                frozenset(entry.get("about", ())),
                tuple(entry.get("by", ())),
                frozenset(entry.get("without", ())),
                entry.get("reads", "value"),
                entry.get("cell", ""),
                entry.get("only_agrees", False),
                entry.get("needs_whole", False),
            )
            for entry in listed
        ]
    found = []
    for code in known:
        joining = set(language(code).of("joining"))
        words = [
            word for word in normalize_text(str(row.get(f"name_{code}") or "")).split() if word not in joining
        ]
        means: dict[int, str] = {}
        for start, end, meaning in concepts.found(words):
            means |= dict.fromkeys(range(start, end), meaning)
        if words:
            counted = frozenset(means.get(place, f"={word}") for place, word in enumerate(words))
            found.append(Phrase(counted, needs_whole=True))
    return list(dict.fromkeys(found))


def _words_of(row: Mapping[str, Any], known: Iterable[str]) -> Iterable[str]:
    fields = [f"{field}_{code}" for field in ("name", "definition") for code in known]
    for name in (*fields, "numerator_text", "denominator_text"):
        value = row.get(name)
        if isinstance(value, str):
            yield from (word for word in normalize_text(value).split() if len(word) >= _SHORTEST)
