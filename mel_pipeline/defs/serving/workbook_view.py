"""What the page ``/workbook`` shows, filled into its templates. Reads no request and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mel_pipeline.core.template_cache import template_cache
from mel_pipeline.defs.serving.listed_view import chosen, said, whole_codes
from mel_pipeline.defs.serving.workbook_rows import (
    Line,
    Table,
    capitalised,
    is_day,
    place_of,
    row_of,
    shortened,
)
from mel_pipeline.reporting.palette import stylesheet
from mel_pipeline.reporting.text.texts import Texts, load_texts
from mel_pipeline.sources.workbook.said import said_in

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.defs.serving.list_desk import ListDesk, ShownList
    from mel_pipeline.sources.workbook.model import Change, Conflict, Preview, Row, Version

MOST = 200  # rows of a list; more are counted
VERSIONS = 5
CODERS = ("first", "second", "both")
RARE = 0.25  # a column that fewer rows fill in stands below its row where a table is too wide
MOST_ABOUT = 90  # characters of what a row is about


@dataclass(frozen=True)
class Desk:
    """What the page can do with the workbook.

    ``write`` gives a file's name and content by language; ``comments`` that of the file in which open comments get their
    themes, by language and coder; ``lists`` are the attendance lists; ``preview`` says what an upload would change;
    ``accept`` takes a preview, a role, a note, whether large removals are meant, and who is signed in. ``sheet``,
    ``column`` and ``word`` (of a value) are names by language; ``keys`` are the columns that tell the rows of a sheet apart.
    """

    sources_dir: Path
    organisation: str
    languages: list[str]
    write: Callable[[str], tuple[str, bytes]]
    comments: Callable[[str, str], tuple[str, bytes]]
    lists: ListDesk
    preview: Callable[[bytes], Preview]
    accept: Callable[[Preview, str, str, bool, Person | None], Version]
    history: Callable[[], Sequence[Version]]
    sheet: Callable[[str, str], str]
    column: Callable[[str, str, str], str]
    word: Callable[[str, str, str, str], str]
    keys: Callable[[str], Sequence[str]]
    roles: Callable[[], Sequence[str]]


class View:
    """Pages by language."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.languages = desk.languages
        self._texts: dict[str, Texts] = {}

    def style(self) -> str:
        return stylesheet(self.desk.sources_dir, "report.css", "workbook/workbook.css")

    def front(
        self,
        language: str,
        token: str,
        *,
        accepted: int | None = None,
        problem: str = "",
        sentence: str = "",
        may_code: bool = False,
        shown: ShownList | None = None,
        taken_out: str = "",
    ) -> bytes:
        """Where the workbook is downloaded and given back.

        Args:
            problem: key of a text; ``sentence``: an error in its own words.
            may_code: whether who looks at it may read people's comments.
            shown: an attendance list and what became of it; ``taken_out``: name of one that was removed.
        """
        t = self._text(language)
        versions = list(self.desk.history())
        return self._fill(
            "front.html.jinja",
            language,
            token=token,
            current=versions[0],
            versions=[
                self._version(version, language, t) for version in versions[:VERSIONS] if version.accepted_at
            ],
            accepted=accepted if accepted == versions[0].number else None,
            problem=t(problem) if problem else "",
            sentence=sentence,
            coders=CODERS if may_code else (),
            shown=shown,
            listed=[said(event, t) for event in shown.answer.events] if shown else [],
            taken_out=taken_out,
            offered=self.desk.lists.offered(),
            chosen=partial(chosen, t=t),
        )

    def preview(
        self,
        preview: Preview,
        language: str,
        token: str,
        upload_token: str,
        problem: str = "",
        *,
        may_accept: bool = True,
    ) -> bytes:
        """What an upload would change, and the form that accepts it."""
        t = self._text(language)
        lists = {"new": preview.new, "changed": preview.changed, "removed": preview.removed}
        return self._fill(
            "preview.html.jinja",
            language,
            token=token,
            upload_token=upload_token,
            preview=preview,
            may_accept=may_accept,
            warnings=[said_in(words, language) for words in preview.warnings],
            counts=self._counts(preview, t),
            refused=[
                (
                    item.sheet,
                    item.cell,
                    self.desk.column(item.name, item.column, language) if item.name and item.column else "",
                    self._about(item.name, item.row.row, language) if item.name and item.row else "",
                    shortened(item.found),
                    capitalised(said_in(item.why, language)),
                )
                for item in preview.refused[:MOST]
            ],
            conflicts=[self._conflict(conflict, language) for conflict in preview.conflicts[:MOST]],
            whole={name: self._tables(lists[name][:MOST], language) for name in ("removed", "new")},
            changed=[self._change(change, language) for change in preview.changed[:MOST]],
            more={name: max(0, len(changes) - MOST) for name, changes in lists.items()}
            | {
                "refused": max(0, len(preview.refused) - MOST),
                "conflicts": max(0, len(preview.conflicts) - MOST),
            },
            large=t.listed([self.desk.sheet(name, language) for name in preview.needs_yes])
            if preview.needs_yes
            else "",
            roles=list(self.desk.roles()),
            problem=t(problem) if problem else "",
        )

    def _tables(self, changes: Sequence[Change], language: str) -> list[Table]:
        """Rows that are new or gone, a table for each sheet, with the columns that say something."""
        by_sheet: dict[str, list[Change]] = {}
        for change in changes:
            by_sheet.setdefault(change.sheet, []).append(change)
        return [self._fitting(sheet, rows, language) for sheet, rows in by_sheet.items()]

    def _fitting(self, sheet: str, changes: Sequence[Change], language: str) -> Table:
        """All columns; where they are too wide together, what few rows fill in stands below its row."""
        whole = self._table(sheet, changes, language)
        filled = Counter(key for change in changes for key, value in row_of(change).items() if value)
        rare = {key for key, count in filled.items() if count < len(changes) * RARE}
        if not whole.is_wide or not rare:
            return whole
        narrow = self._table(sheet, changes, language, without=rare)
        return whole if narrow.is_wide else narrow

    def _table(
        self, sheet: str, changes: Sequence[Change], language: str, without: Collection[str] = ()
    ) -> Table:
        rows = [(change, row_of(change)) for change in changes]
        keys = dict.fromkeys(key for _, row in rows for key in row if key != "id")
        said = [key for key in keys if key not in without and any(row.get(key) for _, row in rows)]

        def heading(key: str) -> str:
            return self.desk.column(sheet, key, language)

        def value(row: Row, key: str) -> str:
            return self._value(sheet, key, row.get(key), language)

        return Table(
            self.desk.sheet(sheet, language),
            [heading(key) for key in said],
            [(place_of(change), [value(row, key) for key in said]) for change, row in rows],
            [
                [(heading(key), value(row, key)) for key in keys if key in without and row.get(key)]
                for _, row in rows
            ],
        )

    def _change(self, change: Change, language: str) -> Line:
        before, after = change.before or {}, change.after or {}
        keys = change.columns
        cells = [
            (
                self.desk.column(change.sheet, key, language),
                self._value(change.sheet, key, before.get(key), language),
                self._value(change.sheet, key, after.get(key), language),
            )
            for key in keys
        ]
        place = change.cell or change.id or ""
        return Line(
            self.desk.sheet(change.sheet, language), place, self._about(change.sheet, before, language), cells
        )

    def _about(self, sheet: str, row: Row, language: str) -> str:
        """What tells the row from others: the columns of the sheet's key, an indicator with its name."""
        said = [self._value(sheet, key, row.get(key), language) for key in self.desk.keys(sheet)]
        text = " · ".join(dict.fromkeys(filter(None, said)))
        return text if len(text) <= MOST_ABOUT else f"{text[:MOST_ABOUT]}…"

    def _conflict(self, conflict: Conflict, language: str) -> dict[str, Any]:
        """Of a row changed in two places: the columns that differ, before, here and in the upload."""
        rows: list[Row] = [row or {} for row in (conflict.base, conflict.current, conflict.uploaded)]
        keys = dict.fromkeys(key for row in rows for key in row if key != "id")
        differing = [key for key in keys if len({row.get(key) for row in rows}) > 1]
        return {
            "sheet": self.desk.sheet(conflict.sheet, language),
            "place": conflict.cell or conflict.id or "",
            "about": self._about(conflict.sheet, conflict.current or conflict.base or {}, language),
            "cells": [
                (
                    self.desk.column(conflict.sheet, key, language),
                    *(self._value(conflict.sheet, key, row.get(key), language) for row in rows),
                )
                for key in differing
            ],
            "removed_here": conflict.uploaded is None,
            "removed_there": conflict.current is None,
        }

    def _value(self, sheet: str, key: str, value: str | None, language: str) -> str:
        words = self.desk.word(sheet, key, value, language) if value else ""
        return self._text(language).day(date.fromisoformat(words)) if is_day(words) else shortened(words)

    def _counts(self, preview: Preview, t: Texts) -> list[tuple[str, str]]:
        numbers = {
            "new": len(preview.new),
            "changed": len(preview.changed),
            "removed": len(preview.removed),
            "refused": len(preview.refused),
            "conflicts": len(preview.conflicts),
            "unchanged": preview.unchanged,
        }
        return [(t(f"workbook_page.{name}"), t.number(count)) for name, count in numbers.items()]

    def _version(self, version: Version, language: str, t: Texts) -> dict[str, str]:
        changed = [
            f"{self.desk.sheet(name, language)} {t.number(sum(counts.values()))}"
            for name, counts in version.counts.items()
        ]
        return {
            "changes": ", ".join(changed),
            "number": str(version.number),
            "day": t.day(version.accepted_at.date()) if version.accepted_at else "",
            "role": version.role,
            "note": version.note,
        }

    def _text(self, language: str) -> Texts:
        if language not in self._texts:
            self._texts[language] = load_texts(self.desk.sources_dir, language)
        return self._texts[language]

    def _fill(self, template: str, language: str, **values: object) -> bytes:
        languages = [(code, self._text(code)("site.language_name")) for code in self.languages]
        page = self._environment.get_template(f"workbook/{template}").render(
            t=self._text(language),
            language=language,
            languages=languages,
            organisation=self.desk.organisation,
            **values,
        )
        return page.encode("utf-8")

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self.desk.sources_dir / "templates"),
            bytecode_cache=template_cache(),
            auto_reload=False,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["codes"] = whole_codes
        return environment
