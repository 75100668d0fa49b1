"""Posts from Meta Business Suite exports, for Facebook and Instagram. No HTTP, no source by name here.

Columns are found by their names in English, French, Spanish or Catalan, in any order; others are not read. An
export holds figures of posts since publication and nothing about whole accounts, so followers stay empty and
quarterly figures are not offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.dates import Order, declared_order, order_of, read_moment
from mel_pipeline.sources.shared.files import DropFile, FileRefusedError, open_table
from mel_pipeline.sources.shared.http import clean
from mel_pipeline.sources.shared.platform.export_rows import (
    Export,
    Faulty,
    Post,
    figures_of,
    id_fault,
    require_one_kind,
)
from mel_pipeline.sources.shared.platform.headers import IN_LANGUAGES, Header, Language, column_names

_NAMES = column_names(Path(__file__).with_name("columns.yml"))
_REQUIRED = ("post id", "publish time", "post type", "date", "views")
_DATA = re.compile(r"\d{3}|://|@")
_AGAIN = (
    "Export the posts again from Meta Business Suite (Content); in English, if the names above look right."
)
# What the column Date says where the figures are since publication.
_LIFETIME = {
    normalize_text(text)
    for text in (
        "Lifetime", "Total", "À vie", "Durée de vie", "Depuis la publication", "De por vida", "Vida útil",
        "Desde la publicación", "Tota la vida", "Des de la publicació",
    )
}  # fmt: skip


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
        "viewers": "post_total_media_view_unique",
        "total clicks": "post_clicks",
    },
    page_in_post_id=True,
)
INSTAGRAM = Layout(
    "Instagram", "account id", "account username", {"views": "views", "reach": "reach", "viewers": "reach"}
)


@dataclass(frozen=True)
class _Reading:
    """How one file is read: ``zone`` and ``order`` are of its publication times."""

    layout: Layout
    zone: ZoneInfo
    order: Order
    language: Language
    workbook: bool


def reader(name: str, layout: Layout, settings: Settings) -> Callable[[DropFile], Export]:
    """A reader for this platform's files, with times in the zone from its settings.

    Raises:
        SettingsError: the zone or the order of day and month is not valid.
    """
    options = settings.source(name)
    try:
        zone = ZoneInfo(options.text("export_time_zone"))
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError(
            f"{options.variable('export_time_zone')} is not a time zone. Write it like Africa/Nairobi."
        ) from None
    setting = options.variable("export_date_order")
    declared = declared_order(options.text("export_date_order"), setting)
    return partial(read_export, layout=layout, zone=zone, declared=declared, setting=setting)


def read_export(
    file: DropFile, layout: Layout, zone: ZoneInfo, declared: Order | None, setting: str
) -> Export:
    """The posts of a file.

    Args:
        zone: of the publication times; the file does not give it.
        declared: order of day and month, where no date of the file shows it.
        setting: the variable that declares it.

    Raises:
        FileRefusedError: it is no export of this platform's posts with lifetime figures, or its dates can be
            read in two ways.
        TransientSourceError: it changed while it was being read.
    """
    with open_table(file) as table:
        header = _header(table.header, layout)
        rows = [header.row(cells) for cells in table.rows()]
        require_one_kind(row["publish time"] for row in rows)
        order = order_of(
            (row["publish time"] for row in rows), declared, f", or set {setting} to day_first or month_first"
        )
        if not any(_is_lifetime(row) for row in rows):
            raise FileRefusedError(
                "The column Date does not say Lifetime: the figures are for single days. Export the posts"
                " again with lifetime figures."
            )
        export = Export(how=f"{file.name}: {layout.title} posts, {table.how}, {len(rows):,} rows.")
        workbook = file.path.suffix.lower() == ".xlsx"
        reading = _Reading(layout, zone, order, header.language, workbook)
        for number, row in enumerate(rows, start=2):
            _take(export, row, f"{file.name}, row {number}", reading)
    return export


def _header(names: list[str], layout: Layout) -> Header:
    """The columns of an export of this platform.

    Raises:
        FileRefusedError: a required column is missing or occurs twice.
    """
    header = _NAMES.read(names)
    other = FACEBOOK if layout is INSTAGRAM else INSTAGRAM
    if not header.has([layout.account]) and header.has([other.account]):
        raise FileRefusedError(
            f"The file is an export of {other.title} posts. Put it into the folder of {other.title}."
        )
    missing = [name for name in (layout.account, *_REQUIRED) if name not in header.places]
    if not {"reach", "viewers"} & set(header.places):
        missing.append("reach")
    if missing:
        raise FileRefusedError(
            f"The header is not that of an export of {layout.title} posts {IN_LANGUAGES}: {', '.join(missing)}"
            f" cannot be found. {_seen(names)} {_AGAIN}"
        )
    header.require_single(header.places)
    return header


def _is_lifetime(row: Mapping[str, str]) -> bool:
    return normalize_text(row["date"]) in _LIFETIME


def _seen(header: list[str]) -> str:
    """What the first row holds, unless it is data."""
    if any(_DATA.search(name) for name in header):
        return "The first row holds no column names."
    return f"The first row reads: {clean(', '.join(header))}."


def _take(export: Export, row: Mapping[str, str], place: str, reading: _Reading) -> None:
    """Add a row to the posts, or to the rows that will be quarantined."""
    known: dict[str, str] = {}
    layout = reading.layout

    def quarantine(column: str, reason: str) -> None:
        export.faulty.append(Faulty(place, column, reason, known))

    if not _is_lifetime(row):
        quarantine("period_start", "The figures are for a single day, not since publication.")
        return
    for name, column in ((layout.account, "account_id"), ("post id", "content_id")):
        if fault := id_fault(row[name], workbook=reading.workbook):
            quarantine(column, fault)
            return
        known[column] = row[name]
    if layout.page_in_post_id and "_" not in row["post id"]:
        known["content_id"] = f"{row[layout.account]}_{row['post id']}"
    try:
        moment = datetime.fromisoformat(read_moment(row["publish time"], reading.order, reading.zone.key))
    except ValueError:
        quarantine("published_at", "The publication time cannot be read, so the quarter is unknown.")
        return
    figures, unread = figures_of(row, layout.metrics, reading.language)
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
