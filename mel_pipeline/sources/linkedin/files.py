"""Read days of a page and posts from exports of LinkedIn's page analytics. Who posted is never read. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice

from mel_pipeline.sources.shared.dates import Order, order_of, read_moment
from mel_pipeline.sources.shared.files import DropFile, Table, open_tables
from mel_pipeline.sources.shared.platform.exports import (
    Day,
    Export,
    Faulty,
    Post,
    columns_of,
    figures_of,
    unknown_header,
)

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
_URN = re.compile(r"urn:li:\w+:\d+")
_HEADING_ROWS = 3  # a description may precede the header
_EXPORT_HINT = "Export again from the page's analytics (Content), in English; save an .xls as .xlsx."


def read_export(file: DropFile, page: str) -> Export:
    """Days and posts of a file; a workbook has a sheet for each.

    Args:
        page: whose export it is; the file does not say.

    Raises:
        FileRefusedError: it has neither.
        TransientSourceError: it changed while it was being read.
    """
    with open_tables(file) as tables:
        export = Export(how=f"{file.name}: LinkedIn page analytics, {', '.join(tables)}.")
        found = [
            _read_table(export, table, f"{file.name}{_sheet(name, tables)}", page)
            for name, table in tables.items()
        ]
        if not any(found):
            raise unknown_header("LinkedIn page analytics", next(iter(tables.values())).header, _EXPORT_HINT)
    return export


def _sheet(name: str, tables: Mapping[str, Table]) -> str:
    return f", sheet {name}" if len(tables) > 1 else ""


def _read_table(export: Export, table: Table, place: str, page: str) -> bool:
    """Add the rows of a table of days or posts to the export; False when it is neither."""
    for skipped, header in enumerate([table.header, *islice(table.rows(), _HEADING_ROWS - 1)]):
        columns = columns_of(header)
        add, dates = (_day, "date") if set(columns) >= _DAYS else (_post, "created date")
        if not set(columns) >= (_DAYS if add is _day else _POSTS):
            continue  # a description
        body = list(islice(table.rows(), skipped, None))
        order = order_of((row[columns[dates]] for row in body), "month_first")
        for number, cells in enumerate(body, start=skipped + 2):
            add(export, _row_by_name(cells, columns), f"{place}, row {number}", page, order)
        return True
    return False


def _row_by_name(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[position].strip() for name, position in columns.items() if name != "posted by"}


def _day(export: Export, row: Mapping[str, str], place: str, page: str, order: Order) -> None:
    day = _date(row["date"], order)
    figures, unread = figures_of(row, DAY_METRICS)
    if day is None or unread:
        column, reason = (
            ("period_start", "The day cannot be read.")
            if day is None
            else ("value", "A figure is no whole number.")
        )
        export.faulty.append(Faulty(place, column, reason, {"account_id": page}))
        return
    export.days.append(Day(page, day, place, figures))


def _post(export: Export, row: Mapping[str, str], place: str, page: str, order: Order) -> None:
    urn = _URN.search(row["post link"])
    day = _date(row["created date"], order)
    if urn is None or day is None:
        reason = "The address of the post, or its day, cannot be read."
        export.faulty.append(Faulty(place, "content_id", reason, {"account_id": page}))
        return
    figures, unread = figures_of(row, POST_METRICS)
    title = row.get("post title") or None
    export.posts.append(Post(page, None, urn[0], "post", title, day, place, figures, unread))


def _date(text: str, order: Order) -> date | None:
    try:
        return date.fromisoformat(read_moment(text, order)[:10])
    except ValueError:
        return None
