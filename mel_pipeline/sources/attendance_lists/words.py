"""What the words of attendance lists mean: headers, yes and no, lengths of time. No files, no rows here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.shared.survey.codebook import common_codebook

NAMED = {"name", "given_name", "family_name"}
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*[*:]*\s*$")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_CLOCK = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})")
_PARTS = re.compile(
    r"(?:(\d+)\s*(?:h|hr|hrs|hours?|heures?|horas?|hores?)\.?)?\s*"
    r"(?:(\d+)\s*(?:m|min|mins|minutes?|minutos?|minuts?)\.?)?\s*"
    r"(?:(\d+)\s*(?:s|sec|secs|seg|seconds?|secondes?|segundos?|segons?)\.?)?",
    re.IGNORECASE,
)
LONGEST = 14 * 24 * 3600  # seconds


@lru_cache(maxsize=1)
def _written() -> dict[str, Any]:
    words: dict[str, Any] = from_yaml(Path(__file__).with_name("columns.yml").read_text(encoding="utf-8"))
    return words


@lru_cache(maxsize=1)
def _columns() -> dict[str, str]:
    names = {normalize_text(text): role for role, texts in _written()["columns"].items() for text in texts}
    genders = common_codebook().questions.get("gender", ())
    return names | dict.fromkeys(map(normalize_text, genders), "gender")


@lru_cache(maxsize=1)
def _above() -> dict[str, str]:
    return {normalize_text(text): role for role, texts in _written()["above"].items() for text in texts}


@lru_cache
def known(kind: str) -> frozenset[str]:
    """The words of one kind, as ``normalize_text`` gives them."""
    return frozenset(normalize_text(str(text)) for text in _written()[kind])


def _found(text: str, names: dict[str, str]) -> str | None:
    if "#" in text:
        return None  # `Attendee #` is a number
    words = normalize_text(text)
    return names.get(words) or names.get(normalize_text(_BRACKETS.sub("", text)))


def column_of(header: str) -> str | None:
    """What a column holds, by its header; None for one that is not read."""
    return _found(header, _columns())


def label_of(text: str) -> str | None:
    """What a label above the table says, `other` where it is none that is read; None for a value."""
    return _found(text.rstrip(" :"), _above())


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Column → position, of the first of each. `Nom` beside `Prénom` or `Cognoms` is the other half of a name."""
    found: dict[str, int] = {}
    for place, text in enumerate(header):
        if role := column_of(text):
            found.setdefault(role, place)
    texts = [normalize_text(text) for text in header]
    if "prenom" in texts and "nom" in texts:
        found["given_name"], found["family_name"] = texts.index("prenom"), texts.index("nom")
    elif (
        "given_name" in found
        and "family_name" not in found
        and texts[found["given_name"]] in ("nom", "nombre")
    ):
        found.setdefault("name", found.pop("given_name"))
    return found


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row is the header of a table of people, and no label with a value."""
    found = columns_of(cells)
    labels = any(label_of(cell) == "other" and column_of(cell) is None for cell in cells)
    if labels and not NAMED & found.keys():
        return False  # what Zoom says about the meeting, the host's address among it
    several = len(found) > 1 or sum(map(bool, cells)) == 1
    return several and bool(NAMED & found.keys() or "email" in found)


def headers_in(cells: Sequence[str]) -> int:
    """How many cells of a row are known: the delimiter with the most is the right one."""
    return sum(column_of(cell) is not None or label_of(cell) is not None for cell in cells if cell)


def tool_of(headers: Collection[str]) -> str:
    """Which tool writes a list with these headers; without a sign of one it is a sign-in sheet."""
    texts = {normalize_text(text) for text in headers}
    for tool, signs in _written()["tools"].items():
        if texts & {normalize_text(sign) for sign in signs}:
            return str(tool)
    return "sign_in"


def answer_of(text: str) -> bool | None:
    """Whether a cell says that somebody came; None where it says neither yes nor no."""
    words = normalize_text(text)
    if words in known("yes") or text.strip() in "✓✔☑":
        return True
    return False if words in known("no") or text.strip(" -–—") == "" else None


def seconds_of(text: str) -> int | None:
    """A length of time: bare numbers are minutes. None where it is none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        found = round(float(text.replace(",", ".")) * 60)
    elif clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = map(int, clock.groups())
        found = hours * 3600 + minutes * 60 + seconds
    elif text and (parts := _PARTS.fullmatch(text)):
        hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        found = hours * 3600 + minutes * 60 + seconds
    else:
        return None
    return found if found <= LONGEST else None


def letters_of(answers: Collection[str]) -> dict[str, str]:
    """What single letters of a column of genders mean, in English; nothing where they prove no language."""
    letters = {normalize_text(one) for one in answers if len(normalize_text(one)) == 1}
    fitting = [pair for pair in _written()["letters"] if letters and letters <= set(pair.values())]
    meanings = {(letter, gender) for pair in fitting for gender, letter in pair.items() if letter in letters}
    return dict(meanings) if len(meanings) == len(letters) else {}
