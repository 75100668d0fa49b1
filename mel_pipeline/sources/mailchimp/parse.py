"""Turn Mailchimp's responses into rows: counts only; rates are fractions in places, percentages in others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.http import Answer, TryAgainError, clean
from mel_pipeline.sources.shared.platform.mailings import Mailing
from mel_pipeline.sources.shared.platform.rows import Row, account_row, batch_of

NAME = "mailchimp"
# metric -> its path in a report
COUNTS: Mapping[str, tuple[str, ...]] = {
    "emails_sent": ("emails_sent",),
    "unique_opens": ("opens", "unique_opens"),
    # Without what mail programs open by themselves; Mailchimp tells it of e-mails sent since 22 June 2024.
    "proxy_excluded_unique_opens": ("opens", "proxy_excluded_unique_opens"),
    "unique_subscriber_clicks": ("clicks", "unique_subscriber_clicks"),
    "unsubscribed": ("unsubscribed",),
    "hard_bounces": ("bounces", "hard_bounces"),
    "soft_bounces": ("bounces", "soft_bounces"),
    "abuse_reports": ("abuse_reports",),
}
Record = Mapping[str, object]


def explain(answer: Answer, key: str, throttled: float) -> SourceError:
    """Map an error response to an exception, by the status and title of Mailchimp's problem document."""
    data = answer.record()
    title = clean(data.get("title") or f"HTTP {answer.status}", [key])
    if answer.status == 401:
        return ReauthoriseError(
            f"{answer.what}: the key was rejected ({title})."
            " Make a new one in Mailchimp (Account → Extras → API keys) and set MEL_MAILCHIMP_API_KEY."
        )
    if answer.status == 429:
        return TryAgainError(
            f"{answer.what}: too many calls at once ({title}). Run the load again later.", throttled
        )
    return PermanentSourceError(
        f"{answer.what}: Mailchimp answered '{title}': '{clean(data.get('detail', ''), [key])}'."
        " Check MEL_MAILCHIMP_API_KEY and what its user may see."
    )


def records(data: Record, name: str) -> list[Record]:
    found = data.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PermanentSourceError(
            f"Mailchimp's response has no list of {name}. Check MEL_MAILCHIMP_API_URL."
        )
    return found


def whole_campaigns(reports: Iterable[Record]) -> list[Record]:
    """Without the variants of an A/B test: their counts are in the report of the test."""
    return [one for one in reports if not str(one.get("type") or "").endswith("-child")]


def list_rows(lists: Iterable[Record], contract: EntityContract, today: date) -> Batch:
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for one in lists:
        if one.get("id") in (None, ""):
            reason = "The audience has no id."
            rejected.append(Rejected("audience without an id", None, "account_id", reason, "{}"))
            continue
        stats = one.get("stats")
        members = stats.get("member_count") if isinstance(stats, dict) else None
        identity = str(one.get("id"))
        name = str(one.get("name") or "") or None
        rows.append(account_row(NAME, identity, name, today, members, f"audience {identity}"))
    return batch_of(rows, contract, rejected)


def mailing_of(report: Record) -> Mailing:
    """A campaign and its counts, from its report."""
    counts = {metric: _value_at(report, path) for metric, path in COUNTS.items()}
    return Mailing(
        id=str(report.get("id") or ""),
        account=str(report.get("list_id") or "no audience"),
        kind=str(report.get("type") or "regular"),
        title=str(report.get("subject_line") or "") or None,
        sent_at=str(report.get("send_time")),
        counts=counts | {"delivered": _delivered(report)},
    )


def _delivered(report: Record) -> int | None:
    parts = [_value_at(report, COUNTS[name]) for name in ("emails_sent", "hard_bounces", "soft_bounces")]
    sent, *bounced = [part if isinstance(part, int) else None for part in parts]
    return None if sent is None or None in bounced else sent - sum(filter(None, bounced))


def _value_at(report: Record, path: tuple[str, ...]) -> object:
    found: object = report
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
