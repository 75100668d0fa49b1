"""Instagram Graph answers into rows, and what its error codes mean. Pure: no HTTP, no clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.contracts import EntityContract
from mel_pipeline.errors import PermanentSourceError, ReauthoriseError, SourceError, TransientSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.sources.base import Batch, Rejected, payload_of, text_of
from mel_pipeline.sources.http import Answer, TryAgainError, explain_status
from mel_pipeline.sources.platform.days import days_of
from mel_pipeline.sources.platform.rows import (
    Availability,
    Period,
    Row,
    account_row,
    batch_of,
    content_row,
    metric_row,
)

NAME = "instagram"
MEDIA_METRICS = ("views", "reach")
_REAUTHORISE = frozenset({102, 190})
_THROTTLED = frozenset({4, 17, 32, 613, *range(80000, 80015)})
_RETRY = frozenset({1, 2})
_PERMISSION = frozenset({10, *range(200, 300)})


@dataclass(frozen=True)
class GraphError:
    """Decided by the JSON ``code``, never by the HTTP status."""

    code: int
    subcode: int

    @property
    def is_about_the_question(self) -> bool:
        """A bad or retired metric, a window out of reach, an object that is gone: others may still answer."""
        return self.code == 100

    @property
    def is_suppressed(self) -> bool:
        """Instagram hides a figure of too few viewers (10) or of a post older than the business account."""
        return self.code == 10 or (self.code == 100 and self.subcode == 2108006)


def error_of(data: Mapping[str, object]) -> GraphError | None:
    """The error in an answer, if it is one."""
    error = data.get("error")
    if not isinstance(error, dict):
        return None
    return GraphError(_number(error.get("code")), _number(error.get("error_subcode")))


def explain_error(  # noqa: PLR0911 - one return a meaning
    answer: Answer, error: GraphError, throttled: float
) -> SourceError:
    """What a code means. Instagram's own text is left out: it repeats the question and the account."""
    code = error.code
    if code in _REAUTHORISE:
        return ReauthoriseError(
            f"{answer.what}: the access token has expired or was withdrawn (code {code})."
            " Authorise the account again and set MEL_INSTAGRAM_ACCESS_TOKEN."
        )
    if code in _THROTTLED:
        return TryAgainError(
            f"{answer.what}: too many calls (code {code}). Run the load again later.",
            wait_seconds(answer.headers) or throttled,
        )
    if code in _RETRY:
        return TryAgainError(
            f"{answer.what}: Instagram has a fault of its own (code {code}). Run the load again later."
        )
    if code in _PERMISSION:
        return PermanentSourceError(
            f"{answer.what}: the access token lacks a permission (code {code})."
            " Authorise again with instagram_basic and instagram_manage_insights."
        )
    if code == 100:
        return PermanentSourceError(
            f"{answer.what}: Instagram refuses the question (code 100): the account id is wrong, or"
            " the metric was retired. Check MEL_INSTAGRAM_ACCOUNT_IDS."
        )
    if answer.status >= 500:
        return TransientSourceError(
            f"{answer.what}: Instagram answered code {code}. Run the load again later."
        )
    return explain_status(answer, f"Instagram answered code {code}.")


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """How long to wait, by the usage header; Instagram counts it in minutes. None when it does not say."""
    lowered = {name.lower(): value for name, value in headers.items()}
    waits: list[float] = []
    for name in ("x-business-use-case-usage", "x-app-usage"):
        try:
            data = json.loads(lowered.get(name, "{}"))
        except ValueError:
            continue
        entries = [entry for part in data.values() for entry in (part if isinstance(part, list) else [])]
        for entry in [data, *entries]:
            if isinstance(entry, dict) and (minutes := entry.get("estimated_time_to_regain_access")):
                waits.append(60.0 * float(minutes))
    return max(waits, default=None)


def parse_account(data: Mapping[str, object], contract: EntityContract, day: date) -> Batch:
    account = text_of(data.get("id")) or ""
    row = account_row(
        NAME, account, text_of(data.get("username")), day, data.get("followers_count"), f"account {account}"
    )
    return batch_of([row], contract)


def parse_daily(
    data: Mapping[str, object], contract: EntityContract, account: str, window: tuple[date, date]
) -> Batch:
    """New followers of each day of the window; a day that Instagram leaves out keeps an empty figure.

    ``end_time`` closes the day it counts (07:00 or 08:00 UTC is midnight in California).
    """
    found: dict[date, object] = {}
    rejected: list[Rejected] = []
    for value in (value for series in records(data) for value in _list(series.get("values"))):
        try:
            day = datetime.fromisoformat(str(value.get("end_time"))).date() - timedelta(days=1)
        except ValueError:
            reason = "end_time is not a time, so the day is unknown."
            rejected.append(Rejected(f"account {account}", None, "period_start", reason, "{}"))
            continue
        found[day] = value.get("value")
    days = sorted(set(days_of(window)) | set(found))
    rows = [_day_row(account, day, found.get(day), "no_data") for day in days]
    return batch_of(rows, contract, rejected)


def refused_days(contract: EntityContract, account: str, window: tuple[date, date]) -> Batch:
    """Days Instagram does not tell any longer: it keeps new followers for 30 days."""
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


def no_answer(contract: EntityContract, account: str, metric: str, period: Period) -> Batch:
    """A figure Instagram refuses to give."""
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
    """Posts of the quarter with their day; those without a readable time are put aside."""
    dated: list[tuple[Mapping[str, object], date]] = []
    rejected: list[Rejected] = []
    for post in posts:
        stamp = iso(text_of(post.get("timestamp")))
        try:
            published = datetime.fromisoformat(str(stamp)).astimezone(zone).date()
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


def figure(series: Mapping[str, object]) -> str | None:
    """A metric's value: ``total_value`` where there is one, else the first of ``values``."""
    total = series.get("total_value")
    if isinstance(total, dict):
        return text_of(total.get("value"))
    values = _list(series.get("values"))
    return text_of(values[0].get("value")) if values else None


def next_page(data: Mapping[str, object]) -> str | None:
    """Where to go on. A last page still has cursors, but no ``next``; ``next`` itself is never followed."""
    paging = data.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    return text_of(cursors.get("after")) if isinstance(cursors, dict) else None


def iso(text: str | None) -> str | None:
    """``…+0000`` as ``…+00:00``, which every database reads; anything else as it is."""
    return (
        f"{text[:-2]}:{text[-2:]}"
        if text and len(text) > 5 and text[-5] in "+-" and text[-4:].isdigit()
        else text
    )


def records(data: object) -> list[Mapping[str, object]]:
    """What stands in ``data`` of an answer."""
    return _list(data.get("data")) if isinstance(data, Mapping) else []


def _list(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else 0
