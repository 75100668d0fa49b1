"""Match a number with the figure its words name, and check it. Precision before recall.

A number agrees when words near it name the figure and the value fits; the value alone is never enough. It disagrees
when the words clearly name one figure and the value does not fit. Everything else is unknown, with candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mel_pipeline.core.money import is_currency
from mel_pipeline.factcheck.choosing import ELSE, TOTAL, Candidate, Figure, Finding, closest, verdict
from mel_pipeline.factcheck.comparing import AGREES, compare
from mel_pipeline.factcheck.numbers import Number
from mel_pipeline.factcheck.scope import (
    Familiar,
    Scope,
    months_named,
    only_after_a_verb,
    said,
    scattered_cells,
    strangers,
)
from mel_pipeline.factcheck.vocabulary import UNORDERED, Cell, Phrase, Vocabulary

_SHOWN = 3
_OF_SHARES = frozenset({"share", "person", "participant", "member", "city"})


class Matcher:
    """The figures of one period, indexed for matching."""

    def __init__(self, figures: Iterable[Figure], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.by_indicator: dict[str, dict[str, Figure]] = {}
        for figure in figures:
            self.by_indicator.setdefault(figure.indicator_id, {})[figure.cell] = figure
        units = {figure.unit for cells in self.by_indicator.values() for figure in cells.values()}
        self.currencies = sorted(filter(is_currency, units))

    def judge(self, scope: Scope) -> Finding:
        """The verdict on one number."""
        found = [
            candidate
            for indicator, cells in self.by_indicator.items()
            for phrase in self.vocabulary.phrases.get(indicator, ())
            for candidate in self._named(scope, phrase, cells)
        ]
        if reason := self._no_result(scope):
            return Finding("unknown", reason, candidates=found)
        named = closest([one for one in found if not one.strange and not self._other_time(scope, one)])
        if not named:
            return self._unnamed(scope, found)
        finding = verdict(scope, named)
        one = finding.candidate
        if finding.verdict == "disagrees" and one and one.figure.dimension not in (TOTAL, "gender", "donor"):
            cell = (one.figure.dimension, one.figure.category)
            if only_after_a_verb(scope, cell, self.vocabulary):
                return Finding("unknown", ELSE, candidates=[one])
        return finding

    def _no_result(self, scope: Scope) -> str:
        """Why a number cannot be one of our figures, whatever its words."""
        number = scope.number
        if number.unit == "points" or number.signed or number.earlier:
            return "a change, or the value before it"
        if number.qualifier == "up to":
            return "a ceiling, not a result"
        if is_currency(number.unit) and number.unit not in self.currencies:
            return f"an amount in {number.unit}; figures are in {', '.join(self.currencies) or 'no currency'}"
        others = sorted({use for token in scope.own for use in token.other_use})
        return f"{others[0]}, not a result" if others else ""

    def _named(self, scope: Scope, phrase: Phrase, cells: dict[str, Figure]) -> Iterable[Candidate]:
        """Candidates of one phrase: none when its words are missing, several when several cells are named."""
        any_figure = next(iter(cells.values()))
        if not _fits(scope.number, any_figure.unit, phrase.reads):
            return
        own = said(scope.own) | {f"={token.word}" for token in scope.own}
        # "164 member cities, of which 26 in Africa": the second number takes its noun from the first
        region = any(cell[0] == "region" for token in scope.own for cell in token.cells)
        lent = said(scope.earlier) if region and not own & _nouns(self.vocabulary) else set()
        column = said(scope.heading.tokens) if scope.label else set()
        if not phrase.counted <= own | lent | column or phrase.without & (own | lent):
            return
        tier = _tier(phrase, scope)
        if tier is None or ("gender" in phrase.by and _is_base(scope, self.vocabulary)):
            return
        chosen = self._cells(scope, phrase, cells)
        here = frozenset((phrase.counted | phrase.about) & (own | lent))
        shares = _OF_SHARES if scope.number.unit == "percent" else frozenset()
        words = self.vocabulary.own_words[any_figure.indicator_id]
        strict = phrase.needs_whole or phrase.reads != "value" or "gender" in phrase.by
        for figure in chosen:
            own_name = self.vocabulary.scattered.get((figure.dimension, figure.category), frozenset())
            familiar = Familiar(
                phrase.counted, (phrase.about | shares) - phrase.without, words | own_name, strict
            )
            strange = tuple(strangers(scope, familiar, self.vocabulary))
            yield Candidate(
                figure, phrase.reads, phrase, here, tier, strange, _outcome(scope.number, figure, phrase)
            )

    def _cells(self, scope: Scope, phrase: Phrase, cells: dict[str, Figure]) -> list[Figure]:
        """The cells named beside the number, otherwise before it; the total if none is."""
        known = {(figure.dimension, figure.category): figure for figure in cells.values()}
        own = {cell for cell in _cells_said(scope.own) if not _only_words(scope, cell, phrase)}
        scattered = scattered_cells(scope.own, self.vocabulary, set(known))
        # A campaign may share its name with a programme, by which this indicator is not broken down.
        read = {word for cell in scattered for word in self.vocabulary.scattered[cell]}
        if any(cell not in known and not _said_by(scope.own, cell) <= read for cell in own):
            return []  # it names a part without figures
        named = {cell for cell in own if cell in known} | scattered
        if not named and phrase.by and "gender" not in phrase.by:
            for tokens in (scope.sentence.tokens, scope.before.tokens, scope.heading.tokens):
                named = {cell for cell in _cells_said(tokens) if cell in known}
                named |= scattered_cells(tokens, self.vocabulary, set(known))
                if named := {cell for cell in named if cell[0] in phrase.by}:
                    break
        if any(cell[0] in UNORDERED for cell in named):
            named = {cell for cell in named if cell[0] != "platform"}  # the account is more specific
        if phrase.by and not any(cell[0] in phrase.by for cell in named):
            return []
        if phrase.cell:
            return [cells[phrase.cell]] if phrase.cell in cells and not named else []
        if not named:
            return [cells[TOTAL]] if TOTAL in cells else []
        return [known[cell] for cell in sorted(named)] if len({cell[0] for cell in named}) == 1 else []

    def _other_time(self, scope: Scope, candidate: Candidate) -> bool:
        """Whether a date narrows the number to a different time than the figure's."""
        figure = candidate.figure
        if figure.dimension == "campaign":
            return False
        if figure.aggregation == "stock":
            return any("31" not in date.text for date in scope.dates)
        return bool(scope.dates) or months_named(scope, self.vocabulary)

    def _unnamed(self, scope: Scope, found: list[Candidate]) -> Finding:
        if found:
            strange = [one for one in found if one.strange]
            why = (
                f"narrowed by words no figure has: {', '.join(strange[0].strange[:3])}"
                if strange
                else "a date narrows it"
            )
            return Finding("unknown", why, candidates=found)
        alone = self._by_value(scope)
        reason = (
            "only the value matches a figure; none of its words is near" if alone else "no figure covers it"
        )
        return Finding("unknown", reason, candidates=alone)

    def _by_value(self, scope: Scope) -> list[Candidate]:
        """Figures with exactly that value; those sharing words with the sentence come first."""
        words = {token.word for token in scope.sentence.tokens}
        alike = []
        for indicator, cells in self.by_indicator.items():
            for figure in cells.values():
                if not _fits(scope.number, figure.unit, "value"):
                    continue
                phrase = Phrase()
                if _outcome(scope.number, figure, phrase) == AGREES and figure.parts["value"]:
                    shared = len(words & (self.vocabulary.own_words[indicator] - self.vocabulary.neutral))
                    alike.append((-shared, figure.cell != TOTAL, indicator, figure.cell, figure, phrase))
        alike.sort(key=lambda item: item[:4])
        return [Candidate(one[4], "value", one[5], frozenset(), 9, (), AGREES) for one in alike[:_SHOWN]]


