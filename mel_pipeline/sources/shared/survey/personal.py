"""Detect personal data in a survey, by header or by value. Names in running text cannot be detected."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.person_names import asks_for_a_name

REMOVED = "[removed]"
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_IP = r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}(?::?[0-9A-Fa-f]{1,4})\b"
_PHONE = r"\+\d[\d ().-]{7,}\d"
_VALUE = re.compile(f"{_EMAIL}|{_IP}|{_PHONE}")
_LIKELY = re.compile(r"@|\d\.\d|\w:\w|\+\d")  # cheap pre-check: without one of these there is nothing to find
_HEADER = re.compile(  # on plain text; whole words
    r"\b(ip|e ?mail|user agent|agente (de )?usuario|agent utilisateur|agent d usuari|correo( electronico)?|courriel|mail"
    r"|correu( electronic)?|adresse electronique|adreca electronica|phone|telephone|telefono|telefon|movil|mobil|mobile"
    r"|celular|whatsapp|passport|pasaporte|passeport|passaport|dni|nie|numero de (cedula|identidad|identitat)"
    r"|(date of birth|fecha de nacimiento|date de naissance|data de naixement)"
    r"|(home|postal|street) address|adresse postale|direccion postal|adreca postal"
    r"|response url|edit (link|url))\b"
)
_SHARE = 0.05  # of a column's answers; from here on it asks for contacts, and names appear beside addresses


def is_personal_header(text: str) -> bool:
    """Whether a question asks for something personal: a name, an address, a telephone number."""
    return bool(_HEADER.search(normalize_text(text)) or asks_for_a_name(text) or _holds(text))


def asks_for_contacts(answers: Iterable[str]) -> bool:
    """Whether so many answers are addresses or phone numbers that the whole column must be left out."""
    matches = [_holds(answer) for answer in answers if answer]
    return bool(matches) and sum(matches) / len(matches) >= _SHARE


def without_personal(text: str) -> str:
    """A text with addresses and telephone numbers removed."""
    return _VALUE.sub(REMOVED, text) if _LIKELY.search(text) else text


def _holds(text: str) -> bool:
    return bool(_LIKELY.search(text) and _VALUE.search(text))
