"""Typeform (CSV, XLSX): `#`, the questions, then times in UTC; a header may occur twice."""

from __future__ import annotations

from dataclasses import replace

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import cells_of, joined_by, questions_of
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Sheet

TOOL = "typeform"
_TAIL: dict[str, Builtin] = {
    "response type": "status",
    "start date utc": "started_at",
    "stage date utc": "ignored",
    "submit date utc": "completed_at",
    "network id": "personal",  # derived from the address
    "tags": "ignored",
    "ending": "ignored",
}


def recognise(sheet: Sheet) -> Layout | None:
    """The first column is `#`, and the tail has the submission time."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    names = [normalize_text(name) for name in header]
    if not header or header[0].strip() != "#" or "submit date utc" not in names:
        return None
    tail = len(names)  # read from the right: a question may be called `Tags`
    while names[tail - 1] in _TAIL:
        tail -= 1
    questions = []
    for column, question in enumerate(questions_of(header, {})):
        if column == 0:
            questions.append(replace(question, builtin="response_id"))
        elif column >= tail:
            questions.append(replace(question, builtin=_TAIL[names[column]]))
        else:
            joined = joined_by(cells_of(sheet, column), (" / ", ", "))
            questions.append(replace(question, separator=joined))
    return Layout(
        TOOL,
        questions,
        completed=frozenset({"completed"}) if "response type" in names[tail:] else frozenset(),
        partial=frozenset({"partial", "started"}) if "response type" in names[tail:] else frozenset(),
        zone="UTC",
        notes=("Typeform: by # and the date of submission in UTC.",),
    )
