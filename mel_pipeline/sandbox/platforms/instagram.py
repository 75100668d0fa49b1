"""Instagram's Graph API over HTTP, with its real response shapes and errors."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.organisation.presence import Post, SocialAccount, reach
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.zoho.clock import Clock

INSTAGRAM_TOKEN = "sample-instagram-token"
WINDOW_DAYS = 30


class Instagram(Platform):
    """``expires_at``: expiry of the token in seconds since 1970; 0 means never."""

    name = "instagram"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.accounts = {account.id: account for account in organisation.social}
        self.posts = {post.id: post for account in organisation.social for post in account.posts}
        self.expires_at = 0

    def endpoints(self) -> list[BaseRoute]:
        return [
            Route("/{version}/debug_token", self.debug_token, methods=["GET", "POST"]),
            Route("/{version}/{node}/insights", self.insights),
            Route("/{version}/{node}/media", self.media),
            Route("/{version}/{node}", self.node),
        ]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "throttled":
            usage = {"estimated_time_to_regain_access": 60}
            refused = _graph_error(4, "(#4) Application request limit reached", "OAuthException", 403)
            refused.headers["X-App-Usage"] = json.dumps(usage)
            return refused
        return _expired()

    async def debug_token(self, request: Request) -> Response:
        values = await form_values(request)
        if request.method == "POST" and values.get("method") != "get":
            return _graph_error(100, "(#100) Unsupported post request.")
        if (refused := _graph_refused(request, True)) is not None:
            return refused
        known = values.get("input_token") == INSTAGRAM_TOKEN
        ends = {"expires_at": self.expires_at, "data_access_expires_at": 0}
        return _graph({"data": {"type": "SYSTEM_USER", "is_valid": known, **(ends if known else {})}})

    async def node(self, request: Request) -> Response:
        account = self.accounts.get(request.path_params["node"])
        if (refused := _graph_refused(request, account is not None)) is not None or account is None:
            return refused or _graph_error(100, "unknown")
        followers = account.followers_at_launch + sum(account.new_followers.values())
        full = {
            "id": account.id,
            "username": account.username,
            "followers_count": followers,
            "media_count": len(account.posts),
        }
        wanted = request.query_params.get("fields", "id").split(",")
        return _graph({name: full[name] for name in ["id", *wanted] if name in full})

    async def media(self, request: Request) -> Response:
        account = self.accounts.get(request.path_params["node"])
        if (refused := _graph_refused(request, account is not None)) is not None or account is None:
            return refused or _graph_error(100, "unknown")
        since, until = _bounds(request, account.launched, self.organisation.today)
        chosen = [post for post in reversed(account.posts) if since <= post.published.date() < until]
        limit = min(int(request.query_params.get("limit", 25)), 100)
        start = int(request.query_params.get("after", "0"))
        part = chosen[start : start + limit]
        fields = request.query_params.get("fields", "id").split(",")
        body: dict[str, Any] = {"data": [_post(post, fields) for post in part]}
        if part:
            body["paging"] = {"cursors": {"before": str(start), "after": str(start + len(part))}}
            if start + len(part) < len(chosen):
                body["paging"]["next"] = f"{request.url.include_query_params(after=start + len(part))}"
        return _graph(body)

    async def insights(self, request: Request) -> Response:
        node = request.path_params["node"]
        account, post = self.accounts.get(node), self.posts.get(node)
        if (refused := _graph_refused(request, bool(account or post))) is not None:
            return refused
        metrics = [name for name in request.query_params.get("metric", "").split(",") if name]
        retired = [name for name in metrics if name not in ("reach", "views", "follower_count")]
        if retired or not metrics:
            return _graph_error(
                100, f"(#100) metric[0] must be one of the following values: reach, views, not {retired}"
            )
        if post is not None:
            return _graph({"data": _post_insights(post, metrics)})
        assert account is not None
        since, until = _bounds(request, account.launched, self.organisation.today)
        if metrics == ["follower_count"]:
            return self._follower_count(account, since, until)
        if request.query_params.get("metric_type") != "total_value":
            return _graph_error(
                100,
                "(#100) The following metrics should be specified with parameter metric_type=total_value: views",
            )
        total = sum(value for day, value in account.views.items() if since <= day < until)
        if not any(since <= day < until for day in account.views):
            return _graph({"data": []})
        values = {"views": total, "reach": reach(total)}
        return _graph(
            {
                "data": [
                    {**_metric(name, account.id), "total_value": {"value": values[name]}} for name in metrics
                ]
            }
        )

    def _follower_count(self, account: SocialAccount, since: date, until: date) -> Response:
        if (until - since).days > WINDOW_DAYS:
            return _graph_error(
                100, "(#100) There cannot be more than 30 days (2592000 s) between since and until"
            )
        values = [
            {"value": gained, "end_time": f"{day + timedelta(days=1)}T08:00:00+0000"}
            for day, gained in account.new_followers.items()
            if since <= day < until
        ]
        return _graph(
            {"data": [{**_metric("follower_count", account.id), "values": values}] if values else []}
        )


def _metric(name: str, node: str) -> dict[str, str]:
    return {
        "name": name,
        "period": "day",
        "title": name.replace("_", " ").title(),
        "id": f"{node}/insights/{name}/day",
    }


def _post(post: Post, fields: list[str]) -> dict[str, Any]:
    full = {
        "id": post.id,
        "caption": post.caption,
        "media_type": post.kind,
        "media_product_type": "REELS" if post.kind == "VIDEO" else "FEED",
        "timestamp": post.published.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "insights": {"data": _post_insights(post, ["views", "reach"])},
    }
    wanted = [name.split(".")[0].split("(")[0] for name in fields]
    return {name: full[name] for name in dict.fromkeys(["id", *wanted]) if name in full}


def _post_insights(post: Post, metrics: list[str]) -> list[dict[str, Any]]:
    values = {"views": post.views, "reach": post.reach}
    known = [(name, values[name]) for name in metrics if values.get(name) is not None]
    return [
        {**_metric(name, post.id), "period": "lifetime", "values": [{"value": value}]}
        for name, value in known
    ]


def _bounds(request: Request, first: date, today: date) -> tuple[date, date]:
    """The requested period; ``until`` is the first day after it."""

    def day(name: str, default: date) -> date:
        text = request.query_params.get(name)
        if text is None:
            return default
        return datetime.fromtimestamp(int(text), UTC).date() if text.isdigit() else date.fromisoformat(text)

    return day("since", first), day("until", today)


def _graph_refused(request: Request, known: bool) -> Response | None:
    header = request.headers.get("authorization", "").removeprefix("Bearer ")
    if (header or request.query_params.get("access_token")) != INSTAGRAM_TOKEN:
        return _expired()
    return None if known else _graph_error(100, "Unsupported get request. Object does not exist", status=400)


def _expired() -> Response:
    return _graph_error(190, "Error validating access token: Session has expired", "OAuthException", 401)


def _graph(body: dict[str, Any]) -> Response:
    usage = json.dumps({"call_count": 3, "total_cputime": 1, "total_time": 2})
    return JSONResponse(body, headers={"X-App-Usage": usage})


def _graph_error(code: int, message: str, kind: str = "IGApiException", status: int = 400) -> Response:
    return JSONResponse(
        {"error": {"message": message, "type": kind, "code": code, "fbtrace_id": "sample"}}, status
    )


PLATFORM = Instagram
