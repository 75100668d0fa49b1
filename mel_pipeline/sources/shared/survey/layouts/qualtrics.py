"""Qualtrics (CSV): names, question texts, and a row of ImportIds that identifies the columns in every language."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import replace

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import (
    cells_of,
    in_words,
    joined_by,
    questions_of,
    unique_names,
)
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Question, Sheet

TOOL = "qualtrics"
_IDS: dict[str, Builtin] = {
    "_recordId": "response_id",
    "startDate": "started_at",
    "endDate": "completed_at",
    "finished": "status",
    "userLanguage": "language",
    "recordedDate": "ignored",
    "status": "validity",  # how it was collected, not whether it is finished
    "progress": "ignored",
    "duration": "ignored",
    "distributionChannel": "validity",
    "ipAddress": "personal",
    "recipientLastName": "personal",
    "recipientFirstName": "personal",
    "recipientEmail": "personal",
    "externalDataReference": "personal",
    "locationLatitude": "personal",
    "locationLongitude": "personal",
}
_LEGACY: dict[str, Builtin] = {  # by the second row; the first one numbers them V1, V2 ...
    "responseid": "response_id",
    "responseset": "ignored",
    "startdate": "started_at",
    "enddate": "completed_at",
    "finished": "status",
    "status": "validity",
    "ipaddress": "personal",
    "name": "personal",
    "emailaddress": "personal",
    "externaldatareference": "personal",
    "recipientlastname": "personal",
    "recipientfirstname": "personal",
    "recipientemail": "personal",
    "locationlatitude": "personal",
    "locationlongitude": "personal",
    "locationaccuracy": "ignored",
}
_NEEDED = {"responseid", "responseset", "startdate", "finished"}
_TRUE, _FALSE = {"1", "true", "vrai", "verdadero"}, {"0", "false", "faux", "falso"}
_SELECTED = re.compile(
    r"\s+-\s+(selected choice|choix s[ée]lectionn[ée]|opci[óo]n seleccionada)\s*$", re.IGNORECASE
)
_NOT_VALID = {
    **dict.fromkeys(
        (
            "survey preview",
            "preview",
            "offline survey preview",
            "1",
            "17",
            "vista previa de la encuesta",
            "vista previa",
            "apercu de l enquete",
            "apercu du questionnaire",
            "apercu",
        ),
        "preview",
    ),
    **dict.fromkeys(
        ("survey test", "test", "2", "prueba de la encuesta", "prueba", "test de l enquete"), "test"
    ),
    **dict.fromkeys(
        (
            "spam",
            "survey preview spam",
            "imported spam",
            "offline spam",
            "8",
            "9",
            "12",
            "24",
            "correo no deseado",
            "indesirable",
        ),
        "spam",
    ),
}  # of the status, as label or as code
_UNANSWERED = "-99"


def recognise(sheet: Sheet) -> Layout | None:
    """A third row of ImportIds, or the two header rows of the exports before them."""
    return _with_ids(sheet) or _before_ids(sheet)


def _with_ids(sheet: Sheet) -> Layout | None:
    if len(sheet.first_rows) < 3:
        return None
    tags = [_tag(cell) for cell in sheet.first_rows[2]]
    if not any(tags):
        return None
    shared = Counter(tag.get("ImportId", "") for tag in tags if "choiceId" in tag)
    ranked = _ranked(sheet, tags)
    keys = unique_names(_key(tag) or name for tag, name in zip(tags, sheet.first_rows[0], strict=True))
    found = []
    for column, (tag, text) in enumerate(zip(tags, sheet.first_rows[1], strict=True)):
        builtin = _IDS.get(tag.get("ImportId", ""))
        question = Question(keys[column], in_words(text) or keys[column], builtin=builtin)
        if "choiceId" in tag and shared[tag["ImportId"]] > 1:
            choice = _choice(question)
            if tag["ImportId"] in ranked:
                choice = replace(choice, text=f"{choice.text} [{choice.choice}]", choice=None)
            found.append(choice)
        elif builtin:
            found.append(question)
        else:
            found.append(_question(sheet, column, question, 3))
    zones = {tag["timeZone"] for tag in tags if "timeZone" in tag}
    return _layout(found, 3, "by the ImportIds of the third row", zones.pop() if len(zones) == 1 else None)


def _before_ids(sheet: Sheet) -> Layout | None:
    if len(sheet.first_rows) < 2:
        return None
    names, texts = sheet.first_rows[:2]
    if not {normalize_text(text) for text in texts} >= _NEEDED:
        return None
    found = []
    for column, own in enumerate(questions_of(texts, _LEGACY)):
        key = unique_names(names)[column]
        empty = not names[column] and not texts[column] and not cells_of(sheet, column, 2)
        if own.builtin or empty:
            found.append(replace(own, key=key, builtin=own.builtin or "ignored"))
        else:
            found.append(_question(sheet, column, replace(own, key=key), 2))
    return _layout(found, 2, "by the names in the second of two header rows", None)


def _layout(questions: list[Question], header_rows: int, how: str, zone: str | None) -> Layout:
    has_status = any(question.builtin == "status" for question in questions)
    return Layout(
        TOOL,
        questions,
        header_rows=header_rows,
        completed=frozenset(_TRUE if has_status else ()),
        partial=frozenset(_FALSE if has_status else ()),
        missing=frozenset({_UNANSWERED}),
        not_valid=_NOT_VALID,
        zone=zone,
        notes=(f"Qualtrics: {how}.",),
    )


def _tag(cell: str) -> dict[str, str]:
    try:
        tag = json.loads(cell)
    except ValueError:
        return {}
    if not isinstance(tag, dict) or "ImportId" not in tag:
        return {}
    return {str(name): str(value) for name, value in tag.items()}


def _key(tag: dict[str, str]) -> str:
    return "/".join(tag[name] for name in ("ImportId", "choiceId") if name in tag)


def _ranked(sheet: Sheet, tags: list[dict[str, str]]) -> set[str]:
    """Questions whose choices hold ranks: numbers, and not only the 1 of a chosen one."""
    cells: dict[str, set[str]] = defaultdict(set)
    for column, tag in enumerate(tags):
        if "choiceId" in tag:
            cells[tag["ImportId"]].update(cells_of(sheet, column, 3))
    return {
        name
        for name, found in cells.items()
        if found - {"1"} and all(map(str.isdigit, found - {_UNANSWERED}))
    }


def _choice(question: Question) -> Question:
    text, mark, label = question.text.rpartition(" - ")
    if not mark:
        return replace(question, choice=question.text)
    return replace(question, text=_SELECTED.sub("", text), choice=label)


def _question(sheet: Sheet, column: int, question: Question, header_rows: int) -> Question:
    cells = [cell for cell in cells_of(sheet, column, header_rows) if cell != _UNANSWERED]
    text = _SELECTED.sub("", question.text) or question.text
    return replace(question, text=text, separator=joined_by(cells, (",",)))
