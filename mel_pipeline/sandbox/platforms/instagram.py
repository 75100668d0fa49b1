"""Instagram's Graph API over HTTP, with its real response shapes and errors."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.organisation.presence import Post, SocialAccount, reach
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.platforms.meta import CALIFORNIA, bounds, end_of, graph_error
from mel_pipeline.sandbox.zoho.clock import Clock

INSTAGRAM_TOKEN = "sample-instagram-token"
WINDOW_DAYS, FOLLOWER_DAYS = 30, 30
TOTALS = ("views", "reach", "follows_and_unfollows")
_OFFERED = ("reach", "follower_count", "follows_and_unfollows", "views")
_EAST = ZoneInfo("Asia/Tokyo")
_PROBED = (
    "https://github.com/veefedtechnologies-coder/Veefore-E/blob/8b1630c415aa9b47a795e20c3359f7890e8223a0"
    "/docs/integrations/meta/meta-historical-analysis.md"
)

# Insights of an account, totals as well as series. The documentation does not say so, the refusal does.
WINDOW = Limit(
    "insights of an account for more than 30 days",
    graph_error(100, "(#100) There cannot be more than 30 days (2592000 s) between since and until"),
    _PROBED,
    status=400,
    always=True,
)
# Refused as a whole: the days of the window that Instagram still has are not given either.
FOLLOWERS = Limit(
    "`follower_count` for a window that begins more than 30 days ago",
    graph_error(
        100,
        "(#100) (follower_count) metric only supports querying data for the last 30 days excluding the current day",
    ),
    "https://github.com/SageData-OOD/tap-instagram-insights/blob/8b85003d61e4d237224ebba7c2fa5d57f0bf7839"
    "/tap_instagram_insights/__init__.py",
    status=400,
    always=True,
)
RETIRED = Limit(
    "a metric that does not exist (any more)",
    graph_error(100, "(#100) metric[{index}] must be one of the following values: {offered}"),
    "https://github.com/janu-software/facebook-php-sdk/issues/17",
    status=400,
    always=True,
)
TOTAL_VALUE = Limit(
    "`views` or `follows_and_unfollows` without `metric_type=total_value`",
    graph_error(
        100,
        "(#100) The following metrics should be specified with parameter metric_type=total_value: {metrics}",
    ),
    _PROBED,
    status=400,
    always=True,
)
# Also fails a list of posts that asks for their insights, for one such post among them.
BEFORE_BUSINESS = Limit(
    "insights of a post from before the account became a business account",
    graph_error(
        100,
        "Invalid parameter",
        error_data={"blame_field_specs": [[""]]},
        error_subcode=2108006,
        is_transient=False,
        error_user_title="Media posted before business account conversion",
        error_user_msg="The media was posted before the most recent time that the user's account was converted to a"
        " business account from a personal account.",
    ),
    "https://github.com/airbytehq/airbyte/issues/1814",
    status=400,
    always=True,
)
FEW_VIEWERS = Limit(
    "insights of a post that hardly anybody saw",
    graph_error(10, "(#10) Not enough viewers for the media to show insights"),
    "https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/insights",
    status=400,
)
NO_PERMISSION = Limit(
    "insights without the permission `instagram_manage_insights`: the same code, another cause",
    graph_error(10, "(#10) Application does not have permission for this action"),
    "https://developers.facebook.com/docs/graph-api/guides/error-handling",
    status=400,
)
EAST_OF_GREENWICH = Limit(
    "days of an account whose time zone is east of Greenwich: they end on their own date in UTC",
    {"data": [{"values": [{"end_time": "2026-11-19T15:00:00+0000"}]}]},
    "https://github.com/airbytehq/airbyte/pull/74006",
)


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
        since, until = bounds(request, account.launched, self.organisation.today)
        chosen = [post for post in reversed(account.posts) if since <= post.published.date() < until]
        limit = min(int(request.query_params.get("limit", 25)), 100)
        start = int(request.query_params.get("after", "0"))
        part = chosen[start : start + limit]
        fields = request.query_params.get("fields", "id").split(",")
        if any(field.startswith("insights") for field in fields):
            for post in part:  # one post without insights fails the list
                if (withheld := self._withheld(account.id, post)) is not None:
                    return withheld.response()
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
        retired = next((index for index, name in enumerate(metrics or [""]) if name not in _OFFERED), None)
        if retired is not None:
            return RETIRED.response(index=retired, offered=", ".join(_OFFERED))
        if (withheld := self._withheld(post.account if post else node, post)) is not None:
            return withheld.response()
        if post is not None:
            return _graph({"data": _post_insights(post, metrics)})
        assert account is not None
        return self._account_insights(request, account, metrics)

    def _withheld(self, account: str, post: Post | None) -> Limit | None:
        """Why insights of an account or post are not given, if they are not."""
        if self.limited(account, NO_PERMISSION):
            return NO_PERMISSION
        if post is None:
            return None
        if self.limited(account, FEW_VIEWERS) or self.limited(post.id, FEW_VIEWERS):
            return FEW_VIEWERS
        return BEFORE_BUSINESS if post.views is None else None

    def _account_insights(self, request: Request, account: SocialAccount, metrics: list[str]) -> Response:
        """Totals of the period, or the days of it. Totals have no value for days without data: an empty set."""
        today = self.organisation.today
        since, until = bounds(request, today - timedelta(days=2), today)
        if (until - since).days > WINDOW_DAYS:
            return WINDOW.response()
        if "follower_count" in metrics and since < today - timedelta(days=FOLLOWER_DAYS):
            return FOLLOWERS.response()
        days = [day for day in account.views if since <= day < until]
        if request.query_params.get("metric_type") == "total_value":
            breakdown = request.query_params.get("breakdown", "")
            found = [_total(name, account, days, breakdown) for name in metrics if name in TOTALS]
        elif totals := [name for name in metrics if name in ("views", "follows_and_unfollows")]:
            return TOTAL_VALUE.response(metrics=", ".join(totals))
        else:
            zone = _EAST if self.limited(account.id, EAST_OF_GREENWICH) else CALIFORNIA
            found = [_series(name, account, days, zone) for name in metrics]
        return _graph({"data": found if days else []})


def _total(name: str, account: SocialAccount, days: list[date], breakdown: str) -> dict[str, Any]:
    """``follows_and_unfollows`` has no value but by ``follow_type``: those who followed, and those who left."""
    views, net = sum(account.views[day] for day in days), [account.new_followers[day] for day in days]
    if name == "follows_and_unfollows":
        if breakdown != "follow_type":
            return _metric(name, account.id)
        parts = {"FOLLOWER": sum(max(n, 0) for n in net), "NON_FOLLOWER": -sum(min(n, 0) for n in net)}
        results = [{"dimension_values": [kind], "value": count} for kind, count in parts.items()]
        total: dict[str, Any] = {"breakdowns": [{"dimension_keys": ["follow_type"], "results": results}]}
    else:
        total = {"value": views if name == "views" else reach(views)}
    return {**_metric(name, account.id), "total_value": total}


def _series(name: str, account: SocialAccount, days: list[date], zone: ZoneInfo) -> dict[str, Any]:
    by_day = (
        account.new_followers
        if name == "follower_count"
        else {day: reach(account.views[day]) for day in days}
    )
    values = [{"value": by_day[day], "end_time": end_of(day, zone)} for day in days]
    return {**_metric(name, account.id), "values": values}


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
    return JSONResponse(graph_error(code, message, kind=kind), status)


PLATFORM = Instagram
