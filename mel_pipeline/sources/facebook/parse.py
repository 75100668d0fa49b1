"""Turn Graph API responses on Pages and their posts into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.sources.shared.base import Batch, text_of
from mel_pipeline.sources.shared.meta.posts import (
    Answer,
    DayOf,
    Missing,
    PostFields,
    by_day,
    day_row,
    figure_rows,
    period_row,
    post_rows,
)
from mel_pipeline.sources.shared.platform.days import days_of
from mel_pipeline.sources.shared.platform.rows import Availability, Period, account_row, batch_of, unread_rows

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
POSTS = PostFields(NAME, "created_time", "status_type", "message", "post")


def parse_page(page: Answer, followers: Answer, contract: EntityContract, account: str, today: date) -> Batch:
    """Followers today, and at the end of each earlier day in the response."""
    name = text_of(page.get("name"))
    values, rejected = by_day(followers, account)
    earlier = {
        day: value
        for (metric, day), (value, _) in values.items()
        if metric == FOLLOWERS and day < today and value is not None
    }
    counts = {**earlier, today: text_of(page.get("followers_count"))}
    rows = [
        account_row(NAME, account, name, day, counts[day], f"account {account}, {day}")
        for day in sorted(counts)
    ]
    return batch_of(rows, contract, rejected)


def parse_days(
    data: Answer,
    contract: EntityContract,
    account: str,
    window: tuple[date, date],
    metrics: Iterable[str],
) -> Batch:
    """Each metric on each day of the window; a day that Facebook omits stays empty, it is not a zero."""
    found, rejected = by_day(data, account)
    rows = []
    for metric in metrics:
        for day in days_of(window):
            value, label = found.get((metric, day), (None, ""))
            rows.append(day_row(NAME, account, metric, day, value, "no_data", label))
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
    rows = [day_row(NAME, account, metric, day, None, why) for metric in metrics for day in days]
    return batch_of(rows, contract)


def unread_days(contract: EntityContract, account: str, days: Sequence[date]) -> Batch:
    """Days of a Page that could not be read."""
    return batch_of(unread_rows(NAME, account, PAGE_METRICS, days), contract)


def unread_periods(contract: EntityContract, account: str, periods: Sequence[Period]) -> Batch:
    """Periods of a Page that could not be read."""
    return batch_of(unread_rows(NAME, account, ("page_media_view", *PERIOD_METRICS), periods), contract)


def last_days(cursor: str | None) -> dict[str, str]:
    """The last stored day, by account; also when a changed contract makes the load start over."""
    stored = json.loads(cursor) if cursor else {}
    return dict(stored.get("days", {}))


def parse_periods(contract: EntityContract, account: str, periods: Iterable[Period]) -> Batch:
    """Reach of a quarter or year is not offered, and the reach of days or weeks does not add up to it."""
    rows = [
        period_row(NAME, account, metric, period, None, "not_offered")
        for period in periods
        for metric in PERIOD_METRICS
    ]
    return batch_of(rows, contract)


def parse_posts(posts: Sequence[Answer], contract: EntityContract, account: str, in_quarter: DayOf) -> Batch:
    """Posts published in the quarter, by the business time zone."""
    return post_rows(POSTS, posts, contract, account, in_quarter)


def parse_figures(
    posts: Sequence[Answer], missing: Missing, contract: EntityContract, account: str, in_quarter: DayOf
) -> Batch:
    """Figures of the quarter's posts since publication; one that is not known stays empty and says why."""
    return figure_rows(POSTS, POST_METRICS, posts, missing, contract, account, in_quarter)


def with_figures(posts: Sequence[Answer], figures: Mapping[str, Sequence[Answer]]) -> list[Answer]:
    """Posts with their separately requested series, joined by the post's id."""
    return [{**post, "insights": {"data": list(figures.get(str(post.get("id")), ()))}} for post in posts]


def why_refused(
    metric: str, refused: Collection[str], posts: Sequence[Answer]
) -> dict[tuple[str, str], Availability]:
    """A metric refused for every post was retired; refused for some, it does not exist for their kind."""
    why: Availability = "retired" if len(refused) == len(posts) else "not_offered"
    return {(number, metric): why for number in refused}
