"""Read days of a page and posts from exports of LinkedIn's page analytics. Who posted is never read. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.linkedin.parse import ACTIVITY, number_of
from mel_pipeline.sources.shared.dates import Order, has_two_readings, order_of, read_moment
from mel_pipeline.sources.shared.files import DropFile, FileRefusedError, Table, open_tables
from mel_pipeline.sources.shared.platform.export_rows import (
    Day,
    Export,
    Faulty,
    Post,
    figures_of,
    require_one_kind,
    unknown_header,
)
from mel_pipeline.sources.shared.platform.headers import Language, column_names

_NAMES = column_names(Path(__file__).with_name("columns.yml"))
# Organic figures, as from the API; paid ones are left out.
DAY_METRICS = {
    "impressions (organic)": "impressionCount", "unique impressions (organic)": "uniqueImpressionsCount",
    "clicks (organic)": "clickCount", "reactions (organic)": "likeCount", "comments (organic)": "commentCount",
    "reposts (organic)": "shareCount",
}  # fmt: skip
POST_METRICS = {
    "impressions": "impressionCount", "clicks": "clickCount", "likes": "likeCount", "comments": "commentCount",
    "reposts": "shareCount",
}  # fmt: skip
_DAYS = {"date", "impressions (organic)"}
_POSTS = {"post link", "created date", "impressions"}
_SPONSORED = (
    "sponsor",
    "patroc",
    "commandit",
    "promo",
    "anunci",
    "paid",
    "pagad",
)  # beginnings, four languages
_ORGANIC = ("organ", "general")  # within, four languages
_URN = re.compile(r"urn:li:\w+:\d+")
_HEADING_ROWS = 3  # a description may precede the header
_EXPORT_HINT = "Export again from the page's analytics (Content); save an .xls as .xlsx."


@dataclass(frozen=True)
class _Sheet:
    """A table of days or posts: its rows with their places."""

    holds: Literal["days", "posts"]
    rows: list[tuple[str, dict[str, str]]]
    language: Language

    @property
    def dates(self) -> list[str]:
        return [row["date" if self.holds == "days" else "created date"] for _, row in self.rows]


def read_export(file: DropFile, page: str, declared: Order | None = None, setting: str = "") -> Export:
    """Days and posts of a file; a workbook has a sheet for each.

    Args:
        page: whose export it is; the file does not say.
        declared: order of day and month, where no date of the file shows it.
        setting: the variable that declares it.

    Raises:
        FileRefusedError: it has neither, or its dates can be read in two ways.
        TransientSourceError: it changed while it was being read.
    """
    with open_tables(file) as tables:
        export = Export(how=f"{file.name}: LinkedIn page analytics, {', '.join(tables)}.")
        found = [
            _sheet_of(table, file.name + (f", sheet {name}" if len(tables) > 1 else ""))
            for name, table in tables.items()
        ]
        sheets = [sheet for sheet in found if sheet is not None]
        if not sheets:
            raise unknown_header("LinkedIn page analytics", next(iter(tables.values())).header, _EXPORT_HINT)
    order = _order(sheets, declared, setting)
    for sheet in sheets:
        read = _read_days if sheet.holds == "days" else _read_posts
        read(export, sheet, page, order)
    return export


def _sheet_of(table: Table, place: str) -> _Sheet | None:
    """A table of days or posts, below its description; None when it is neither."""
    for skipped, names in enumerate([table.header, *islice(table.rows(), _HEADING_ROWS - 1)]):
        header = _NAMES.read(names)
        holds: Literal["days", "posts"] = "days" if header.has(_DAYS) else "posts"
        if not header.has(_DAYS if holds == "days" else _POSTS):
            continue  # a description
        header.require_single(header.places)
        body = enumerate(islice(table.rows(), skipped, None), start=skipped + 2)
        rows = [(f"{place}, row {number}", header.row(cells)) for number, cells in body]
        return _Sheet(holds, rows, header.language)
    return None


def _order(sheets: list[_Sheet], declared: Order | None, setting: str) -> Order:
    """The order of day and month, decided by all dates of the file, or by days that follow one another.

    Raises:
        FileRefusedError: nothing decides it.
    """
    for sheet in sheets:
        require_one_kind(sheet.dates)
    texts = [text for sheet in sheets for text in sheet.dates]
    remedy = f", or set {setting} to day_first or month_first" if setting else ""
    try:
        return order_of(texts, declared, remedy)
    except FileRefusedError:
        for sheet in sheets:
            if sheet.holds == "days" and (order := _consecutive(sheet.dates)):
                return order
        raise


def _consecutive(texts: list[str]) -> Order | None:
    """The order in which the days of a table follow one another without a gap, where only one does."""
    if len(texts) < 2 or not all(map(has_two_readings, texts)):
        return None
    orders: tuple[Order, Order] = ("day_first", "month_first")
    fitting: list[Order] = []
    for order in orders:
        days = sorted(filter(None, map(partial(_date, order=order), texts)))
        if days == [days[0] + timedelta(days=number) for number in range(len(texts))]:
            fitting.append(order)
    return fitting[0] if len(fitting) == 1 else None


def _read_days(export: Export, sheet: _Sheet, page: str, order: Order) -> None:
    for place, row in sheet.rows:
        day = _date(row["date"], order)
        figures, unread = figures_of(row, DAY_METRICS, sheet.language)
        if day is None or unread:
            column, reason = (
                ("period_start", "The day cannot be read.")
                if day is None
                else ("value", "A figure is no whole number.")
            )
            export.faulty.append(Faulty(place, column, reason, {"account_id": page}))
            continue
        export.days.append(Day(page, day, place, figures))


def _read_posts(export: Export, sheet: _Sheet, page: str, order: Order) -> None:
    """Organic posts. A sponsored one has a row of its own, with the same address and the figures of the campaign."""
    sponsored = 0
    for place, row in sheet.rows:
        if _is_sponsored(row):
            sponsored += 1
            continue
        if not _is_organic(row):
            reason = "The type of the post is neither organic nor sponsored, so its figures may be paid ones."
            export.faulty.append(Faulty(place, "content_id", reason, {"account_id": page}))
            continue
        urn = _URN.search(row["post link"])
        day = _date(row["created date"], order)
        if urn is None or day is None:
            reason = "The address of the post, or its day, cannot be read."
            export.faulty.append(Faulty(place, "content_id", reason, {"account_id": page}))
            continue
        figures, unread = figures_of(row, POST_METRICS, sheet.language)
        title = row.get("post title") or None
        kind = ACTIVITY if ":activity:" in urn[0] else "post"
        published = _moment(urn[0], day)
        export.posts.append(
            Post(page, None, number_of(urn[0]), kind, title, published, place, figures, unread)
        )
    if sponsored:
        export.how += f" {sponsored:,} rows of sponsored posts: paid figures, left out."


def _is_sponsored(row: Mapping[str, str]) -> bool:
    kind = normalize_text(row.get("post type", ""))
    return kind.startswith(_SPONSORED) or (not kind.startswith("organ") and bool(row.get("campaign name")))


def _is_organic(row: Mapping[str, str]) -> bool:
    """An export without the column, or with an empty cell, has no sponsored posts."""
    kind = normalize_text(row.get("post type", ""))
    return not kind or any(word in kind for word in _ORGANIC)


def _moment(urn: str, day: date) -> datetime | date:
    """The moment that the number of a post holds, in its upper bits, where it is of the stated day; else the day."""
    try:
        moment = datetime.fromtimestamp((int(number_of(urn)) >> 22) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return day
    return moment if moment.date() == day else day


def _date(text: str, order: Order) -> date | None:
    try:
        return date.fromisoformat(read_moment(text, order)[:10])
    except ValueError:
        return None
