"""Read posts from X analytics exports (CSV), with column names from the tweet era and since. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from mel_pipeline.sources.shared.dates import read_moment
from mel_pipeline.sources.shared.files import DropFile, open_table
from mel_pipeline.sources.shared.platform.export_rows import (
    Export,
    Faulty,
    Post,
    figures_of,
    id_fault,
    unknown_header,
)
from mel_pipeline.sources.shared.platform.headers import Language, column_names

_NAMES = column_names(Path(__file__).with_name("columns.yml"))
_REQUIRED = ("post id", "post link", "post text", "date", "impressions")
METRICS = {
    "impressions": "impression_count", "likes": "like_count", "replies": "reply_count",
    "reposts": "retweet_count", "bookmarks": "bookmark_count",
}  # fmt: skip
_LINK = re.compile(r"(?:twitter|x)\.com/(\w+)/status/")
_WEEKDAY = re.compile(r"^[^\W\d]+\.?,? ")  # "Tue, ", "mar. "


def read_export(file: DropFile, account: str | None) -> Export:
    """The posts of a file.

    Args:
        account: whose export it is; None takes the name in the address of each post.

    Raises:
        FileRefusedError: it is not such an export.
        TransientSourceError: it changed while it was being read.
    """
    with open_table(file) as table:
        header = _NAMES.read(table.header)
        if not header.has(_REQUIRED):
            raise unknown_header("X analytics", table.header, "Export posts again from X analytics, as CSV.")
        header.require_single(header.places)
        export = Export(how=f"{file.name}: X analytics, {table.how}, {table.count:,} rows.")
        workbook = file.path.suffix.lower() == ".xlsx"
        for number, cells in enumerate(table.rows(), start=2):
            row, place = header.row(cells), f"{file.name}, row {number}"
            _read_row(export, row, place, account, header.language, workbook=workbook)
    if account is None and export.posts:
        export.warnings.append(
            f"{file.name}: the file names its account by its handle, which can change. Set MEL_X_USER_IDS to the"
            " number of the account, so that its history stays one."
        )
    return export


def _read_row(
    export: Export,
    row: Mapping[str, str],
    place: str,
    account: str | None,
    language: Language,
    *,
    workbook: bool,
) -> None:
    known: dict[str, str] = {}

    def quarantine(column: str, reason: str) -> None:
        export.faulty.append(Faulty(place, column, reason, known))

    if fault := id_fault(row["post id"], workbook=workbook):
        quarantine("content_id", fault)
        return
    link = _LINK.search(row["post link"])
    name = link[1] if link else None
    if account is None and name is None:
        quarantine("account_id", "The address of the post does not name the account.")
        return
    known |= {"content_id": row["post id"], "account_id": account or str(name)}
    moment = _moment(row["date"])
    if moment is None:
        quarantine("published_at", "The time of publication cannot be read, so the quarter is unknown.")
        return
    figures, unread = figures_of(row, METRICS, language)
    published = moment if moment.tzinfo else moment.date()
    text = row["post text"] or None
    export.posts.append(
        Post(known["account_id"], name, known["content_id"], "post", text, published, place, figures, unread)
    )


def _moment(text: str) -> datetime | None:
    """A time as X writes it, with or without the day of the week."""
    for written in (text, _WEEKDAY.sub("", text)):
        with suppress(ValueError):
            return datetime.fromisoformat(read_moment(written, None))
    return None
