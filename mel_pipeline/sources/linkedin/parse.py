"""Turn LinkedIn's responses into rows and its errors into exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.http import Answer, TryAgainError, clean
from mel_pipeline.sources.shared.platform.rows import (
    Availability,
    Period,
    Row,
    batch_of,
    content_row,
    metric_row,
    unread_rows,
)
from mel_pipeline.sources.shared.values import unix_moment

NAME = "linkedin"
DAILY_METRICS = ("impressionCount", "clickCount", "likeCount", "commentCount", "shareCount")
REACH = "uniqueImpressionsCount"
ACTIVITY = "activity"  # kind of a post known from an export, which names it by the number of its activity
RETENTION_DAYS = 365  # LinkedIn's window: older days come back empty
_TOKEN_CODES = {"REVOKED_ACCESS_TOKEN", "EXPIRED_ACCESS_TOKEN", "INVALID_ACCESS_TOKEN", "UNAUTHORIZED"}
_VERSION_CODES = {"NONEXISTENT_VERSION", "VERSION_MISSING"}
Element = Mapping[str, object]


def explain(answer: Answer, token: str, throttled: float) -> SourceError:
    """Map an error response to an exception, by the code in its body."""
    data = answer.record()
    code = str(data.get("code") or f"HTTP {answer.status}")
    words = clean(data.get("message", ""), [token])
    if answer.status == 401 or code in _TOKEN_CODES:
        return ReauthoriseError(
            f"{answer.what}: the access token has expired or was revoked ({code})."
            " Sign in to LinkedIn again and set MEL_LINKEDIN_ACCESS_TOKEN; see the README of the source."
        )
    if answer.status == 426 or code in _VERSION_CODES:
        return PermanentSourceError(
            f"{answer.what}: LinkedIn has retired this version of its API ({code})."
            " Set MEL_LINKEDIN_API_VERSION to a newer month, such as last month's."
        )
    if answer.status == 429 or code == "TOO_MANY_REQUESTS":
        return TryAgainError(
            f"{answer.what}: too many calls; LinkedIn limits them by day. Run the load again later.",
            throttled,
        )
    return PermanentSourceError(
        f"{answer.what}: LinkedIn answered {code}: '{words}'. Check that the token's owner administers the page"
        " and that MEL_LINKEDIN_ORGANIZATION_IDS is right."
    )


def number_of(urn: str) -> str:
    """The number of a post. The API names posts by share or ugcPost, exports by activity; the number is in all."""
    return urn.rpartition(":")[2]


def elements_of(data: Mapping[str, object]) -> list[Element]:
    found = data.get("elements")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PermanentSourceError("LinkedIn's response has no list of elements. Check MEL_LINKEDIN_API_URL.")
    return found


def names_next(data: Mapping[str, object]) -> bool:
    """Whether an answer names a next page. Its address is never followed."""
    return any(isinstance(link, dict) and link.get("rel") == "next" for link in _links(data) or ())


def has_no_paging(data: Mapping[str, object]) -> bool:
    """Whether an answer says nothing about pages: then a full one may have a next."""
    return _links(data) is None


def _links(data: Mapping[str, object]) -> list[object] | None:
    paging = data.get("paging")
    links = paging.get("links") if isinstance(paging, dict) else None
    return links if isinstance(links, list) else None


def unread_days(contract: EntityContract, page: str, days: Sequence[date]) -> Batch:
    """Days of a page that could not be read."""
    return batch_of(unread_rows(NAME, page, DAILY_METRICS, days), contract)


def unread_periods(contract: EntityContract, page: str, periods: Sequence[Period]) -> Batch:
    """Periods of a page that could not be read."""
    return batch_of(unread_rows(NAME, page, (REACH, "impressionCount"), periods), contract)


def day_rows(elements: Iterable[Element], contract: EntityContract, page: str, days: Sequence[date]) -> Batch:
    """One row per day and metric; a day without data has no figure."""
    by_day = {_day(element): _figures(element) for element in elements}
    rows = []
    for day in days:
        figures = by_day.get(day, {})
        period = Period("day", day, day + timedelta(days=1))
        ref = f"page {page}, {day}"
        rows += [metric_row(NAME, page, metric, period, figures.get(metric), ref) for metric in DAILY_METRICS]
    return batch_of(rows, contract)


def unavailable_days(contract: EntityContract, page: str, days: Iterable[date]) -> Batch:
    """Days older than LinkedIn keeps: not requested, and not zero."""
    rows = [
        metric_row(
            NAME, page, metric, Period("day", day, day + timedelta(days=1)), None, f"page {page}, {day}",
            why_missing="not_offered",
        )
        for day in days
        for metric in DAILY_METRICS
    ]  # fmt: skip
    return batch_of(rows, contract)


def reach_row(page: str, period: Period, elements: Sequence[Element], why_missing: Availability) -> Row:
    """People reached in exactly one month; empty with the reason where LinkedIn has none."""
    of_period = [one for one in elements if _day(one) in (None, period.start)]
    value = _figures(of_period[0]).get(REACH) if of_period else None
    return metric_row(
        NAME, page, REACH, period, value, f"page {page}, {period.text}", why_missing=why_missing
    )


def post_rows(
    posts: Iterable[Element], contract: EntityContract, page: str, quarter: Quarter, zone: ZoneInfo
) -> tuple[Batch, list[tuple[str, date]]]:
    """Posts of the quarter by the business day, and their ids with that day."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    in_quarter: list[tuple[str, date]] = []
    for post in posts:
        identity, published = str(post.get("id") or ""), moment_of(post)
        ref = f"post {identity or 'without an id'}"
        if not identity or published is None:
            reason = "The post has no id or no time of publication."
            rejected.append(Rejected(ref, identity or None, "published_at", reason, "{}"))
        elif quarter.start <= (day := published.astimezone(zone).date()) < quarter.end:
            title = str(post.get("commentary") or "").strip() or None
            rows.append(
                content_row(NAME, page, number_of(identity), "post", title, published.isoformat(), ref)
            )
            in_quarter.append((identity, day))
    return batch_of(rows, contract, rejected), in_quarter


def figure_rows(
    posts: Sequence[tuple[str, date]], elements: Iterable[Element], contract: EntityContract, page: str
) -> Batch:
    """Figures of posts since publication; a post missing from the response has none."""
    by_post: dict[str, Mapping[str, object]] = {}
    for element in elements:
        identity = element.get("share") or element.get("ugcPost")
        by_post[str(identity)] = _figures(element)
    rows = [
        metric_row(
            NAME, page, metric, Period("lifetime", day), by_post.get(identity, {}).get(metric), f"post {identity}",
            content=number_of(identity),
        )
        for identity, day in posts
        for metric in (*DAILY_METRICS, REACH)
    ]  # fmt: skip
    return batch_of(rows, contract)


def moment_of(post: Element) -> datetime | None:
    """Time of publication, from milliseconds since 1970."""
    milliseconds = post.get("publishedAt")
    return unix_moment(milliseconds / 1000) if isinstance(milliseconds, int) else None


def _figures(element: Element) -> Mapping[str, object]:
    found = element.get("totalShareStatistics")
    return found if isinstance(found, dict) else {}


def _day(element: Element) -> date | None:
    """LinkedIn's days begin at midnight UTC."""
    bounds = element.get("timeRange")
    start = bounds.get("start") if isinstance(bounds, dict) else None
    moment = unix_moment(start / 1000) if isinstance(start, int) else None
    return moment.date() if moment else None
