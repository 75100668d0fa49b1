"""Facebook's Graph API for Pages over HTTP: with its response shapes, limits and errors, strictly enforced."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.organisation.facebook_data import PAGE_METRICS, Page, PagePost, build_pages
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.platforms.meta import bounds, end_of, graph_error
from mel_pipeline.sandbox.zoho.clock import Clock

SYSTEM_TOKEN = "sample-facebook-token"
MOST_DAYS, RETENTION_DAYS, MOST_RECORDS = 93, 2 * 365, 100
_POST_METRICS = ("post_media_view", "post_total_media_view_unique", "post_clicks")
_NESTED = re.compile(r"insights\.metric\(([^)]*)\)")
_INSIGHTS = "https://developers.facebook.com/docs/graph-api/reference/insights"

# The documentation says 90; the service refuses from the 94th day.
WINDOW = Limit(
    "insights of a Page for more than 93 days",
    graph_error(100, "(#100) There cannot be more than 93 days (8035200 s) between since and until"),
    "https://github.com/keboola/ex-facebook-graph-api/blob/21bff5cfb311f1bc241375c08e3e25dad54c480b/test/keboola/facebook/api/request_test.clj",
    status=400,
    always=True,
)
RETENTION = Limit("days more than two years ago: left out", {"data": []}, _INSIGHTS, always=True)
RETIRED = Limit(
    "a metric that does not exist (any more), such as `page_impressions`; it fails the metrics asked with it",
    graph_error(100, "(#100) The value must be a valid insights metric"),
    "https://github.com/facebook/facebook-python-business-sdk/issues/656",
    status=400,
    always=True,
)
NO_METRIC = Limit(
    "insights without a metric",
    graph_error(3001, "(#3001) No metric was specified to be fetched.", error_subcode=1504028),
    _INSIGHTS,
    status=400,
    always=True,
)
PAGE_TOKEN = Limit(
    "insights and posts with another token than the Page's",
    graph_error(210, "(#210) A page access token is required to request this resource."),
    _INSIGHTS,
    status=403,
    always=True,
)
NO_ROLE = Limit(
    "any request about a Page on which the token's owner has no role",
    graph_error(
        10,
        "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access'"
        " feature. Refer to https://developers.facebook.com/docs/apps/review/login-permissions#manage-pages and"
        " https://developers.facebook.com/docs/apps/review/feature#reference-PAGES_ACCESS for details.",
    ),
    "https://github.com/pdir/social-feed-bundle/issues/184",
    status=400,
)
NO_PERMISSION = Limit(
    "insights without the permission `pages_read_engagement`",
    graph_error(283, "(#283) Requires pages_read_engagement permission to manage the object"),
    "https://github.com/PipedreamHQ/pipedream/issues/18935",
    status=403,
)
FEW_LIKES = Limit("insights of a Page with fewer than 100 likes: an empty set", {"data": []}, _INSIGHTS)


class Facebook(Platform):
    """``retired`` metrics are refused, ``restated`` figures replace earlier ones, ``gone`` nodes are deleted."""

    name = "facebook"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.pages = {page.id: page for page in build_pages(organisation.today - timedelta(days=1))}
        self.posts = {post.id: post for page in self.pages.values() for post in page.posts}
        self.retired: set[str] = set()
        self.restated: dict[tuple[str, str, date], int | None] = {}
        self.gone: set[str] = set()
        self.expires_at = 0  # seconds since 1970; 0: never
        self.used_percent = 3

    def endpoints(self) -> list[BaseRoute]:
        return [
            Route("/{version}/debug_token", self.debug_token, methods=["GET", "POST"]),
            Route("/{version}/{node}/insights", self.insights),
            Route("/{version}/{node}/posts", self.list_posts),
            Route("/{version}/{node}", self.node),
        ]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return _expired()
        usage = {"type": "pages", "call_count": 100, "total_cputime": 20, "total_time": 25}
        usage |= {"estimated_time_to_regain_access": 60}
        refused = _error(80001, "(#80001) There have been too many calls to this Page account.")
        refused.headers["X-Business-Use-Case-Usage"] = json.dumps({"112000000000001": [usage]})
        return refused

    async def debug_token(self, request: Request) -> Response:
        form = await form_values(request)
        if request.method == "POST" and form.get("method") != "get":
            return _error(100, "(#100) Unsupported post request.")
        inspected = form.get("input_token") or request.query_params.get("input_token")
        if _token(request) != SYSTEM_TOKEN:
            return _expired()
        known = inspected == SYSTEM_TOKEN
        ends = {"expires_at": self.expires_at, "data_access_expires_at": 0}
        return self._answer({"data": {"type": "SYSTEM_USER", "is_valid": known, **(ends if known else {})}})

    async def node(self, request: Request) -> Response:
        page = self._page(request)
        if page is None or not self._is_own(request, page, SYSTEM_TOKEN):
            return self._refused(request)
        full = {
            "id": page.id,
            "name": page.name,
            "followers_count": page.followers,
            "access_token": page_token(page.id),
        }
        wanted = request.query_params.get("fields", "id,name").split(",")
        if unknown := [name for name in wanted if name not in full]:
            return _error(100, f"(#100) Tried accessing nonexisting field ({unknown[0]})")
        return self._answer({name: full[name] for name in dict.fromkeys([*wanted, "id"])})

    async def insights(self, request: Request) -> Response:
        node = request.path_params["node"]
        page = self._page(request) or self.pages.get(node.split("_")[0])
        if page is None or node in self.gone or not self._is_own(request, page):
            return self._refused(request)
        if self.limited(page.id, NO_PERMISSION):
            return NO_PERMISSION.response()
        metrics = [name for name in request.query_params.get("metric", "").split(",") if name]
        if not metrics:
            return NO_METRIC.response()
        post = self.posts.get(node)
        offered = PAGE_METRICS if post is None else _POST_METRICS
        if any(name not in offered or name in self.retired for name in metrics):
            return RETIRED.response()
        if post is not None:
            return self._answer({"data": self._post_figures(post, metrics), "paging": {}})
        return self._page_insights(request, page, metrics)

    def _page_insights(self, request: Request, page: Page, metrics: list[str]) -> Response:
        if request.query_params.get("period") != "day":
            return _error(100, "(#100) period must be one of the following values: day")
        since, until = self._bounds(request)
        if (until - since).days > MOST_DAYS:
            return WINDOW.response()
        few = self.limited(page.id, FEW_LIKES)
        series = [] if few else [self._series(page, metric, since, until) for metric in metrics]
        body: dict[str, Any] = {"data": [item for item in series if item["values"]]}
        before = since - (until - since)
        body["paging"] = {
            "previous": f"{request.url.include_query_params(since=before, until=since)}",
            "next": f"{request.url.include_query_params(since=until, until=until + (until - since))}",
        }
        return self._answer(body)

    def _series(self, page: Page, metric: str, since: date, until: date) -> dict[str, Any]:
        """Days end at midnight in California; ``end_time`` is that moment."""
        first = max(since, self.organisation.today - timedelta(days=RETENTION_DAYS))
        known = page.figures[metric]
        by_day = {
            day: self.restated.get((page.id, metric, day), known.get(day))
            for day in (first + timedelta(days=number) for number in range(max(0, (until - first).days)))
        }
        values = [
            {"value": value, "end_time": end_of(day)} for day, value in by_day.items() if value is not None
        ]
        return {
            "name": metric,
            "period": "day",
            "values": values,
            "title": metric.replace("_", " ").title(),
            "id": f"{page.id}/insights/{metric}/day",
        }

    async def list_posts(self, request: Request) -> Response:
        page = self._page(request)
        if page is None or not self._is_own(request, page):
            return self._refused(request)
        limit = int(request.query_params.get("limit", 25))
        if limit > MOST_RECORDS:
            return _error(100, f"(#100) The limit must be at most {MOST_RECORDS}.")
        fields = request.query_params.get("fields", "id,message,created_time")
        nested = _NESTED.search(fields)
        metrics = nested[1].split(",") if nested else []
        if any(name not in _POST_METRICS or name in self.retired for name in metrics):
            return RETIRED.response()
        if metrics and self.limited(page.id, NO_PERMISSION):
            return NO_PERMISSION.response()
        since, until = self._bounds(request)
        chosen = [post for post in reversed(page.posts) if since <= post.published.date() < until]
        chosen = [post for post in chosen if post.id not in self.gone]
        start = int(request.query_params.get("after", "0"))
        part = chosen[start : start + limit]
        plain = [name for name in _NESTED.sub("", fields).split(",") if name]
        body: dict[str, Any] = {"data": [self._post(post, plain, metrics) for post in part]}
        if part:
            body["paging"] = {"cursors": {"before": str(start), "after": str(start + len(part))}}
            if start + len(part) < len(chosen):
                body["paging"]["next"] = f"{request.url.include_query_params(after=start + len(part))}"
        return self._answer(body)

    def _post(self, post: PagePost, fields: list[str], metrics: list[str]) -> dict[str, Any]:
        full = {
            "id": post.id,
            "message": post.message,
            "created_time": post.published.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "status_type": post.kind,
        }
        shown: dict[str, Any] = {name: full[name] for name in dict.fromkeys([*fields, "id"])}
        if metrics:
            shown["insights"] = {"data": self._post_figures(post, metrics)}
        return shown

    def _post_figures(self, post: PagePost, metrics: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "period": "lifetime",
                "values": [{"value": post.figures[name]}],
                "id": f"{post.id}/insights/{name}/lifetime",
            }
            for name in metrics
        ]

    def _page(self, request: Request) -> Page | None:
        node = request.path_params["node"]
        return None if node in self.gone else self.pages.get(node)

    def _is_own(self, request: Request, page: Page, *others: str) -> bool:
        """Whether the call may read the Page: a token of it (or one of these), and a role on it."""
        return _token(request) in (page_token(page.id), *others) and not self.limited(page.id, NO_ROLE)

    def _bounds(self, request: Request) -> tuple[date, date]:
        """Without bounds, the last two days; never beyond today."""
        today = self.organisation.today
        since, until = bounds(request, today - timedelta(days=2), today)
        return since, min(until, today)

    def _refused(self, request: Request) -> Response:
        if _token(request) not in {SYSTEM_TOKEN, *map(page_token, self.pages)}:
            return _expired()
        node = request.path_params["node"]
        if node in self.gone or (node not in self.pages and node not in self.posts):
            return _error(100, f"Unsupported get request. Object with ID '{node}' does not exist", subcode=33)
        return (NO_ROLE if self.limited(node.split("_")[0], NO_ROLE) else PAGE_TOKEN).response()

    def _answer(self, body: dict[str, Any]) -> Response:
        usage = {"call_count": self.used_percent, "total_cputime": 1, "total_time": 2}
        return JSONResponse(body, headers={"X-App-Usage": json.dumps(usage)})


def page_token(page: str) -> str:
    return f"sample-facebook-page-token-{page}"


def _token(request: Request) -> str:
    header = request.headers.get("authorization", "").removeprefix("Bearer ")
    return header or request.query_params.get("access_token", "")


def _expired() -> Response:
    return _error(190, "Error validating access token: Session has expired", subcode=463, status=401)


def _error(code: int, message: str, *, subcode: int = 0, status: int = 400) -> Response:
    more: dict[str, Any] = {"error_subcode": subcode} if subcode else {}
    return JSONResponse(graph_error(code, message, **more), status)


PLATFORM = Facebook
