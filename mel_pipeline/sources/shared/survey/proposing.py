"""What an import met in a survey and does not know, as rows that the workbook proposes. Pure.

A load keeps them as JSON; the next download of the workbook shows them. Nothing counts before the row is completed and
the workbook accepted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mel_pipeline.core.normalize_text import is_bare, normalize_answer
from mel_pipeline.sources.shared.survey.binding import first_download
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.figures import figure_of
from mel_pipeline.sources.shared.survey.looks import Asked, is_closed, looks_like
from mel_pipeline.sources.shared.survey.model import Answers
from mel_pipeline.sources.shared.survey.personal import REMOVED, without_personal
from mel_pipeline.sources.shared.survey.plan import Plan
from mel_pipeline.sources.workbook.model import Proposal, Row, Rows
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.sources.workbook.sheets import LONGEST

QUESTIONS, SCALES = "survey_questions", "answer_scales"
OVERALL = "overall_satisfaction"
_MOST = 20  # rows of one kind and survey
_SHOWN = 6  # answers of a question
_OF_FIVE = ("1", "2", "3", "4", "5")
Found = dict[str, Any]  # sheet, row, and why: the key of a sentence with its values


def unknown_questions(first: Answers, unread: Asked, plan: Plan, book: Codebook) -> list[Found]:
    """Questions that look like one of the figures and are not read; where none is about satisfaction, all it could be.

    Args:
        unread: what was ``asked`` in the first answers.
    """
    name = book.name or first_download(first.survey)
    found: list[Found] = []
    looks: set[str] = set()
    others: list[Found] = []
    for column, counted in unread.items():
        question = first.layout.questions[column]
        row = {"codebook": name, "question": question.text}
        if not question.text or not counted or without_personal(question.text) != question.text:
            continue
        guess = looks_like(question, counted, book, {})
        if guess and (guess.role == "consent" or guess.role not in plan.roles):
            looks.add(guess.role)
            fit: Found = {"role": guess.role, "fitting": guess.fitting, "total": guess.answers}
            found.append(_found(QUESTIONS, row, "proposed_role", **fit))
        elif not guess and is_closed(counted):
            shown = [without_personal(text) for text, _ in counted.most_common(_SHOWN)]
            values: Found = {"survey": first.survey, "role": OVERALL, "answers": shown}
            others.append(_found(QUESTIONS, row, "proposed_question", **values))
    if OVERALL not in looks and OVERALL not in plan.roles:
        found += others
    if "event_code" not in looks and "event_code" not in plan.roles and not book.event_code:
        found.append(
            _found(
                QUESTIONS, {"codebook": name, "role": "fixed_event"}, "proposed_event", survey=first.survey
            )
        )
    return found[:_MOST]


def unknown_answers(survey: str, unknown: Mapping[str, int], book: Codebook) -> list[Found]:
    """Answers to the overall question that no scale knows. Of figures, all from 1 to 5: one alone says nothing."""
    name = book.name or first_download(survey)
    figures = [answer for answer in unknown if is_bare(answer)]
    found = []
    if figures:
        known = {figure_of(answer) for answer in figures}
        whole = [
            *figures,
            *(one for one in _OF_FIVE if float(one) not in known and known <= set(map(float, _OF_FIVE))),
        ]
        for label in sorted(whole, key=lambda one: (figure_of(one) or 0.0, one)):
            found.append(_label(name, "satisfaction", label, "proposed_figure_score", survey=survey))
    for answer, times in Counter(unknown).most_common():
        if answer not in figures:
            found.append(_label(name, "satisfaction", answer, "proposed_score", survey=survey, times=times))
    return [one for one in found if one][:_MOST]


def unknown_genders(survey: str, unknown: Mapping[str, int]) -> list[Found]:
    """Answers about gender that no scale knows; what they mean holds for all surveys."""
    found = [
        _label(None, "gender", answer, "proposed_gender", survey=survey, times=times)
        for answer, times in Counter(unknown).most_common(_MOST)
    ]
    return [one for one in found if one]


def proposed_rows(written: Iterable[str], rows: Rows) -> dict[str, list[Proposal]]:
    """What loads have proposed, by sheet, each once and without what the workbook states already.

    Args:
        written: JSON, one a load.
    """
    found: dict[str, dict[object, Proposal]] = {QUESTIONS: {}, SCALES: {}}
    stated = {name: {_about(name, row) for row in rows.get(name, ())} for name in found}
    for one in (one for text in written for one in json.loads(text)):
        sheet, row = one["sheet"], one["row"]
        about = _about(sheet, row)
        if about not in stated[sheet]:
            values = {
                key: Name(word=value) if key == "role" else value for key, value in one["values"].items()
            }
            found[sheet].setdefault(
                about, Proposal(row, Said(one["why"], ignored=Name(word="ignored"), **values))
            )
    return {name: list(those.values()) for name, those in found.items()}


def _about(sheet: str, row: Row) -> object:
    """What a row is about, whatever it says of it."""
    if sheet == SCALES:
        return row.get("codebook"), row.get("scale"), normalize_answer(str(row.get("label")))
    if not row.get("question") or row.get("role") == "fixed_event":
        return row.get("codebook"), row.get("role")
    return row.get("codebook"), normalize_answer(str(row.get("question")))


def _label(codebook: str | None, scale: str, label: str, why: str, **values: object) -> Found | None:
    """None for an answer that cannot be printed or compared: it names somebody, or is too long."""
    if without_personal(label) != label or REMOVED in label or len(label) > LONGEST:
        return None
    row = {"scale": scale, "label": label} | ({"codebook": codebook} if codebook else {})
    return _found(SCALES, row, why, **values)


def _found(sheet: str, row: Row, why: str, **values: object) -> Found:
    return {"sheet": sheet, "row": dict(row), "why": why, "values": values}
