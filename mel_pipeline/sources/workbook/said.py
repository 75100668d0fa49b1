"""Sentences about a workbook in the language of who reads them. A ``Said`` is the English text and can give the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mel_pipeline.sources.workbook.sheets import LANGUAGES, sheets
from mel_pipeline.sources.workbook.texts import texts_in

ENGLISH = LANGUAGES[0]


@dataclass(frozen=True)
class Name:
    """A sheet, a column of it, or the word of a choice, as a value of a sentence."""

    sheet: str = ""
    column: str = ""
    word: str = ""

    def within(self, language: str) -> str:
        texts = texts_in(language)
        if self.word:
            return texts.word(self.word)
        known = sheets()[self.sheet]
        return texts.heading(known, known.column(self.column)) if self.column else texts.title(self.sheet)


class Said(str):
    """A sentence by its key in ``texts/*.yml``, under ``said``. As text it is the English one."""

    key: str
    values: dict[str, object]

    def __new__(cls, key: str, **values: object) -> Said:
        made = super().__new__(cls, _filled(key, values, ENGLISH))
        made.key, made.values = key, values
        return made

    def within(self, language: str) -> str:
        return _filled(self.key, self.values, language)

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.key, self.values)


def _again(key: str, values: dict[str, object]) -> Said:
    return Said(key, **values)


def said_in(text: object, language: str) -> str:
    """A sentence in a language; what has no translation as it is. Of an error, its message."""
    if isinstance(text, Exception):
        text = text.args[0] if text.args else ""
    return _shown(text, language)


def _filled(key: str, values: dict[str, object], language: str) -> str:
    return (
        texts_in(language)
        .said[key]
        .format(**{name: _shown(value, language) for name, value in values.items()})
    )


def _shown(value: object, language: str) -> str:
    if isinstance(value, (Said, Name)):
        return value.within(language)
    if isinstance(value, int):
        return (
            f"{value:,}"
            if language == ENGLISH
            else f"{value:,}".replace(",", "\u202f" if language == "fr" else ".")
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(one, language) for one in value)
    return str(value)
