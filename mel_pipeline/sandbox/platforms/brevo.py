"""Brevo's API v3, with the invitations of the AVANTIA campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.zoho.clock import Clock

KEY = "sample-brevo-key"
LISTS = {7: "AVANTIA", 9: "City networks"}
MOST_CALLS, WINDOW = 400, 3_600
SIX_MONTHS = timedelta(days=183)
_DOCS = "https://developers.brevo.com"

TOO_MANY = Limit(
    "more requests than allowed in an hour; headers say how many are left and when it ends",
    {"code": "too_many_requests", "message": "Too many requests"},
    f"{_DOCS}/docs/limit-headers",
    status=429,
    always=True,
)
OLD_EVENTS = Limit(
    "`globalStats` in a list of campaigns: only of those of the last six months, zeros for others",
    {"statistics": {"globalStats": {"uniqueViews": 0, "delivered": 0}}},
    f"{_DOCS}/reference/get-email-campaigns.md",
    always=True,
)
NOT_ASKED = Limit(
    "statistics that were not asked for: zeros and empty lists",
    {"statistics": {"globalStats": {"uniqueViews": 0, "delivered": 0}, "campaignStats": []}},
    f"{_DOCS}/changelog/2023/2/7.md",
    always=True,
)
MACHINE_OPENS = Limit(
    "opens by Apple's Mail Privacy Protection: in `appleMppOpens`, not in `uniqueViews`",
    {"statistics": {"globalStats": {"uniqueViews": 310, "appleMppOpens": 390}}},
    "https://rubydoc.info/gems/brevo/Brevo/GetCampaignStats",
    always=True,
)
# Switches itself on after 30 days without a new address.
UNKNOWN_ADDRESS = Limit(
    "a machine whose address is not among the authorised ones; the account is called `account`",
    {
        "code": "unauthorized",
        "message": "We have detected you are using an unrecognised IP address 192.0.2.7. If you performed this action make"
        " sure to add the new IP address in this link: https://app.brevo.com/security/authorised_ips",
    },
    f"{_DOCS}/docs/ip-security",
    status=401,
)


@dataclass(frozen=True)
class Campaign:
    id: int
    subject: str
    lists: list[int]
    sent: datetime
    counts: dict[str, int]


class Brevo(Platform):
    """Two lists. ``calls_left``: in the current hour."""

    name = "brevo"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.campaigns = _campaigns(organisation.today)
        self.calls_left = MOST_CALLS
        self.announced_too_many = 0
        self._window_ends = 0.0

    def endpoints(self) -> list[BaseRoute]:
        return [
            Route("/v3/contacts/lists", self.lists),
            Route("/v3/emailCampaigns", self.listed),
            Route("/v3/emailCampaigns/{number:int}", self.one),
        ]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return JSONResponse({"code": "unauthorized", "message": "Key not found"}, 401)
        headers = {
            "x-sib-ratelimit-limit": str(MOST_CALLS),
            "x-sib-ratelimit-remaining": "0",
            "x-sib-ratelimit-reset": str(WINDOW),
        }
        return JSONResponse(TOO_MANY.answer(), TOO_MANY.status, headers)

    def _refused(self, request: Request, most: int) -> Response | None:
        if request.headers.get("api-key") != KEY:
            return self.refusal("expired_token")
        if self.limited("account", UNKNOWN_ADDRESS):
            return UNKNOWN_ADDRESS.response()
        now = self.clock.seconds()
        if now >= self._window_ends:
            self._window_ends, self.calls_left = now + WINDOW, MOST_CALLS
        if self.calls_left <= 0:
            return JSONResponse(TOO_MANY.answer(), TOO_MANY.status, self._limits())
        self.calls_left -= 1
        if int(request.query_params.get("limit", "10")) > most:
            return JSONResponse({"code": "out_of_range", "message": "Limit exceeds max value"}, 400)
        return None

    def _limits(self) -> dict[str, str]:
        return {
            "x-sib-ratelimit-limit": str(MOST_CALLS),
            "x-sib-ratelimit-remaining": str(self.calls_left),
            "x-sib-ratelimit-reset": str(int(self._window_ends - self.clock.seconds()) + 1),
        }

    async def lists(self, request: Request) -> Response:
        if (refused := self._refused(request, 50)) is not None:
            return refused
        query = request.query_params
        every = [
            {
                "id": number,
                "name": name,
                "folderId": 1,
                "uniqueSubscribers": 900 + 40 * number,
                "totalSubscribers": 0,
            }
            for number, name in LISTS.items()
        ]
        start = int(query.get("offset", "0"))
        shown = every[start : start + int(query.get("limit", "10"))]
        return JSONResponse(
            ({"lists": shown} if shown else {}) | {"count": len(every)}, headers=self._limits()
        )

    async def listed(self, request: Request) -> Response:
        if (refused := self._refused(request, 100)) is not None:
            return refused
        query = request.query_params
        if ("startDate" in query) != ("endDate" in query) or (
            "startDate" in query and query.get("status") != "sent"
        ):
            return JSONResponse(
                {
                    "code": "invalid_parameter",
                    "message": "startDate and endDate are both needed, with status sent",
                },
                400,
            )
        first, end = (datetime.fromisoformat(query[name]) for name in ("startDate", "endDate"))
        mine = [campaign for campaign in self.campaigns if first <= campaign.sent < end]
        mine = mine if query.get("sort") == "asc" else mine[::-1]
        start, limit = int(query.get("offset", "0")), int(query.get("limit", "50"))
        recent = self.clock.now() - SIX_MONTHS
        shown = [
            _shown(campaign, query.get("statistics") if campaign.sent >= recent else "campaignStats")
            for campaign in mine[start : start + limit]
        ]
        body: dict[str, Any] = {"count": len(mine) + self.announced_too_many}
        return JSONResponse(body | ({"campaigns": shown} if shown else {}), headers=self._limits())

    async def one(self, request: Request) -> Response:
        if (refused := self._refused(request, 100)) is not None:
            return refused
        number = request.path_params["number"]
        found = next((campaign for campaign in self.campaigns if campaign.id == number), None)
        if found is None:
            return JSONResponse({"code": "document_not_found", "message": "Campaign ID does not exist"}, 404)
        return JSONResponse(_shown(found, request.query_params.get("statistics")), headers=self._limits())


def _shown(campaign: Campaign, statistics: str | None) -> dict[str, Any]:
    empty = dict.fromkeys(campaign.counts, 0)
    by_list = [{"listId": number, **campaign.counts} for number in campaign.lists]
    return {
        "id": campaign.id,
        "name": campaign.subject,
        "subject": campaign.subject,
        "type": "classic",
        "status": "sent",
        "sentDate": campaign.sent.isoformat(timespec="milliseconds"),
        "sender": {"name": "Metropolis", "id": 3, "email": "news@example.org"},
        "recipients": {"lists": campaign.lists, "exclusionLists": []},
        "statistics": {
            # Unless requested, the counts over all lists are zeros.
            "globalStats": campaign.counts if statistics == "globalStats" else empty,
            "campaignStats": by_list if statistics in (None, "campaignStats") else [],
        },
    }


def _campaigns(today: date) -> list[Campaign]:
    """Every few days during the campaign, then monthly."""
    days = [date(2024, 11, 25) + timedelta(days=6 * number) for number in range(7)]
    days += [date(year, month, 14) for year in range(2025, today.year + 1) for month in range(1, 13)]
    found: list[Campaign] = []
    for day in days:
        if day >= today:
            break
        rng = Random(f"brevo {day}")
        sent = rng.randint(1_150, 1_300)
        hard, soft = rng.randint(1, 6), rng.randint(2, 9)
        apple = int(sent * rng.uniform(0.14, 0.2))
        views = int(sent * rng.uniform(0.2, 0.28))
        counts = {
            "uniqueClicks": views // rng.randint(5, 9), "clickers": views // 5, "complaints": rng.randint(0, 1), "sent": sent,
            "delivered": sent - hard - soft, "softBounces": soft, "hardBounces": hard, "uniqueViews": views,
            "trackableViews": views, "estimatedViews": views + apple // 3, "appleMppOpens": apple,
            "unsubscriptions": rng.randint(0, 5), "viewed": views * 2, "deferred": 0,
        }  # fmt: skip
        lists = [7] if rng.random() < 0.7 else [7, 9]
        found.append(
            Campaign(
                len(found) + 40,
                f"AVANTIA: invitation {len(found) + 1}",
                lists,
                datetime(day.year, day.month, day.day, 8, tzinfo=UTC),
                counts,
            )
        )
    return found


PLATFORM = Brevo
