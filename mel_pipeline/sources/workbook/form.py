"""Write the workbook that people fill in. Deterministic: the same version, choices and time give the same bytes.

A hidden first row holds keys for the way back: ``mel:<sheet>:<version>`` and the key of each column. The second row has
the headings, protected without a password; everything below is free.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from mel_pipeline.sources.workbook.cells import NAMED
from mel_pipeline.sources.workbook.form_style import (
    COMMENT,
    LINE,
    LISTS,
    MARK,
    PROTECTION,
    README,
    ROWS_TO_FILL,
    Formats,
    cell_width,
)
from mel_pipeline.sources.workbook.sheets import ID, LANGUAGES, FormColumn, Sheet, letters_of, sheets
from mel_pipeline.sources.workbook.texts import Texts, texts_in

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row, Rows, Version

HEADINGS, FIRST = 1, 2  # rows, from 0
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def write(
    version: Version,
    language: str,
    choices: Mapping[str, Sequence[str]] | None = None,
    *,
    organisation: str = "",
    made_at: datetime | None = None,
    proposals: Rows | None = None,
    languages: Sequence[str] = LANGUAGES,
) -> bytes:
    """The form with the rows of a version, as XLSX.

    Args:
        language: of headings, notes and words; English where there are none in it.
        choices: entries of drop-down lists, by the name that ``sheets.yml`` gives them. An indicator's begin with its
            code: ``MEM-01 · Member cities``.
        made_at: when it was made, in UTC; printed on the first sheet.
        proposals: rows without a number to be completed, such as cities without a decision.
        languages: those whose texts the organisation writes; columns of others are hidden.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"title": "Workbook", "created": made_at or version.accepted_at or _EPOCH})
    form = _Form(book, version, texts_in(language), dict(choices or {}), [*languages, LANGUAGES[0]])
    form.readme(organisation, made_at)
    for sheet in sheets().values():
        form.sheet(sheet, (proposals or {}).get(sheet.name, ()))
    form.finish()
    book.close()
    return buffer.getvalue()


OWN_INDICATORS = "manual_indicators"  # the sheet, and the list of its indicators


