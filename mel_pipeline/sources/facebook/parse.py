"""Turn Graph API responses on Pages and their posts into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, Rejected, payload_of, text_of
from mel_pipeline.sources.shared.meta.graph import figure, iso, records, values_of
from mel_pipeline.sources.shared.platform.days import days_of
from mel_pipeline.sources.shared.platform.rows import (
    Availability,
    Period,
    Row,
    account_row,
    batch_of,
    content_row,
    metric_row,
)
from mel_pipeline.sources.shared.values import moment_from

NAME = "facebook"
PAGE_METRICS = (
    "page_media_view",
    "page_post_engagements",
    "page_daily_follows_unique",
    "page_daily_unfollows_unique",
    "page_total_media_view_unique",
)
PERIOD_METRICS = ("page_total_media_view_unique",)
POST_METRICS = ("post_media_view", "post_total_media_view_unique", "post_clicks")
FOLLOWERS = "page_follows"  # followers at the end of each day: a stock, so it lands with the accounts
Missing = Mapping[tuple[str, str], Availability]  # why a metric of a post is empty, by post and metric


def parse_page(
    page: Mapping[str, object],
    followers: Mapping[str, object],
    contract: EntityContract,
    account: str,
    today: date,
) -> Batch:
    """Followers today, and at the end of each earlier day in the response."""
    name = text_of(page.get("name"))
    values, rejected = _by_day(followers, account)
    earlier = {day: value for (_, day), (value, _) in values.items() if day < today and value is not None}
    counts = {**earlier, today: text_of(page.get("followers_count"))}
    rows = [
        account_row(NAME, account, name, day, counts[day], f"account {account}, {day}")
        for day in sorted(counts)
    ]
    return batch_of(rows, contract, rejected)


def parse_days(
    data: Mapping[str, object],
    contract: EntityContract,
    account: str,
    window: tuple[date, date],
    metrics: Iterable[str],
) -> Batch:
    """Each metric on each day of the window; a day that Facebook omits stays empty, it is not a zero."""
    found, rejected = _by_day(data, account)
    rows = []
    for metric in metrics:
        for day in days_of(window):
            value, label = found.get((metric, day), (None, None))
            rows.append(_day_row(account, metric, day, value, "no_data", label))
    beyond = sum(not window[0] <= day < window[1] for _, day in found)
    notes = [f"{beyond:,} figures of days that were not requested were left out."] if beyond else []
    return batch_of(rows, contract, rejected, notes=notes)


def empty_days(
    contract: EntityContract,
    account: str,
    metrics: Iterable[str],
    days: Sequence[date],
    why: Availability,
) -> Batch:
    """Days of metrics that Facebook retired or no longer reports."""
    rows = [_day_row(account, metric, day, None, why, None) for metric in metrics for day in days]
    return batch_of(rows, contract)


def last_days(cursor: str | None) -> dict[str, str]:
    """The last stored day, by account; also when a changed contract makes the load start over."""
    stored = json.loads(cursor) if cursor else {}
    return dict(stored.get("days", {}))


def _day_row(
    account: str, metric: str, day: date, value: object, why: Availability, label: str | None
) -> Row:
    period = Period("day", day, day + timedelta(days=1))
    ref = f"account {account}, {day}" + (f", end_time {label}" if label else "")
    return metric_row(NAME, account, metric, period, value, ref, why_missing=why)


def _by_day(
    data: Mapping[str, object], account: str
) -> tuple[dict[tuple[str, date], tuple[str | None, str]], list[Rejected]]:
    """Value and label by metric and day.

    ``end_time`` marks the end of the day it counts: 07:00 or 08:00 UTC is midnight in California.
    """
    found: dict[tuple[str, date], tuple[str | None, str]] = {}
    rejected: list[Rejected] = []
    for series in records(data):
        metric = str(series.get("name"))
        for value in values_of(series):
            label = text_of(value.get("end_time")) or ""
            try:
                day = moment_from(label).astimezone(UTC).date() - timedelta(days=1)
            except ValueError:
                reason = f"end_time of {metric} is not a time, so the day is unknown."
                rejected.append(Rejected(f"account {account}", None, "period_start", reason, "{}"))
                continue
            found[metric, day] = text_of(value.get("value")), label
    return found, rejected


def parse_periods(contract: EntityContract, account: str, periods: Iterable[Period]) -> Batch:
    """Reach of a quarter or year is not offered, and the reach of days or weeks does not add up to it."""
    rows = [
        metric_row(
            NAME,
            account,
            metric,
            period,
            None,
            f"account {account}, {period.text}",
            why_missing="not_offered",
        )
        for period in periods
        for metric in PERIOD_METRICS
    ]
    return batch_of(rows, contract)


def parse_posts(
    posts: Sequence[Mapping[str, object]],
    contract: EntityContract,
    account: str,
    in_quarter: Callable[[datetime], date | None],
) -> Batch:
    """Posts published in the quarter, by the business time zone."""
    dated, rejected = _dated(posts, contract, account, in_quarter)
    rows = [
        content_row(
            NAME,
            account,
            text_of(post.get("id")),
            text_of(post.get("status_type")) or "post",
            text_of(post.get("message")),
            iso(text_of(post.get("created_time"))),
            _place(post, account),
        )
        for post, _ in dated
    ]
    return batch_of(rows, contract, rejected)


def parse_figures(
    posts: Sequence[Mapping[str, object]],
    missing: Missing,
    contract: EntityContract,
    account: str,
    in_quarter: Callable[[datetime], date | None],
) -> Batch:
    """Figures of the quarter's posts since publication; one that is not known stays empty and says why."""
    dated, rejected = _dated(posts, contract, account, in_quarter)
    rows = []
    for post, published in dated:
        known = {str(series.get("name")): figure(series) for series in records(post.get("insights"))}
        number = text_of(post.get("id")) or ""
        for metric in POST_METRICS:
            rows.append(
                metric_row(
                    NAME,
                    account,
                    metric,
                    Period("lifetime", published),
                    known.get(metric),
                    _place(post, account),
                    content=number,
                    why_missing=missing.get((number, metric), "no_data"),
                )
            )
    return batch_of(rows, contract, rejected)


