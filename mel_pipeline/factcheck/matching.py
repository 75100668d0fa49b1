"""A number beside the figures: which figure its words name, and whether it holds. Precision before recall.

A number agrees when words near it name the figure and the value fits; the value alone is never enough. It disagrees
when the words name one figure without doubt and the value does not fit. All else is unknown, with candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mel_pipeline.factcheck.comparing import AGREES, DIFFERS, DOUBTFUL, LOOSE, compare
from mel_pipeline.factcheck.numbers import Number
from mel_pipeline.factcheck.scope import Scope, months_named, said, scattered_cells, strangers
from mel_pipeline.factcheck.vocabulary import UNORDERED, Cell, Phrase, Vocabulary

TOTAL = "total"
_FAR_OFF = 3  # a plain count that differs by more is a count of something else
_SHOWN = 3


@dataclass(frozen=True)
class Figure:
    """One figure of one period as anybody may see it; ``value`` is None where it is withheld or not available."""

    indicator_id: str
    period: str
    cell: str
    dimension: str
    category: str
    status: str
    parts: dict[str, float | None]  # value, numerator, denominator, n
    unit: str
    aggregation: str
    published: bool


@dataclass(frozen=True)
class Candidate:
    """A figure that the words around a number may name, and how closely."""

    figure: Figure
    reads: str
    phrase: Phrase
    here: frozenset[str]  # concepts of the phrase that stand beside the number
    tier: int  # 0: all beside it, 1: in the sentence, 2: in the one before, 3: in the heading
    strange: tuple[str, ...]
    outcome: str  # of comparing; "withheld" or "not available" where there is nothing to compare with

    @property
    def all_words(self) -> frozenset[str]:
        return self.phrase.counted | self.phrase.about | frozenset(self.phrase.by)

    @property
    def value(self) -> float | None:
        return self.figure.parts[self.reads]


@dataclass(frozen=True)
class Finding:
    """The verdict on one number: agrees, disagrees, unknown or withheld, the figure it rests on, and why."""

    verdict: str
    reason: str = ""
    candidate: Candidate | None = None
    candidates: list[Candidate] = field(default_factory=list)


class Matcher:
    """Figures of one period, ready to be asked."""

    def __init__(self, figures: Iterable[Figure], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.by_indicator: dict[str, dict[str, Figure]] = {}
        for figure in figures:
            self.by_indicator.setdefault(figure.indicator_id, {})[figure.cell] = figure

    def judge(self, scope: Scope, language: str) -> Finding:
        """What becomes of one number."""
        found = [
            candidate
            for indicator, cells in self.by_indicator.items()
            for phrase in self.vocabulary.phrases.get(indicator, ())
            for candidate in self._named(scope, phrase, cells, language)
        ]
        if reason := self._no_result(scope):
            return Finding("unknown", reason, candidates=found)
        named = _closest([one for one in found if not one.strange and not self._other_time(scope, one)])
        if not named:
            return self._unnamed(scope, found)
        return _verdict(scope, named)

    def _no_result(self, scope: Scope) -> str:
        """Why a number cannot be a figure of ours, whatever its words."""
        number = scope.number
        if number.unit == "points" or number.signed or number.earlier:
            return "a change, or the value before it"
        if number.qualifier == "up to":
            return "a ceiling, not a result"
        if number.unit not in ("count", "percent", "score", "EUR"):
            return f"an amount in {number.unit}; figures are in euros"
        others = sorted({use for token in scope.own for use in token.other_use})
        return f"{others[0]}, not a result" if others else ""

    def _named(
        self, scope: Scope, phrase: Phrase, cells: dict[str, Figure], language: str
    ) -> Iterable[Candidate]:
        """Candidates of one phrase: none when its words are missing, several when several cells are named."""
        any_figure = next(iter(cells.values()))
        if not _fits(scope.number, any_figure.unit, phrase.reads):
            return
        own = said(scope.own) | {f"={token.word}" for token in scope.own}
        # "164 member cities, of which 26 in Africa": the second takes its noun from before
        region = any(cell[0] == "region" for token in scope.own for cell in token.cells)
        lent = said(scope.earlier) if region and not own & _nouns(self.vocabulary) else set()
        column = said(scope.heading.tokens) if scope.label else set()
        if not phrase.counted <= own | lent | column or phrase.without & (own | lent):
            return
        tier = _tier(phrase, scope)
        if tier is None:
            return
        chosen = self._cells(scope, phrase, cells)
        here = frozenset((phrase.counted | phrase.about) & (own | lent))
        allowed = {
            *phrase.counted,
            *phrase.about,
            "share",
            "person",
            "participant",
            "member",
            "city",
        } - phrase.without
        words = self.vocabulary.own_words[any_figure.indicator_id]
        for figure in chosen:
            own_name = self.vocabulary.scattered.get((figure.dimension, figure.category), frozenset())
            strange = tuple(strangers(scope, allowed, words | own_name, self.vocabulary, language))
            outcome = _outcome(scope.number, figure, phrase)
            yield Candidate(figure, phrase.reads, phrase, here, tier, strange, outcome)

    def _cells(self, scope: Scope, phrase: Phrase, cells: dict[str, Figure]) -> list[Figure]:
        """The cells that are named: beside the number, else before it; the total when there is none."""
        known = {(figure.dimension, figure.category): figure for figure in cells.values()}
        own = _cells_said(scope.own)
        if {cell for cell in own if cell not in known and not _only_words(scope, cell, phrase)}:
            return []  # it speaks of a part that the figures do not know
        named = {cell for cell in own if cell in known and not _only_words(scope, cell, phrase)}
        named |= scattered_cells(scope.own, self.vocabulary, set(known))
        if not named and phrase.by and "gender" not in phrase.by:
            for tokens in (scope.sentence.tokens, scope.before.tokens, scope.heading.tokens):
                named = {cell for cell in _cells_said(tokens) if cell in known}
                named |= scattered_cells(tokens, self.vocabulary, set(known))
                if named := {cell for cell in named if cell[0] in phrase.by}:
                    break
        if any(cell[0] in UNORDERED for cell in named):
            named = {cell for cell in named if cell[0] != "platform"}  # the account says it more closely
        if phrase.by and not any(cell[0] in phrase.by for cell in named):
            return []
        if phrase.cell:
            return [cells[phrase.cell]] if phrase.cell in cells and not named else []
        if not named:
            return [cells[TOTAL]] if TOTAL in cells else []
        return [known[cell] for cell in sorted(named)] if len({cell[0] for cell in named}) == 1 else []

    def _other_time(self, scope: Scope, candidate: Candidate) -> bool:
        """Whether a date narrows the number to another time than that of the figure."""
        figure = candidate.figure
        if figure.dimension == "campaign":
            return False
        if figure.aggregation == "stock":
            return any("31" not in date.text for date in scope.dates)
        return bool(scope.dates) or months_named(scope)

    def _unnamed(self, scope: Scope, found: list[Candidate]) -> Finding:
        if found:
            strange = [one for one in found if one.strange]
            why = (
                f"narrowed by words no figure knows: {', '.join(strange[0].strange[:3])}"
                if strange
                else "a date narrows it"
            )
            return Finding("unknown", why, candidates=found)
        alone = self._by_value(scope)
        reason = (
            "its value alone is that of a figure; no word of it is near"
            if alone
            else "no figure speaks of it"
        )
        return Finding("unknown", reason, candidates=alone)

    def _by_value(self, scope: Scope) -> list[Candidate]:
        """Figures with that very value, those first that share words with the sentence."""
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


def _nouns(vocabulary: Vocabulary) -> set[str]:
    return {
        concept for phrases in vocabulary.phrases.values() for phrase in phrases for concept in phrase.counted
    }


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
    return number.unit == {"percent": "percent", "EUR": "EUR"}.get(unit, "count")


def _tier(phrase: Phrase, scope: Scope) -> int | None:
    """How far one has to look for what the phrase is about; None when it is nowhere."""
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


def _closest(found: list[Candidate]) -> list[Candidate]:
    """Without those that another one says more fully with words beside the number, one a figure."""
    kept = [
        one
        for one in found
        if not any(one.here < other.here and one.phrase.counted <= other.all_words for other in found)
    ]
    best: dict[tuple[str, str, str], Candidate] = {}
    for one in kept:
        key = (one.figure.indicator_id, one.figure.cell, one.reads)
        if key not in best or _rank(one) < _rank(best[key]):
            best[key] = one
    return sorted(
        best.values(), key=lambda one: (one.tier, one.figure.indicator_id, one.figure.cell, one.reads)
    )


def _rank(one: Candidate) -> tuple[bool, bool, int, int]:
    return one.phrase.only_agrees, one.phrase.needs_whole, one.tier, -len(one.here)


def _verdict(scope: Scope, named: list[Candidate]) -> Finding:
    agreeing = _nearest([one for one in named if one.outcome == AGREES])
    if scope.crowded:
        return Finding("unknown", "another number stands beside it, as in a table", candidates=named)
    if len(agreeing) == 1:
        return Finding("agrees", _why_agrees(agreeing[0]), agreeing[0])
    if agreeing:
        return Finding("unknown", "several figures fit", candidates=agreeing)
    likely = _fullest(_nearest(named))
    if len({(one.figure.indicator_id, one.figure.cell, one.reads) for one in likely}) > 1:
        return Finding("unknown", "the words name several figures", candidates=likely)
    return _single(scope, likely[0])


def _single(scope: Scope, one: Candidate) -> Finding:  # noqa: PLR0911 - one return a reason
    if one.outcome == "withheld":
        return Finding(
            "withheld", "the figure is withheld to protect a small group; a draft should not state it", one
        )
    if one.outcome == "not available":
        return Finding("unknown", "the figure is not available", one)
    if one.outcome == LOOSE:
        return Finding("unknown", "it holds, but the figure is far from the bound", candidates=[one])
    if one.outcome == DOUBTFUL:
        return Finding(
            "unknown", "it agrees only if the separators are read in another way", candidates=[one]
        )
    if one.outcome != DIFFERS:
        return Finding("unknown", "it agrees only if the zeros at the end are a rounding", candidates=[one])
    if one.phrase.only_agrees or (one.phrase.needs_whole and not _speaks_of_the_whole(scope, one)):
        return Finding("unknown", "it may be a count of something else", candidates=[one])
    return Finding("disagrees", "", one)


def _nearest(found: list[Candidate]) -> list[Candidate]:
    """Those whose words stand nearest; the value of an indicator before its numerator."""
    closest = [one for one in found if one.tier <= max(1, min((other.tier for other in found), default=0))]
    cells: dict[tuple[str, str], Candidate] = {}
    for one in closest:
        cells.setdefault((one.figure.indicator_id, one.figure.cell), one)
    return list(cells.values())


def _fullest(found: list[Candidate]) -> list[Candidate]:
    """Without those whose words are part of another one's, all of it said in the same sentence."""
    return [one for one in found if not any(one.all_words < other.all_words for other in found)]


def _speaks_of_the_whole(scope: Scope, one: Candidate) -> bool:
    value = Decimal(repr(float(one.value or 0)))
    likely = value / _FAR_OFF <= scope.number.value <= value * _FAR_OFF
    part = one.figure.cell != TOTAL and one.figure.cell.split("=")[0] == "region"
    return likely and (scope.label or part or any(token.whole for token in scope.own))


def _why_agrees(one: Candidate) -> str:
    where = {2: "named in the sentence before", 3: "named in the heading"}
    return where.get(one.tier, "")
