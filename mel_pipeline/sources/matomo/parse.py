"""Matomo answers into rows, and what its errors mean. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from mel_pipeline.contracts import EntityContract
from mel_pipeline.errors import PermanentSourceError
from mel_pipeline.sources.base import Batch, Rejected, frame_of, payload_of, text_of
from mel_pipeline.sources.http import clean

_METRICS = ("nb_visits", "nb_actions", "bounce_rate")


def days_between(first: date, end: date) -> list[date]:
    """Days from first up to, not including, end."""
    return [first + timedelta(days=number) for number in range((end - first).days)]


def check(data: object, what: str, secrets: Iterable[str]) -> object:
    """The data, unless it is an error: Matomo reports those with HTTP 200.

    Raises:
        PermanentSourceError: with Matomo's reason, without the token.
    """
    if isinstance(data, dict) and data.get("result") == "error":
        raise PermanentSourceError(
            f"{what}: Matomo answered '{clean(data.get('message', ''), secrets)}'."
            " Check MEL_MATOMO_TOKEN, MEL_MATOMO_SITE_IDS and that the token may view the site."
        )
    return data


def site_name(data: object, what: str) -> str:
    """The name of a site; old versions wrap the answer in a list."""
    entry = data[0] if isinstance(data, list) and data else data
    if not isinstance(entry, dict) or not entry.get("name"):
        raise PermanentSourceError(f"{what}: Matomo knows no such site. Check MEL_MATOMO_SITE_IDS.")
    return str(entry["name"])


def parse_days(data: object, contract: EntityContract, site: str, name: str, days: list[date]) -> Batch:
    """One row a day. A day that is ``[]`` keeps empty figures: nothing is known, which is not zero.

    A day that the answer leaves out is rejected, so that the gap shows.
    """
    answers: Mapping[str, object] = data if isinstance(data, dict) else {}
    nothing_at_all = isinstance(data, list) and not data
    rows: list[dict[str, str | None]] = []
    rejected: list[Rejected] = []
    for day in days:
        where = f"site {site}, {day}"
        figures = [] if nothing_at_all else answers.get(day.isoformat())
        if figures == [] or isinstance(figures, dict):
            known = figures if isinstance(figures, dict) else {}
            row: dict[str, str | None] = {
                "site_id": site,
                "site_name": name,
                "day": day.isoformat(),
                "_source_ref": where,
            }
            rows.append(row | {metric: text_of(known.get(metric)) for metric in _METRICS})
        else:
            reason = "Matomo's answer leaves this day out."
            key = {"site_id": site, "day": day.isoformat()}
            rejected.append(Rejected(where, f"{site}|{day}", None, reason, payload_of(key, contract)))
    return Batch(frame_of(rows, contract), rejected, fetched=len(days))
