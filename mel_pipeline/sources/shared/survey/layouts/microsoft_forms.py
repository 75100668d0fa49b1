"""Microsoft Forms (XLSX, CSV): id, start, completion, address and name first; several choices end in a semicolon."""

from __future__ import annotations

from dataclasses import replace

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import cells_of, questions_of
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Sheet

TOOL = "microsoft_forms"
_STARTS = {"start time", "heure de debut", "hora de inicio", "hora d inici"}
_ENDS = {"completion time", "heure de fin", "hora de finalizacion", "hora de finalitzacio"}
_BUILTINS: dict[str, Builtin] = {
    "id": "response_id",
    **dict.fromkeys(_STARTS, "started_at"),
    **dict.fromkeys(_ENDS, "completed_at"),
    "email": "personal",
    "adresse de messagerie": "personal",
    "correo electronico": "personal",
    "correu electronic": "personal",
    "name": "personal",
    "nom": "personal",
    "nombre": "personal",
    "language": "language",
    "langue": "language",
    "idioma": "language",
    "last modified time": "ignored",
    "heure de la derniere modification": "ignored",
    "hora de la ultima modificacion": "ignored",
    "hora de la darrera modificacio": "ignored",
    "hora de l ultima modificacio": "ignored",
    "total points": "ignored",  # of a quiz; these stay English
    "quiz feedback": "ignored",
    "grade posted time": "ignored",
}
_OWN_COLUMNS = 10


def recognise(sheet: Sheet) -> Layout | None:
    """The first three columns are id, start and completion, in one language."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    first = [normalize_text(name) for name in header[:3]]
    if len(first) < 3 or first[0] != "id" or first[1] not in _STARTS or first[2] not in _ENDS:
        return None
    questions = []
    own = True  # the tool's columns are contiguous; the first question ends them
    for column, question in enumerate(questions_of(header, _BUILTINS)):
        own = own and question.builtin is not None and column < _OWN_COLUMNS
        if own:
            questions.append(question)
        else:
            cells = cells_of(sheet, column)
            several = any(cell.endswith(";") for cell in cells)
            questions.append(replace(question, builtin=None, separator=";" if several else None))
    return Layout(
        TOOL,
        questions,
        ids_within_survey=True,
        notes=("Microsoft Forms: by id, start and completion time.",),
    )
