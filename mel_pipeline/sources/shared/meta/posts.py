"""What Facebook and Instagram answer alike: series by day, posts with their time, figures of posts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, Rejected, payload_of, text_of
from mel_pipeline.sources.shared.meta.graph import figure, iso, records, values_of
from mel_pipeline.sources.shared.platform.rows import (
    Availability,
    Period,
    Row,
    batch_of,
    content_row,
    metric_row,
)
from mel_pipeline.sources.shared.values import moment_from

Answer = Mapping[str, object]
Missing = Mapping[tuple[str, str], Availability]  # why a metric of a post is empty, by post and metric
DayOf = Callable[[datetime], date | None]


@dataclass(frozen=True)
class PostFields:
    """What a platform calls the parts of a post. ``usual``: the kind of one that states none."""

    platform: str
    published: str
    kind: str
    title: str
    usual: str | None = None


def day_in(quarter: Quarter, zone: ZoneInfo) -> DayOf:
    """A function from a moment to its day in the business time zone, or None outside the quarter."""

    def day_of(moment: datetime) -> date | None:
        day = moment.astimezone(zone).date()
        return day if quarter.start <= day < quarter.end else None

    return day_of


def by_day(
    data: Answer, account: str
) -> tuple[dict[tuple[str, date], tuple[str | None, str]], list[Rejected]]:
    """Value and label by metric and day; a label whose day is unknown is quarantined.

    ``end_time`` marks the end of the day it counts, in UTC.
    """
    found: dict[tuple[str, date], tuple[str | None, str]] = {}
    rejected: list[Rejected] = []
    for series in records(data):
        metric = str(series.get("name"))
        for value in values_of(series):
            label = text_of(value.get("end_time")) or ""
            try:
                day = _day_that_ends(moment_from(label))
            except ValueError:
                reason = f"end_time of {metric} is no time at which a day can end, so the day is unknown."
                rejected.append(Rejected(f"account {account}", None, "period_start", reason, "{}"))
                continue
            found[metric, day] = text_of(value.get("value")), label
    return found, rejected


def _day_that_ends(moment: datetime) -> date:
    """The day whose last midnight this is. West of Greenwich, and there, it falls on the next day in UTC (07:00 or
    08:00 is California); east of it on the day itself (15:00 is Tokyo).

    Raises:
        ValueError: 10:00 or 11:00, which is both Hawaii and New Zealand.
    """
    ends = moment.astimezone(UTC)
    if ends.hour in (10, 11):
        raise ValueError("two days end at this hour")
    return ends.date() - timedelta(days=1 if ends.hour < 12 else 0)


def day_row(
    platform: str, account: str, metric: str, day: date, value: object, why: Availability, label: str = ""
) -> Row:
    """A figure of one day; ``label``: what the platform calls the end of it."""
    period = Period("day", day, day + timedelta(days=1))
    ref = f"account {account}, {day}" + (f", end_time {label}" if label else "")
    return metric_row(platform, account, metric, period, value, ref, why_missing=why)


def period_row(
    platform: str, account: str, metric: str, period: Period, value: object, why: Availability
) -> Row:
    """A figure of a quarter or a year."""
    ref = f"account {account}, {period.text}"
    return metric_row(platform, account, metric, period, value, ref, why_missing=why)


def post_rows(
    fields: PostFields, posts: Iterable[Answer], contract: EntityContract, account: str, day_of: DayOf
) -> Batch:
    """Posts published in the quarter, by the business time zone."""
    dated, rejected = _dated(fields, posts, contract, account, day_of)
    rows = [
        content_row(
            fields.platform,
            account,
            text_of(post.get("id")),
            text_of(post.get(fields.kind)) or fields.usual,
            text_of(post.get(fields.title)),
            iso(text_of(post.get(fields.published))),
            _place(post, account),
        )
        for post, _ in dated
    ]
    return batch_of(rows, contract, rejected)


def figure_rows(
    fields: PostFields,
    metrics: Sequence[str],
    posts: Iterable[Answer],
    missing: Missing,
    contract: EntityContract,
    account: str,
    day_of: DayOf,
) -> Batch:
    """Figures of the quarter's posts since publication; one that is not known stays empty and says why."""
    dated, rejected = _dated(fields, posts, contract, account, day_of)
    rows = []
    for post, published in dated:
        known = {str(series.get("name")): figure(series) for series in records(post.get("insights"))}
        number = text_of(post.get("id")) or ""
        rows += [
            metric_row(
                fields.platform,
                account,
                metric,
                Period("lifetime", published),
                known.get(metric),
                _place(post, account),
                content=number,
                why_missing=missing.get((number, metric), "no_data"),
            )
            for metric in metrics
        ]
    return batch_of(rows, contract, rejected)


def _dated(
    fields: PostFields, posts: Iterable[Answer], contract: EntityContract, account: str, day_of: DayOf
) -> tuple[list[tuple[Answer, date]], list[Rejected]]:
    """Posts of the quarter with their day; those without an id or a readable time are quarantined."""
    dated: list[tuple[Answer, date]] = []
    rejected: list[Rejected] = []
    for post in posts:
        number, stamp = text_of(post.get("id")), iso(text_of(post.get(fields.published)))
        known = {"account_id": account, "content_id": number, "published_at": stamp}
        try:
            moment = moment_from(stamp)
        except ValueError:
            reason = "The time of publication cannot be read, so the quarter is unknown."
            payload = payload_of(known, contract)
            rejected.append(Rejected(_place(post, account), None, "published_at", reason, payload))
            continue
        if number is None:
            reason = "The post has no id."
            payload = payload_of(known, contract)
            rejected.append(Rejected(_place(post, account), None, "content_id", reason, payload))
            continue
        if (day := day_of(moment)) is not None:
            dated.append((post, day))
    return dated, rejected


def _place(post: Answer, account: str) -> str:
    return f"account {account}, post {text_of(post.get('id')) or 'without id'}"
