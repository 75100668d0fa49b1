"""Page one as a model: the message, targets as bars, one picture, one decision, one voice. Decides nothing about layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.figures.judgement import BANDS, JUDGED, Status, status_named
from mel_pipeline.reporting.page.tables import target_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.page.said import Sentences
    from mel_pipeline.reporting.page.tables import Row
    from mel_pipeline.reporting.text.texts import Texts

MOST_BARS, MOST_BALANCES = 5, 2
FEW = 2  # so many figures stand below the bars, more in a table of their own
WORST_FIRST = ("off", "near", "on", "over")


@dataclass(frozen=True)
class TargetBar:
    """A figure on its way: ``actual``, ``expected`` and ``target`` are shares of the bar's length, from 0 to 100.

    ``low``: where a balance band begins, which ends at ``target``; None: a target.
    """

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
    low: float | None = None


@dataclass(frozen=True)
class Risk:
    """Names of figures that stand alike; or, without a status, how many more there are."""

    status: Status | None
    names: str


@dataclass(frozen=True)
class Voice:
    """What changed in a city, in the words of the register, printed with consent."""

    words: str
    source: str


@dataclass(frozen=True)
class Front:
    """Page one. ``points``: the MEL lead's further main points. ``lead``: what is behind the title, where it was drafted.

    ``figures``: headline figures that no bar shows; ``few``: they stand below the bars. ``untargeted``: how many
    indicators have no target, said once. ``hero_bar``: how the indicator of the picture stands, which has no other bar.
    """

    title: str
    points: list[str]
    lead: list[str]
    bars: list[TargetBar]
    judged: str
    untargeted: str
    at_risk: list[Risk]
    figures: list[Row]
    few: bool
    hero_bar: TargetBar | None
    decision: str
    also_decide: list[str]
    voice: Voice | None
    moved: list[str]


def front_page(
    edition: Edition, rows: Sequence[Row], spoken: Sentences, texts: Texts, hero: str = ""
) -> Front:
    """Page one of an edition, from its rows and sentences.

    Args:
        rows: of the indicators that the performance table lists, in report order.
        hero: the indicator of the one picture, where it shows one.
    """
    aimed = bars([row for row in rows if row.measure.id != hero], edition.period, texts)
    pictured = next((row for row in rows if row.measure.id == hero and _has_bar(row)), None)
    shown = {bar.id for bar in aimed} | {*spoken.told, hero}  # the title or the picture has their values
    figures = [
        row
        for row in rows
        if row.measure.headline and (row.measure.id not in shown or _needs_row(row, aimed, hero))
    ]
    without = sum(row.status.code == "no_target" for row in rows)
    return Front(
        title=spoken.title or spoken.points[0].removesuffix("."),
        points=spoken.points[1:] if spoken.is_written or not spoken.title else [],
        lead=spoken.lead,
        bars=aimed,
        judged=spoken.on_track,
        untargeted=texts.plural("story.untargeted", without) if without else "",
        at_risk=[Risk(status_named(key, texts) if key else None, names) for key, names in spoken.at_risk],
        figures=figures,
        few=len(figures) <= FEW and bool(aimed),
        hero_bar=_bar(pictured, edition.period, texts) if pictured else None,
        decision=spoken.decisions[0] if spoken.decisions else "",
        also_decide=spoken.decisions[1:],
        voice=voice_of(edition, texts),
        moved=spoken.changes[len(spoken.lead) :],
    )


def bars(rows: Sequence[Row], period: str, texts: Texts) -> list[TargetBar]:
    """At most five judged targets, headline figures first and then the worst, and two balance bands of headline figures;
    in report order."""
    judged = [row for row in rows if row.standing.code in JUDGED and row.standing.target is not None]
    ranked = sorted(judged, key=lambda row: (not row.measure.headline, WORST_FIRST.index(row.standing.code)))
    balances = [row for row in rows if row.standing.code in BANDS and row.measure.headline]
    chosen = {row.measure.id for row in [*ranked[:MOST_BARS], *balances[:MOST_BALANCES]]}
    return [_bar(row, period, texts) for row in rows if row.measure.id in chosen]


def _has_bar(row: Row) -> bool:
    return row.standing.code in BANDS or (row.standing.code in JUDGED and row.standing.target is not None)


def _bar(row: Row, period: str, texts: Texts) -> TargetBar:
    return (_band_bar if row.standing.code in BANDS else _target_bar)(row, period, texts)


def _band_bar(row: Row, _: str, texts: Texts) -> TargetBar:
    value, measure = row.standing.value, row.measure
    assert value is not None and measure.band is not None  # noqa: S101 - what is in or out of a band has both
    low, high = measure.band
    longest = max(value, high, 100.0 if measure.unit == "percent" else 0.0)
    return TargetBar(
        measure.id,
        measure.name,
        texts.value_with_unit(measure, value),
        texts("chart.band", low=texts.number(low), high=texts.number(high)),
        row.status,
        row.note,
        row.restated,
        _share(value, longest),
        None,
        _share(high, longest),
        _share(low, longest),
    )


def _target_bar(row: Row, period: str, texts: Texts) -> TargetBar:
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


def _needs_row(row: Row, aimed: Sequence[TargetBar], hero: str) -> bool:
    """A restated figure has its footnote, also where the title has its value."""
    has_note = {bar.id for bar in aimed} | ({hero} if _has_bar(row) else set())
    return bool(row.restated) and row.measure.id not in has_note


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
