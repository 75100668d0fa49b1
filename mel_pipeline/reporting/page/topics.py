"""Pages across the lines of action: gender balance, reach, satisfaction. The letters of an id give its topic."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.lookup import SUPPRESSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.figures.lookup import Figures, Reading
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

TOPICS = {"GEN": "gender", "RCH": "reach", "SAT": "satisfaction"}
VIEWS, FOLLOWERS, REACH, PEOPLE, ANSWERS = "RCH-01", "RCH-02", "RCH-06", "GEN-01", "SAT-02"


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder: what is counted, how much, and what that does not mean. ``least``: None if not known."""

    name: str
    shown: str
    note: str
    meaning: str
    id: str
    least: float | None


@dataclass(frozen=True)
class Ladder:
    """Views → followers → reach → people. Where a count is missing or larger than the one above it, no ladder but two
    groups with headings: exposure, and people.
    """

    intro: str
    groups: list[tuple[str, list[Rung]]]

    @property
    def descends(self) -> bool:
        return len(self.groups) == 1


def topic_of(measure: Measure) -> str:
    """``gender``, ``reach``, ``satisfaction``, or empty for the pages of the lines of action."""
    return TOPICS.get(measure.id[:3], "")


def reach_ladder(known: Sequence[Measure], figures: Figures, texts: Texts) -> Ladder:
    """Views → followers → reach → people, from the widest and weakest to the narrowest and most certain."""
    rungs = reach_rungs(known, figures, texts)
    counts = [rung.least for rung in rungs]
    known_counts = [count for count in counts if count is not None]
    if len(known_counts) == len(counts) and all(above > below for above, below in pairwise(known_counts)):
        return Ladder(texts("topic.reach_intro"), [("", rungs)])
    people = [rung for rung in rungs if rung.id == PEOPLE]
    exposure = [rung for rung in rungs if rung.id != PEOPLE]
    groups = [(texts("ladder.exposure"), exposure), (texts("ladder.persons"), people)]
    return Ladder(texts("topic.reach_intro_groups"), [(heading, of) for heading, of in groups if of])


def reach_rungs(known: Sequence[Measure], figures: Figures, texts: Texts) -> list[Rung]:
    """What is counted of reach, from the widest to the narrowest.

    Reach of several accounts is a range: at least the largest, at most the sum, because the same person may follow
    several.
    """
    measures = {measure.id: measure for measure in known}
    rungs = []
    for id, key in ((VIEWS, "views"), (FOLLOWERS, "followers")):
        if id in measures:
            reading = figures.total(id, figures.period)
            shown = _shown(measures[id], reading, texts)
            least = reading.value if reading else None
            rungs.append(Rung(texts(f"ladder.{key}"), shown, "", texts(f"ladder.{key}_means"), id, least))
    if REACH in measures:
        shown, note, least = _range(measures[REACH], figures, texts)
        rungs.append(Rung(texts("ladder.reach"), shown, note, texts("ladder.reach_means"), REACH, least))
    if PEOPLE in measures:
        everybody = figures.cells(PEOPLE, figures.period, "gender").get("Undisclosed")
        shown, least = _people(everybody, figures.total(PEOPLE, figures.period), texts)
        rungs.append(Rung(texts("ladder.people"), shown, "", texts("ladder.people_means"), PEOPLE, least))
    return rungs


def _shown(measure: Measure, reading: Reading | None, texts: Texts) -> str:
    if reading is not None and reading.status == SUPPRESSED:
        return texts.choice("status", "suppressed")
    return texts.value(measure, reading.value if reading else None)


def _range(measure: Measure, figures: Figures, texts: Texts) -> tuple[str, str, float | None]:
    """The range, how many accounts it does not include, and its lower end."""
    total = figures.total(measure.id, figures.period)
    if total is not None and total.value is not None:
        return texts.value(measure, total.value), "", total.value
    accounts = figures.cells(measure.id, figures.period, "account")
    values = [reading.value for reading in accounts.values() if reading.value is not None]
    if not values:
        return _shown(measure, total, texts), "", None
    low, high = texts.value(measure, max(values)), texts.value(measure, sum(values))
    missing = len(accounts) - len(values)
    if not missing:
        return texts("ladder.between", low=low, high=high), "", max(values)
    return texts("ladder.at_least", low=low), texts.plural("ladder.without", missing), max(values)


def _people(everybody: Reading | None, total: Reading | None, texts: Texts) -> tuple[str, float | None]:
    """All participants; where those who did not state a gender are withheld, at least those who did."""
    if everybody is not None and everybody.denominator is not None:
        return texts.number(everybody.denominator), everybody.denominator
    if total is not None and total.n is not None:
        return texts("ladder.at_least", low=texts.number(total.n)), total.n
    withheld = total is not None and total.status == SUPPRESSED
    return texts.choice("status", "suppressed" if withheld else "not_available"), None


def who_answered(known: Sequence[Measure], figures: Figures, texts: Texts) -> str:
    """How many answers, how many of the invitations, and the interval: shown beside every satisfaction figure."""
    measures = {measure.id: measure for measure in known}
    reading = figures.total(ANSWERS, figures.period)
    if ANSWERS not in measures or reading is None or reading.value is None or reading.n is None:
        return texts("topic.nobody_answered")
    sentence = texts.plural("topic.answered", reading.n)
    rate = figures.total("SAT-04", figures.period)
    if "SAT-04" in measures and rate is not None and rate.value is not None:
        sentence += " " + texts(
            "topic.response_rate",
            rate=texts.value(measures["SAT-04"], rate.value),
            answered=texts.number(rate.numerator or 0.0),
            invitations=texts.number(rate.denominator or 0.0),
        )
    if reading.interval is not None:
        decimals = measures[ANSWERS].decimals
        low, high = (texts.number(value, decimals) for value in reading.interval)
        sentence += " " + texts("topic.interval", low=low, high=texts("format.percent", number=high))
    return f"{sentence} {texts('topic.indicative')}"
