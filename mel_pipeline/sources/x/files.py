"""Read posts from X analytics exports (CSV), with column names from the tweet era and since. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from mel_pipeline.sources.shared.dates import read_moment
from mel_pipeline.sources.shared.files import DropFile, open_table
from mel_pipeline.sources.shared.platform.exports import (
    Export,
    Faulty,
    Post,
    columns_of,
    figures_of,
    id_fault,
    unknown_header,
)

_COLUMN_NAMES = {  # old name, new name
    "id": ("tweet id", "post id"),
    "link": ("tweet permalink", "post link"),
    "text": ("tweet text", "post text"),
    "time": ("time", "date"),
}
METRICS = {
    "impressions": "impression_count", "likes": "like_count", "replies": "reply_count", "retweets": "retweet_count",
    "reposts": "retweet_count", "bookmarks": "bookmark_count",
}  # fmt: skip
_LINK = re.compile(r"(?:twitter|x)\.com/(\w+)/status/")
_WEEKDAY = re.compile(r"^[A-Za-z]{3}, ")


def read_export(file: DropFile, account: str | None) -> Export:
    """The posts of a file.

    Args:
        account: whose export it is; None takes the name in the address of each post.

    Raises:
        FileRefusedError: it is not such an export.
        TransientSourceError: it changed while it was being read.
    """
    with open_table(file) as table:
        columns = columns_of(table.header)
        places = {
            name: next((columns[title] for title in titles if title in columns), None)
            for name, titles in _COLUMN_NAMES.items()
        }
        if None in places.values() or "impressions" not in columns:
            hint = "Export posts again from X analytics, in English, as CSV."
            raise unknown_header("X analytics", table.header, hint)
        wanted = columns | {f"={name}": place for name, place in places.items() if place is not None}
        export = Export(how=f"{file.name}: X analytics, {table.how}, {table.count:,} rows.")
        workbook = file.path.suffix.lower() == ".xlsx"
        for number, cells in enumerate(table.rows(), start=2):
            row = {name: cells[position].strip() for name, position in wanted.items()}
            _read_row(export, row, f"{file.name}, row {number}", account, workbook=workbook)
    return export


def _read_row(
    export: Export, row: Mapping[str, str], place: str, account: str | None, *, workbook: bool
) -> None:
    known: dict[str, str] = {}

    def quarantine(column: str, reason: str) -> None:
        export.faulty.append(Faulty(place, column, reason, known))

    if fault := id_fault(row["=id"], workbook=workbook):
        quarantine("content_id", fault)
        return
    link = _LINK.search(row["=link"])
    name = link[1] if link else None
    if account is None and name is None:
        quarantine("account_id", "The address of the post does not name the account.")
        return
    known |= {"content_id": row["=id"], "account_id": account or str(name)}
    try:
        moment = datetime.fromisoformat(read_moment(_WEEKDAY.sub("", row["=time"]), None))
    except ValueError:
        quarantine("published_at", "The time of publication cannot be read, so the quarter is unknown.")
        return
    figures, unread = figures_of(row, METRICS)
    published = moment if moment.tzinfo else moment.date()
    text = row["=text"] or None
    export.posts.append(
        Post(known["account_id"], name, known["content_id"], "post", text, published, place, figures, unread)
    )
