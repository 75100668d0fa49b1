"""Mailchimp's Marketing API v3, with the quarterly bulletin of the gender equality observatory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.zoho.clock import Clock

KEY = "sample-mailchimp-key-us21"
AUDIENCE = "a1b2c3d4e5"
MOST = 1_000  # per page
MACHINES_FROM = datetime(2024, 6, 22, tzinfo=UTC)
_DOCS = "https://mailchimp.com/developer/marketing"


def _problem(status: int, title: str, detail: str) -> dict[str, Any]:
    kind = "https://mailchimp.com/developer/marketing/docs/errors/"
    return {"type": kind, "title": title, "status": status, "detail": detail, "instance": "x"}


MACHINE_OPENS = Limit(
    "opens by Apple's Mail Privacy Protection: counted in `unique_opens`, left out of `proxy_excluded_*`",
    {"opens": {"unique_opens": 700, "proxy_excluded_unique_opens": 310}},
    f"{_DOCS}/api/reports/",
    always=True,
)
NOT_TOLD_APART = Limit(
    "opens of e-mails sent before 22 June 2024: machines' and people's are not distinguished",
    {"opens": {"unique_opens": 700}},
    "https://quickbooks.intuit.com/learn-support/en-us/help-article/other-articles/apple-mail-privacy-protection-mpp"
    "/L9HxARfjA_US_en_US",
    always=True,
)
DELETED_LIST = Limit(
    "an audience that was deleted: not listed, its reports are",
    {"list_is_active": False},
    "https://docs.rs/mailchimp/0.1.10/mailchimp/types/struct.ReportType.html",
)
BAD_KEY = Limit(
    "a key that is wrong, or another data centre's",
    _problem(
        401,
        "API Key Invalid",
        "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
    ),
    f"{_DOCS}/docs/errors/",
    status=401,
    always=True,
)
TOO_MANY = Limit(
    "more than 10 requests at once; no header says how long to wait",
    _problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections."),
    f"{_DOCS}/docs/fundamentals/",
    status=429,
)


@dataclass(frozen=True)
class Campaign:
    id: str
    subject: str
    sent: datetime
    emails: int
    hard: int
    soft: int
    opened: int  # by people
    machines: int  # opened by machines alone
    clicked: int
    left: int


class Mailchimp(Platform):
    """One audience. Rates come with the counts, in two scales, as in the real API."""

    name = "mailchimp"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.campaigns = _campaigns(organisation.today)
        self.members = self.campaigns[-1].emails + 12
        self.announced_too_many = 0

    def endpoints(self) -> list[BaseRoute]:
        return [Route("/3.0/lists", self.lists), Route("/3.0/reports", self.reports)]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        return (BAD_KEY if kind == "expired_token" else TOO_MANY).response()

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self.refusal("expired_token")
        if self.limited(AUDIENCE, TOO_MANY):
            return TOO_MANY.response()
        if int(request.query_params.get("count", "10")) > MOST:
            body = _problem(400, "Invalid Resource", "The resource submitted could not be validated.")
            return JSONResponse(body, 400)
        return None

    async def lists(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        one = {"id": AUDIENCE, "name": "Gender equality observatory", "stats": {"member_count": self.members}}
        every = [] if self.limited(AUDIENCE, DELETED_LIST) else [one]
        start = int(request.query_params.get("offset", "0"))
        return JSONResponse({"lists": every[start:], "total_items": len(every)})

    async def reports(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        query = request.query_params
        since = datetime.fromisoformat(query.get("since_send_time", "2000-01-01T00:00:00+00:00"))
        mine = [campaign for campaign in self.campaigns[::-1] if campaign.sent >= since]
        start, count = int(query.get("offset", "0")), int(query.get("count", "10"))
        is_active = not self.limited(AUDIENCE, DELETED_LIST)
        shown = [
            _report(campaign) | {"list_is_active": is_active} for campaign in mine[start : start + count]
        ]
        return JSONResponse({"reports": shown, "total_items": len(mine) + self.announced_too_many})


def _report(campaign: Campaign) -> dict[str, Any]:
    delivered = campaign.emails - campaign.hard - campaign.soft
    return {
        "id": campaign.id,
        "campaign_title": campaign.subject,
        "type": "regular",
        "list_id": AUDIENCE,
        "list_name": "Gender equality observatory",
        "subject_line": campaign.subject,
        "emails_sent": campaign.emails,
        "abuse_reports": 0,
        "unsubscribed": campaign.left,
        "send_time": campaign.sent.isoformat(),
        "bounces": {"hard_bounces": campaign.hard, "soft_bounces": campaign.soft, "syntax_errors": 0},
        "opens": _opens(campaign, delivered),
        "clicks": {
            "clicks_total": campaign.clicked * 2,
            "unique_clicks": campaign.clicked + 3,
            "unique_subscriber_clicks": campaign.clicked,
            "click_rate": campaign.clicked / delivered,
        },
        "list_stats": {
            "sub_rate": 4.0,
            "unsub_rate": 1.0,
            "open_rate": 38.4,
            "click_rate": 6.1,
        },  # percentages
    }


def _opens(campaign: Campaign, delivered: int) -> dict[str, float]:
    every = campaign.opened + campaign.machines
    opens = {"opens_total": every * 2, "unique_opens": every, "open_rate": every / delivered}  # a fraction
    if campaign.sent < MACHINES_FROM:
        return opens
    people = campaign.opened
    return opens | {
        "proxy_excluded_opens": people * 2,
        "proxy_excluded_unique_opens": people,
        "proxy_excluded_open_rate": people / delivered,
    }


def _campaigns(today: date) -> list[Campaign]:
    found: list[Campaign] = []
    for year in range(2023, today.year + 1):
        for month in (3, 6, 9, 12):
            sent = datetime(year, month, 8, 9, 0, tzinfo=UTC)
            if sent.date() >= today:
                return found
            rng = Random(f"mailchimp {sent}")
            emails = 620 + 14 * len(found) + rng.randint(-8, 8)
            hard, soft = rng.randint(2, 9), rng.randint(3, 14)
            opened = int((emails - hard - soft) * rng.uniform(0.34, 0.45))
            found.append(
                Campaign(
                    id=f"{rng.getrandbits(40):010x}",
                    subject=f"Gender equality observatory: bulletin {len(found) + 1}",
                    sent=sent,
                    emails=emails,
                    hard=hard,
                    soft=soft,
                    opened=opened,
                    machines=0 if sent < MACHINES_FROM else int(opened * 0.9),
                    clicked=int(opened * rng.uniform(0.1, 0.22)),
                    left=rng.randint(0, 4),
                )
            )
    return found


PLATFORM = Mailchimp
