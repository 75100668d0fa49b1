"""What an annual edition says of each project: one line, from released figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.figures.judgement import JUDGED, ON_TRACK
from mel_pipeline.reporting.figures.logframe import Aim, periods_to, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import Edition, ProjectAim, ProjectNote
    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

SPENT = "PRJ-02"


def project_lines(edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts) -> list[str]:
    """``COMANAGE: energy communities. Under way until …; 87.0% of its budget spent; 4 of 4 aims on track.``"""
    measures = {measure.id: measure for measure in known}
    periods = periods_to(list(map(str, edition.figures["period"].unique())), edition.period)
    return [_line(note, edition, measures, figures, periods, texts) for note in edition.projects]


def _line(
    note: ProjectNote,
    edition: Edition,
    measures: dict[str, Measure],
    figures: Figures,
    periods: Sequence[str],
    texts: Texts,
) -> str:
    name = note.name.by_language.get(texts.language) or note.name.by_language[BASE]
    status = texts.choice("site.project_status", note.status)
    parts = [texts("projects.until", status=status, day=texts.day(note.ends_on)) if note.ends_on else status]
    share = figures.cells(SPENT, edition.period, "project").get(note.code)
    if share is not None and share.value is not None and SPENT in measures:
        parts.append(texts("projects.spent", share=texts.value(measures[SPENT], share.value)))
    codes = [
        progress(measures[aim.indicator_id], _aim(aim), figures, periods).standing.code
        for aim in note.aims
        if aim.indicator_id in measures
    ]
    if judged := sum(code in JUDGED for code in codes):
        good = sum(code in ON_TRACK for code in codes)
        parts.append(texts.plural("projects.on_track", judged, good=texts.number(good)))
    if note.outcomes:
        parts.append(texts.plural("projects.outcomes", note.outcomes))
    return texts("projects.line", name=name, facts=" · ".join(parts))


def _aim(aim: ProjectAim) -> Aim:
    values = asdict(aim)
    values.pop("indicator_id")
    return Aim(**values)
