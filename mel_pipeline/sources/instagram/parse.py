"""Turn Instagram Graph API responses into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import dropwhile
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import UnpromisedError
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
from mel_pipeline.sources.shared.platform.days import SETTLES_DAYS, days_of
from mel_pipeline.sources.shared.platform.rows import Availability, Period, account_row, batch_of, unread_rows
from mel_pipeline.sources.shared.values import whole_number

NAME = "instagram"
FOLLOWERS = "follower_count"
NET_FOLLOWERS = "follows_and_unfollows"
MEDIA_METRICS = ("views", "reach")
POSTS = PostFields(NAME, "timestamp", "media_type", "caption")


def parse_account(data: Answer, contract: EntityContract, day: date) -> Batch:
    account = text_of(data.get("id"))
    if account is None:
        raise UnpromisedError(
            "Instagram's answer about an account holds no id. Nothing was stored. Run the load again later."
        )
    row = account_row(
        NAME, account, text_of(data.get("username")), day, data.get("followers_count"), f"account {account}"
    )
    return batch_of([row], contract)


def parse_daily(data: Answer, contract: EntityContract, account: str, window: tuple[date, date]) -> Batch:
    """New followers of each day of the window; a day that Instagram omits has an empty figure."""
    found, rejected = by_day(data, account)
    values = {day: value for (metric, day), (value, _) in found.items() if metric == FOLLOWERS}
    days = sorted(set(days_of(window)) | set(values))
    rows = [day_row(NAME, account, FOLLOWERS, day, values.get(day), "no_data") for day in days]
    return batch_of(rows, contract, rejected)


def unavailable_days(contract: EntityContract, account: str, days: Iterable[date]) -> Batch:
    """Days Instagram no longer reports: it keeps new followers for 30 days."""
    rows = [day_row(NAME, account, FOLLOWERS, day, None, "not_offered") for day in days]
    return batch_of(rows, contract)


def unread_days(contract: EntityContract, account: str, days: Sequence[date]) -> Batch:
    """Days of an account that could not be read."""
    return batch_of(unread_rows(NAME, account, [FOLLOWERS], days), contract)


def unread_periods(contract: EntityContract, account: str, periods: Sequence[Period]) -> Batch:
    """Periods of an account that could not be read."""
    return batch_of(unread_rows(NAME, account, ("views", "reach"), periods), contract)


def parse_net_followers(
    answers: Sequence[Answer], contract: EntityContract, account: str, month: Period
) -> Batch:
    """Net new followers of a month, from the totals of its windows; empty where one of them is."""
    value = _sum_of(_net, answers) if all(map(records, answers)) else None
    return batch_of([period_row(NAME, account, NET_FOLLOWERS, month, value, "no_data")], contract)


def _sum_of(read: Callable[[Answer], int | None], answers: Iterable[Answer]) -> int | None:
    """The sum over consecutive windows; None where one of them cannot be read: it is not empty, and so no zero."""
    try:
        return added([read(answer) for answer in answers])
    except ValueError:
        return None


def _whole(value: object) -> int:
    """A count.

    Raises:
        ValueError: it is none.
    """
    number = whole_number(value)
    if number is None:
        raise ValueError("no count")
    return number


def _net(data: Answer) -> int | None:
    """Accounts that followed less those that left; Instagram gives either only beside the other.

    Raises:
        ValueError: a part is none.
    """
    for series in records(data):
        if series.get("name") != NET_FOLLOWERS:
            continue
        total = series.get("total_value")
        breakdowns = total.get("breakdowns") if isinstance(total, Mapping) else None
        for breakdown in breakdowns if isinstance(breakdowns, list) else ():
            counts: dict[str, int] = {}
            for part in _parts(breakdown):
                (kind,) = _list(part.get("dimension_values"))
                if counts.setdefault(str(kind), _whole(part.get("value"))) != _whole(part.get("value")):
                    raise ValueError("two counts of one kind")
            return counts.get("FOLLOWER", 0) - counts.get("NON_FOLLOWER", 0) if counts else None
    return None


def _parts(breakdown: object) -> list[Mapping[str, object]]:
    found = _list(breakdown.get("results")) if isinstance(breakdown, Mapping) else []
    parts = [part for part in found if isinstance(part, Mapping)]
    if len(parts) < len(found):
        raise ValueError("a part is no record")
    return parts


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def parse_views(
    answers: Mapping[tuple[date, date], Answer],
    contract: EntityContract,
    account: str,
    period: Period,
    today: date,
) -> Batch:
    """Views of a period: the sum over its windows (first day, first day after it), in their order.

    An empty data set stays empty: missing is not zero. One of days that have not settled is nothing yet.
    """
    settled = [part for part in answers if part[0] < today - timedelta(days=SETTLES_DAYS)]
    late = [part for part in answers if part not in settled and any(map(figure, records(answers[part])))]
    value = _sum_of(_views, [answers[part] for part in [*settled, *late]])
    return batch_of([period_row(NAME, account, "views", period, value, "no_data")], contract)


def _views(data: Answer) -> int | None:
    """Views of a window, None where it has no data set.

    Raises:
        ValueError: it has one without a count.
    """
    found = [figure(series) for series in records(data) if series.get("name") == "views"]
    return _whole(found[0]) if found else None


def added(parts: Sequence[int | None]) -> int | None:
    """The sum over consecutive windows. Empty ones before the first figure are from before the account existed;
    with an empty one after it, the sum would be too small, so there is none.
    """
    known = list(dropwhile(lambda part: part is None, parts))
    return sum(part for part in known if part is not None) if known and None not in known else None


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
