"""Columns of exports by their names in English, French, Spanish and Catalan. No platform by name here.

Each platform lists its names in a ``columns.yml``: the English name, and what it is called elsewhere. Names are
compared without case, accents and punctuation. A name that is not listed is not read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.shared.files import FileRefusedError

Language = Literal["en", "fr", "es", "ca"]
LANGUAGES: tuple[Language, ...] = ("en", "fr", "es", "ca")
IN_LANGUAGES = "in English, French, Spanish or Catalan"
_SPACES = "\u0020\u00a0\u202f\u2009"
# Whole numbers as each language groups thousands; French and Spanish write a decimal comma, so it groups nothing.
_GROUPED = {"en": ",", "fr": _SPACES, "es": "." + _SPACES, "ca": "." + _SPACES}
_WHOLE = {
    language: re.compile(rf"\d+|\d{{1,3}}(?:([{re.escape(marks)}])\d{{3}})(?:\1\d{{3}})*")
    for language, marks in _GROUPED.items()
}


@dataclass(frozen=True)
class Header:
    """The columns of a table: position by English name. ``language`` is the one most of the names are in."""

    places: Mapping[str, int]
    language: Language
    doubled: frozenset[str]

    def has(self, names: Collection[str]) -> bool:
        return set(names) <= set(self.places)

    def row(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells of the known columns, by English name."""
        return {name: cells[place].strip() for name, place in self.places.items()}

    def require_single(self, names: Collection[str]) -> None:
        """Refuse a table in which one of these columns occurs twice: which one counts is unknown.

        Raises:
            FileRefusedError: one does.
        """
        if doubled := sorted(self.doubled & set(names)):
            raise FileRefusedError(f"The column {doubled[0]} occurs twice. Export the file again.")


class ColumnNames:
    """What one platform calls its columns in each language."""

    def __init__(self, listed: Mapping[str, Mapping[Language, Sequence[str]]]) -> None:
        self._known: dict[str, tuple[str, set[Language]]] = {}
        for name, others in listed.items():
            self._add(name, name, "en")
            for language, words in others.items():
                for word in words:
                    self._add(word, name, language)

    def _add(self, word: str, name: str, language: Language) -> None:
        known, languages = self._known.setdefault(normalize_text(word), (name, set()))
        if known != name:
            raise ValueError(f"'{word}' names two columns: {known} and {name}")
        languages.add(language)

    def read(self, header: Sequence[str]) -> Header:
        """The known columns of a header; of two with the same meaning, the position of the first."""
        places: dict[str, int] = {}
        doubled: set[str] = set()
        votes = dict.fromkeys(LANGUAGES, 0)
        for place, word in enumerate(header):
            if (found := self._known.get(normalize_text(word))) is None:
                continue
            name, languages = found
            if name in places:
                doubled.add(name)
            places.setdefault(name, place)
            for language in languages:
                votes[language] += 1
        language = max(LANGUAGES, key=lambda one: votes[one])  # the first of several: English
        return Header(places, language, frozenset(doubled))


@lru_cache
def column_names(path: Path) -> ColumnNames:
    """The names listed in a file."""
    return ColumnNames(from_yaml(path.read_text("utf-8")))


def whole_number_of(text: str, language: Language) -> str | None:
    """The digits of a whole number as this language writes it; None if it is none."""
    if _WHOLE[language].fullmatch(text) is None:
        return None
    return re.sub(r"\D", "", text)
