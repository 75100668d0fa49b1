"""A drop folder of a platform's own exports as a source, for teams without its API. No platform by name here.

Each platform has a reader that interprets its files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, SettingsError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.core.source_settings import SourceSettings
from mel_pipeline.sources.shared.base import EVERY, Batch, Client, Load, Pull, Rejected, key_of, payload_of
from mel_pipeline.sources.shared.files import (
    SETTLE_SECONDS,
    DropFile,
    FileRefusedError,
    files_in,
    readable_files,
)
from mel_pipeline.sources.shared.http import clean
from mel_pipeline.sources.shared.platform.days import periods_of
from mel_pipeline.sources.shared.platform.rows import (
    Period,
    Row,
    account_row,
    batch_of,
    content_row,
    metric_row,
)

_ENDINGS = {".csv", ".xlsx", ".xls"}
_NUMBER = re.compile(r"\d+|\d{1,3}(?:,\d{3})+")
_DATA = re.compile(r"\d{3}|://|@")
_ID = re.compile(r"\d+(?:_\d+)?")
_EXACT_DIGITS = 15  # Excel keeps this many digits of a number and replaces the rest with zeros
_SHORTENED = (
    "Excel has shortened the id. Take the file as it was downloaded, without opening and saving it in Excel."
)


@dataclass(frozen=True)
class Post:
    """One row of an export.

    ``figures`` holds digits, or None where a cell is empty; it lacks what the file has no column for.
    ``unread`` names the metrics whose cell is not a number.
    """

    account: str
    account_name: str | None
    number: str
    kind: str | None
    title: str | None
    published: datetime | date  # a day where the file gives no time
    place: str
    figures: Mapping[str, str | None]
    unread: frozenset[str]


@dataclass(frozen=True)
class Faulty:
    """A row that cannot be used; ``known`` holds the ids that can be read."""

    place: str
    column: str
    reason: str
    known: Mapping[str, str]


@dataclass(frozen=True)
class Day:
    """Figures of a whole account on one day; None where a cell is empty."""

    account: str
    day: date
    place: str
    figures: Mapping[str, str | None]


@dataclass
class Export:
    """What one file holds."""

    posts: list[Post] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    faulty: list[Faulty] = field(default_factory=list)
    how: str = ""


class ExportFolder(Client):
    """All files in the folder, oldest first: of two versions of a post, the one in the later file counts."""

    def __init__(
        self,
        name: str,
        read: Callable[[DropFile], Export],
        settings: Settings,
        *,
        post_metrics: Sequence[str],
        period_metrics: Sequence[str] = (),
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        options = settings.source(name)
        self.source = self._name = name
        self._title, self._read = options.title, read
        self._post_metrics, self._period_metrics = post_metrics, period_metrics
        self._folder = Path(options.text("export_dir")).expanduser()
        self._folder_setting = options.variable("export_dir")
        self._settle = settle_seconds
        self._today = settings.current_day
        self._zone = ZoneInfo(settings.time_zone)
        self._warnings: list[str] = []

    def _folder_load(self, load: Load) -> Pull:
        """Accounts, posts of a quarter with their figures since publication, and the days that files hold."""
        contract = load.contract
        self._warnings = []
        wanted = load.quarter if contract.load == "quarter" else None
        return Pull(self._batches(load.entity, contract, wanted), warnings=lambda: self._warnings)

    def _batches(self, entity: str, contract: EntityContract, quarter: Quarter | None) -> Iterator[Batch]:
        exports, refused = self._exports()
        if entity == "accounts":
            yield self._accounts(exports, contract)
        elif entity == "periods" and quarter:
            yield self._periods(exports, contract, quarter)
        elif entity == "daily":
            for export in exports:
                yield self._days(export, contract)
        elif entity in ("contents", "content_metrics"):
            for export in exports:
                read = self._figures if entity == "content_metrics" else self._posts
                yield read(export, contract, quarter)
            for name, reason in refused.items():
                yield batch_of([], contract, [Rejected(name, None, None, reason, "{}")])

    def _exports(self) -> tuple[list[Export], dict[str, str]]:
        """What the files hold, and why others are refused, by name."""
        if not self._folder.is_dir():
            raise PermanentSourceError(
                f"{self._title} exports: there is no folder {self._folder}. Create it, or set"
                f" {self._folder_setting}."
            )
        settled = (file for file in files_in(self._folder, _ENDINGS) if file.is_settled(self._settle))
        files, refused = readable_files(settled)
        exports: dict[str, Export] = {}
        for file in files:
            try:
                exports[file.digest] = self._read(file)
            except FileRefusedError as reason:
                refused[file.name] = str(reason)
        if not exports:
            self._warnings.append(
                f"{self._title}: there is no readable export in the folder that {self._folder_setting} names."
            )
        return list(exports.values()), refused

    def _days(self, export: Export, contract: EntityContract) -> Batch:
        rows = [
            metric_row(
                self._name,
                day.account,
                metric,
                Period("day", day.day, day.day + timedelta(days=1)),
                value,
                day.place,
            )
            for day in export.days
            for metric, value in day.figures.items()
        ]
        return batch_of(rows, contract, notes=[export.how])

    def _accounts(self, exports: list[Export], contract: EntityContract) -> Batch:
        named: dict[str, tuple[str | None, str]] = {}
        for export in exports:
            named |= {day.account: named.get(day.account, (None, day.place)) for day in export.days}
            named |= {post.account: (post.account_name, post.place) for post in export.posts}
        rows = [
            account_row(self._name, account, name, self._today, None, place)
            for account, (name, place) in named.items()
        ]
        return batch_of(rows, contract, notes=[export.how for export in exports])

    def _periods(self, exports: list[Export], contract: EntityContract, quarter: Quarter) -> Batch:
        """Figures of posts do not add up to those of their account."""
        accounts = {post.account: post.place for export in exports for post in export.posts}
        rows = [
            metric_row(self._name, account, metric, period, None, place, why_missing="not_offered")
            for account, place in accounts.items()
            for period in periods_of(quarter, self._today)
            for metric in self._period_metrics
        ]
        return batch_of(rows, contract)

    def _posts(self, export: Export, contract: EntityContract, quarter: Quarter | None) -> Batch:
        rows = [
            content_row(
                self._name, post.account, post.number, post.kind or "post", post.title,
                _moment(post.published, self._zone).isoformat(), post.place,
            )
            for post in self._within(export, quarter)
        ]  # fmt: skip
        return batch_of(rows, contract, self._quarantined(export, contract), notes=[export.how])

    def _figures(self, export: Export, contract: EntityContract, quarter: Quarter | None) -> Batch:
        rows: list[Row] = []
        rejected = self._quarantined(export, contract)
        for post in self._within(export, quarter):
            for metric in self._post_metrics:
                row = self._figure(post, metric)
                if metric in post.unread:
                    reason = f"{metric} is not a whole number."
                    known = {**row, "availability": None}
                    rejected.append(
                        Rejected(
                            post.place, key_of(row, contract), "value", reason, payload_of(known, contract)
                        )
                    )
                else:
                    rows.append(row)
        return batch_of(rows, contract, rejected, notes=[export.how])

    def _figure(self, post: Post, metric: str) -> Row:
        return metric_row(
            self._name,
            post.account,
            metric,
            Period("lifetime", day_of(post, self._zone)),
            post.figures.get(metric),
            post.place,
            content=post.number,
            why_missing="no_data" if metric in post.figures else "not_offered",
        )

    def _quarantined(self, export: Export, contract: EntityContract) -> list[Rejected]:
        known = [(row, {"platform": self._name, **row.known}) for row in export.faulty]
        return [
            Rejected(row.place, key_of(ids, contract), row.column, row.reason, payload_of(ids, contract))
            for row, ids in known
        ]

    def _within(self, export: Export, quarter: Quarter | None) -> list[Post]:
        """Posts of a quarter by the business time zone; all where the load is not of a quarter."""
        return [
            post
            for post in export.posts
            if quarter is None or quarter.start <= day_of(post, self._zone) < quarter.end
        ]

    loads: ClassVar = {EVERY: _folder_load}


def _moment(published: datetime | date, zone: ZoneInfo) -> datetime:
    """A day without a time begins in the business time zone."""
    if isinstance(published, datetime):
        return published
    return datetime(published.year, published.month, published.day, tzinfo=zone)


def day_of(post: Post, zone: ZoneInfo) -> date:
    """Day of publication in a time zone."""
    return _moment(post.published, zone).astimezone(zone).date()


def id_fault(text: str, *, workbook: bool) -> str | None:
    """Why a numeric id cannot be trusted, if so.

    Args:
        workbook: it comes from a workbook, where a long number may have lost its last digits.
    """
    if re.fullmatch(r"\d(?:[.,]\d+)?E\+\d+", text, re.IGNORECASE):
        return _SHORTENED
    if not _ID.fullmatch(text):
        return "The id is missing or not a number."
    if workbook and len(text) > _EXACT_DIGITS and not text[_EXACT_DIGITS:].strip("0"):
        return _SHORTENED
    return None


def figures_of(
    row: Mapping[str, str], metrics: Mapping[str, str]
) -> tuple[dict[str, str | None], frozenset[str]]:
    """Each metric the file has a column for (column → metric), and those whose cell cannot be read."""
    texts = {metric: row[column] for column, metric in metrics.items() if column in row}
    unread = frozenset(metric for metric, text in texts.items() if text and not _NUMBER.fullmatch(text))
    return {
        metric: text.replace(",", "") or None for metric, text in texts.items() if metric not in unread
    }, unread


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Position of each column by its name in lower case; the first of two counts."""
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        found.setdefault(" ".join(name.lower().split()), position)
    return found


def unknown_header(title: str, header: Sequence[str], again: str) -> FileRefusedError:
    """The error for a file that is not an export of this platform; it quotes the header, unless that is data.

    Args:
        again: what to do.
    """
    seen = clean(", ".join(header[:8]))
    found = "The first row holds no column names." if _DATA.search(seen) else f"The first row reads: {seen}."
    return FileRefusedError(f"The header is not that of an export of {title} in English. {found} {again}")


def only(options: SourceSettings, name: str) -> str:
    """The one account a setting names, for exports that do not say which account they belong to.

    Raises:
        SettingsError: it names none, or several.
    """
    listed = options.listed(name)
    if len(listed) != 1:
        raise SettingsError(
            f"{options.title} exports do not say which account they belong to: name exactly one account in"
            f" {options.variable(name)}."
        )
    return listed[0]
