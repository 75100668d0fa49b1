"""Turn Instagram Graph API responses into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, text_of
from mel_pipeline.sources.shared.meta.graph import figure, records
from mel_pipeline.sources.shared.meta.posts import (
    Answer,
    PostFields,
    by_day,
    day_in,
    day_row,
    figure_rows,
    period_row,
    post_rows,
)
from mel_pipeline.sources.shared.platform.days import days_of
from mel_pipeline.sources.shared.platform.rows import Availability, Period, account_row, batch_of

NAME = "instagram"
FOLLOWERS = "follower_count"
MEDIA_METRICS = ("views", "reach")
POSTS = PostFields(NAME, "timestamp", "media_type", "caption")


def parse_account(data: Answer, contract: EntityContract, day: date) -> Batch:
    account = text_of(data.get("id"))
    if account is None:
        raise TransientSourceError(
            "Instagram's answer about an account holds no id. Nothing was stored. Run the load again later."
        )
    row = account_row(
        NAME, account, text_of(data.get("username")), day, data.get("followers_count"), f"account {account}"
    )
    return batch_of([row], contract)


def parse_daily(data: Answer, contract: EntityContract, account: str, window: tuple[date, date]) -> Batch:
    """New followers of each day of the window; a day that Instagram omits has an empty figure."""
    found, rejected = by_day(data, account)
    values = {day: value for (_, day), (value, _) in found.items()}
    days = sorted(set(days_of(window)) | set(values))
    rows = [day_row(NAME, account, FOLLOWERS, day, values.get(day), "no_data") for day in days]
    return batch_of(rows, contract, rejected)


def unavailable_days(contract: EntityContract, account: str, window: tuple[date, date]) -> Batch:
    """Days Instagram no longer reports: it keeps new followers for 30 days."""
    rows = [day_row(NAME, account, FOLLOWERS, day, None, "not_offered") for day in days_of(window)]
    return batch_of(rows, contract)


def parse_period(data: Answer, contract: EntityContract, account: str, metric: str, period: Period) -> Batch:
    """The figure of one metric. An empty data set stays empty: missing is not zero."""
    found = [figure(series) for series in records(data) if series.get("name") == metric]
    value = next((value for value in found if value is not None), None)
    return batch_of([period_row(NAME, account, metric, period, value, "no_data")], contract)


def unavailable_period(contract: EntityContract, account: str, metric: str, period: Period) -> Batch:
    """A figure Instagram does not offer."""
    return batch_of([period_row(NAME, account, metric, period, None, "not_offered")], contract)


def parse_posts(
    posts: Sequence[Answer], contract: EntityContract, account: str, quarter: Quarter, zone: ZoneInfo
) -> Batch:
    """Posts published in the quarter, by the business time zone."""
    return post_rows(POSTS, posts, contract, account, day_in(quarter, zone))


def parse_figures(
    posts: Sequence[Answer], contract: EntityContract, account: str, quarter: Quarter, zone: ZoneInfo
) -> Batch:
    """Views and reach of the quarter's posts since publication; one that is not known stays empty and says why."""
    missing = {
        (text_of(post.get("id")) or "", metric): why
        for post in posts
        for metric, why in _missing(post).items()
    }
    return figure_rows(POSTS, MEDIA_METRICS, posts, missing, contract, account, day_in(quarter, zone))


def _missing(post: Answer) -> dict[str, Availability]:
    """Why figures of a post are missing, as the client noted it."""
    insights = post.get("insights")
    noted = insights.get("missing") if isinstance(insights, Mapping) else None
    return dict(noted) if isinstance(noted, dict) else {}
