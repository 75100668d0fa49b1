"""The first sheet of the form: what to do first, with links; version; rules; and what each sheet is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mel_pipeline.sources.workbook.form_style import MARK, PROTECTION, README, Formats
from mel_pipeline.sources.workbook.sheets import sheets
from mel_pipeline.sources.workbook.texts import Texts

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Version

_NAME, _TEXT, _COUNT = 1, 2, 3  # columns, from 0
_WIDTHS = {0: 3, _NAME: 30, _TEXT: 92, _COUNT: 9}
_LINE, _PER_LINE = 14, 118  # points of a line, and its characters


def write_readme(
    book: Any,
    formats: Formats,
    version: Version,
    texts: Texts,
    organisation: str,
    made_at: datetime | None,
) -> None:
    """Add it as the next sheet of the book."""
    _Page(book, formats, version, texts).write(organisation, made_at)


class _Page:
    def __init__(self, book: Any, formats: Formats, version: Version, texts: Texts) -> None:
        self._formats, self._version, self._texts = formats, version, texts
        self._page = book.add_worksheet(texts.readme.title)
        self._row = 0

    def write(self, organisation: str, made_at: datetime | None) -> None:
        page, texts = self._page, self._texts.readme
        page.hide_gridlines(2)
        for column, width in _WIDTHS.items():
            page.set_column(column, column, width)
        page.write_string(0, 0, f"{MARK}:{README}:{self._version.id}")
        page.set_row(0, None, None, {"hidden": True})
        self._row = 1
        self._across(texts.heading.format(organisation=organisation or "…"), self._formats.title, 30)
        self._across(texts.lead)
        self._row += 1
        self._first()
        self._heading(texts.rules)
        self._listed(texts.steps)
        self._row += 1
        self._contents()
        self._facts(made_at)
        page.protect("", {**PROTECTION, "select_locked_cells": True})
        page.set_landscape()
        page.fit_to_pages(1, 0)

    def _first(self) -> None:
        """What to do first: a link to each sheet, and what to write there."""
        texts = self._texts.readme
        self._heading(texts.first)
        for number, (sheet, what) in enumerate(texts.first_steps, start=1):
            self._link(sheet, f"{number}. {self._texts.title(sheet)}", what)
        self._across(f"{len(texts.first_steps) + 1}. {texts.give_back}")
        self._row += 1

    def _contents(self) -> None:
        texts, formats = self._texts, self._formats
        self._page.write_string(self._row, _COUNT, texts.readme.rows, formats.label_right)
        self._heading(texts.readme.sheets)
        for name in (one.name for one in sheets().values() if not one.shown):
            title, about = texts.sheets[name]
            self._page.write_number(self._row, _COUNT, len(self._version.rows.get(name, ())), formats.count)
            self._link(name, title, about)
        self._row += 1

    def _facts(self, made_at: datetime | None) -> None:
        """Which version this is; it leads back to the rows the file was made from."""
        texts, formats = self._texts.readme, self._formats
        facts = [(texts.version, f"{self._version.number} ({self._version.id})")]
        if made_at:
            facts.append((texts.made_at, f"{made_at:%Y-%m-%d %H:%M} UTC"))
        for name, value in [*facts, (texts.language, self._texts.language)]:
            self._page.write_string(self._row, _NAME, name, formats.label)
            self._page.write_string(self._row, _TEXT, value, formats.prose)
            self._row += 1
        self._across(texts.footer, formats.quiet)

    def _heading(self, text: str) -> None:
        self._page.write_string(self._row, _NAME, text, self._formats.label)
        self._row += 1

    def _listed(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._across(f"• {line}")

    def _across(self, text: str, form: Any = None, height: float | None = None) -> None:
        self._page.merge_range(self._row, _NAME, self._row, _TEXT, text, form or self._formats.prose)
        self._page.set_row(self._row, height or _height(text, _PER_LINE + _WIDTHS[_NAME]))
        self._row += 1

    def _link(self, sheet: str, name: str, what: str) -> None:
        title = self._texts.title(sheet).replace("'", "''")
        self._page.write_url(self._row, _NAME, f"internal:'{title}'!B3", self._formats.link, name)
        self._page.write_string(self._row, _TEXT, what, self._formats.prose)
        self._page.set_row(self._row, _height(what, _PER_LINE))
        self._row += 1


def _height(text: str, per_line: int) -> float:
    """Points of a row; merged cells and LibreOffice do not fit rows to their texts by themselves."""
    return 2 + _LINE * (1 + len(text) // per_line)
