"""SurveyMonkey (CSV, XLSX): two header rows, the first filled to the right, the second with choices or `Response`."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import cells_of, in_words, questions_of, unique_names
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Question, Sheet

TOOL = "surveymonkey"
_BUILTINS: dict[str, Builtin] = {
    "respondent id": "response_id",
    "id de repondant": "response_id",
    "id du repondant": "response_id",
    "id del encuestado": "response_id",
    "id de encuestado": "response_id",
    "identifiant du repondant": "response_id",
    "identificador del encuestado": "response_id",
    "collector id": "ignored",
    "id de collecteur": "ignored",
    "id du collecteur": "ignored",
    "id del recopilador": "ignored",
    "id de recopilador": "ignored",
    "identifiant du collecteur": "ignored",
    "identificador del recopilador": "ignored",
    "date created": "started_at",
    "start date": "started_at",
    "date de creation": "started_at",
    "date de debut": "started_at",
    "fecha de inicio": "started_at",
    "fecha de creacion": "started_at",
    "date modified": "completed_at",
    "end date": "completed_at",
    "date de modification": "completed_at",
    "date de fin": "completed_at",
    "fecha de finalizacion": "completed_at",
    "fecha de modificacion": "completed_at",
    "ip address": "personal",
    "adresse ip": "personal",
    "direccion ip": "personal",
    "email address": "personal",
    "adresse email": "personal",
    "adresse e mail": "personal",
    "direccion de correo electronico": "personal",
    "first name": "personal",
    "prenom": "personal",
    "nombre": "personal",
    "last name": "personal",
    "nom": "personal",
    "nom de famille": "personal",
    "apellido": "personal",
    "apellidos": "personal",
    "custom data 1": "ignored",
    "custom data": "ignored",
    "donnees personnalisees 1": "ignored",
    "datos personalizados 1": "ignored",
}
_IDS = {name for name, kind in _BUILTINS.items() if kind == "response_id"}
_COLLECTORS = {
    "collector id",
    "id de collecteur",
    "id du collecteur",
    "id del recopilador",
    "id de recopilador",
    "identifiant du collecteur",
    "identificador del recopilador",
}
_WHOLE = {  # the second row says only that the column is the answer
    "", "response", "open ended response", "reponse", "reponse ouverte", "respuesta", "respuesta abierta",
}  # fmt: skip
_WRITTEN = re.compile(r"\b(specify|precise[rz]|especifi\w+)")  # beside a last choice, a free-text answer


def recognise(sheet: Sheet) -> Layout | None:
    """Respondent and collector in the first row, nothing under them in the second."""
    if len(sheet.first_rows) < 2:
        return None
    above, below = sheet.first_rows[:2]
    first = [normalize_text(name) for name in above[:2]]
    if len(first) < 2 or first[0] not in _IDS or first[1] not in _COLLECTORS or any(below[:2]):
        return None
    own = questions_of(above, _BUILTINS)
    filled = _filled(above)
    found: list[Question] = []
    keys = unique_names(_key(above[start], below[column]) for column, start in enumerate(filled))
    for start, members in groupby(range(len(above)), key=lambda column: filled[column]):
        columns = list(members)
        if own[start].builtin and not below[start] and len(columns) == 1:
            found.append(own[start])
        else:
            found += _group(sheet, columns, own[start].text, keys)
    return Layout(
        TOOL,
        found,
        header_rows=2,
        not_chosen=frozenset(),  # left empty; a chosen 0 repeats its label
        notes=(
            "SurveyMonkey: by Respondent ID, Collector ID and two header rows.",
            "The export does not say which responses are incomplete; filter them out in SurveyMonkey.",
        ),
    )


def _filled(above: list[str]) -> list[int]:
    """For each column, the one whose first-row text applies to it: the nearest filled one to the left."""
    starts: list[int] = []
    for column, text in enumerate(above):
        starts.append(column if text.strip() or not starts else starts[-1])
    return starts


def _key(question: str, answer: str) -> str:
    question, answer = in_words(question), in_words(answer)
    return question if normalize_text(answer) in _WHOLE else f"{question} / {answer}"


def _group(sheet: Sheet, columns: list[int], text: str, keys: list[str]) -> list[Question]:
    """The columns of one question: its answer, its choices, or its rows with an answer each."""
    labels = {column: in_words(sheet.first_rows[1][column]) for column in columns}
    closed = [
        column
        for column in columns
        if normalize_text(labels[column]) not in _WHOLE
        and not _WRITTEN.search(normalize_text(labels[column]))
    ]
    are_choices = _are_choices(sheet, closed)
    found = []
    for column in columns:
        question = Question(keys[column], text)
        if normalize_text(labels[column]) in _WHOLE:
            found.append(question)
        elif column in closed and are_choices:
            found.append(replace(question, choice=labels[column]))
        else:
            beside = (text, labels[column]) if are_choices and closed else None
            found.append(replace(question, text=f"{text} [{labels[column]}]", written_beside=beside))
    return found


def _are_choices(sheet: Sheet, columns: list[int]) -> bool:
    """Whether each column is one choice: a chosen one repeats its label, or has the number of the choice.

    A row of a matrix holds answers in other words, or has numbers beside those of other rows.
    """
    cells = {column: set(cells_of(sheet, column, 2)) for column in columns}
    if all(cells[column] <= {sheet.first_rows[1][column].strip()} for column in columns):
        return True
    rows = [[row[column].strip() for column in columns if column < len(row)] for row in sheet.first_rows[2:]]
    alone = all(sum(map(bool, row)) <= 1 for row in rows)
    return (
        len(columns) > 1
        and alone
        and all(len(found) <= 1 and "".join(found).isdigit() for found in cells.values() if found)
    )
