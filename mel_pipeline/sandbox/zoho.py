"""Zoho's OAuth, CRM v8 and People over HTTP, held to the limits their documentation states."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.zoho_records import FIELDS, LABELS, SYSTEM_FIELDS, Module, employees, modules

CLIENT, SECRET, REFRESH = "sample-client", "sample-client-secret", "sample-refresh-token"
BY_PAGE, BY_TOKEN, PER_PAGE, MOST_FIELDS = 2_000, 100_000, 200, 50
TOKEN_LIFE, REFRESHES, REFRESH_WINDOW, PAGE_TOKEN_LIFE = 3_600, 10, 600, 86_400


class Zoho:
    """State of the account: tokens, page tokens and how often each was asked for."""

    def __init__(self, organisation: Organisation, clock: Callable[[], float] = time.time) -> None:
        self.organisation = organisation
        self.clock = clock
        self.tokens: dict[str, float] = {}
        self.refreshes: deque[float] = deque()
        self.page_tokens: dict[str, tuple[str, int, float]] = {}
        self.calls: list[str] = []  # path of every CRM call, for tests

    def routes(self) -> list[Route]:
        return [
            Route("/oauth/v2/token", self.token, methods=["POST"]),
            Route("/crm/v8/settings/modules", self.settings_modules),
            Route("/crm/v8/settings/fields", self.settings_fields),
            Route("/crm/v8/{module}/deleted", self.deleted),
            Route("/crm/v8/{module}", self.records),
            Route("/people/api/forms/employee/getRecords", self.people),
        ]

    async def token(self, request: Request) -> Response:
        form = await form_values(request)
        if form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_client"})
        if form.get("client_secret") != SECRET:
            return JSONResponse({"error": "invalid_client_secret"})
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH:
            return JSONResponse({"error": "invalid_code"})
        now = self.clock()
        while self.refreshes and self.refreshes[0] <= now - REFRESH_WINDOW:
            self.refreshes.popleft()
        if len(self.refreshes) >= REFRESHES:
            text = "You have made too many requests continuously. Please try again after some time."
            return JSONResponse(
                {"error": "Access Denied", "error_description": text, "status": "failure"}, 400
            )
        self.refreshes.append(now)
        access = f"1000.{secrets.token_hex(16)}"
        self.tokens[access] = now + TOKEN_LIFE
        for oldest in sorted(self.tokens, key=self.tokens.__getitem__)[:-15]:
            del self.tokens[oldest]
        answer = {
            "access_token": access,
            "api_domain": str(request.base_url).rstrip("/"),
            "token_type": "Bearer",
        }
        return JSONResponse({**answer, "expires_in": TOKEN_LIFE})

    async def records(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        self.calls.append(request.url.path)
        module = modules(self.organisation).get(request.path_params["module"])
        if module is None:
            return _error("INVALID_MODULE", "the module name given seems to be invalid", 400)
        query = request.query_params
        fields = [name for name in query.get("fields", "").split(",") if name]
        if not fields:
            return _error(
                "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", 400, {"param": "fields"}
            )
        if len(fields) > MOST_FIELDS:
            return _error(
                "LIMIT_EXCEEDED", "the limit for the no of fields has exceeded", 400, {"limit": MOST_FIELDS}
            )
        try:
            per_page = _whole(request, "per_page", PER_PAGE)
            if per_page > PER_PAGE:
                raise PageError("INVALID_DATA")
            chosen = self._chosen(module, request)
            start = self._start(request, per_page)
        except PageError as error:
            return _error(error.code, error.code.replace("_", " ").lower(), 400)
        if not chosen:
            return Response(status_code=304 if "if-modified-since" in request.headers else 204)
        return self._page(request, chosen, start, per_page, ["id", *fields])

    def _page(
        self, request: Request, chosen: list[dict[str, Any]], start: int, per_page: int, fields: list[str]
    ) -> Response:
        part = chosen[start : start + per_page]
        if not part:
            return Response(status_code=204)
        end = start + len(part)
        more = end < len(chosen)
        token = None
        if more and end < BY_TOKEN:
            token = secrets.token_urlsafe(24)
            self.page_tokens[token] = (_parameters(request), end, self.clock())
        query = request.query_params
        info = {
            "per_page": per_page,
            "count": len(part),
            "page": start // per_page + 1,
            "more_records": more,
            "sort_by": query.get("sort_by", "id"),
            "sort_order": query.get("sort_order", "desc"),
            "next_page_token": token,
            "previous_page_token": None,
            "page_token_expiry": None,
        }
        return JSONResponse(
            {"data": [{name: record.get(name) for name in fields} for record in part], "info": info}
        )

    def _chosen(self, module: Module, request: Request) -> list[dict[str, Any]]:
        since = _since(request)
        records = module.records
        if since is not None:
            records = [r for r, moment in zip(records, module.modified, strict=True) if moment > since]
        key = request.query_params.get("sort_by", "id")
        backwards = request.query_params.get("sort_order", "desc") == "desc"
        if key == "Modified_Time":
            return records[::-1] if backwards else records
        if key in ("id", "Created_Time"):
            return sorted(records, key=lambda record: str(record[key]), reverse=backwards)
        raise PageError("INVALID_DATA")

    def _start(self, request: Request, per_page: int) -> int:
        query = request.query_params
        if "page" in query and "page_token" in query:
            raise PageError("AMBIGUITY_DURING_PROCESSING")
        if "page_token" not in query:
            start = (_whole(request, "page", 1) - 1) * per_page
            if start + per_page > BY_PAGE:
                raise PageError("DISCRETE_PAGINATION_LIMIT_EXCEEDED")
            return start
        parameters, start, issued = self.page_tokens.get(query["page_token"], ("", 0, 0.0))
        if not parameters:
            raise PageError("INVALID_DATA")
        if self.clock() - issued > PAGE_TOKEN_LIFE:
            raise PageError("EXPIRED_VALUE")
        if parameters != _parameters(request):
            raise PageError("TOKEN_BOUND_DATA_MISMATCH")
        if start >= BY_TOKEN:
            raise PageError("PAGINATION_LIMIT_EXCEEDED")
        return start

    async def deleted(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        module = modules(self.organisation).get(request.path_params["module"])
        if module is None:
            return _error("INVALID_MODULE", "the module name given seems to be invalid", 400)
        try:
            per_page, page = _whole(request, "per_page", PER_PAGE), _whole(request, "page", 1)
        except PageError as error:
            return _error(error.code, error.code.replace("_", " ").lower(), 400)
        wanted = request.query_params.get("type", "all")
        since = _since(request)
        rows = [
            row
            for row in module.deleted
            if wanted in ("all", row["type"])
            and (since is None or datetime.fromisoformat(row["deleted_time"]) > since)
        ]
        part = rows[(page - 1) * per_page : page * per_page]
        if not part:
            return Response(status_code=304 if since is not None and not rows else 204)
        info = {
            "per_page": per_page,
            "count": len(part),
            "page": page,
            "more_records": page * per_page < len(rows),
        }
        return JSONResponse({"data": part, "info": info})

    async def settings_modules(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        listed = [
            {
                "api_name": name,
                "module_name": name if not name.count("_") else f"CustomModule{number}",
                "plural_label": LABELS[name],
                "api_supported": True,
            }
            for number, name in enumerate(FIELDS, start=1)
        ]
        return JSONResponse({"modules": listed})

    async def settings_fields(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        fields = FIELDS.get(request.query_params.get("module", ""))
        if fields is None:
            return _error("INVALID_MODULE", "the module name given seems to be invalid", 400)
        listed = [
            {"api_name": name, "data_type": kind, "field_label": name.replace("_", " ")}
            for name, kind in {**SYSTEM_FIELDS, **fields}.items()
        ]
        return JSONResponse({"fields": listed})

    async def people(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        start, limit = int(request.query_params.get("sIndex", 1)), int(request.query_params.get("limit", 200))
        uri = "/people/api/forms/employee/getRecords"
        if limit > 200:
            errors = {"code": 7021, "message": "The number of records per fetch cannot exceed 200"}
            return JSONResponse(
                {"response": {"message": "Error occurred", "uri": uri, "errors": errors, "status": 1}}
            )
        part = employees(self.organisation)[start - 1 : start - 1 + limit]
        if not part:
            errors = {"code": 7024, "message": "No records found"}
            return JSONResponse(
                {"response": {"message": "Error occurred", "uri": uri, "errors": errors, "status": 1}}
            )
        result = [{row["Zoho_ID"]: [row]} for row in part]
        return JSONResponse(
            {"response": {"result": result, "message": "Data fetched successfully", "uri": uri, "status": 0}}
        )

    def _refused(self, request: Request) -> Response | None:
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Zoho-oauthtoken ")
        if token == header or not token:
            return _error("AUTHENTICATION_FAILURE", "Authentication failed", 401)
        if self.tokens.get(token, 0.0) <= self.clock():
            return _error("INVALID_TOKEN", "invalid oauth token", 401)
        return None


class PageError(Exception):
    """A page that cannot be served; ``code`` is Zoho's word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise PageError("INVALID_DATA")
    return int(text)


def _parameters(request: Request) -> str:
    """What a page token is bound to."""
    kept = sorted((k, v) for k, v in request.query_params.items() if k not in ("page", "page_token"))
    return f"{request.url.path} {kept} {request.headers.get('if-modified-since', '')}"


def _since(request: Request) -> datetime | None:
    text = request.headers.get("if-modified-since")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _error(code: str, message: str, status: int, details: dict[str, Any] | None = None) -> Response:
    return JSONResponse(
        {"code": code, "details": details or {}, "message": message, "status": "error"}, status
    )
