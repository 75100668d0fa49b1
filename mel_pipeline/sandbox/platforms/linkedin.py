"""LinkedIn's community management API: versions that expire, a window of twelve months, tokens of sixty days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Literal
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.platforms.linkedin_oauth import APP, APPS, LinkedInOAuth
from mel_pipeline.sandbox.zoho.clock import Clock

TOKEN = "sample-linkedin-token"
ORGANISATION = "90000001"
LAUNCHED = date(2023, 1, 1)
RETENTION_DAYS = 365
SAMPLE_VERSION = "202610"  # of the sample's settings
_URN = f"urn:li:organization:{ORGANISATION}"
_RANGE = re.compile(r"\(timeRange:\(start:(\d+),end:(\d+)\),timeGranularityType:(\w+)\)")
_TOPICS = ("Housing", "Mobility", "Care", "Climate", "Gender equality", "Finance", "Data", "Solutions Labs")
_LEARN = "https://learn.microsoft.com/en-us/linkedin/marketing"


def _body(status: int, code: str, message: str, service: int = 0) -> dict[str, Any]:
    return {"status": status, "serviceErrorCode": service, "code": code, "message": message}


# Posts that are not shown are taken off a page after it was cut: only a page without a link is the last one.
SHORT_PAGES = Limit(
    "a list of posts some of which are not shown: pages shorter than asked that have a next one, the last one empty",
    {
        "paging": {
            "start": 0,
            "count": 100,
            "links": [{"rel": "next", "type": "application/json", "href": "/rest/posts?…"}],
        }
    },
    "https://github.com/MicrosoftDocs/feedback/issues/972",
)
EVERY, HIDDEN = 25, 100  # with SHORT_PAGES: every 25th post is not shown, nor are the oldest 100
NO_ROLE = Limit(
    "a page on which the token's owner has no role, or another organization's",
    _body(403, "ACCESS_DENIED", "Not enough permissions to access: {resource}", 100),
    "https://github.com/linkedin-developers/linkedin-api-python-client/issues/47",
    status=403,
)
VERSION_ENDED = Limit(
    "a monthly version that has ended, about a year after its month",
    _body(426, "NONEXISTENT_VERSION", "Requested version {version} is not active"),
    f"{_LEARN}/versioning",
    status=426,
    always=True,
)
RETENTION = Limit(
    "figures of days more than twelve months ago: left out",
    {"elements": []},
    f"{_LEARN}/community-management/organizations/share-statistics",
    always=True,
)


@dataclass(frozen=True)
class Post:
    urn: str
    text: str
    published: datetime
    figures: dict[str, int]


class LinkedIn(Platform):
    """One page. ``versions``: the active ones; ``token_ends``: expiry of the sample's own token."""

    name = "linkedin"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.oauth = LinkedInOAuth(clock)
        today = organisation.today
        first = today.year * 12 + today.month - 13
        months = {f"{month // 12}{month % 12 + 1:02}" for month in range(first, first + 13)}
        self.versions = months | {SAMPLE_VERSION}  # the sample works on any day it is set to
        self.token_ends = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=40)
        self.today = today
        self.days = {day: _figures(f"linkedin {day}", 260) for day in _days(today)}
        self.posts = _posts(today)
        self.followers = 14_000 + 9 * (today - LAUNCHED).days

    def endpoints(self) -> list[BaseRoute]:
        return [
            *self.oauth.routes(),
            Route("/oauth/v2/introspectToken", self.introspect, methods=["POST"]),
            Route("/rest/organizationalEntityShareStatistics", self.statistics),
            Route("/rest/networkSizes/{urn}", self.size),
            Route("/rest/organizations/{number}", self.described),
            Route("/rest/posts", self.listed),
        ]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            words = "The token used in the request has expired"
            return _error(401, "EXPIRED_ACCESS_TOKEN", words, 65602)
        return _error(
            429,
            "TOO_MANY_REQUESTS",
            "Resource level throttle APPLICATION DAY limit for calls to this resource is reached.",
        )

    async def introspect(self, request: Request) -> Response:
        values = await form_values(request)
        client, token = values.get("client_id", ""), values.get("token", "")
        if client not in APPS or values.get("client_secret") != APPS[client]:
            return JSONResponse({"error": "invalid_client_id"}, 401)
        if token != TOKEN or client != APP[0]:
            return JSONResponse(self.oauth.described(token, client))
        return JSONResponse(
            {"active": True, "status": "active", "expires_at": int(self.token_ends.timestamp())}
        )

    def _refused(self, request: Request) -> Response | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self.oauth.tokens.get(token)
        if scheme != "Bearer" or (grant is None and token != TOKEN):
            return _error(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600)
        if grant is not None and grant.ends <= self.clock.seconds():
            return self.refusal("expired_token")
        version = request.headers.get("linkedin-version")
        if version is None:
            return _error(
                400,
                "VERSION_MISSING",
                "A version must be present. Please specify a version by adding the LinkedIn-Version header.",
            )
        if version not in self.versions:
            return VERSION_ENDED.response(version=version)
        return None

    async def size(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        if self._foreign(unquote(request.path_params["urn"])):
            return NO_ROLE.response(resource="networkSizes.GET")
        return JSONResponse({"firstDegreeSize": self.followers})

    async def described(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        if request.path_params["number"] != ORGANISATION:
            return _error(404, "NOT_FOUND", "Not found")
        return JSONResponse(
            {
                "id": int(ORGANISATION),
                "localizedName": "Metropolis (sample)",
                "vanityName": "metropolis-sample",
            }
        )

    async def listed(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        query = request.query_params
        if self._foreign(query.get("author", "")):
            return NO_ROLE.response(resource="partnerApiPostsExternal.FINDER-author")
        if query.get("q") != "author" or int(query.get("count", "10")) > 100:
            return _error(400, "ILLEGAL_ARGUMENT", "Parameters are not valid")
        start, count = int(query.get("start", "0")), int(query.get("count", "10"))
        listed: list[Post | None] = [*self.posts[::-1]]
        if self.limited(ORGANISATION, SHORT_PAGES):
            step = EVERY - 1
            listed = [post for n in range(0, len(listed), step) for post in [None, *listed[n : n + step]]]
            listed += [None] * (HIDDEN + -len(listed) % count)
        shown = [
            {
                "id": post.urn, "author": _URN, "commentary": post.text, "lifecycleState": "PUBLISHED", "visibility": "PUBLIC",
                "createdAt": _ms(post.published), "publishedAt": _ms(post.published),
            }
            for post in listed[start : start + count]
            if post is not None
        ]  # fmt: skip
        paging: dict[str, Any] = {"start": start, "count": count, "links": [], "total": len(listed)}
        if start + count < len(listed):
            following = (
                f"/rest/posts?q=author&author={quote(_URN, safe='')}&count={count}&start={start + count}"
            )
            paging["links"] = [{"rel": "next", "type": "application/json", "href": following}]
        return JSONResponse({"paging": paging, "elements": shown})

    def _foreign(self, urn: str) -> bool:
        return urn != _URN or self.limited(ORGANISATION, NO_ROLE)

    async def statistics(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        # Rest.li parses the raw query: encoded brackets are not brackets.
        query = dict(part.partition("=")[::2] for part in request.url.query.split("&"))
        if self._foreign(unquote(query.get("organizationalEntity", ""))):
            return NO_ROLE.response(
                resource="organizationalEntityShareStatistics.FINDER-organizationalEntity"
            )
        if "timeIntervals" in query:
            return self._by_time(query["timeIntervals"])
        for parameter, kind in (("shares", "share"), ("ugcPosts", "ugcPost")):
            if parameter in query:
                return self._by_post(query[parameter], kind)
        return _error(400, "ILLEGAL_ARGUMENT", "Lifetime statistics are not part of the sample")

    def _by_time(self, text: str) -> Response:
        match = _RANGE.fullmatch(text)
        if match is None or match[3] not in ("DAY", "MONTH"):
            return _error(400, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request")
        first, end = (datetime.fromtimestamp(int(match[n]) / 1000, UTC).date() for n in (1, 2))
        first = max(first, self.today - timedelta(days=RETENTION_DAYS))
        days = [day for day in self.days if first <= day < end]
        if match[3] == "DAY":
            groups = [[day] for day in days]
        else:
            months = sorted({(day.year, day.month) for day in days})
            groups = [[day for day in days if (day.year, day.month) == month] for month in months]
        return JSONResponse({"paging": _NO_MORE, "elements": [self._element(group) for group in groups]})

    def _element(self, days: list[date]) -> dict[str, Any]:
        total = {name: sum(self.days[day][name] for day in days) for name in self.days[days[0]]}
        if len(days) > 1:
            total["uniqueImpressionsCount"] = int(total["uniqueImpressionsCount"] * 0.41)
        bounds = {"start": _ms(_midnight(days[0])), "end": _ms(_midnight(days[-1] + timedelta(days=1)))}
        return {
            "totalShareStatistics": total | {"engagement": 0.03},
            "timeRange": bounds,
            "organizationalEntity": _URN,
        }

    def _by_post(self, text: str, kind: str) -> Response:
        if not text.startswith("List(") or not text.endswith(")"):
            return _error(400, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request")
        wanted = {unquote(urn) for urn in text[5:-1].split(",")}
        found = [
            {
                "totalShareStatistics": post.figures | {"engagement": 0.03},
                kind: post.urn,
                "organizationalEntity": _URN,
            }
            for post in self.posts
            if post.urn in wanted
        ]
        return JSONResponse({"paging": _NO_MORE, "elements": found})


_NO_MORE = {"start": 0, "count": 10, "links": []}


def _days(today: date) -> list[date]:
    return [LAUNCHED + timedelta(days=number) for number in range((today - LAUNCHED).days - 1)]


def _figures(seed: str, usual: int) -> dict[str, int]:
    rng = Random(seed)
    seen = int(usual * rng.uniform(0.3, 2.2))
    return {
        "impressionCount": seen, "uniqueImpressionsCount": int(seen * 0.55), "clickCount": seen // 30, "likeCount": seen // 45,
        "commentCount": seen // 300, "shareCount": seen // 250, "shareMentionsCount": 0, "commentMentionsCount": 0,
    }  # fmt: skip


def _posts(today: date) -> list[Post]:
    found: list[Post] = []
    for day in _days(today):
        rng = Random(f"linkedin post {day}")
        if day.weekday() > 4 or rng.random() > 0.35:
            continue
        kind = "ugcPost" if rng.random() < 0.3 else "share"
        published = datetime(day.year, day.month, day.day, rng.randint(7, 17), rng.randint(0, 59), tzinfo=UTC)
        urn = f"urn:li:{kind}:{7_000_000_000_000_000_000 + day.toordinal()}"
        found.append(Post(urn, f"{rng.choice(_TOPICS)} in our cities", published, _figures(urn, 900)))
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _error(status: int, code: str, message: str, service: int = 0) -> Response:
    return JSONResponse(_body(status, code, message, service), status)


PLATFORM = LinkedIn