def _is_base(scope: Scope, vocabulary: Vocabulary) -> bool:
    """Whether the women or men beside the number are what it is a share of."""
    text, number = scope.sentence.text, scope.number
    if vocabulary.share_after.search(text[: number.start]):
        return False
    return bool(vocabulary.base.match(text, number.end))


def _nouns(vocabulary: Vocabulary) -> set[str]:
    return {
        concept for phrases in vocabulary.phrases.values() for phrase in phrases for concept in phrase.counted
    }


def _said_by(tokens: Iterable[Any], cell: Cell) -> set[str]:
    """The words that name a cell."""
    return {token.word for token in tokens if cell in token.cells}


def _cells_said(tokens: Iterable[Any]) -> set[Cell]:
    return {cell for token in tokens for cell in token.cells}


def _only_words(scope: Scope, cell: Cell, phrase: Phrase) -> bool:
    """Whether a category is named by words of the phrase itself: "lab" in "Solutions Lab" of a count of labs."""
    wanted = phrase.counted | phrase.about
    return cell[0] not in phrase.by and all(
        token.concepts & wanted for token in scope.own if cell in token.cells
    )


def _fits(number: Number, unit: str, reads: str) -> bool:
    if reads != "value":
        return number.unit == "count"
    if unit == "score":
        return number.unit == "score" or (number.unit == "count" and number.step < 1)
    if unit == "points":
        return number.unit in ("points", "count")
    return number.unit == (unit if unit == "percent" or is_currency(unit) else "count")


def _tier(phrase: Phrase, scope: Scope) -> int | None:
    """How far away the subject of the phrase is; None if it is missing."""
    reach: set[str] = set()
    for tier, tokens in enumerate(
        (scope.own, scope.sentence.tokens, scope.before.tokens, scope.heading.tokens)
    ):
        reach |= said(tokens)
        if phrase.about <= reach:
            return tier
    return None


def _outcome(number: Number, figure: Figure, phrase: Phrase) -> str:
    if figure.status == "suppressed":
        return "withheld"
    value = figure.parts[phrase.reads]
    return "not available" if value is None else compare(number, value)