def day_in(quarter: Quarter, zone: ZoneInfo) -> Callable[[datetime], date | None]:
    """A function from a moment to its day in the business time zone, or None outside the quarter."""

    def day_of(moment: datetime) -> date | None:
        day = moment.astimezone(zone).date()
        return day if quarter.start <= day < quarter.end else None

    return day_of


def _dated(
    posts: Sequence[Mapping[str, object]],
    contract: EntityContract,
    account: str,
    in_quarter: Callable[[datetime], date | None],
) -> tuple[list[tuple[Mapping[str, object], date]], list[Rejected]]:
    """Posts of the quarter with their day; those without an id or a readable time are quarantined."""
    dated: list[tuple[Mapping[str, object], date]] = []
    rejected: list[Rejected] = []
    for post in posts:
        number, stamp = text_of(post.get("id")), iso(text_of(post.get("created_time")))
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
        if (day := in_quarter(moment)) is not None:
            dated.append((post, day))
    return dated, rejected


def _place(post: Mapping[str, object], account: str) -> str:
    return f"account {account}, post {text_of(post.get('id')) or 'without id'}"


def with_figures(
    posts: Sequence[Mapping[str, object]], figures: Mapping[str, Sequence[Mapping[str, object]]]
) -> list[Mapping[str, object]]:
    """Posts with their separately requested series, joined by the post's id."""
    return [{**post, "insights": {"data": list(figures.get(str(post.get("id")), ()))}} for post in posts]


def why_refused(
    metric: str, refused: Collection[str], posts: Sequence[Mapping[str, object]]
) -> dict[tuple[str, str], Availability]:
    """A metric refused for every post was retired; refused for some, it does not exist for their kind."""
    why: Availability = "retired" if len(refused) == len(posts) else "not_offered"
    return {(number, metric): why for number in refused}
