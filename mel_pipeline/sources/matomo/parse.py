"""Turn Matomo's responses into rows and its errors into exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.http import clean
from mel_pipeline.sources.shared.platform.rows import Period, Row, batch_of, metric_row, unread_rows

NAME = "matomo"
DAILY_METRICS = ("nb_visits", "nb_actions")
VISITORS = "nb_uniq_visitors"


def check(data: object, what: str, secrets: Iterable[str]) -> object:
    """The data, unless it is an error: Matomo reports those with HTTP 200.

    Raises:
        ReauthoriseError: the token was rejected, for every site. Matomo sends no error codes, only messages.
        PermanentSourceError: any other error, with Matomo's message but without the token.
    """
    if isinstance(data, dict) and data.get("result") == "error":
        words = clean(data.get("message", ""), secrets)
        is_of_site = "website" in words.lower()  # it names the site: not to be viewed, or deleted
        is_refused = not is_of_site and any(sign in words.lower() for sign in ("access", "authenticate"))
        raise (ReauthoriseError if is_refused else PermanentSourceError)(
            f"{what}: Matomo answered '{words}'."
            " Check MEL_MATOMO_TOKEN, MEL_MATOMO_SITE_IDS and that the token may view the site."
        )
    return data


def site_name(data: object, what: str) -> str:
    """The name of a site; old versions wrap the response in a list."""
    entry = data[0] if isinstance(data, list) and data else data
    if not isinstance(entry, dict) or not entry.get("name"):
        raise PermanentSourceError(f"{what}: Matomo knows no such site. Check MEL_MATOMO_SITE_IDS.")
    return str(entry["name"])


def parse_days(data: object, contract: EntityContract, site: str, days: Sequence[date]) -> Batch:
    """One row per day and metric. A day that is ``[]`` has empty figures: unknown is not zero.

    A day missing from the response is quarantined, so that the gap shows.
    """
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for day in days:
        where = f"site {site}, {day}"
        figures = _figures(data, day.isoformat())
        if figures is None:
            key = f"{NAME}|{site}|all|{DAILY_METRICS[0]}|day|{day}"
            reason = "This day is missing from Matomo's response."
            rejected.append(Rejected(where, key, None, reason, "{}"))
            continue
        period = Period("day", day, day + timedelta(days=1))
        rows += [
            metric_row(NAME, site, metric, period, figures.get(metric), where) for metric in DAILY_METRICS
        ]
    return batch_of(rows, contract, rejected)


def last_visited(data: object, days: Sequence[date]) -> date | None:
    """The last of these days on which there were visits."""
    return max((day for day in days if _figures(data, day.isoformat())), default=None)


def is_empty(data: object, day: date) -> bool:
    """Whether Matomo has nothing of a day; both a day without visits and one not processed yet are ``[]``."""
    return _figures(data, day.isoformat()) == {}


def quiet_days(contract: EntityContract, site: str, days: Sequence[date]) -> Batch:
    """Days of a site on which nobody came: zero visits."""
    rows = [
        metric_row(
            NAME, site, metric, Period("day", day, day + timedelta(days=1)), 0, f"site {site}, {day}, no visits"
        )
        for day in days
        for metric in DAILY_METRICS
    ]  # fmt: skip
    return batch_of(rows, contract)


def unread_days(contract: EntityContract, site: str, days: Sequence[date]) -> Batch:
    """Days of a site that could not be read."""
    return batch_of(unread_rows(NAME, site, DAILY_METRICS, days), contract)


def unread_periods(contract: EntityContract, site: str, periods: Sequence[Period]) -> Batch:
    """Periods of a site that could not be read."""
    return batch_of(unread_rows(NAME, site, [VISITORS], periods), contract)


def parse_months(data: object, contract: EntityContract, site: str, months: Sequence[Period]) -> Batch:
    """Unique visitors of each month; empty where Matomo has none. A month missing from the response is quarantined."""
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for month in months:
        where = f"site {site}, {month.text}"
        figures = _figures(data, f"{month.start:%Y-%m}")
        if figures is None:
            key = f"{NAME}|{site}|all|{VISITORS}|month|{month.start}"
            rejected.append(Rejected(where, key, None, "This month is missing from Matomo's response.", "{}"))
        else:
            rows.append(metric_row(NAME, site, VISITORS, month, figures.get(VISITORS), where))
    return batch_of(rows, contract, rejected)


def not_offered(contract: EntityContract, site: str, periods: Sequence[Period]) -> Batch:
    """Matomo counts no unique visitors over a quarter or a year."""
    rows = [
        metric_row(
            NAME, site, VISITORS, period, None, f"site {site}, {period.text}", why_missing="not_offered"
        )
        for period in periods
    ]
    return batch_of(rows, contract)


def _figures(data: object, label: str) -> Mapping[str, object] | None:
    """Figures of a day or month; empty where Matomo sends ``[]``, None where the response omits it."""
    if isinstance(data, list) and not data:
        return {}
    found = data.get(label) if isinstance(data, dict) else None
    if found == []:
        return {}
    return found if isinstance(found, dict) else None
