"""Submissions of a form server (Kobo, ODK Central), nested as JSON, as answers by question. No HTTP here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mel_pipeline.sources.shared.base import text_of
from mel_pipeline.sources.shared.survey.model import Answers, Layout, Question, Repeats
from mel_pipeline.sources.shared.survey.personal import is_personal_header, without_personal

Record = Mapping[str, object]


@dataclass(frozen=True)
class Form:
    """A form as its server describes it. ``repeats`` gives, by the path of a repeated group, its questions."""

    survey: str
    layout: Layout
    repeats: Mapping[str, Sequence[Question]]


def answers_of(form: Form, records: Sequence[Record], key: str, place: str, first: int) -> Answers:
    """A page of submissions.

    Args:
        key: the field that identifies a submission; one of the layout's questions.
        first: number of submissions before this page.
    """
    flat = [_flat(record, form.repeats) for record in records]
    columns = {
        column: [text_of(record.get(question.key)) for record in flat]
        for column, question in enumerate(form.layout.questions)
    }
    frame = pd.DataFrame(columns, dtype=object)
    frame.index = pd.RangeIndex(first + 1, first + 1 + len(frame))
    column = next(n for n, question in enumerate(form.layout.questions) if question.key == key)
    groups = {
        path.rsplit("/", 1)[-1]: _rows_by_key(flat, key, path, questions)
        for path, questions in form.repeats.items()
    }
    repeats = Repeats(column, groups) if groups else None
    return Answers(form.layout.tool, form.survey, "api", place, form.layout, frame, repeats=repeats)


def _flat(record: Record, repeats: Mapping[str, object], path: str = "") -> dict[str, object]:
    """Groups flattened to `group/question`; repeated groups and lists stay as they are."""
    found: dict[str, object] = {}
    for name, value in record.items():
        whole = f"{path}{name}"
        if isinstance(value, dict) and whole not in repeats and value.get("type") != "Point":
            found |= _flat(value, repeats, f"{whole}/")
        else:
            found[whole] = value
    return found


def _rows_by_key(
    records: Sequence[Record], key: str, path: str, questions: Sequence[Question]
) -> dict[str, list[Mapping[str, str]]]:
    found: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for record in records:
        rows = record.get(path)
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict):
                # Kobo writes whole paths inside a group, ODK Central the names alone.
                flat = {name.removeprefix(f"{path}/"): value for name, value in _flat(row, {}).items()}
                found[str(record.get(key))].append(_answered(flat, questions))
    return found


def _answered(row: Record, questions: Sequence[Question]) -> Mapping[str, str]:
    answers = {}
    for question in questions:
        text = text_of(row.get(question.key))
        if text and question.builtin is None and not is_personal_header(question.text):
            answers[question.text] = without_personal(dict(question.labels).get(text, text))
    return answers
