"""What changed, as sentences: how much, since when, and from where or by what. Pure functions of figures.

Each sentence has one earlier period, and its parts add up to its change or are a part of it in the same direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.coverage import parts_in_words
from mel_pipeline.reporting.figures.findings import UNSTATED, adds_up
from mel_pipeline.reporting.figures.movements import Movement, incomparable, movements
from mel_pipeline.reporting.text.texts import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.lookup import Figures, Reading
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

MOST_CHANGES, MOST_PARTS = 5, 3
COLON = ": \u202f\u00a0"
CAUSES = ("campaign",)  # a breakdown whose cells are behind a total without adding up to it
PLACES = ("region", "platform", "donor", "activity_type", "programme", "line_of_action")


def changes(edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts) -> list[str]:
    """The largest movements of all indicators, then headline figures that cannot be compared."""
    return [sentence for _, sentence in change_sentences(edition, known, figures, texts)]


def change_sentences(
    edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts, first: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Indicator and sentence, as ``changes``. ``first``: the indicators whose movements come before all others."""
    found = sorted(movements(known, figures), key=lambda item: item.measure.id not in first)
    sentences = [(item.measure.id, _sentence(edition, item, figures, texts)) for item in found]
    sentences += [
        (measure.id, texts("story.other_coverage", name=measure.name, earlier=earlier))
        for measure, earlier in incomparable(known, figures)
    ]
    return sentences[:MOST_CHANGES]


def lead_sentences(
    edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts, told: Sequence[str]
) -> list[str]:
    """What is behind the title: as ``changes``, but a rise from zero has its beginning, not the title's value again.

    A single one stands right below the title, which has its name.
    """
    found = [item for item in movements(known, figures) if item.measure.id in told][:MOST_CHANGES]
    said = [_sentence(edition, item, figures, texts, is_told=True) for item in found]
    if len(said) != 1 or len(told) != 1:
        return said
    words = said[0].removeprefix(found[0].measure.name).lstrip(COLON)
    return [words[:1].upper() + words[1:]]


def _sentence(
    edition: Edition, found: Movement, figures: Figures, texts: Texts, *, is_told: bool = False
) -> str:
    measure = found.measure
    change = texts.change(measure, found.moved)
    if not found.common.is_whole:
        parts = parts_in_words(found.common, texts)
        return texts(
            "story.like_for_like", name=measure.name, change=change, earlier=found.earlier, parts=parts
        )
    # A level has moved since then; an amount of one quarter is only compared with that of another.
    key = "story.moved" if measure.aggregation == "stock" or measure.is_line else "story.against"
    said = texts(key, name=measure.name, change=change, earlier=found.earlier)
    if is_told and found.then.value == 0:
        before = texts.value_with_unit(measure, found.then.value)
        said = texts("story.from_nothing", name=measure.name, before=before, earlier=found.earlier)
    where = _cause(found, figures, texts) or _where(found, figures, texts)
    return said + where + _why(edition, measure, texts) + "."


def _cause(found: Movement, figures: Figures, texts: Texts) -> str:
    """A campaign that makes up at least half of the change; one without earlier figures did not run then."""
    for dimension in CAUSES:
        moved = _moved(found, figures, dimension)
        most = max(moved, key=lambda name: (abs(moved[name]), name), default="")
        if most and 0.5 <= moved[most] / found.moved <= 1:
            name = texts.category(dimension, most)
            return texts("story.cause", cause=name, change=texts.change(found.measure, moved[most]))
    return ""


def _where(found: Movement, figures: Figures, texts: Texts) -> str:
    """The categories that moved, where the cells add up to the total in both periods."""
    measure = found.measure
    if measure.is_estimate:
        return ""
    for dimension in PLACES:
        periods = [(found.now, figures.period), (found.then, found.earlier)]
        cells = [figures.cells(measure.id, period, dimension) for _, period in periods]
        whole = all(
            adds_up(total, list(parts.values())) for (total, _), parts in zip(periods, cells, strict=True)
        )
        if whole and (moved := _moved(found, figures, dimension)):
            return _parts(found, dimension, moved, texts)
    return ""


def _parts(found: Movement, dimension: str, moved: Mapping[str, float], texts: Texts) -> str:
    """One place for all of it; the largest where all moved the same way; otherwise parts that add up."""
    ordered = sorted(moved, key=lambda name: (-abs(moved[name]), name))
    named = {name: texts.category(dimension, name) for name in ordered}
    first = ordered[0]
    if len(ordered) == 1:
        return texts("story.all_in", where=named[first]) if first not in UNSTATED else ""
    same_way = all(amount * found.moved > 0 for amount in moved.values())
    if same_way:
        if first in UNSTATED or abs(moved[first]) < abs(found.moved) / 2:
            return ""
        return texts("story.mostly", where=named[first], change=texts.change(found.measure, moved[first]))
    shown = ordered if len(ordered) <= MOST_PARTS else ordered[: MOST_PARTS - 1]
    parts = [
        texts("story.place", where=named[name], change=texts.change(found.measure, moved[name]))
        for name in shown
    ]
    rest = found.moved - sum(moved[name] for name in shown)
    if round(rest, found.measure.decimals):
        parts.append(texts("story.elsewhere", change=texts.change(found.measure, rest)))
    return texts("story.offsetting", parts=texts.listed(parts))


def _moved(found: Movement, figures: Figures, dimension: str) -> dict[str, float]:
    """Category → how far it moved, in print; one without a cell counts as zero, an unknown one not at all."""
    now, then = (
        figures.cells(found.measure.id, period, dimension) for period in (figures.period, found.earlier)
    )
    unknown = {name for cells in (now, then) for name, cell in cells.items() if cell.value is None}
    names = {*now, *then} - unknown
    moved = {name: _value(found, now, name) - _value(found, then, name) for name in names}
    return {name: amount for name, amount in moved.items() if amount}


def _value(found: Movement, cells: Mapping[str, Reading], name: str) -> float:
    value = (cells[name].value or 0.0) if name in cells else 0.0
    return float(rounded(value, found.measure.decimals))


def _why(edition: Edition, measure: Measure, texts: Texts) -> str:
    parts = {
        reason: amount
        for reason, amount in edition.movements.get(measure.id, {}).items()
        if reason != "real_change" and rounded(amount, measure.decimals)
    }
    listed = [
        texts("story.part", change=texts.change(measure, amount), reason=texts.choice("reason", reason))
        for reason, amount in parts.items()
    ]
    return texts("story.of_which", parts=texts.listed(listed)) if listed else ""
