"""Instagram Graph answers into rows, and what its error codes mean. Pure: no HTTP, no clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.contracts import EntityContract
from mel_pipeline.errors import PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.sources.base import Batch, Rejected, frame_of, key_of, payload_of, text_of
from mel_pipeline.sources.http import Answer, TryAgainError, explain_status

WINDOW_DAYS = 30  # follower_count: more days a call are refused
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
        return PermanentSourceError(
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


def follower_windows(first: date, end: date) -> list[tuple[date, date]]:
    """Periods of at most 30 days from first up to, not including, end."""
    windows = []
    while first < end:
        until = min(first + timedelta(days=WINDOW_DAYS), end)
        windows.append((first, until))
        first = until
    return windows


def periods_of(quarter: Quarter) -> list[tuple[date, date]]:
    """The quarter, and with a fourth quarter its whole year: unique reach cannot be added up."""
    year = [(date(quarter.year, 1, 1), date(quarter.year + 1, 1, 1))] if quarter.number == 4 else []
    return [(quarter.start, quarter.end), *year]


def parse_account(data: Mapping[str, object], contract: EntityContract, day: date) -> Batch:
    row = {
        "account_id": text_of(data.get("id")),
        "username": text_of(data.get("username")),
        "taken_on": day.isoformat(),
        "followers_count": text_of(data.get("followers_count")),
        "_source_ref": f"account {text_of(data.get('id'))}",
    }
    return Batch(frame_of([row], contract), fetched=1)


def parse_daily(data: Mapping[str, object], contract: EntityContract, account: str) -> Batch:
    """Daily values; ``end_time`` closes the day it counts (07:00 or 08:00 UTC is midnight in California)."""
    rows: list[dict[str, str | None]] = []
    rejected: list[Rejected] = []
    values = [value for series in _data(data) for value in _list(series.get("values"))]
    for value in values:
        label = text_of(value.get("end_time"))
        row = {"account_id": account, "follower_count": text_of(value.get("value")), "end_time": iso(label)}
        try:
            day = datetime.fromisoformat(str(label)).date() - timedelta(days=1)
        except ValueError:
            reason = "end_time is not a time, so the day is unknown."
            rejected.append(
                Rejected(f"account {account}", None, "end_time", reason, payload_of(row, contract))
            )
            continue
        rows.append({**row, "day": day.isoformat(), "_source_ref": f"account {account}, {day}"})
    return Batch(frame_of(rows, contract), rejected, fetched=len(values))


def parse_period(
    data: Mapping[str, object], contract: EntityContract, account: str, metric: str, period: tuple[date, date]
) -> Batch:
    """The figure of one metric. An empty data set gives no row: missing is not zero."""
    rows: list[dict[str, str | None]] = []
    for series in _data(data):
        if series.get("name") == metric and (value := figure(series)) is not None:
            rows.append(
                {
                    "account_id": account,
                    "metric": metric,
                    "period_start": period[0].isoformat(),
                    "period_end": period[1].isoformat(),
                    "value": value,
                    "_source_ref": f"account {account}, {period[0]} to {period[1]}",
                }
            )
    return Batch(frame_of(rows, contract), fetched=len(rows))


def no_answer(contract: EntityContract, account: str, what: str, period: tuple[date, date]) -> Batch:
    """A figure Instagram refuses to give, put aside by name so that the gap shows."""
    where = f"account {account}, {what}, {period[0]} to {period[1]}"
    reason = f"Instagram does not give {what} for this period (code 100): retired, or out of its reach."
    return Batch(frame_of([], contract), [Rejected(where, None, None, reason, "{}")], fetched=1)


def parse_media(
    posts: Sequence[Mapping[str, object]],
    contract: EntityContract,
    account: str,
    quarter: Quarter,
    zone: ZoneInfo,
) -> Batch:
    """Posts published in the quarter, by the business time zone, with the figures that are known."""
    rows: list[dict[str, str | None]] = []
    rejected: list[Rejected] = []
    fetched = 0
    for number, post in enumerate(posts, start=1):
        stamp = iso(text_of(post.get("timestamp")))
        row = {name: text_of(post.get(name)) for name in ("caption", "media_type", "media_product_type")}
        row |= {"media_id": text_of(post.get("id")), "account_id": account, "timestamp": stamp}
        place = f"account {account}, post {row['media_id'] or number}"
        row["_source_ref"] = place
        try:
            published = datetime.fromisoformat(str(stamp)).astimezone(zone).date()
        except ValueError:
            reason = "The time of publication cannot be read, so the quarter is unknown."
            key = key_of(row, contract)
            rejected.append(Rejected(place, key, "timestamp", reason, payload_of(row, contract)))
            continue
        if not quarter.start <= published < quarter.end:
            continue
        fetched += 1
        insights = post.get("insights")
        known = {str(series.get("name")): figure(series) for series in _data(insights)}
        rows.append(row | {metric: known.get(metric) for metric in MEDIA_METRICS})
    return Batch(frame_of(rows, contract), rejected, fetched=fetched + len(rejected))


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


def _data(data: object) -> list[Mapping[str, object]]:
    return _list(data.get("data")) if isinstance(data, Mapping) else []


def _list(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else 0
