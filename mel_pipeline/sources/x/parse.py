"""Turn X's responses into rows and its errors into exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError, UnpromisedError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.http import Answer, TryAgainError, clean
from mel_pipeline.sources.shared.platform.rows import (
    Period,
    Row,
    account_row,
    batch_of,
    content_row,
    metric_row,
)
from mel_pipeline.sources.shared.values import moment_from, whole_number

NAME = "x"
LIFETIME_METRICS = (
    "impression_count", "like_count", "reply_count", "retweet_count", "quote_count", "bookmark_count",
)  # fmt: skip
PERIOD_METRICS = ("impression_count", "reach")
Post = Mapping[str, object]


class WithheldError(PermanentSourceError):
    """X answered about one account with errors in place of data: it is protected, suspended or gone."""


def explain(answer: Answer, token: str, wait_seconds: float | None) -> SourceError:
    """Map an error response to an exception, by the type in its body, else by the status alone.

    Args:
        wait_seconds: until the quota resets, from the headers.
    """
    data = answer.record()
    kind = str(data.get("type") or "").rsplit("/", 1)[-1]
    words = clean(data.get("detail") or data.get("title") or "", [token])
    if kind == "usage-capped":
        return TryAgainError(
            f"{answer.what}: the X project's monthly limit of posts is used up ({kind}). Run the load again next month.",
            86_400,
        )
    if answer.status == 429:
        return TryAgainError(f"{answer.what}: too many calls. Run the load again later.", wait_seconds)
    if answer.status == 401:
        return ReauthoriseError(
            f"{answer.what}: the token was rejected."
            " Make a new one in the X developer portal and set MEL_X_BEARER_TOKEN."
        )
    return PermanentSourceError(
        f"{answer.what}: X answered {kind or f'HTTP {answer.status}'}: '{words}'."
        " Check MEL_X_USER_IDS and what the X project may read."
    )


def account_rows(
    data: Mapping[str, object], contract: EntityContract, requested: Sequence[str], today: date
) -> Batch:
    """One row per account. X responds with 200 and omits accounts that are suspended or gone."""
    listed = data if "data" in data or "errors" not in data else {"data": []}
    by_id = {str(user.get("id")): user for user in records(listed)}
    reasons = reasons_of(data)
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for account in requested:
        ref = f"account {account}"
        if account not in by_id:
            reason = "X shows no such account: it is suspended, gone, or the number is wrong."
            if account in reasons:
                reason += f" X says: '{reasons[account]}'"
            rejected.append(Rejected(ref, f"{NAME}|{account}|{today}", "account_id", reason, "{}"))
            continue
        user = by_id[account]
        followers = _metrics(user).get("followers_count")
        rows.append(
            account_row(NAME, account, str(user.get("username") or "") or None, today, followers, ref)
        )
    return batch_of(rows, contract, rejected)


def first_id(post: Post) -> str:
    """The id under which a post was published. An edit gives it a new one; ``edit_history_tweet_ids`` begins with it."""
    history = post.get("edit_history_tweet_ids")
    first = history[0] if isinstance(history, list) and history else post.get("id")
    return str(first or "") if post.get("id") else ""


def period_rows(contract: EntityContract, accounts: Iterable[str], periods: Sequence[Period]) -> Batch:
    """X reports no figure of an account for a period."""
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
        for account in accounts
        for period in periods
        for metric in PERIOD_METRICS
    ]
    return batch_of(rows, contract)


def post_rows(
    posts: Iterable[Post],
    contract: EntityContract,
    account: str,
    quarter: Quarter,
    zone: ZoneInfo,
    *,
    with_figures: bool,
) -> Batch:
    """Posts of the quarter by the business day, or their figures since publication."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for post in posts:
        identity, published = first_id(post), _moment(post)
        ref = f"post {identity or 'without an id'}"
        if not identity or published is None:
            reason = "The post has no id or no time of publication."
            rejected.append(Rejected(ref, identity or None, "published_at", reason, "{}"))
            continue
        day = published.astimezone(zone).date()
        if not quarter.start <= day < quarter.end:
            continue  # another quarter's: the request spans a day more on both sides
        if with_figures:
            figures = _metrics(post)
            rows += [
                metric_row(
                    NAME, account, metric, Period("lifetime", day), figures.get(metric), ref, content=identity
                )
                for metric in LIFETIME_METRICS
            ]
        else:
            title = str(post.get("text") or "") or None
            rows.append(content_row(NAME, account, identity, "post", title, published.isoformat(), ref))
    return batch_of(rows, contract, rejected)


def records(data: Mapping[str, object]) -> list[Post]:
    """The entries of a response; X omits ``data`` when there are none, and then counts none.

    Raises:
        PermanentSourceError: it has errors in place of data, as for a protected or suspended account.
        UnpromisedError: it has neither data nor a count, or other than it counts.
    """
    meta = data.get("meta")
    if "data" not in data and not (isinstance(meta, dict) and "result_count" in meta):
        if reasons := reasons_of(data):
            raise WithheldError(
                f"X answered with errors in place of data: {' '.join(dict.fromkeys(reasons.values()))}"
                " Check MEL_X_USER_IDS."
            )
        raise UnpromisedError(
            "X's answer holds no data and does not say that there are none. Run the load again later."
        )
    found = data.get("data") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PermanentSourceError("X's response has no list of records. Check MEL_X_API_URL.")
    counted = meta.get("result_count") if isinstance(meta, dict) else None
    if isinstance(counted, int) and counted != len(found):
        raise UnpromisedError(
            f"X's answer counts {counted} records and holds {len(found)}. Run the load again later."
        )
    return found


def reasons_of(data: Mapping[str, object]) -> dict[str, str]:
    """Why X withholds something, by its id, from the ``errors`` that come with HTTP 200."""
    found = data.get("errors")
    errors = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return {
        str(one.get("resource_id") or one.get("value") or ""): (
            f"{clean(one.get('title') or 'Error')}: {clean(one.get('detail') or 'no detail is given.')}"
        )
        for one in errors
    }


def posts_ever(data: Mapping[str, object]) -> int | None:
    """How many posts the one account of a response has, by X's own count."""
    found = data.get("data")
    user = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
    return whole_number(_metrics(user).get("tweet_count"))


def withheld(account: str, reason: object, contract: EntityContract) -> Batch:
    """An account that X does not show, quarantined with the reason it gives."""
    row = Rejected(f"account {account}", None, "account_id", str(reason), "{}")
    return batch_of([], contract, [row])


def next_token(data: Mapping[str, object]) -> str | None:
    meta = data.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return str(token) if token else None


def _metrics(record: Post) -> Mapping[str, object]:
    found = record.get("public_metrics")
    return found if isinstance(found, dict) else {}


def _moment(post: Post) -> datetime | None:
    try:
        return moment_from(post.get("created_at"))
    except ValueError:
        return None
