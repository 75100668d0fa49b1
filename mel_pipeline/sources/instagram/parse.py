"""Turn Instagram Graph API responses into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import TransientSourceError
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

NAME = "instagram"
MEDIA_METRICS = ("views", "reach")


def parse_account(data: Mapping[str, object], contract: EntityContract, day: date) -> Batch:
    account = text_of(data.get("id"))
    if account is None:
        raise TransientSourceError(
            "Instagram's answer about an account holds no id. Nothing was stored. Run the load again later."
        )
    row = account_row(
        NAME, account, text_of(data.get("username")), day, data.get("followers_count"), f"account {account}"
    )
    return batch_of([row], contract)


def parse_daily(
    data: Mapping[str, object], contract: EntityContract, account: str, window: tuple[date, date]
) -> Batch:
    """New followers of each day of the window; a day that Instagram omits has an empty figure.

    ``end_time`` marks the end of the day it counts (07:00 or 08:00 UTC is midnight in California).
    """
    found: dict[date, object] = {}
    rejected: list[Rejected] = []
    for value in (value for series in records(data) for value in values_of(series)):
        try:
            day = moment_from(value.get("end_time")).date() - timedelta(days=1)
        except ValueError:
            reason = "end_time is not a time, so the day is unknown."
            rejected.append(Rejected(f"account {account}", None, "period_start", reason, "{}"))
            continue
        found[day] = value.get("value")
    days = sorted(set(days_of(window)) | set(found))
    rows = [_day_row(account, day, found.get(day), "no_data") for day in days]
    return batch_of(rows, contract, rejected)


def unavailable_days(contract: EntityContract, account: str, window: tuple[date, date]) -> Batch:
    """Days Instagram no longer reports: it keeps new followers for 30 days."""
    return batch_of([_day_row(account, day, None, "not_offered") for day in days_of(window)], contract)


def _day_row(account: str, day: date, value: object, why: Availability) -> Row:
    period = Period("day", day, day + timedelta(days=1))
    return metric_row(
        NAME, account, "follower_count", period, value, f"account {account}, {day}", why_missing=why
    )


def parse_period(
    data: Mapping[str, object], contract: EntityContract, account: str, metric: str, period: Period
) -> Batch:
    """The figure of one metric. An empty data set stays empty: missing is not zero."""
    found = [figure(series) for series in records(data) if series.get("name") == metric]
    value = next((value for value in found if value is not None), None)
    return batch_of([_period_row(account, metric, period, value, "no_data")], contract)


def unavailable_period(contract: EntityContract, account: str, metric: str, period: Period) -> Batch:
    """A figure Instagram does not offer."""
    return batch_of([_period_row(account, metric, period, None, "not_offered")], contract)


def _period_row(account: str, metric: str, period: Period, value: object, why: Availability) -> Row:
    ref = f"account {account}, {period.text}"
    return metric_row(NAME, account, metric, period, value, ref, why_missing=why)


def parse_posts(
    posts: Sequence[Mapping[str, object]],
    contract: EntityContract,
    account: str,
    quarter: Quarter,
    zone: ZoneInfo,
) -> Batch:
    """Posts published in the quarter, by the business time zone."""
    dated, rejected = _dated(posts, contract, account, quarter, zone)
    rows = [
        content_row(
            NAME,
            account,
            text_of(post.get("id")),
            text_of(post.get("media_type")),
            text_of(post.get("caption")),
            iso(text_of(post.get("timestamp"))),
            _place(post, account),
        )
        for post, _ in dated
    ]
    return batch_of(rows, contract, rejected)


def parse_figures(
    posts: Sequence[Mapping[str, object]],
    contract: EntityContract,
    account: str,
    quarter: Quarter,
    zone: ZoneInfo,
) -> Batch:
    """Views and reach of the quarter's posts since publication; one that is not known stays empty and says why."""
    dated, rejected = _dated(posts, contract, account, quarter, zone)
    rows: list[Row] = []
    for post, published in dated:
        insights = post.get("insights")
        known = {str(series.get("name")): figure(series) for series in records(insights)}
        missing = insights.get("missing") if isinstance(insights, Mapping) else None
        for metric in MEDIA_METRICS:
            why: Availability = missing.get(metric, "no_data") if isinstance(missing, dict) else "no_data"
            rows.append(
                metric_row(
                    NAME,
                    account,
                    metric,
                    Period("lifetime", published),
                    known.get(metric),
                    _place(post, account),
                    content=text_of(post.get("id")) or "",
                    why_missing=why,
                )
            )
    return batch_of(rows, contract, rejected)


def _dated(
    posts: Sequence[Mapping[str, object]],
    contract: EntityContract,
    account: str,
    quarter: Quarter,
    zone: ZoneInfo,
) -> tuple[list[tuple[Mapping[str, object], date]], list[Rejected]]:
    """Posts of the quarter with their day; those without a readable time are quarantined."""
    dated: list[tuple[Mapping[str, object], date]] = []
    rejected: list[Rejected] = []
    for post in posts:
        stamp = iso(text_of(post.get("timestamp")))
        try:
            published = moment_from(stamp).astimezone(zone).date()
        except ValueError:
            reason = "The time of publication cannot be read, so the quarter is unknown."
            known = {"account_id": account, "content_id": text_of(post.get("id")), "published_at": stamp}
            place = _place(post, account)
            rejected.append(Rejected(place, None, "published_at", reason, payload_of(known, contract)))
            continue
        if quarter.start <= published < quarter.end:
            dated.append((post, published))
    return dated, rejected


def _place(post: Mapping[str, object], account: str) -> str:
    return f"account {account}, post {text_of(post.get('id')) or 'without id'}"