class _Form:
    """One workbook being written."""

    def __init__(
        self,
        book: Any,
        version: Version,
        texts: Texts,
        choices: dict[str, Sequence[str]],
        languages: Sequence[str],
    ) -> None:
        self._book, self._version, self._texts = book, version, texts
        self._choices, self._languages = choices, languages
        self._formats = Formats(book)
        self._lists: dict[str, tuple[str, Sequence[str]]] = {}

    def readme(self, organisation: str, made_at: datetime | None) -> None:
        """The first sheet: version, how it works, what the sheets are for."""
        texts, formats = self._texts.readme, self._formats
        page = self._book.add_worksheet(texts.title)
        page.hide_gridlines(2)
        page.set_column(0, 0, 3)
        page.set_column(1, 1, 30)
        page.set_column(2, 2, 92)
        page.set_column(3, 3, 9)
        page.write_string(0, 0, f"{MARK}:{README}:{self._version.id}")
        page.set_row(0, None, None, {"hidden": True})
        page.merge_range(1, 1, 1, 2, texts.heading.format(organisation=organisation or "…"), formats.title)
        page.set_row(1, 30)
        page.merge_range(2, 1, 2, 2, texts.lead, formats.prose)
        page.set_row(2, 48)
        row = 4
        facts = [(texts.version, f"{self._version.number} ({self._version.id})")]
        if made_at:
            facts.append((texts.made_at, f"{made_at:%Y-%m-%d %H:%M} UTC"))
        for name, value in [*facts, (texts.language, self._texts.language)]:
            page.write_string(row, 1, name, formats.label)
            page.write_string(row, 2, value, formats.prose)
            row += 1
        row += 1
        for number, step in enumerate(texts.steps, start=1):
            page.merge_range(row, 1, row, 2, f"{number}. {step}", formats.prose)
            page.set_row(row, 32 if len(step) > 150 else 17)
            row += 1
        self._contents(page, row + 1)
        page.protect("", {**PROTECTION, "select_locked_cells": True})
        page.set_landscape()
        page.fit_to_pages(1, 0)

    def _contents(self, page: Any, row: int) -> None:
        texts, formats = self._texts, self._formats
        page.write_string(row, 1, texts.readme.sheets, formats.label)
        page.write_string(row, 3, texts.readme.rows, formats.label_right)
        for name in sheets():
            row += 1
            title, about = texts.sheets[name]
            page.write_url(
                row, 1, f"internal:'{title.replace(chr(39), chr(39) * 2)}'!B3", formats.link, title
            )
            page.write_string(row, 2, about, formats.prose)
            page.write_number(row, 3, len(self._version.rows.get(name, ())), formats.count)
            page.set_row(row, 32 if len(about) > 128 else 17)
        page.merge_range(row + 2, 1, row + 2, 2, texts.readme.footer, formats.quiet)

    def sheet(self, sheet: Sheet, proposals: Sequence[Row]) -> None:
        """One sheet with its rows."""
        page = self._book.add_worksheet(self._texts.title(sheet.name))
        columns = [None, *sheet.columns]
        rows = self._version.rows.get(sheet.name, ())
        last = FIRST + len(rows) + len(proposals) + ROWS_TO_FILL
        page.set_row(0, None, None, {"hidden": True})
        page.set_row(HEADINGS, 33)
        page.freeze_panes(FIRST, 2)
        for place, column in enumerate(columns):
            self._column(page, sheet, place, column, last)
        for number, row in enumerate([*rows, *proposals], start=FIRST):
            page.write_string(number, 0, row.get(ID) or "", self._formats.number_of_row)
            for place, column in enumerate(sheet.columns, start=1):
                self._cell(page, number, place, column, row.get(column.key))
            if (lines := self._lines(sheet, row)) > 1:
                page.set_row(number, lines * LINE)  # LibreOffice does not fit rows to their texts by itself
        self._mark_missing(page, sheet, last)
        page.autofilter(HEADINGS, 0, last, len(sheet.columns))
        page.protect("", PROTECTION)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.repeat_rows(HEADINGS)
        page.print_area(HEADINGS, 0, max(FIRST + len(rows) + len(proposals), FIRST + 8), len(sheet.columns))

    def _column(self, page: Any, sheet: Sheet, place: int, column: FormColumn | None, last: int) -> None:
        """Key, heading, note, width and list of a column; None: that of the row's number."""
        texts, formats = self._texts, self._formats
        if column is None:
            page.write_string(0, 0, f"{MARK}:{sheet.name}:{self._version.id}")
            page.write_string(HEADINGS, 0, texts.id_heading, formats.quiet_heading)
            page.write_comment(HEADINGS, 0, texts.id_note, COMMENT)
            page.set_column(0, 0, 8, formats.number_of_row)
            return
        hidden = column.language is not None and column.language not in self._languages
        heading = texts.heading(sheet, column)
        page.write_string(0, place, column.key)
        page.write_string(
            HEADINGS,
            place,
            f"{heading} *" if column.required else heading,
            formats.heading if column.required else formats.optional_heading,
        )
        note = "\n".join(
            part for part in (texts.note(sheet, column), texts.required if column.required else "") if part
        )
        if note:
            page.write_comment(HEADINGS, place, note, COMMENT)
        page.set_column(place, place, cell_width(column, heading), formats.of(column), {"hidden": hidden})
        self._validate(page, place, column, last)

    def _validate(self, page: Any, place: int, column: FormColumn, last: int) -> None:
        """Drop-down lists, and numbers and days checked while they are typed."""
        texts = self._texts
        rule: dict[str, Any] = {"ignore_blank": True, "error_title": "✗"}
        if column.allowed:
            words = [texts.word(code) for code in column.allowed]
            rule |= {"validate": "list", "source": self._list(column.key + "|".join(words), words)}
            rule |= {"error_message": texts.wrong["choice"]}
        elif column.choices == OWN_INDICATORS or (column.choices and self._entries(column)):
            own = column.choices == OWN_INDICATORS
            source = self._codes() if own else self._list(column.choices or "", self._entries(column))
            rule |= {"validate": "list", "source": source}
            rule |= {
                "error_message": texts.wrong["choice"],
                "error_type": "information" if column.free else "warning",
            }
        elif column.kind in ("number", "integer"):
            least = column.minimum if column.minimum is not None else -1e15
            most = column.maximum if column.maximum is not None else 1e15
            kind = "integer" if column.kind == "integer" else "decimal"
            rule |= {"validate": kind, "criteria": "between", "minimum": least, "maximum": most}
            rule |= {"error_message": texts.wrong["number"]}
        elif column.kind == "date":
            rule |= {"validate": "date", "criteria": ">=", "value": date(1950, 1, 1)}
            rule |= {"error_message": texts.wrong["date"]}
        else:
            return
        page.data_validation(FIRST, place, last, place, rule)

    def _codes(self) -> str:
        """The column of codes of the sheet that defines indicators: what is typed there can be chosen at once."""
        title = self._texts.title(OWN_INDICATORS).replace("'", "''")
        last = FIRST + len(self._version.rows.get(OWN_INDICATORS, ())) + ROWS_TO_FILL
        return f"='{title}'!$B${FIRST + 1}:$B${last}"

    def _entries(self, column: FormColumn) -> list[str]:
        entries = list(self._choices.get(column.choices or "", ()))
        return [self._texts.word(column.said), *entries] if column.said and entries else entries

    def _list(self, name: str, entries: Sequence[str]) -> str:
        """The address of a list on the hidden sheet; equal lists are written once."""
        if name not in self._lists:
            place = len(self._lists)
            letters = letters_of(place)
            self._lists[name] = f"={LISTS}!${letters}$2:${letters}${len(entries) + 1}", entries
        return self._lists[name][0]

    def _cell(self, page: Any, number: int, place: int, column: FormColumn, value: str | None) -> None:
        if value is None:
            return
        form = self._formats.of(column)
        if named := next((one for one in self._entries(column) if one.startswith(f"{value}{NAMED}")), None):
            page.write_string(number, place, named, form)
        elif column.kind in ("number", "integer"):
            try:
                page.write_number(number, place, float(value), form)
            except ValueError:  # of a file of before, not yet checked
                page.write_string(number, place, value, form)
        elif column.kind == "date":
            try:
                page.write_datetime(number, place, datetime.combine(date.fromisoformat(value), time()), form)
            except ValueError:
                page.write_string(number, place, value, form)
        else:
            page.write_string(number, place, self._shown(column, value), form)

    def _shown(self, column: FormColumn, value: str) -> str:
        """A value as the list shows it."""
        if column.allowed or value == column.said:
            return self._texts.word(value)
        if column.kind == "indicator":
            return next((entry for entry in self._entries(column) if entry.startswith(value)), value)
        return value

    def _lines(self, sheet: Sheet, row: Row) -> int:
        """Lines of the longest text of a row that is shown."""
        texts = [
            (column.width, self._shown(column, row.get(column.key) or ""))
            for column in sheet.columns
            if column.language is None or column.language in self._languages
        ]
        return max(
            sum(1 + len(part) // (width * 8 // 7) for part in text.split("\n")) for width, text in texts
        )

    def _mark_missing(self, page: Any, sheet: Sheet, last: int) -> None:
        """Colour what a row that has been begun still needs."""
        end = letters_of(len(sheet.columns))
        row = FIRST + 1
        for place, column in enumerate(sheet.columns, start=1):
            if column.required:
                letters = letters_of(place)
                page.conditional_format(
                    *(FIRST, place, last, place),
                    {
                        "type": "formula",
                        "criteria": f"=AND(COUNTA($B{row}:${end}{row})>0,ISBLANK(${letters}{row}))",
                        "format": self._formats.missing,
                    },
                )

    def finish(self) -> None:
        """The hidden sheet with the entries of the lists."""
        page = self._book.add_worksheet(LISTS)
        page.write_string(0, 0, f"{MARK}:lists:{self._version.id}")
        for place, (_, entries) in enumerate(self._lists.values()):
            for number, entry in enumerate(entries, start=1):
                page.write_string(number, place, entry)
        page.hide()
