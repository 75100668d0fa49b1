"""A drop folder of a platform's own exports as a source, for teams without its API. No platform by name here.

Each platform has a reader that interprets its files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    other_entries,
    readable_files,
    unpacked,
)
from mel_pipeline.sources.shared.platform.days import periods_of
from mel_pipeline.sources.shared.platform.export_rows import Export, Post, day_of, moment_of
from mel_pipeline.sources.shared.platform.rows import (
    Period,
    Row,
    account_row,
    batch_of,
    content_row,
    metric_row,
)

_TABLES = {".csv", ".xlsx", ".xls"}
_ENDINGS = {*_TABLES, ".zip"}


class ExportFolder(Client):
    """All files in the folder, oldest first: of two versions of a post, the one in the later file counts.

    A file that says which range it covers is as old as the end of that range.
    """

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
        exports: dict[str, tuple[date, Export]] = {}
        for file in files:
            try:
                with unpacked(file, _TABLES) as (tables, others):
                    refused |= others
                    for table in tables:
                        self._read_into(exports, refused, table, file)
            except FileRefusedError as reason:
                refused[file.name] = str(reason)
        self._warn_about_folder(any(one.holds_rows for _, one in exports.values()))
        ordered = [export for _, export in sorted(exports.values(), key=lambda found: found[0])]
        for export in ordered:
            self._warnings += [*export.warnings, *self._late_dates(export)]
        return ordered, refused

    def _read_into(
        self,
        exports: dict[str, tuple[date, Export]],
        refused: dict[str, str],
        table: DropFile,
        file: DropFile,
    ) -> None:
        try:
            export = self._read(table)
        except FileRefusedError as reason:
            refused[table.name] = str(reason)
            return
        export.settle_repeats()
        modified = datetime.fromtimestamp(file.modified_ns / 1e9, self._zone).date()
        exports.pop(table.digest, None)  # the same content again: as late as its latest copy
        exports[table.digest] = (export.until or modified, export)

    def _warn_about_folder(self, has_exports: bool) -> None:
        if not has_exports:
            self._warnings.append(
                f"{self._title}: there is no readable export in the folder that {self._folder_setting} names."
            )
        if others := other_entries(self._folder, _ENDINGS):
            self._warnings.append(
                f"{self._title}: not read in the folder that {self._folder_setting} names: {', '.join(others)}."
                " Only CSV, XLSX and zip files directly in it are. Move or export them so, or remove them."
            )

    def _late_dates(self, export: Export) -> list[str]:
        """A warning about dates after today: day and month may be swapped."""
        dated = [(day_of(post, self._zone), post.place) for post in export.posts]
        dated += [(day.day, day.place) for day in export.days]
        late = [(day, place) for day, place in dated if day > self._today]
        if not late:
            return []
        day, place = late[0]
        return [
            f"{place}: the date {day} is after today, {self._today}; {len(late)} of {len(dated)} dates of the file"
            " are. Check that day and month are not swapped, and export again."
        ]

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
                moment_of(post.published, self._zone).isoformat(), post.place,
            )
            for post in self._within(export, quarter)
        ]  # fmt: skip
        return batch_of(rows, contract, self._quarantined(export, contract), notes=[export.how])

    def _figures(self, export: Export, contract: EntityContract, quarter: Quarter | None) -> Batch:
        rows: list[Row] = []
        rejected = self._quarantined(export, contract)
        for post in self._within(export, quarter):
            for metric in self._post_metrics if post.since_publication else ():
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
