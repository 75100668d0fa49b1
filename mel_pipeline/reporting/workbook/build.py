"""The figures of an edition as a workbook, one table per sheet. The content of the sheets is in ``sheets``."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.text.texts import texts_of
from mel_pipeline.reporting.workbook.cells import Day, Number, Sheet
from mel_pipeline.reporting.workbook.sheets import workbook_sheets

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.palette import Palette
    from mel_pipeline.reporting.text.texts import Texts

WIDEST, NARROWEST = 56, 10  # letters
WIDEST_PAGE = 190
LINE = 15  # points


def build_workbook(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> Path:
    """Write ``<out_dir>/<period>/figures-<language>.xlsx``; the same edition, the same bytes.

    Raises:
        ReportError: a frame or text cannot be read, a text is too long for a cell, or the folder cannot be written.
    """
    check_columns(edition)
    texts = texts_of(edition, sources_dir, language)
    path = out_dir / edition.period / f"figures-{language}.xlsx"
    write_if_changed(
        path, _workbook(edition, workbook_sheets(edition, texts), texts, load_palette(sources_dir))
    )
    return path


def _workbook(edition: Edition, sheets: list[Sheet], texts: Texts, palette: Palette) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        # Names and notes come from outside: never treat a text as a formula, a link or a number.
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties(
        {
            "title": texts(
                "page.title", organisation=edition.organisation, period=texts.period_title(edition.period)
            ),
            "subject": texts("page.eyebrow"),
            "author": edition.organisation,
            "company": edition.organisation,
            "created": datetime.combine(edition.data_as_of, time(), UTC).replace(tzinfo=None),
        }
    )
    book.set_custom_property("Language", texts.language, "text")
    writer = _Writer(book, texts, palette)
    for sheet in sheets:
        writer.add(sheet)
    book.close()
    return buffer.getvalue()


class _Writer:
    """Writes sheets with a handful of formats, each made once."""

    def __init__(self, book: Any, texts: Texts, palette: Palette) -> None:
        self.book, self.texts = book, texts
        self.formats: dict[tuple[str, str], Any] = {}
        colours = palette.workbook
        self.base = {
            "font_name": palette.fonts["workbook"],
            "font_size": palette.sizes["workbook"],
            "font_color": colours["ink"],
            "valign": "top",
        }
        head = {
            **self.base,
            "bold": True,
            "bg_color": colours["head"],
            "bottom": 1,
            "text_wrap": True,
            "valign": "vcenter",
            "indent": 1,
        }
        self.head, self.head_of_numbers = (
            book.add_format({**head, "align": align}) for align in ("left", "right")
        )
        self.link = book.add_format({**self.base, "font_color": colours["link"], "underline": 1})

    def add(self, sheet: Sheet) -> None:
        page = self.book.add_worksheet(sheet.name)
        widths = [_width(sheet, column, title) for column, title in enumerate(sheet.columns)]
        numeric = {
            column
            for column in range(len(widths))
            if any(isinstance(cells[column], Number) for cells in sheet.rows)
        }
        _print_setup(page, sheet, sum(widths))
        for column, width in enumerate(widths):
            page.set_column(column, column, width)
        page.set_row(0, LINE * max(_lines(title, widths[at]) for at, title in enumerate(sheet.columns)) + 4)
        for row, cells in enumerate(sheet.rows, start=1):
            # Not every program grows rows for wrapped lines by itself.
            lines = max(_lines(str(cell), widths[at]) for at, cell in enumerate(cells))
            page.set_row(row, min(409, LINE * lines + 2))
            for column, cell in enumerate(cells):
                self._cell(page, sheet, row, column, cell, right=column in numeric)
        made = page.add_table(
            0,
            0,
            len(sheet.rows),
            len(sheet.columns) - 1,
            {
                "name": sheet.key,
                "style": None,
                "autofilter": sheet.filtered,
                "columns": [
                    {
                        "header": title,
                        "header_format": self.head_of_numbers if column in numeric else self.head,
                    }
                    for column, title in enumerate(sheet.columns)
                ],
            },
        )
        if made:
            raise ReportError(
                f"Writing the sheet '{sheet.name}': two columns have the same name. Fix the texts in reports/locales."
            )
        page.freeze_panes(1, sheet.frozen)

    def _cell(self, page: Any, sheet: Sheet, row: int, column: int, cell: object, *, right: bool) -> None:
        if isinstance(cell, Number):
            done = page.write_number(row, column, cell.value, self._format(cell.format, "right"))
        elif isinstance(cell, Day):
            done = page.write_datetime(row, column, cell.value, self._format("yyyy-mm-dd", "left"))
        elif column == 0 and row - 1 in sheet.links:
            address = "internal:'" + sheet.links[row - 1].replace("'", "''") + "'!A1"
            done = page.write_url(row, column, address, self.link, str(cell))
        else:
            done = page.write_string(row, column, str(cell), self._format("@", "right" if right else "left"))
        if done:
            raise ReportError(
                f"Writing the sheet '{sheet.name}', row {row + 1}: a text of {len(str(cell)):,} letters is too long"
                " for a cell (32,767). Shorten it at its source."
            )

    def _format(self, number: str, align: str) -> Any:
        if (number, align) not in self.formats:
            shape = {
                **self.base,
                "align": align,
                "indent": 1,
                "num_format": number,
                "text_wrap": number == "@",
            }
            self.formats[number, align] = self.book.add_format(shape)
        return self.formats[number, align]


def _print_setup(page: Any, sheet: Sheet, width: float) -> None:
    """A4 landscape; a wide table spans several pages that repeat its first columns, to stay readable."""
    page.hide_gridlines(2)
    page.set_landscape()
    page.set_paper(9)
    page.repeat_rows(0)
    page.set_footer("&L&A&R&P / &N")
    if width <= WIDEST_PAGE:
        page.fit_to_pages(1, 0)
    else:
        page.set_print_scale(60)
        if sheet.frozen:
            page.repeat_columns(0, sheet.frozen - 1)


def _lines(text: str, width: float) -> int:
    return sum(max(1, math.ceil(len(line) * 1.08 / (width - 2))) for line in text.split("\n"))


def _width(sheet: Sheet, column: int, title: str) -> float:
    """In letters: as wide as the longest line, within bounds; longer lines wrap."""
    longest = max((len(line) for cells in sheet.rows for line in str(cells[column]).split("\n")), default=0)
    words = max(len(word) for word in title.split())
    return min(WIDEST, max(NARROWEST, longest + 4, words + 6))
