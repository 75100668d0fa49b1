"""X's API v2, app-only: users and their posts, with limits per fifteen-minute window."""

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

TOKEN = "sample-x-token"
ACCOUNT = "300000001"
LAUNCHED = date(2023, 1, 1)
WINDOW = 900  # seconds
MOST_CALLS = 1_500
MOST_POSTS = 3_200  # a timeline returns only the newest
_PROBLEMS = "https://api.x.com/2/problems"
_TOPICS = ("#Housing", "#Mobility", "#Care", "#Climate", "#GenderEquality", "#CityFinance")


def _no_user(title: str, detail: str, kind: str, **more: str) -> dict[str, Any]:
    """The answer about one user that is not given, with HTTP 200."""
    found = {
        "resource_type": "user",
        "resource_id": "{id}",
        "value": "{id}",
        "parameter": "{parameter}",
        **more,
    }
    return {"errors": [{**found, "title": title, "detail": detail, "type": f"{_PROBLEMS}/{kind}"}]}


# HTTP 200 without data: by design, say its makers.
PROTECTED = Limit(
    "posts of a protected account; its name and counts are given",
    _no_user(
        "Authorization Error",
        "Sorry, you are not authorized to see the user with id: [{id}].",
        "not-authorized-for-resource",
        section="data",
    ),
    "https://github.com/plhery/node-twitter-api-v2/issues/145",
)
SUSPENDED = Limit(
    "a suspended account; beside others it is left out of `data`",
    _no_user("Forbidden", "User has been suspended: [{id}].", "resource-not-found"),
    "https://twittercommunity.com/t/users-by-username-returns-200-status-for-suspended-accounts/141550",
)
NOT_FOUND = Limit(
    "an account that does not exist; beside others it is left out of `data`",
    _no_user("Not Found Error", "Could not find user with {parameter}: [{id}].", "resource-not-found"),
    "https://docs.x.com/x-api/fundamentals/response-codes-and-errors",
    always=True,
)
INVALID = Limit(
    "an `end_time` in the future, or a page of fewer than 5 or more than 100 posts",
    {
        "errors": [
            {"parameters": {"{parameter}": ["{value}"]}, "message": "Invalid '{parameter}':'{value}'."}
        ],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}/invalid-request",
    },
    "https://github.com/medialab/minet/issues/445",
    status=400,
    always=True,
)
NEWEST = Limit(
    "posts before the newest 3,200 of an account, reposts included: left out",
    {"meta": {"result_count": 0}},
    "https://docs.x.com/x-api/posts/timelines/migrate/overview",
    always=True,
)
EDITED = Limit(
    "a post that was edited: a new id, the earlier ones beside it",
    {"data": [{"id": "1234567891", "edit_history_tweet_ids": ["1234567890", "1234567891"]}]},
    "https://docs.x.com/x-api/fundamentals/edit-posts",
)


@dataclass(frozen=True)
class Post:
    id: str
    text: str
    published: datetime
    metrics: dict[str, int]


