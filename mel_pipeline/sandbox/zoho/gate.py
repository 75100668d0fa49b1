"""Wraps every endpoint: records and counts the call, authenticates it, applies faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.faults import Call, Fault

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account

HANG_UP = "sandbox.hang_up"  # scope key of the function that closes the connection
HEAVY = 10  # concurrent queries, whatever else the edition allows
Handler = Callable[[Request], Awaitable[Response]]


class Gate:
    """One endpoint of the account, as an ASGI application.

    Calls refused with 401 or 429, or answered by a fault, cost no credits; all others do.
    """

    def __init__(
        self,
        account: Account,
        handler: Handler,
        *,
        service: str = "crm",
        credits: int = 1,
        page: bool = False,
        heavy: bool = False,
    ) -> None:
        self.account, self.handler = account, handler
        self.service, self.credits, self.page, self.heavy = service, credits, page, heavy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = Call(request.method, request.url.path, dict(request.query_params))
        call.at = self.account.clock.seconds()
        self.account.calls.append(call)
        if self.account.faults.on_call is not None:
            self.account.faults.on_call(call)
        if self.service == "oauth":
            return await self._pass(request, call, scope, receive, send)
        with self.account.traffic.flight(self.service, heavy=self.heavy) as (crowd, heavy):
            if self.service == "crm" and (crowd > self.account.concurrency or heavy > HEAVY):
                call.status = 429
                return await RefusedError("TOO_MANY_REQUESTS", status=429).answer()(scope, receive, send)
            return await self._pass(request, call, scope, receive, send)

    async def _pass(self, request: Request, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.account.faults.matching(call) or Fault("")
        if delay := fault.delay + (self.account.pages_delay if self.page else 0.0):
            await asyncio.sleep(delay)
        if fault.reset:
            return await _hang_up(scope, receive)
        response = fault.answer() or await self._answer(request, call)
        response.headers.update(fault.headers)
        call.status = response.status_code
        if not fault.truncate:
            return await response(scope, receive, send)
        try:
            await response(scope, receive, _cutting(send))
        except _CutError:
            await _hang_up(scope, receive)

    async def _answer(self, request: Request, call: Call) -> Response:
        """The real response, charged in credits."""
        request.state.call, credits = call, self.account.credits
        try:
            if self.service != "oauth":
                request.state.user = self.account.oauth.user_of(request)
            if self.service == "crm":
                if not credits.suffice(self.credits):
                    raise RefusedError("TOO_MANY_REQUESTS", status=429)
                call.credits = self.credits
            response = await self.handler(request)
        except RefusedError as refused:
            response = refused.answer()
            call.credits = 0 if refused.status in (401, 429) else call.credits
        if self.service == "crm":
            credits.spend(call.credits)
            if (left := credits.remaining_header) is not None:
                response.headers["X-API-CREDITS-REMAINING"] = str(left)
        return response


class _CutError(Exception):
    pass


def _cutting(send: Send) -> Send:
    """Send half of the first body chunk, then stop."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body" and message.get("body"):
            half = message["body"][: len(message["body"]) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            raise _CutError
        await send(message)

    return cut


async def _hang_up(scope: Scope, receive: Receive) -> None:
    scope[HANG_UP]()
    while (await receive())["type"] != "http.disconnect":
        pass
