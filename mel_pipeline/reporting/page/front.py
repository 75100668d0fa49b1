"""Page one as a model: the message, targets as bars, one picture, one decision, one voice. Decides nothing about layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.figures.judgement import JUDGED, Status
from mel_pipeline.reporting.page.tables import target_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.page.said import Sentences
    from mel_pipeline.reporting.page.tables import Row
    from mel_pipeline.reporting.text.texts import Texts

MOST_BARS = 5
WORST_FIRST = ("off", "near", "on", "over")


@dataclass(frozen=True)
class TargetBar:
    """A figure on its way: ``actual``, ``expected`` and ``target`` are shares of the bar's length, from 0 to 100."""

    id: str
    name: str
    shown: str
    aim: str
    status: Status
    note: str  # that it is not exact
    restated: str
    actual: float
    expected: float | None
    target: float


@dataclass(frozen=True)
class Voice:
    """What changed in a city, in the words of the register, printed with consent."""

    words: str
    source: str


@dataclass(frozen=True)
class Front:
    """Page one. ``points``: the MEL lead's further main points. ``lead``: what is behind the title, where it was drafted.

    ``figures``: headline figures that no bar shows. ``untargeted``: how many indicators have no target, said once.
    """

    title: str
    points: list[str]
    lead: list[str]
    bars: list[TargetBar]
    judged: str
    untargeted: str
    figures: list[Row]
    decision: str
    also_decide: list[str]
    voice: Voice | None
    moved: list[str]


def front_page(edition: Edition, rows: Sequence[Row], spoken: Sentences, texts: Texts) -> Front:
    """Page one of an edition, from its rows and sentences.

    Args:
        rows: of the indicators that the performance table lists, in report order.
    """
    aimed = bars(rows, edition.period, texts)
    shown = {bar.id for bar in aimed} | set(spoken.told)  # the title has their values
    lead = [line for line in spoken.changes if line in spoken.lead]
    without = sum(row.status.code == "no_target" for row in rows)
    return Front(
        title=spoken.title or spoken.points[0].removesuffix("."),
        points=spoken.points[1:] if spoken.is_written or not spoken.title else [],
        lead=lead,
        bars=aimed,
        judged=spoken.on_track,
        untargeted=texts.plural("story.untargeted", without) if without else "",
        figures=[
            row
            for row in rows
            if row.measure.headline and (row.measure.id not in shown or _needs_row(row, aimed))
        ],
        decision=spoken.decisions[0] if spoken.decisions else "",
        also_decide=spoken.decisions[1:],
        voice=voice_of(edition, texts),
        moved=[line for line in spoken.changes if line not in lead],
    )


def bars(rows: Sequence[Row], period: str, texts: Texts) -> list[TargetBar]:
    """At most five judged targets in report order: headline figures first, then the worst."""
    judged = [row for row in rows if row.standing.code in JUDGED and row.standing.target is not None]
    ranked = sorted(judged, key=lambda row: (not row.measure.headline, WORST_FIRST.index(row.standing.code)))
    chosen = {row.measure.id for row in ranked[:MOST_BARS]}
    return [_bar(row, period, texts) for row in rows if row.measure.id in chosen]


def _bar(row: Row, period: str, texts: Texts) -> TargetBar:
    judged, measure = row.standing, row.measure
    assert judged.value is not None and judged.target is not None  # noqa: S101 - judged ones have both
    expected = None if judged.is_due else judged.expected
    longest = max(judged.value, judged.target.value, expected or 0.0, 0.0) or 1.0
    target = target_cell(measure, judged, period, texts, measured=False)
    aim = ", ".join(filter(None, (texts("front.aim", value=target.text), target.change)))
    return TargetBar(
        measure.id,
        measure.name,
        texts.value_with_unit(measure, judged.value),
        aim,
        row.status,
        row.note,
        row.restated,
        _share(judged.value, longest),
        None if expected is None else _share(expected, longest),
        _share(judged.target.value, longest),
    )


def _needs_row(row: Row, aimed: Sequence[TargetBar]) -> bool:
    """A restated figure has its footnote, also where the title has its value."""
    return bool(row.restated) and row.measure.id not in {bar.id for bar in aimed}


def _share(value: float, longest: float) -> float:
    return round(100 * min(max(value / longest, 0.0), 1.0), 1)


def voice_of(edition: Edition, texts: Texts) -> Voice | None:
    """The first outcome that may be printed, in this language or else in English."""
    for outcome in edition.voices:
        words = _local(outcome.words.by_language, texts)
        if words:
            return Voice(
                words, texts("front.voice", organisation=outcome.organisation, day=texts.day(outcome.day))
            )
    return None


def _local(by_language: Mapping[str, str], texts: Texts) -> str:
    return by_language.get(texts.language) or by_language.get(BASE, "")
