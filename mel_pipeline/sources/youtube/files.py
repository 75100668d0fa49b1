"""Read videos, or days of a channel, from YouTube Studio exports (CSV, English). No HTTP here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from mel_pipeline.sources.shared.dates import read_moment
from mel_pipeline.sources.shared.files import DropFile, open_table
from mel_pipeline.sources.shared.platform.exports import (
    Day,
    Export,
    Faulty,
    Post,
    columns_of,
    figures_of,
    unknown_header,
)

_VIDEO = {"content", "video title", "video publish time", "views"}
_DAYS = {"date", "views"}
POST_METRICS = {"views": "viewCount", "likes": "likeCount", "comments added": "commentCount"}
_DAY_METRICS = {"views": "views", "likes": "likes", "comments added": "comments", "shares": "shares"}
_EXPORT_HINT = "Set YouTube Studio to English, open Advanced mode, and export again as CSV."


def read_export(file: DropFile, channel: str) -> Export:
    """The videos of a file ("Table data.csv"), or the days of the channel ("Totals.csv").

    Args:
        channel: whose export it is; the file does not say.

    Raises:
        FileRefusedError: it is neither.
        TransientSourceError: it changed while it was being read.
    """
    with open_table(file) as table:
        columns = columns_of(table.header)
        if set(columns) >= _VIDEO:
            add = _video
        elif set(columns) >= _DAYS and "content" not in columns:
            add = _day
        else:
            raise unknown_header("YouTube Studio", table.header, _EXPORT_HINT)
        export = Export(how=f"{file.name}: YouTube Studio, {table.how}, {table.count:,} rows.")
        for number, cells in enumerate(table.rows(), start=2):
            row = {name: cells[position].strip() for name, position in columns.items()}
            add(export, row, f"{file.name}, row {number}", channel)
    return export


def _video(export: Export, row: Mapping[str, str], place: str, channel: str) -> None:
    if row["content"].lower() == "total":
        return  # the sum over all rows, not a video
    known = {"account_id": channel, "content_id": row["content"]}
    day = _date(row["video publish time"])
    if not row["content"] or day is None:
        reason = "The row has no video id or no readable day of publication."
        export.faulty.append(Faulty(place, "published_at", reason, known))
        return
    figures, unread = figures_of(row, POST_METRICS)
    title = row["video title"] or None
    export.posts.append(Post(channel, None, row["content"], "video", title, day, place, figures, unread))


def _day(export: Export, row: Mapping[str, str], place: str, channel: str) -> None:
    if row["date"].lower() == "total":
        return
    day = _date(row["date"])
    figures, unread = figures_of(row, _DAY_METRICS)
    if day is None or unread:
        column, reason = (
            ("period_start", "The day cannot be read.")
            if day is None
            else ("value", "A figure is no whole number.")
        )
        export.faulty.append(Faulty(place, column, reason, {"account_id": channel}))
        return
    export.days.append(Day(channel, day, place, figures))


def _date(text: str) -> date | None:
    """A day as Studio writes it, with the month in words or ISO; never an ambiguous one."""
    try:
        return date.fromisoformat(read_moment(text, None)[:10])
    except ValueError:
        return None
