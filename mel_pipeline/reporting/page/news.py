"""The message of an edition: one sentence from its strongest movements, and what stands behind it. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.movements import Movement, movements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.page.tables import Row
    from mel_pipeline.reporting.text.texts import Texts

GOOD, BAD, NEITHER = 1, -1, 0
NEWS = 1.5  # times what is usual: below it, nothing is said beside the strongest movement
SIDES = {"increase": GOOD, "decrease": BAD}


@dataclass(frozen=True)
class News:
    """The sentence without its full stop, and the movements in it."""

    title: str
    told: tuple[Movement, ...] = ()


def news(known: Sequence[Measure], figures: Figures, rows: Sequence[Row], texts: Texts) -> News:
    """The strongest movement of all indicators and, after "but", the strongest in the other direction of good.

    Without one, a target that was missed or is behind schedule follows good news; else the next strongest of
    another subject, after "and". Changes only in a comparable part are left to the list of movements: their totals may
    have moved the other way.
    """
    whole = [item for item in movements(known, figures) if item.common.is_whole]
    if not whole:
        return News(texts("story.no_changes").removesuffix("."))
    first, *others = [item for item in whole if item is whole[0] or item.size >= NEWS]
    clause = _clause(first, texts)
    against = next((item for item in others if tone(item) * tone(first) < 0), None)
    late = _late(rows) if tone(first) >= 0 else None
    beside = next(
        (item for item in others if _subject(item) != _subject(first) and tone(item) == tone(first)), None
    )
    if against is None and late is not None and late.measure.id != first.measure.id:
        return News(texts("news.but", first=clause, second=_behind(late, texts)), (first,))
    if (second := against or beside) is None:
        return News(clause, (first,))
    also = _in_sentence(_clause(second, texts), _first_words(second.measure, texts))
    joined = texts(f"news.{'but' if against else 'and'}", first=clause, second=also)
    return News(joined, (first, second))


def _late(rows: Sequence[Row]) -> Row | None:
    """The first figure that missed its target or is behind schedule; headline figures go before the others."""
    late = [row for row in rows if row.standing.code == "off"]
    return min(late, key=lambda row: not row.measure.headline, default=None)


def _behind(row: Row, texts: Texts) -> str:
    word = "missed" if row.standing.is_due else "behind"
    if said := _sentence(word, row.measure, texts):
        return said
    return texts(f"news.{word}", name=_in_sentence(row.measure.name, row.measure.name))


def tone(item: Movement) -> int:
    """Whether a movement is good, bad or neither."""
    measure = item.measure
    if measure.direction in SIDES:
        return SIDES[measure.direction] * (1 if item.moved > 0 else -1)
    if measure.band and item.now.value is not None and item.then.value is not None:
        now, then = (_outside(measure, value) for value in (item.now.value, item.then.value))
        return NEITHER if now == then else GOOD if now < then else BAD
    return NEITHER


def _outside(measure: Measure, value: float) -> float:
    low, high = measure.band or (value, value)
    return max(low - value, value - high, 0.0)


def _subject(item: Movement) -> str:
    """The letters of an id: new members are the same news as members."""
    return item.measure.id[:3]


def _clause(item: Movement, texts: Texts) -> str:
    measure = item.measure
    word = "rose" if item.moved > 0 else "fell"
    value = texts.value_with_unit(measure, item.now.value)
    said = _sentence(word, measure, texts, value=value)
    return said[:1].upper() + said[1:] if said else texts(f"news.{word}", name=measure.name, value=value)


def _sentence(word: str, measure: Measure, texts: Texts, **values: str) -> str:
    """With article and a verb that agrees, where the language knows the name's first word; else empty.

    A share of women or of participants is not what the women do: such names stay as they are.
    """
    subject = texts.as_subject(measure.name)
    if subject is None or (subject[1] > 1 and measure.unit == "percent"):
        return ""
    return texts.plural(f"news.sentence.{word}", subject[1], 0, name=subject[0], **values)


def _first_words(measure: Measure, texts: Texts) -> str:
    """What a clause about it begins with."""
    subject = texts.as_subject(measure.name)
    return subject[0] if subject and _sentence("behind", measure, texts) else measure.name


def _in_sentence(clause: str, name: str) -> str:
    """A name inside a sentence begins small, unless its second word or letter is a capital: ``Solutions Labs``, ``EU``."""
    words = name.split()
    is_proper = len(words) > 1 and words[1][:1].isupper()
    return clause if is_proper or not name[1:2].islower() else clause[:1].lower() + clause[1:]
