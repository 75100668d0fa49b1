"""A drop folder of Meta Business Suite exports as a source, for Facebook and Instagram. Files are read in meta_files.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mel_pipeline.contracts import EntityContract, contract_of
from mel_pipeline.errors import PermanentSourceError, SettingsError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, Rejected, key_of, payload_of
from mel_pipeline.sources.files import SETTLE_SECONDS, FileRefusedError, files_in, told_apart
from mel_pipeline.sources.meta_files import Export, Layout, Post, day_of, read_export
from mel_pipeline.sources.platform.days import periods_of
from mel_pipeline.sources.platform.rows import Period, Row, account_row, batch_of, content_row, metric_row

_ENDINGS = {".csv", ".xlsx", ".xls"}


class MetaExports:
    """All files that lie in the folder, oldest first: of two versions of a post the later file's counts."""

    def __init__(
        self,
        name: str,
        layout: Layout,
        period_metrics: tuple[str, ...],
        settings: Settings,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        options = settings.source(name)
        self._name, self._layout, self._period_metrics = name, layout, period_metrics
        self._folder = Path(options.text("export_dir")).expanduser()
        self._folder_setting = options.variable("export_dir")
        self._settle = settle_seconds
        self._today = settings.current_day
        self._zone = ZoneInfo(settings.time_zone)
        try:
            self._written_in = ZoneInfo(options.text("export_time_zone"))
        except (ZoneInfoNotFoundError, ValueError):
            raise SettingsError(
                f"{options.variable('export_time_zone')} names no time zone. Write it like Europe/Madrid."
            ) from None
        self._warnings: list[str] = []

    def pull(
        self,
        entity: str,
        *,
        quarter: Quarter | None = None,
        cursor: str | None = None,  # noqa: ARG002 - every file is read again: there are few, and they are small
        checkpoint: str | None = None,  # noqa: ARG002
    ) -> Pull:
        """Accounts, and posts of a quarter with their figures since publication. A day has no figures here."""
        contract = contract_of(self._name).entities[entity]
        self._warnings = []
        if contract.load == "quarter" and quarter is None:
            raise SettingsError(
                f"{self._layout.title} {contract.title} is asked for a quarter. Name one, like 2024-Q4."
            )
        return Pull(self._batches(entity, contract, quarter), warnings=lambda: self._warnings)

    def _batches(self, entity: str, contract: EntityContract, quarter: Quarter | None) -> Iterator[Batch]:
        exports, refused = self._exports()
        if entity == "accounts":
            yield self._accounts(exports, contract)
        elif entity == "periods" and quarter:
            yield self._periods(exports, contract, quarter)
        elif entity in ("contents", "content_metrics") and quarter:
            for export in exports:
                read = self._figures if entity == "content_metrics" else self._posts
                yield read(export, contract, quarter)
            for name, reason in refused.items():
                yield batch_of([], contract, [Rejected(name, None, None, reason, "{}")])

    def _exports(self) -> tuple[list[Export], dict[str, str]]:
        """What the files hold, and why others are refused, by name."""
        if not self._folder.is_dir():
            raise PermanentSourceError(
                f"{self._layout.title} exports: there is no folder {self._folder}. Make it, or set"
                f" {self._folder_setting}."
            )
        resting = (file for file in files_in(self._folder, _ENDINGS) if file.is_at_rest(self._settle))
        files, refused = told_apart(resting)
        exports: dict[str, Export] = {}
        for file in files:
            try:
                exports[file.digest] = read_export(file, self._layout, self._written_in)
            except FileRefusedError as reason:
                refused[file.name] = str(reason)
        if not exports:
            self._warnings.append(
                f"{self._layout.title}: no export that can be read lies in the folder of {self._folder_setting}."
            )
        return list(exports.values()), refused

    def _accounts(self, exports: list[Export], contract: EntityContract) -> Batch:
        posts = {post.account: post for export in exports for post in export.posts}
        rows = [
            account_row(self._name, account, post.account_name, self._today, None, post.place)
            for account, post in posts.items()
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

    def _posts(self, export: Export, contract: EntityContract, quarter: Quarter) -> Batch:
        rows = [
            content_row(
                self._name, post.account, post.number, post.kind or "post", post.title,
                post.published.isoformat(), post.place,
            )
            for post in self._within(export, quarter)
        ]  # fmt: skip
        return batch_of(rows, contract, self._aside(export, contract), notes=[export.how])

    def _figures(self, export: Export, contract: EntityContract, quarter: Quarter) -> Batch:
        rows: list[Row] = []
        rejected = self._aside(export, contract)
        for post in self._within(export, quarter):
            for metric in self._layout.metrics.values():
                row = self._figure(post, metric)
                if metric in post.unread:
                    reason = f"{metric} is no whole number."
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

    def _aside(self, export: Export, contract: EntityContract) -> list[Rejected]:
        known = [(row, {"platform": self._name, **row.known}) for row in export.faulty]
        return [
            Rejected(row.place, key_of(ids, contract), row.column, row.reason, payload_of(ids, contract))
            for row, ids in known
        ]

    def _within(self, export: Export, quarter: Quarter) -> list[Post]:
        """Posts of a quarter by the business time zone."""
        return [post for post in export.posts if quarter.start <= day_of(post, self._zone) < quarter.end]
