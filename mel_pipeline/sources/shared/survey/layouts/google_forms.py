"""Google Forms (CSV, or the Sheet's XLSX): a timestamp, perhaps an address, then the questions; no response id."""

from __future__ import annotations

from dataclasses import replace

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import cells_of, joined_by, questions_of
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Sheet

TOOL = "google_forms"
_TIMESTAMPS = {"timestamp", "horodateur", "marca temporal", "marca de temps"}
_BUILTINS: dict[str, Builtin] = {
    **dict.fromkeys(_TIMESTAMPS, "completed_at"),
    "username": "personal",
    "email address": "personal",
    "adresse e mail": "personal",
    "nom d utilisateur": "personal",
    "direccion de correo electronico": "personal",
    "nombre de usuario": "personal",
    "adreca electronica": "personal",
    "nom d usuari": "personal",
    "score": "ignored",  # of a quiz
    "puntuacion": "ignored",
    "puntuacio": "ignored",
}
_OWN_COLUMNS = 3  # address and score follow the timestamp; later ones are questions


def recognise(sheet: Sheet) -> Layout | None:
    """The first column is the timestamp, in the form's language."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    if len(header) < 2 or normalize_text(header[0]) not in _TIMESTAMPS:
        return None
    questions = [
        question
        if question.builtin and column < _OWN_COLUMNS
        # A form's CSV joins choices by `;`, its Sheet by a comma.
        else replace(question, builtin=None, separator=joined_by(cells_of(sheet, column), (";", ", ")))
        for column, question in enumerate(questions_of(header, _BUILTINS))
    ]
    return Layout(TOOL, questions, notes=(f"Google Forms: by the first column, {questions[0].text}.",))
