"""One Zoho account: its modules, tokens, limits and faults, and what every call goes through."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.faults import Fault, Faults
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.schema import Field

CLIENT, SECRET, REFRESH = "sample-client", "sample-client-secret", "sample-refresh-token"
TOKEN_LIFE, REFRESHES, REFRESH_WINDOW, MOST_TOKENS = 3_600, 10, 600, 15
SCOPES = (
    "ZohoCRM.modules.READ", "ZohoCRM.settings.modules.READ", "ZohoCRM.settings.fields.READ",
    "ZohoCRM.coql.READ", "ZohoCRM.bulk.READ",
)  # fmt: skip


@dataclass
class Call:
    """One request as it was served."""

    method: str
    path: str
    query: dict[str, str]
    status: int = 0
    credits: int = 0


@dataclass
class PageToken:
    """Where a list goes on, and the parameters the token is bound to."""

    parameters: str
    start: int
    issued: float


class RefusalError(Exception):
    """A call that is refused; ``code`` is Zoho's word for it."""

    def __init__(self, code: str, status: int = 400, details: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code, self.status, self.details = code, status, details or {}

    def answer(self) -> Response:
        message = self.code.replace("_", " ").lower()
        return JSONResponse(
            {"code": self.code, "details": self.details, "message": message, "status": "error"}, self.status
        )


@dataclass
class Job:
    """One Bulk Read job over a snapshot of a module."""

    id: str
    module: Module
    fields: list[str]
    records: list[dict[str, Any]]
    start: int
    created: datetime
    polls: int = 0


Handler = Callable[[Request, "Call"], Awaitable[Response]]


class Account:
    """State and limits. ``pages_delay`` makes every CRM call take that long, so that calls overlap."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        concurrency: int = 10,
        credits: int = 50_000,
        pages_delay: float = 0.0,
    ) -> None:
        self.clock = clock or Clock()
        self.modules: dict[str, Module] = {}
        self.calls: list[Call] = []
        self.scopes: set[str] = set(SCOPES)
        self.faults = Faults(self)
        self.tokens: dict[str, float] = {}
        self.page_tokens: dict[str, PageToken] = {}
        self.jobs: dict[str, Job] = {}
        self.job_tokens: dict[str, tuple[Job, float]] = {}
        self.downloads: deque[float] = deque()
        self.highest_concurrency = 0
        self.organisation: Organisation | None = None
        self._concurrency, self._credits, self._delay = concurrency, credits, pages_delay
        self._refreshes: deque[float] = deque()
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = self._open = 0

    @classmethod
    def of(cls, organisation: Organisation, clock: Clock | None = None) -> Account:
        """The sample organisation's account, as of the start of its day."""
        from mel_pipeline.sandbox.zoho.sample import fill

        account = cls(clock or Clock(organisation.now.replace(tzinfo=UTC)))
        account.organisation = organisation
        fill(account, organisation)
        return account

    def add_module(
        self,
        api_name: str,
        fields: Iterable[Field],
        module_name: str | None = None,
        plural_label: str | None = None,
    ) -> Module:
        number = len(self.modules) + 1
        module = Module(api_name, fields, self.clock, number, module_name, plural_label)
        self.modules[api_name] = module
        return module

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    @property
    def credits_used(self) -> int:
        """In the last 24 hours."""
        while self._spent and self._spent[0][0] <= self.now - 86_400:
            self._sum -= self._spent.popleft()[1]
        return self._sum

    def routes(self) -> list[Route]:
        from mel_pipeline.sandbox.zoho import bulk, campaigns, coql, crm, people, settings

        rooms = (settings, coql, bulk, crm, people, campaigns)
        served = [route for room in rooms for route in room.routes(self)]
        return [Route("/oauth/v2/token", self.served(self._token), methods=["POST"]), *served]

    def served(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """What every call goes through: faults, the log of calls, and the account's own date."""

        async def endpoint(request: Request) -> Response:
            call = Call(request.method, request.url.path, dict(request.query_params))
            self.calls.append(call)
            self._open += 1
            try:
                if self.faults.on_call is not None:
                    self.faults.on_call(call)
                answer = await self._answered(request, call, handler)
            except RefusalError as refusal:
                answer = refusal.answer()
            finally:
                self._open -= 1
            call.status = answer.status_code
            answer.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
            if self.credits_used * 2 > self._credits:
                answer.headers["X-API-CREDITS-REMAINING"] = str(max(self._credits - self.credits_used, 0))
            return answer

        return endpoint

    async def _answered(self, request: Request, call: Call, handler: Handler) -> Response:
        fault = self.faults.take(call.path)
        if fault is None:
            return await handler(request, call)
        await asyncio.sleep(fault.delay)
        if fault.reset:
            request.receive.__self__.transport.abort()  # type: ignore[attr-defined] # uvicorn's, the only way
            return Response()
        if fault.status is not None:
            return _told(fault)
        answer = await handler(request, call)
        return _CutShort(answer.body, answer.status_code, request) if fault.truncate else answer

    async def permit(
        self,
        request: Request,
        call: Call,
        *,
        credits: int = 1,
        scope: str = "ZohoCRM.modules.READ",
        module: str = "",
    ) -> None:
        """Let a CRM call pass, or refuse it: token, scope, concurrency, credits.

        Raises:
            RefusalError: in that order, as Zoho does.
        """
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Zoho-oauthtoken ")
        if token == header or not token:
            raise RefusalError("AUTHENTICATION_FAILURE", 401)
        if self.tokens.get(token, 0.0) <= self.now:
            raise RefusalError("INVALID_TOKEN", 401)
        if scope not in self.scopes or module in self.faults.revoked:
            raise RefusalError("OAUTH_SCOPE_MISMATCH", 401)
        if module in self.faults.denied:
            raise RefusalError("NO_PERMISSION", 403)
        if self._open > self._concurrency:
            raise RefusalError("TOO_MANY_REQUESTS", 429)
        self.highest_concurrency = max(self.highest_concurrency, self._open)
        if self.credits_used + credits > self._credits:
            raise RefusalError("TOO_MANY_REQUESTS", 429)
        call.credits = credits
        self._spent.append((self.now, credits))
        self._sum += credits
        await asyncio.sleep(self._delay)

    def module(self, name: str) -> Module:
        if name not in self.modules:
            raise RefusalError("INVALID_MODULE")
        return self.modules[name]

    async def _token(self, request: Request, _: Call) -> Response:
        """Bad credentials come with status 200; the eleventh token in ten minutes with 400."""
        form = await form_values(request)
        if form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_client"})
        if form.get("client_secret") != SECRET:
            return JSONResponse({"error": "invalid_client_secret"})
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH:
            return JSONResponse({"error": "invalid_code"})
        while self._refreshes and self._refreshes[0] <= self.now - REFRESH_WINDOW:
            self._refreshes.popleft()
        if len(self._refreshes) >= REFRESHES:
            text = "You have made too many requests continuously. Please try again after some time."
            told = {"error": "Access Denied", "error_description": text, "status": "failure"}
            return JSONResponse(told, 400)
        self._refreshes.append(self.now)
        access = f"1000.{secrets.token_hex(16)}"
        self.tokens[access] = self.now + TOKEN_LIFE
        for oldest in sorted(self.tokens, key=self.tokens.__getitem__)[:-MOST_TOKENS]:
            del self.tokens[oldest]
        host = str(request.base_url).rstrip("/")
        told = {"access_token": access, "api_domain": host, "token_type": "Bearer"}
        return JSONResponse({**told, "expires_in": TOKEN_LIFE})


def _told(fault: Fault) -> Response:
    status, headers = fault.status or 200, dict(fault.headers)
    if isinstance(fault.body, bytes):
        return Response(fault.body, status, headers)
    if fault.body is None:
        return Response(status_code=status, headers=headers)
    return JSONResponse(dict(fault.body), status, headers)


class _CutShort(Response):
    """Announces the whole length, sends half, and closes the connection."""

    def __init__(self, content: bytes | memoryview, status_code: int, request: Request) -> None:
        super().__init__(bytes(content), status_code)
        self._transport = request.receive.__self__.transport  # type: ignore[attr-defined] # uvicorn's

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport.close()
