"""Turn Zoho Campaigns' responses into rows and its error codes into exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError, SourceError
from mel_pipeline.sources.shared.base import Batch, Rejected, text_of
from mel_pipeline.sources.shared.http import TryAgainError, clean
from mel_pipeline.sources.shared.platform.rows import Period, Row, batch_of, content_row, metric_row
from mel_pipeline.sources.shared.values import unix_moment, whole_number

NAME, ACCOUNT = "zoho_campaigns", "newsletter"
LOCKED_SECONDS = 1_800.0  # after 500 calls of an address in five minutes
END_OF_LIST = "6101"  # no campaign in this view: the list has ended
NO_REPORT = frozenset({"6002", "6302", "2206"})  # not sent, no data, deleted in between
BAD_TOKEN = frozenset({"INVALID_TOKEN", "AUTHENTICATION_FAILURE", "INVALID_OAUTHTOKEN", "401"})
_LATER = frozenset({"6001", "500"})  # "please retry after sometime"
# Zoho does not document how it reports a lock; 2008 is the code of its sister product, Marketing Automation.
_LOCKED = frozenset({"2008", "TOO_MANY_REQUESTS", "429"})
_FORBIDDEN = frozenset({"6601", "6607", "902", "906", "OAUTH_SCOPE_MISMATCH"})
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")

Record = Mapping[str, object]


@dataclass(frozen=True)
class Campaign:
    """A campaign as it appears on the list."""

    key: str
    sent_at: datetime | None
    record: Record


def error_in(data: Record) -> tuple[str, str] | None:
    """Code and message of an error, which may come inside HTTP 200; None when there is none."""
    code = str(data.get("code", data.get("Code", "0")))
    if str(data.get("status", "success")).lower() == "success" and code in ("0", "200"):
        return None
    return code, str(data.get("message", ""))


def explain_error(what: str, code: str, message: str) -> SourceError:
    """Map an error code to an exception; Zoho's message is shortened and cleaned."""
    if code in _LOCKED:
        return TryAgainError(
            f"{what}: too many calls; Zoho Campaigns locks this address for 30 minutes.", LOCKED_SECONDS
        )
    if code in _LATER:
        return TryAgainError(
            f"{what}: Zoho Campaigns is temporarily unavailable (code {code}). Run the load again later."
        )
    if code in BAD_TOKEN:
        return PermanentSourceError(
            f"{what}: the token was rejected, and so was a new one. Make a refresh token with the scope"
            " ZohoCampaigns.campaign.READ and set MEL_ZOHO_REFRESH_TOKEN."
        )
    if code in _FORBIDDEN:
        return PermanentSourceError(
            f"{what}: the token or its user may not read campaigns (code {code}). Make a refresh token with the"
            " scope ZohoCampaigns.campaign.READ, of a user of Zoho Campaigns, and set MEL_ZOHO_REFRESH_TOKEN."
        )
    return PermanentSourceError(
        f"{what}: Zoho Campaigns answered code {clean(code)}, '{clean(message)}'."
        " Check MEL_ZOHO_CAMPAIGNS_URL and the token's permissions."
    )


def campaigns_in(data: Record, what: str) -> list[Campaign]:
    """The campaigns of one page of the list."""
    return [
        Campaign(str(record["campaign_key"]), instant(record), record)
        for record in _records(data, "recent_campaigns", what)
        if record.get("campaign_key")
    ]


def report_in(data: Record, what: str) -> Record | None:
    """The counts of a report; None when it has none yet: their list may be empty."""
    found = _records(data, "campaign-reports", what)
    return found[0] if found else None


def _records(data: Record, name: str, what: str) -> list[Record]:
    found = data.get(name)
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise PermanentSourceError(
            f"{what}: the response has no list '{name}'. Check MEL_ZOHO_CAMPAIGNS_URL; if it is right, Zoho"
            " has changed its response: report it to the maintainer of the connector."
        )
    return found


def instant(campaign: Record) -> datetime | None:
    """When a campaign was sent: milliseconds since 1970, as text."""
    text = str(campaign.get("sent_time_gmt") or campaign.get("sent_time") or "")
    milliseconds = whole_number(text)
    return None if milliseconds is None else unix_moment(milliseconds // 1000)


def count(value: object) -> str | None:
    """A count as plain digits: "1,234" is 1234, and an empty one is missing, not zero."""
    text = (text_of(value) or "").strip()
    if text in ("", "null"):
        return None
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


def parse_contents(campaigns: Iterable[Campaign], contract: EntityContract) -> Batch:
    """Campaigns as contents; the account is the organisation's own, of which there is one."""
    rows = [
        content_row(
            NAME,
            ACCOUNT,
            campaign.key,
            text_of(campaign.record.get("campaigntype")) or "newsletter",
            text_of(campaign.record.get("campaign_name")),
            campaign.sent_at.isoformat() if campaign.sent_at else None,
            _place(campaign),
        )
        for campaign in campaigns
    ]
    return batch_of(rows, contract)


def parse_reports(
    reports: Iterable[tuple[Campaign, Record | None]],
    unreported: Iterable[Campaign],
    contract: EntityContract,
) -> Batch:
    """One row per count; a report that lacks a field is quarantined whole, not read as empty.

    Args:
        reports: counts, or None where the report holds none yet.
        unreported: campaigns on the list for which Zoho has no report.
    """
    rows: list[Row] = []
    rejected: list[Rejected] = []
    metrics = contract.columns["metric"].allowed or []
    for campaign, report in reports:
        missing = [name for name in metrics if name not in report] if report is not None else []
        if missing:
            reason = f"The report has no field {' or '.join(missing)}: it was renamed, or this is another kind of campaign."
            rejected.append(_rejected(campaign, reason))
        elif campaign.sent_at is None:
            rejected.append(_rejected(campaign, "The list does not say when it was sent."))
        else:
            period = Period("lifetime", campaign.sent_at.date())
            rows += [_count_row(campaign, name, period, report) for name in metrics]
    for campaign in unreported:
        reason = "It is on the list of sent campaigns, but Zoho has no report of it. It is requested again each time."
        rejected.append(_rejected(campaign, reason))
    return batch_of(rows, contract, rejected)


def _count_row(campaign: Campaign, metric: str, period: Period, report: Record | None) -> Row:
    value = count(report.get(metric)) if report else None
    return metric_row(
        NAME, ACCOUNT, metric, period, value, f"{_place(campaign)}, row {metric}", content=campaign.key
    )


def _place(campaign: Campaign) -> str:
    return f"campaign {campaign.key}"


def _rejected(campaign: Campaign, reason: str) -> Rejected:
    return Rejected(_place(campaign), None, None, reason, "{}")
