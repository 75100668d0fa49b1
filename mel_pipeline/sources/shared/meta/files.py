"""Posts from Meta Business Suite exports, for Facebook and Instagram. No HTTP, no source by name here.

Columns are found by their English names, in any order; others are not read. An export holds figures of
posts since publication and nothing about whole accounts, so followers stay empty and quarterly figures
are not offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.dates import Order, order_of, read_moment
from mel_pipeline.sources.shared.files import DropFile, FileRefusedError, open_table
from mel_pipeline.sources.shared.http import clean
from mel_pipeline.sources.shared.platform.exports import Export, Faulty, Post, figures_of, id_fault

_REQUIRED = ("post id", "publish time", "post type", "date", "views", "reach")
_DATA = re.compile(r"\d{3}|://|@")
_AGAIN = "Set the language of Meta Business Suite to English (US) and export posts again."


@dataclass(frozen=True)
class Layout:
    """How one platform's exports differ. Column names are in lower case."""

    title: str  # of the platform, for messages
    account: str
    account_name: str
    metrics: Mapping[str, str]  # column → metric
    page_in_post_id: bool = False  # the platform's API prefixes a post's id with the account's


FACEBOOK = Layout(
    "Facebook",
    "page id",
    "page name",
    {
        "views": "post_media_view",
        "reach": "post_total_media_view_unique",
        "total clicks": "post_clicks",
    },
    page_in_post_id=True,
)
INSTAGRAM = Layout("Instagram", "account id", "account username", {"views": "views", "reach": "reach"})


def reader(name: str, layout: Layout, settings: Settings) -> Callable[[DropFile], Export]:
    """A reader for this platform's files, with times in the zone from its settings.

    Raises:
        SettingsError: the zone is not valid.
    """
    options = settings.source(name)
    try:
        zone = ZoneInfo(options.text("export_time_zone"))
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError(
            f"{options.variable('export_time_zone')} is not a time zone. Write it like Africa/Nairobi."
        ) from None
    return partial(read_export, layout=layout, zone=zone)


def read_export(file: DropFile, layout: Layout, zone: ZoneInfo) -> Export:
    """The posts of a file.

    Args:
        zone: of the publication times; the file does not give it.

    Raises:
        FileRefusedError: it is not an English export of this platform's posts with lifetime figures.
        TransientSourceError: it changed while it was being read.
    """
    with open_table(file) as table:
        columns = _columns(table.header, layout)
        rows = list(_rows(table.rows(), columns))
        order = order_of((row["publish time"] for row in rows), "month_first")
        if not any(row["date"].lower() == "lifetime" for row in rows):
            raise FileRefusedError(
                "The column Date does not say Lifetime: the figures are for single days. Export the posts"
                " again with lifetime figures."
            )
        export = Export(how=f"{file.name}: {layout.title} posts, {table.how}, {len(rows):,} rows.")
        workbook = file.path.suffix.lower() == ".xlsx"
        for number, row in enumerate(rows, start=2):
            _take(export, row, f"{file.name}, row {number}", layout, order, zone, workbook=workbook)
    return export


def _columns(header: list[str], layout: Layout) -> dict[str, int]:
    """Position of each column by its name.

    Raises:
        FileRefusedError: a required column is missing or occurs twice.
    """
    names = [" ".join(name.lower().split()) for name in header]
    other = FACEBOOK if layout is INSTAGRAM else INSTAGRAM
    if layout.account not in names and other.account in names:
        raise FileRefusedError(
            f"The file is an export of {other.title} posts. Put it into the folder of {other.title}."
        )
    needed = [layout.account, *_REQUIRED]
    if missing := [name for name in needed if name not in names]:
        raise FileRefusedError(
            f"The header is not that of an export of {layout.title} posts in English: {', '.join(missing)}"
            f" cannot be found. {_seen(header)} {_AGAIN}"
        )
    wanted = {*needed, layout.account_name, "title", "description", *layout.metrics}
    if doubled := sorted(name for name in wanted if names.count(name) > 1):
        raise FileRefusedError(f"The column {doubled[0]} occurs twice. Export the file again.")
    return {name: names.index(name) for name in wanted if name in names}


def _seen(header: list[str]) -> str:
    """What the first row holds, unless it is data."""
    if any(_DATA.search(name) for name in header):
        return "The first row holds no column names."
    return f"The first row reads: {clean(', '.join(header))}."


def _rows(rows: Iterator[list[str]], columns: Mapping[str, int]) -> Iterator[dict[str, str]]:
    for row in rows:
        yield {name: row[place].strip() for name, place in columns.items()}


def _take(
    export: Export, row: Mapping[str, str], place: str, layout: Layout, order: Order, zone: ZoneInfo,
    *, workbook: bool,
) -> None:  # fmt: skip
    """Add a row to the posts, or to the rows that will be quarantined."""
    known: dict[str, str] = {}

    def quarantine(column: str, reason: str) -> None:
        export.faulty.append(Faulty(place, column, reason, known))

    if row["date"].lower() != "lifetime":
        quarantine("period_start", "The figures are for a single day, not since publication.")
        return
    for name, column in ((layout.account, "account_id"), ("post id", "content_id")):
        if fault := id_fault(row[name], workbook=workbook):
            quarantine(column, fault)
            return
        known[column] = row[name]
    if layout.page_in_post_id and "_" not in row["post id"]:
        known["content_id"] = f"{row[layout.account]}_{row['post id']}"
    try:
        moment = datetime.fromisoformat(read_moment(row["publish time"], order, zone.key))
    except ValueError:
        quarantine("published_at", "The publication time cannot be read, so the quarter is unknown.")
        return
    figures, unread = figures_of(row, layout.metrics)
    export.posts.append(
        Post(
            known["account_id"],
            row.get(layout.account_name) or None,
            known["content_id"],
            row["post type"] or None,
            # Either may hold the text, by the kind of post; the other is empty or a short form of it.
            max(row.get("title", ""), row.get("description", ""), key=len) or None,
            moment,
            place,
            figures,
            unread,
        )
    )