class X(Platform):
    """One account. ``calls_left``: in the current window; ``most_posts``: the newest that its timeline lists."""

    name = "x"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.most_calls = MOST_CALLS
        self.calls_left = MOST_CALLS
        self.most_posts = MOST_POSTS
        self._window_ends = 0.0
        self.posts = _posts(organisation.today)
        self.followers = 21_000 - 2 * (organisation.today - LAUNCHED).days

    def endpoints(self) -> list[BaseRoute]:
        return [Route("/2/users", self.users), Route("/2/users/{number}/tweets", self.timeline)]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return _problem(401, "Unauthorized", "about:blank")
        return _problem(
            429,
            "Too Many Requests",
            "about:blank",
            {"x-rate-limit-reset": str(int(self.clock.seconds()) + WINDOW)},
        )

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _problem(401, "Unauthorized", "about:blank")
        now = self.clock.seconds()
        if now >= self._window_ends:
            self._window_ends, self.calls_left = now + WINDOW, self.most_calls
        if self.calls_left <= 0:
            return _problem(429, "Too Many Requests", "about:blank", self._limits())
        self.calls_left -= 1
        return None

    def _limits(self) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(self.most_calls),
            "x-rate-limit-remaining": str(self.calls_left),
            "x-rate-limit-reset": str(int(self._window_ends) + 1),
        }

    async def users(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        found: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for number in request.query_params.get("ids", "").split(","):
            if (withheld := self._withheld(number, SUSPENDED)) is not None:
                errors += withheld.answer(id=number, parameter="ids")["errors"]
                continue
            found.append({"id": ACCOUNT, "name": "Metropolis", "username": "metropolis_sample"})
            if "public_metrics" in request.query_params.get("user.fields", ""):
                found[-1]["public_metrics"] = {
                    "followers_count": self.followers,
                    "following_count": 812,
                    "tweet_count": len(self.posts),
                }
        body: dict[str, Any] = ({"data": found} if found else {}) | ({"errors": errors} if errors else {})
        return JSONResponse(body, headers=self._limits())

    def _withheld(self, number: str, *switched: Limit) -> Limit | None:
        """Why nothing is said about an account, if so."""
        if number != ACCOUNT:
            return NOT_FOUND
        return next((limit for limit in switched if self.limited(number, limit)), None)

    async def timeline(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        query = request.query_params
        number, size = request.path_params["number"], int(query.get("max_results", "10"))
        if (withheld := self._withheld(number, SUSPENDED, PROTECTED)) is not None:
            return JSONResponse(withheld.answer(id=number, parameter="id"), headers=self._limits())
        if not 5 <= size <= 100:
            return INVALID.response(parameter="max_results", value=size)
        first, end = (datetime.fromisoformat(query[name]) for name in ("start_time", "end_time"))
        if end > self.clock.now():
            return INVALID.response(parameter="end_time", value=query["end_time"])
        mine = [post for post in self.posts[::-1][: self.most_posts] if first <= post.published < end]
        token = query.get("pagination_token", "t0")
        start = int(token[1:]) if token[1:].isdigit() else 0
        shown = mine[start : start + size]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if start + size < len(mine):
            meta["next_token"] = f"t{start + size}"
        fields = query.get("tweet.fields", "").split(",")
        data = [_shown(post, fields, edited=self.limited(post.id, EDITED)) for post in shown]
        return JSONResponse(({"data": data} if data else {}) | {"meta": meta}, headers=self._limits())


def _shown(post: Post, fields: list[str], *, edited: bool) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "created_at": f"{post.published:%Y-%m-%dT%H:%M:%S}.000Z",
        "public_metrics": post.metrics,
    }
    versions = [post.id, str(int(post.id) + 10**15)] if edited else [post.id]
    text = f"{post.text} (edited)" if edited else post.text
    given = {"id": versions[-1], "text": text, "edit_history_tweet_ids": versions}
    return given | {name: whole[name] for name in fields if name in whole}


def _posts(today: date) -> list[Post]:
    found: list[Post] = []
    for number in range((today - LAUNCHED).days):
        day = LAUNCHED + timedelta(days=number)
        rng = Random(f"x {day}")
        for _ in range(rng.choice((0, 1, 1, 2))):
            seen = rng.randint(120, 2_600)
            moment = datetime(
                day.year, day.month, day.day, rng.randint(6, 19), rng.randint(0, 59), tzinfo=UTC
            )
            metrics = {
                "impression_count": seen, "like_count": seen // 90, "reply_count": seen // 700, "retweet_count": seen // 260,
                "quote_count": seen // 1_200, "bookmark_count": seen // 800,
            }  # fmt: skip
            found.append(
                Post(
                    str(1_600_000_000_000_000_000 + len(found)),
                    f"News of our cities {rng.choice(_TOPICS)}",
                    moment,
                    metrics,
                )
            )
    return found


def _problem(status: int, title: str, kind: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"title": title, "type": kind, "status": status, "detail": title}, status, headers)


PLATFORM = X
