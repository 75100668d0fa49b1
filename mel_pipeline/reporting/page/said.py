"""The sentences of an edition by part of the page: derived from its figures, or as it was published with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.edition import Edition, Judged, Said
from mel_pipeline.reporting.figures.findings import finding
from mel_pipeline.reporting.figures.judgement import standing
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import Measure, measures
from mel_pipeline.reporting.page.changes import change_sentences, lead_sentences
from mel_pipeline.reporting.page.news import news
from mel_pipeline.reporting.page.summary import (
    at_risk,
    decisions_needed,
    named_in_title,
    narrative_of,
    on_track,
    open_restatements,
    opening_points,
)
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.page.topics import who_answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class Sentences:
    """What the first page says in words. ``decisions`` ends with the restatements that wait, in any edition.

    ``lead``: what is behind the title; ``changes`` begins with as many. ``is_written``: the MEL lead wrote the points.
    ``at_risk``: status and names of figures off their way. Editions published before page one had these have none.
    """

    points: list[str]
    on_track: str
    changes: list[str]
    decisions: list[str]
    answered: str
    learning: dict[str, list[str]]
    title: str = ""
    lead: list[str] = field(default_factory=list)
    is_written: bool = False
    told: list[str] = field(default_factory=list)  # indicators of the title
    at_risk: list[list[str]] = field(default_factory=list)


def sentences_of(
    edition: Edition, known: Sequence[Measure], figures: Figures, rows: Sequence[Row], texts: Texts
) -> Sentences:
    """The sentences of a page.

    Args:
        rows: of the indicators that the performance table lists.
    """
    published = edition.said.sentences.get(texts.language) if edition.said else None
    found = published or _derived(edition, known, figures, rows, texts)
    own = {name: found[name] for name in Sentences.__dataclass_fields__ if name in found}
    return Sentences(**own | {"decisions": [*found["decisions"], *open_restatements(edition, texts)]})


def said(edition: Edition, wanted: Sequence[Texts]) -> Said:
    """What the edition says in these languages, to be kept when it is published."""
    sentences: dict[str, dict[str, Any]] = {}
    judgements: dict[str, Judged] = {}
    for texts in wanted:
        known = measures(edition, texts.language)
        figures = Figures(edition, known)
        rows = [table_row(measure, figures, texts) for measure in known if not measure.is_distribution]
        titles = {measure.id: finding(measure, figures, edition.period, texts) for measure in known}
        derived = _derived(edition, known, figures, rows, texts)
        sentences[texts.language] = derived | {"findings": titles}
        for measure in known:
            found = standing(measure, figures)
            judgements[measure.id] = Judged(found.code, found.value, found.expected, found.is_due)
    return Said(judgements, sentences)


def _derived(
    edition: Edition, known: Sequence[Measure], figures: Figures, rows: Sequence[Row], texts: Texts
) -> dict[str, Any]:
    points = opening_points(edition, known, figures, texts)
    is_written = bool(edition.narrative and edition.narrative.main_points)
    found = news(known, figures, rows, texts)
    told = named_in_title(edition) if is_written else [item.measure.id for item in found.told]
    moved = change_sentences(edition, known, figures, texts, first=[] if is_written else told)
    return {
        "points": points,
        "title": (points[0] if is_written else found.title).removesuffix("."),
        "lead": [] if is_written else lead_sentences(edition, known, figures, texts, told),
        "is_written": is_written,
        "told": told,
        "on_track": on_track(rows, texts, is_sample=edition.is_sample),
        "at_risk": at_risk(rows, texts),
        "changes": [sentence for _, sentence in moved],
        "decisions": decisions_needed(edition, rows, texts),
        "answered": who_answered(known, figures, texts),
        "learning": narrative_of(edition, texts),
    }
