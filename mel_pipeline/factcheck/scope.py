"""The context of a number: its part of the sentence, the sentence, the one before, the heading."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.factcheck.numbers import Number
from mel_pipeline.factcheck.vocabulary import UNORDERED, Cell, Vocabulary

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|[^\w\s]")
_STRONG = set(";:()[]—–,|")
_FARTHEST = 12  # words after a number that can still belong to it


@dataclass
class Token:
    """A word or sign of a sentence, with its possible meanings."""

    text: str
    word: str
    start: int
    piece: int = 0
    concepts: set[str] = field(default_factory=set)
    cells: set[Cell] = field(default_factory=set)
    other_use: set[str] = field(default_factory=set)
    whole: bool = False

    @property
    def known(self) -> bool:
        return bool(self.concepts or self.cells)


@dataclass
class Words:
    """A text in tokens, and its concepts."""

    text: str
    tokens: list[Token]

    def concepts(self) -> set[str]:
        return said(self.tokens)


@dataclass
class Scope:
    """The context of a number. ``own``: its part of the sentence; ``earlier``: the parts before."""

    number: Number
    sentence: Words
    own: list[Token]
    earlier: list[Token]
    before: Words
    heading: Words
    label: bool  # "words: number", as in a table
    crowded: bool  # another number is beside it, with no word between
    dates: list[Number]


def said(tokens: Iterable[Token]) -> set[str]:
    return {concept for token in tokens for concept in token.concepts}


def read_words(text: str, numbers: list[Number], vocabulary: Vocabulary) -> Words:
    """The words of a text, excluding those of its numbers."""
    spans = [(number.start, number.end) for number in numbers if number.kind != "name"]
    tokens = [
        Token(match.group(), normalize_text(match.group()), match.start())
        for match in _WORD.finditer(text)
        if match.group() not in "'’" and not any(start <= match.start() < end for start, end in spans)
    ]
    words: list[Token] = []
    for token in tokens:  # hyphenated words are looked up in parts
        parts = token.word.split() or [""]
        words += [Token(token.text, part, token.start + place) for place, part in enumerate(parts)]
    plain_words = [token.word for token in words]
    for lexicon, attribute in (
        (vocabulary.concepts, "concepts"),
        (vocabulary.categories, "cells"),
        (vocabulary.other_use, "other_use"),
    ):
        for start, end, meaning in lexicon.found(plain_words):
            for token in words[start:end]:
                getattr(token, attribute).add(meaning)
    for start, end, _ in vocabulary.whole.found(plain_words):
        for token in words[start:end]:
            token.whole = True
    return Words(text, words)


def scopes(
    text: str, numbers: list[Number], vocabulary: Vocabulary, before: Words, heading: Words
) -> list[Scope]:
    """The scope of every figure of a sentence."""
    words = read_words(text, numbers, vocabulary)
    figures = [number for number in numbers if number.kind == "figure"]
    _cut(words.tokens, figures, vocabulary.splitting)
    found = []
    for place, number in enumerate(figures):
        own = [token for token in words.tokens if token.piece == place]
        start = number.start
        label = bool(re.search(r"[:|]\s*(?:[€$]\s*)?$", text[:start])) and not number.qualifier
        gap = text[figures[place - 1].end : start] if place else "x"
        after = text[number.end : figures[place + 1].start] if place + 1 < len(figures) else "x"
        found.append(
            Scope(
                number,
                words,
                own,
                [token for token in words.tokens if token.piece < place],
                before,
                heading,
                label,
                not (re.search(r"\w", gap) and re.search(r"\w", after))
                and not re.search(r"[/(]", gap + after),
                [one for one in numbers if one.kind == "date" and _near(one, number, figures)],
            )
        )
    return found


def _near(date: Number, number: Number, figures: list[Number]) -> bool:
    """Whether a date belongs to this number: no other number is between them."""
    low, high = sorted((date.start, number.start))
    return not any(low < other.start < high for other in figures)


def _cut(tokens: list[Token], figures: list[Number], splitting: frozenset[str]) -> None:
    """Assign every token to its number.

    Signs and "and" split a sentence, and so does a second number in a part. A part without a number belongs to the
    next number; in brackets, or at the end, to the previous one.
    """
    cuts = {0}
    for place, token in enumerate(tokens):
        if token.text in _STRONG or (token.word in splitting and not _inside_a_name(tokens, place)):
            cuts.add(token.start)
    for last, number in pairwise(figures):
        if not any(last.start < cut <= number.start for cut in cuts):
            cuts.add(number.start)
    starts = sorted(cuts)
    parts = [
        [token for token in tokens if low <= token.start < high] for low, high in pairwise([*starts, 1 << 30])
    ]
    owners: list[int | None] = []
    for low, high in pairwise([*starts, 1 << 30]):
        owners.append(next((place for place, one in enumerate(figures) if low <= one.start < high), None))
    for place, part in enumerate(parts):
        owner = owners[place]
        if owner is None:
            following = next((one for one in owners[place + 1 :] if one is not None), None)
            preceding = next((one for one in reversed(owners[:place]) if one is not None), None)
            bracket = bool(part) and part[0].text in ("(", "[")
            owner = preceding if following is None or (bracket and preceding is not None) else following
        for token in part:
            token.piece = owner or 0


def _inside_a_name(tokens: list[Token], place: int) -> bool:
    """Whether "and" is part of a category name: "Hills and Valleys"."""
    return 0 < place < len(tokens) - 1 and bool(tokens[place].cells & tokens[place - 1].cells)


def scattered_cells(tokens: Iterable[Token], vocabulary: Vocabulary, cells: set[Cell]) -> set[Cell]:
    """Accounts, campaigns and sites of which all words occur, or one word that is unique to them.

    Args:
        cells: those of the indicator in question.
    """
    words = {token.word for token in tokens} | said(tokens)
    there = {cell: vocabulary.scattered[cell] for cell in cells if cell[0] in UNORDERED}
    full = {cell for cell, own in there.items() if own <= words}
    if campaigns := {cell for cell in full if cell[0] == "campaign"}:
        return campaigns
    if full:
        return full
    common = {
        normalize_text(category) for dimension, category in cells if dimension == "platform"
    } | vocabulary.organisation
    accounts = {cell: own for cell, own in there.items() if cell[0] == "account"}
    others = {cell: own for cell, own in there.items() if cell[0] != "account"}
    # "The Spring account", although a campaign has the same name.
    if "account" in words or all(cell[0] == "account" for cell in there):
        return _by_own_word(accounts, words, common)
    return _by_own_word(there, words, common) & set(others)


def _by_own_word(there: dict[Cell, frozenset[str]], words: set[str], common: set[str]) -> set[Cell]:
    found = set()
    for cell, own in there.items():
        shared = {word for other, of_other in there.items() if other != cell for word in of_other}
        if (own - shared - common) & words:
            found.add(cell)
    return found


@dataclass(frozen=True)
class Familiar:
    """The vocabulary of a figure: concepts it counts, concepts allowed beside them, its own words."""

    counted: frozenset[str]
    beside: frozenset[str]
    words: frozenset[str]
    strict: bool  # all words before the number must be known as well

    def knows(self, token: Token, vocabulary: Vocabulary) -> bool:
        return (
            bool(token.concepts & (self.counted | self.beside))
            or f"={token.word}" in self.counted
            or bool(token.cells)
            or token.word in self.words
            or token.word in vocabulary.neutral
            or token.word in vocabulary.months
        )

    def counts(self, token: Token) -> bool:
        """Whether the first word after a number can be what the figure counts."""
        return not token.concepts or bool(token.concepts & (self.counted | self.beside)) or bool(token.cells)


def strangers(scope: Scope, familiar: Familiar, vocabulary: Vocabulary) -> list[str]:
    """Words unknown to the figure that narrow what is counted, including other names."""
    tied = vocabulary.joining | vocabulary.stopping
    found, content = _after(scope, familiar, vocabulary)
    if not content or familiar.strict:  # what is counted comes before the number
        found += [
            token.text
            for token in scope.own
            if token.start < scope.number.start
            and token.word
            and not familiar.knows(token, vocabulary)
            and token.word not in tied
            and not vocabulary.verb.search(token.word)
        ]
    for place, token in enumerate(scope.own):
        opener = place == 0 and len(scope.own) > 1 and scope.own[1].text == ","
        proper = token.text[:1].isupper() and not token.known and token.word not in tied and not opener
        if proper and not familiar.knows(token, vocabulary):
            found.append(token.text)
    return list(dict.fromkeys(found))


def _after(scope: Scope, familiar: Familiar, vocabulary: Vocabulary) -> tuple[list[str], int]:
    """Unknown words among those attached to the number on its right, and how many are attached.

    A verb ends them: in English any unknown word after the noun, elsewhere one with the ending of a verb.
    """
    joining, stopping = vocabulary.joining, vocabulary.stopping
    found: list[str] = []
    content, bound = 0, False
    for token in [token for token in scope.own if token.start >= scope.number.end][:_FARTHEST]:
        if not token.word:
            if content and token.text in _STRONG | {".", "!", "?", "…"}:
                break
            continue
        if token.word in stopping:
            break
        if token.word in joining:
            bound = True
            continue
        known = familiar.knows(token, vocabulary)
        if (
            not known
            and not bound
            and (vocabulary.verb.search(token.word) or (content and vocabulary.any_word_is_a_verb))
        ):
            break
        if not known or (content == 0 and scope.number.unit == "count" and not familiar.counts(token)):
            found.append(token.text)
        content, bound = content + 1, False
    return found, content


def only_after_a_verb(scope: Scope, cell: Cell, vocabulary: Vocabulary) -> bool:
    """Whether a category refers to something other than the number: "of the 164 members many are in Asia"."""
    after = [token for token in scope.own if token.start >= scope.number.end]
    verb = next((token.start for token in after if token.word in vocabulary.stopping), None)
    places = [token.start for token in scope.own if cell in token.cells]
    return verb is not None and bool(places) and all(place > verb for place in places)


def months_named(scope: Scope, vocabulary: Vocabulary) -> bool:
    return any(token.word in vocabulary.months for token in scope.own)
