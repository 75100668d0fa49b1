"""Texts that look as if they named a person. Only shapes are known: an address, or a title before a name. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mel_pipeline.sources.shared.survey.personal import without_personal
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.sources.workbook.sheets import sheets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mel_pipeline.sources.workbook.model import Row

SHEETS = ("projects", "logframe", "outcomes", "partnerships", "comments")  # whose texts are printed
# Titles of the four languages. "Mayor of Dakar" and "the Mayor Forum" name nobody: after a word that is no abbreviation,
# two words of a name are wanted.
_SHORT = r"(?:Mr|Mrs|Ms|Mx|Dr|Prof|Sr|Sra|Srta|Dra|Mme|Mlle)\.?|M\."
_LONG = (
    r"Sir|Madam|Don|Doña|Doctora?|Professora?|Senyora?|Monsieur|Madame|Señora?|Mayor|Mayoress|Maire|Alcalde|Alcaldesa"
    r"|Alcaldessa|Minister|Ministre|Ministra|Ministro"
)
_NAME = r"[A-ZÀ-ÖØ-ÞŁŚŻČŠŽĐ][\w'’-]+"
_TITLED = re.compile(rf"\b(?:(?:{_SHORT}) {_NAME}|(?:{_LONG}) {_NAME} {_NAME})")


def names_a_person(text: str) -> bool:
    """Whether a text holds an address, a telephone number, or a title with a name behind it."""
    return without_personal(text) != text or bool(_TITLED.search(text))


def doubtful_columns(sheet: str, row: Row) -> list[str]:
    """Columns of a row whose texts may name a person; none of a sheet that is never printed."""
    if sheet not in SHEETS:
        return []
    keys = [
        column.key for column in sheets()[sheet].columns if column.kind == "text" and column.pattern is None
    ]
    return [key for key in keys if names_a_person(row.get(key) or "")]


def doubts(sheet: str, rows: Iterable[Row]) -> list[str]:
    """A sentence for each row whose texts may name a person: its place, never its words."""
    found = ((row, doubtful_columns(sheet, row)) for row in rows)
    return [
        f"{row['id']}, {', '.join(columns)}: {Said('may_name_person')}" for row, columns in found if columns
    ]
