"""Write the workbook that people fill in. Deterministic: the same version, choices and time give the same bytes.

A hidden first row holds keys for the way back: ``mel:<sheet>:<version>`` and the key of each column. The second row has
the headings, protected without a password; everything below is free.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from mel_pipeline.sources.workbook.form_lists import FIRST, TARGETABLE, Lists
from mel_pipeline.sources.workbook.form_readme import write_readme
from mel_pipeline.sources.workbook.form_style import (
    COMMENT,
    LINE,
    MARK,
    PROTECTION,
    ROWS_TO_FILL,
    Formats,
    cell_width,
)
from mel_pipeline.sources.workbook.said import said_in
from mel_pipeline.sources.workbook.sheets import (
    ID,
    LANGUAGES,
    PROPOSAL,
    FormColumn,
    Sheet,
    letters_of,
    sheets,
)
from mel_pipeline.sources.workbook.texts import texts_in

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Proposal, Row, Version

HEADINGS = FIRST - 1  # row, from 0
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def write(
    version: Version,
    language: str,
    choices: Mapping[str, Sequence[str]] | None = None,
    *,
    organisation: str = "",
    made_at: datetime | None = None,
    proposals: Mapping[str, Sequence[Proposal]] | None = None,
    takes_none: Sequence[str] = (),
    languages: Sequence[str] = LANGUAGES,
    only: Sheet | None = None,
) -> bytes:
    """The form with the rows of a version, as XLSX.

    Args:
        language: of headings, notes and words; English where there are none in it.
        choices: entries of drop-down lists, by the name that ``sheets.yml`` gives them. An indicator's begin with its
            code: ``MEM-01 · Member cities``.
        made_at: when it was made, in UTC; printed on the first sheet.
        proposals: rows without a number to be completed, by sheet, each with why it is proposed.
        takes_none: codes of the indicators that take no target; the heading's note names them.
        languages: those whose texts the organisation writes; columns of others are hidden.
        only: this sheet alone; all that have no file of their own by default.
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
    texts = texts_in(language)
    lists = Lists(version, texts, choices or {})
    form = _Form(book, version, language, lists, [*languages, LANGUAGES[0]], takes_none)
    if only is None:
        write_readme(book, form.formats, version, texts, organisation, made_at)
    for sheet in [only] if only else [one for one in sheets().values() if not one.shown]:
        form.sheet(sheet, (proposals or {}).get(sheet.name, ()))
    lists.finish(book)
    book.close()
    return buffer.getvalue()


class _Form:
    """One workbook being written."""

    def __init__(
        self,
        book: Any,
        version: Version,
        language: str,
        lists: Lists,
        languages: Sequence[str],
        takes_none: Sequence[str],
    ) -> None:
        self._book, self._version = book, version
        self._language, self._texts = language, texts_in(language)
        self._lists, self._languages, self._takes_none = lists, languages, takes_none
        self.formats = Formats(book)

    def sheet(self, sheet: Sheet, proposals: Sequence[Proposal]) -> None:
        """One sheet with its rows, and below them those that are proposed."""
        page = self._book.add_worksheet(self._texts.title(sheet.name))
        rows = [*self._version.rows.get(sheet.name, ()), *(one.row for one in proposals)]
        last = FIRST + len(rows) + ROWS_TO_FILL
        page.set_row(0, None, None, {"hidden": True})
        page.set_row(HEADINGS, 33)
        page.freeze_panes(FIRST, 2)
        for place, column in enumerate([None, *sheet.columns]):
            self._column(page, sheet, place, column, last)
        for number, row in enumerate(rows, start=FIRST):
            page.write_string(number, 0, row.get(ID) or "", self.formats.number_of_row)
            for place, column in enumerate(sheet.columns, start=1):
                self._cell(page, number, place, column, row.get(column.key))
            if (lines := self._lines(sheet, row)) > 1:
                page.set_row(number, lines * LINE)  # LibreOffice does not fit rows to their texts by itself
        self._mark_missing(page, sheet, last)
        width = len(sheet.columns) + bool(proposals)
        if proposals:
            self._proposed(page, sheet, [one.why for one in proposals], FIRST + len(rows))
        page.autofilter(HEADINGS, 0, last, width)
        page.protect("", PROTECTION)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.repeat_rows(HEADINGS)
        page.print_area(HEADINGS, 0, max(FIRST + len(rows), FIRST + 8), width)

    def _proposed(self, page: Any, sheet: Sheet, why: Sequence[str], end: int) -> None:
        """The last column, which marks proposed rows and says why they are there; and what they wait for in colour."""
        texts, place, first = self._texts, len(sheet.columns) + 1, end - len(why)
        heading, note = texts.columns[PROPOSAL]
        page.write_string(0, place, PROPOSAL)
        page.write_string(HEADINGS, place, heading, self.formats.quiet_heading)
        page.write_comment(HEADINGS, place, note, COMMENT)
        page.set_column(place, place, 64, self.formats.proposal)
        for number, words in enumerate(why, start=first):
            page.write_string(number, place, said_in(words, self._language), self.formats.proposal)
        waiting = {*sheet.wanted, *(key for group in sheet.waits_for for key in group)}
        letters = [
            letters_of(number)
            for number, one in enumerate(sheet.columns, start=1)
            if one.key in waiting or one.required
        ]
        for letter in letters:
            cells = f"{letter}{first + 1}:{letter}{end}"
            rule = {
                "type": "formula",
                "criteria": f"=ISBLANK({letter}{first + 1})",
                "format": self.formats.missing,
            }
            page.conditional_format(cells, rule)

    def _column(self, page: Any, sheet: Sheet, place: int, column: FormColumn | None, last: int) -> None:
        """Key, heading, note, width and list of a column; None: that of the row's number."""
        texts, formats = self._texts, self.formats
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
        takes_none = self._takes_none if column.choices == TARGETABLE else ()
        parts = (
            texts.note(sheet, column),
            texts.takes_none.format(codes=", ".join(takes_none)) if takes_none else "",
            texts.required if column.required else "",
        )
        note = "\n".join(part for part in parts if part)
        if note:
            page.write_comment(HEADINGS, place, note, COMMENT)
        page.set_column(place, place, cell_width(column, heading), formats.of(column), {"hidden": hidden})
        if rule := self._lists.rule(column):
            page.data_validation(FIRST, place, last, place, rule)

    def _cell(self, page: Any, number: int, place: int, column: FormColumn, value: str | None) -> None:
        if value is None:
            return
        form, shown = self.formats.of(column), self._lists.shown(column, value)
        try:
            if shown == value and column.kind in ("number", "integer"):
                page.write_number(number, place, float(value), form)
                return
            if shown == value and column.kind == "date":
                page.write_datetime(number, place, datetime.combine(date.fromisoformat(value), time()), form)
                return
        except ValueError:  # of a file of before, not yet checked
            pass
        page.write_string(number, place, shown, form)

    def _lines(self, sheet: Sheet, row: Row) -> int:
        """Lines of the longest text of a row that is shown."""
        texts = [
            (column.width, self._lists.shown(column, row.get(column.key) or ""))
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
                        "format": self.formats.missing,
                    },
                )
