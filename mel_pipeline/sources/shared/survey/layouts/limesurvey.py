"""LimeSurvey (CSV, XLSX): `code. text`, codes or texts alone; no date of submission means unfinished."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.headers import cells_of, in_words, questions_of, unique_names
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Question, Sheet

TOOL = "limesurvey"
_CODES: dict[str, Builtin] = {
    "id": "response_id",
    "submitdate": "completed_at",
    "startdate": "started_at",
    "startlanguage": "language",
    "datestamp": "ignored",
    "lastpage": "ignored",
    "seed": "ignored",
    "interviewtime": "ignored",
    "quota_exit": "ignored",
    "ipaddr": "personal",
    "refurl": "personal",
    "token": "personal",
    "firstname": "personal",
    "lastname": "personal",
    "email": "personal",
}
_TEXTS = {  # of an export without codes
    "id": {"response id", "id de la reponse", "id de respuesta", "id de la resposta"},
    "submitdate": {
        "date submitted",
        "date de soumission",
        "fecha de envio",
        "data d enviament",
        "data de tramesa",
    },
    "lastpage": {"last page", "derniere page", "ultima pagina", "darrera pagina"},
    "startlanguage": {
        "start language",
        "langue de depart",
        "langue initiale",
        "lenguaje inicial",
        "idioma inicial",
    },
    "seed": {"seed", "tete de serie", "semilla"},
    "startdate": {"date started", "date de lancement", "date de debut", "fecha de inicio"},
    "datestamp": {"date last action", "date de la derniere action", "fecha de la ultima accion"},
    "ipaddr": {"ip address", "adresse ip", "direccion ip"},
    "refurl": {"referrer url", "url de provenance", "url de referencia"},
    "token": {"access code", "code d acces", "codigo de acceso", "token"},
}
_NEEDED = {"id", "submitdate", "lastpage", "startlanguage"}
_CODED = re.compile(r"([A-Za-z][A-Za-z0-9_]*(?:\[[^\]]*\])*)(?:\.\s+(.*))?", re.DOTALL)
_YES, _NO = {"yes", "oui", "si", "y"}, {"no", "non", "n"}
_NOT_SHOWN = "N/A"
_UNSELECTED = {"not selected", "non selectionne", "no seleccionado"}


def recognise(sheet: Sheet) -> Layout | None:
    """Id, date of submission, last page and language are there, by their codes or their texts."""
    header = sheet.first_rows[0] if sheet.first_rows else []
    coded = {_code(name) for name in header} >= _NEEDED
    if coded:
        questions = _coded(sheet, header)
    else:
        own = {text: _CODES[code] for code, texts in _TEXTS.items() for text in texts}
        names = {normalize_text(name) for name in header}
        if not all(names & _TEXTS[code] for code in _NEEDED):
            return None
        questions = questions_of(header, own)
    return Layout(
        TOOL,
        questions,
        missing=frozenset({_NOT_SHOWN}),
        not_chosen=frozenset({"0", "false", "no", "non", "n", *_UNSELECTED}),
        ids_within_survey=True,
        notes=(f"LimeSurvey: by the {'codes' if coded else 'texts'} of id, submission, page and language.",),
    )


def _code(header: str) -> str:
    match = _CODED.fullmatch(header.strip())
    return match[1] if match else ""


def _coded(sheet: Sheet, header: list[str]) -> list[Question]:
    codes = [_code(name) for name in header]
    families: dict[str, list[int]] = defaultdict(list)
    for column, code in enumerate(codes):
        if "[" in code and not code.endswith(("[other]", "[comment]", "comment]")):
            families[code.split("[")[0]].append(column)
    choices = {column for columns in families.values() if _are_choices(sheet, columns) for column in columns}
    found = []
    keys = unique_names(code or in_words(name) for code, name in zip(codes, header, strict=True))
    for column, (code, name) in enumerate(zip(codes, header, strict=True)):
        match = _CODED.fullmatch(name.strip())
        text = in_words(match[2] or match[1] if match else name) or keys[column]
        question = Question(keys[column], text, builtin=_CODES.get(code))
        if column in choices and (split := re.fullmatch(r"(.*?)\s*\[([^\[\]]*)\]", text)):
            question = replace(question, text=split[1], choice=split[2])
        found.append(question)
    return found


def _are_choices(sheet: Sheet, columns: list[int]) -> bool:
    """Whether each column of a family says only yes or no: then they are the choices of one question."""
    cells = {
        normalize_text(cell)
        for column in columns
        for cell in cells_of(sheet, column)
        if cell.upper() != _NOT_SHOWN
    }
    return len(columns) > 1 and bool(cells) and bool(cells & _YES) and cells <= _YES | _NO | _UNSELECTED
