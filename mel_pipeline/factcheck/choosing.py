"""Choose the figure a passage names among the candidates, and reach the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from mel_pipeline.factcheck.comparing import AGREES, DIFFERS, DOUBTFUL, LOOSE
from mel_pipeline.factcheck.scope import Scope
from mel_pipeline.factcheck.vocabulary import Phrase

TOTAL = "total"
ELSE = "it may be a count of something else"
_FAR_OFF = 3  # a plain count that differs by more counts something else


@dataclass(frozen=True)
class Figure:
    """One released figure of one period; ``value`` is None if withheld or not available."""

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
    """A figure that the words around a number may name, and how close they are."""

    figure: Figure
    reads: str
    phrase: Phrase
    here: frozenset[str]  # concepts of the phrase found beside the number
    tier: int  # 0: all beside it, 1: in the sentence, 2: in the one before, 3: in the heading
    strange: tuple[str, ...]
    outcome: str  # of the comparison; "withheld" or "not available" without a value

    @property
    def all_words(self) -> frozenset[str]:
        return self.phrase.counted | self.phrase.about | frozenset(self.phrase.by)

    @property
    def value(self) -> float | None:
        return self.figure.parts[self.reads]


@dataclass(frozen=True)
class Finding:
    """The verdict on one number: agrees, disagrees, unknown or withheld, the figure it is based on, and why."""

    verdict: str
    reason: str = ""
    candidate: Candidate | None = None
    candidates: list[Candidate] = field(default_factory=list)


def closest(found: list[Candidate]) -> list[Candidate]:
    """Drop candidates that another covers more fully with words beside the number; one per figure."""
    remaining = [
        one
        for one in found
        if not any(one.here < other.here and one.phrase.counted <= other.all_words for other in found)
    ]
    best: dict[tuple[str, str, str], Candidate] = {}
    for one in remaining:
        key = (one.figure.indicator_id, one.figure.cell, one.reads)
        if key not in best or _rank(one) < _rank(best[key]):
            best[key] = one
    return sorted(
        best.values(), key=lambda one: (one.tier, one.figure.indicator_id, one.figure.cell, one.reads)
    )


def _rank(one: Candidate) -> tuple[bool, bool, int, int]:
    return one.phrase.only_agrees, one.phrase.needs_whole, one.tier, -len(one.here)


def verdict(scope: Scope, named: list[Candidate]) -> Finding:
    agreeing = _nearest([one for one in named if one.outcome == AGREES])
    if scope.crowded:
        return Finding("unknown", "another number is right beside it, as in a table", candidates=named)
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
            "withheld",
            "cannot be checked: withheld to protect a small group; a draft should not state it",
            one,
        )
    if one.outcome == "not available":
        return Finding("unknown", "the figure is not available", one)
    if one.outcome == LOOSE:
        return Finding("unknown", "it holds, but the figure is far from the bound", candidates=[one])
    if one.outcome == DOUBTFUL:
        return Finding("unknown", "it agrees only if the separators are read differently", candidates=[one])
    if one.outcome != DIFFERS:
        return Finding("unknown", "it agrees only if the trailing zeros are rounding", candidates=[one])
    if one.phrase.only_agrees or (one.phrase.needs_whole and not _speaks_of_the_whole(scope, one)):
        return Finding("unknown", ELSE, candidates=[one])
    return Finding("disagrees", "", one)


def _nearest(found: list[Candidate]) -> list[Candidate]:
    """The candidates with the nearest words; the value of an indicator before its numerator."""
    closest = [one for one in found if one.tier <= max(1, min((other.tier for other in found), default=0))]
    cells: dict[tuple[str, str], Candidate] = {}
    for one in closest:
        cells.setdefault((one.figure.indicator_id, one.figure.cell), one)
    return list(cells.values())


def _fullest(found: list[Candidate]) -> list[Candidate]:
    """Drop candidates whose words are a subset of another's in the same sentence."""
    return [one for one in found if not any(one.all_words < other.all_words for other in found)]


def _speaks_of_the_whole(scope: Scope, one: Candidate) -> bool:
    value = Decimal(repr(float(one.value or 0)))
    likely = value / _FAR_OFF <= scope.number.value <= value * _FAR_OFF
    part = one.figure.cell != TOTAL and one.figure.cell.split("=")[0] == "region"
    return likely and (scope.label or part or any(token.whole for token in scope.own))


def _why_agrees(one: Candidate) -> str:
    where = {2: "named in the sentence before", 3: "named in the heading"}
    return where.get(one.tier, "")
