"""Turn Brevo's responses into rows; Apple's automatic opens are a metric of their own. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError
from mel_pipeline.sources.shared.base import Batch, Rejected
from mel_pipeline.sources.shared.http import Answer, TryAgainError, clean
from mel_pipeline.sources.shared.platform.mailings import Mailing
from mel_pipeline.sources.shared.platform.rows import Row, account_row, batch_of

NAME = "brevo"
COUNTS = (
    "sent", "delivered", "uniqueViews", "appleMppOpens", "uniqueClicks", "unsubscriptions", "hardBounces", "softBounces",
    "complaints",
)  # fmt: skip
SEVERAL = "several"  # account of a campaign to more than one list: which list a reader is on is unknown
Record = Mapping[str, object]


def explain(answer: Answer, key: str, wait_seconds: float | None) -> SourceError:
    """Map an error response to an exception, by the code in its body.

    Args:
        wait_seconds: until the limit resets, from the header.
    """
    data = answer.record()
    code = str(data.get("code") or f"HTTP {answer.status}")
    if answer.status == 429:
        return TryAgainError(f"{answer.what}: too many calls. Run the load again later.", wait_seconds)
    if answer.status == 401 or code == "unauthorized":
        return ReauthoriseError(
            f"{answer.what}: the key was rejected ({code}). Brevo can restrict keys to IP addresses: check that"
            " this machine's is allowed (Security → Authorised IPs). Otherwise make a new key (SMTP & API → API"
            " keys) and set MEL_BREVO_API_KEY."
        )
    return PermanentSourceError(
        f"{answer.what}: Brevo answered {code}: '{clean(data.get('message', ''), [key])}'."
        " Check MEL_BREVO_API_KEY."
    )


def records(data: Record, name: str) -> list[Record]:
    """The records of a page; Brevo omits the list when it is empty."""
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PermanentSourceError(f"Brevo's response has no list of {name}. Check MEL_BREVO_API_URL.")
    return found


def list_rows(lists: Iterable[Record], contract: EntityContract, today: date) -> Batch:
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for one in lists:
        if one.get("id") in (None, ""):
            reason = "The list has no id."
            rejected.append(Rejected("list without an id", None, "account_id", reason, "{}"))
            continue
        identity, name = str(one.get("id")), str(one.get("name") or "") or None
        rows.append(
            account_row(NAME, identity, name, today, one.get("uniqueSubscribers"), f"list {identity}")
        )
    return batch_of(rows, contract, rejected)


def several_row(contract: EntityContract, today: date) -> Batch:
    """The account of campaigns to several lists; its subscribers are in the lists already."""
    return batch_of([account_row(NAME, SEVERAL, "Several lists", today, None, "several lists")], contract)


def mailing_of(campaign: Record) -> Mailing:
    """A campaign and its counts over all its lists."""
    statistics = _statistics(campaign)
    return Mailing(
        id=str(campaign.get("id") or ""),
        account=account_of(campaign),
        kind=str(campaign.get("type") or "classic"),
        title=str(campaign.get("subject") or "") or None,
        sent_at=str(campaign.get("sentDate")),
        counts={metric: statistics.get(metric) for metric in COUNTS},
    )


def account_of(campaign: Record) -> str:
    """The list a campaign went to; ``SEVERAL`` when there was more than one."""
    recipients = campaign.get("recipients")
    lists = recipients.get("lists") if isinstance(recipients, dict) else None
    return str(lists[0]) if isinstance(lists, list) and len(lists) == 1 else SEVERAL


def _statistics(campaign: Record) -> Record:
    """Counts over all lists: `campaignStats` would count a person on two of them twice."""
    statistics = campaign.get("statistics")
    found = statistics.get("globalStats") if isinstance(statistics, dict) else None
    return found if isinstance(found, dict) else {}
