"""Drop-down lists of the form: which entries a column offers, and the rules by which a cell is checked while it is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from mel_pipeline.sources.workbook.cells import NAMED
from mel_pipeline.sources.workbook.form_style import LISTS, MARK, ROWS_TO_FILL
from mel_pipeline.sources.workbook.sheets import FormColumn, letters_of
from mel_pipeline.sources.workbook.texts import Texts

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Version

FIRST = 2  # row of the first statement, from 0: below keys and headings
INDICATORS = "indicators"  # the list of every indicator
TARGETABLE = "targetable"  # the list of those that can have a target
LIVE = ("manual_indicators", "projects")  # sheets, and the lists of the codes in their first column


class Lists:
    """The lists of one workbook.

    Args:
        choices: entries by the name that ``sheets.yml`` gives their list.
    """

    def __init__(self, version: Version, texts: Texts, choices: Mapping[str, Sequence[str]]) -> None:
        self._version, self._texts, self._choices = version, texts, choices
        self._written: dict[str, tuple[str, Sequence[str]]] = {}

    def rule(self, column: FormColumn) -> dict[str, Any] | None:
        """How a spreadsheet checks a cell of a column: by a list, as a number or as a day; None: it does not."""
        texts = self._texts
        rule: dict[str, Any] = {"ignore_blank": True, "error_title": "✗"}
        if column.allowed:
            words = [texts.word(code) for code in column.allowed]
            rule |= {"validate": "list", "source": self._address(column.key + "|".join(words), words)}
            return rule | {"error_message": texts.wrong["choice"]}
        sheet = column.choices if column.choices in LIVE else None
        if sheet or (column.choices and self.entries(column)):
            source = (
                self._codes(sheet) if sheet else self._address(column.choices or "", self.entries(column))
            )
            rule |= {"validate": "list", "source": source, "error_message": texts.wrong["choice"]}
            return rule | {"error_type": "information" if column.free else "warning"}
        if column.kind in ("number", "integer"):
            least = column.minimum if column.minimum is not None else -1e15
            most = column.maximum if column.maximum is not None else 1e15
            kind = "integer" if column.kind == "integer" else "decimal"
            rule |= {"validate": kind, "criteria": "between", "minimum": least, "maximum": most}
            return rule | {"error_message": texts.wrong["number"]}
        if column.kind == "date":
            rule |= {"validate": "date", "criteria": ">=", "value": date(1950, 1, 1)}
            return rule | {"error_message": texts.wrong["date"]}
        return None

    def entries(self, column: FormColumn) -> list[str]:
        """What the list of a column offers."""
        entries = list(self._choices.get(column.choices or "", ()))
        return [self._texts.word(column.said), *entries] if column.said and entries else entries

    def shown(self, column: FormColumn, value: str) -> str:
        """A value as the list shows it. An indicator has its name, even where the list does not offer it."""
        if column.allowed or value == column.said:
            return self._texts.word(value)
        named = [*self.entries(column), *self._choices.get(INDICATORS, ())]
        if not (column.kind == "indicator" and column.choices):
            named = self.entries(column)
        return next((entry for entry in named if entry.startswith(f"{value}{NAMED}")), value)

    def finish(self, book: Any) -> None:
        """Write the hidden sheet with the entries."""
        page = book.add_worksheet(LISTS)
        page.write_string(0, 0, f"{MARK}:lists:{self._version.id}")
        for place, (_, entries) in enumerate(self._written.values()):
            for number, entry in enumerate(entries, start=1):
                page.write_string(number, place, entry)
        page.hide()

    def _codes(self, sheet: str) -> str:
        """The column of codes of the sheet that defines them: what is typed there can be chosen at once."""
        title = self._texts.title(sheet).replace("'", "''")
        last = FIRST + len(self._version.rows.get(sheet, ())) + ROWS_TO_FILL
        return f"='{title}'!$B${FIRST + 1}:$B${last}"

    def _address(self, name: str, entries: Sequence[str]) -> str:
        """Of a list on the hidden sheet; equal lists are written once."""
        if name not in self._written:
            letters = letters_of(len(self._written))
            self._written[name] = f"={LISTS}!${letters}$2:${letters}${len(entries) + 1}", entries
        return self._written[name][0]
