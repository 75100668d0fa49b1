"""Base of simulated platforms: routes, a record of calls, switchable failures."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Message, Receive, Scope, Send

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.faults import Call, Fault, FaultList
from mel_pipeline.sandbox.zoho.gate import HANG_UP

Kind = Literal["down", "expired_token", "throttled", "login_page"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Platform(ABC):
    """One platform, served under ``/<name>``. ``calls`` holds the requests, oldest first."""

    name: ClassVar[str]

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        self.organisation = organisation
        self.clock = clock
        self.calls: list[Call] = []
        self.faults = FaultList()
        self._failing: Kind | None = None
        self._limited: set[tuple[str, Limit]] = set()

    @abstractmethod
    def endpoints(self) -> list[BaseRoute]:
        """Its routes, with the paths of the real service."""

    @abstractmethod
    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        """The real service's response to this failure."""

    def fail(self, kind: Kind | None) -> None:
        """Make every call fail in this way from now on; None: recover."""
        self._failing = kind

    def limit(self, account: str, limit: Limit) -> None:
        """Put one account (a post, page or site too) under a limit that the sample does not meet by itself."""
        self._limited.add((account, limit))

    def limited(self, account: str, limit: Limit) -> bool:
        return (account, limit) in self._limited

    def recover(self) -> None:
        """Forget every fault, limit and failure."""
        self.faults.clear()
        self._limited.clear()
        self._failing = None

    def mount(self) -> Mount:
        """Mount the routes under ``/<name>``, behind the failures."""
        inner = Starlette(routes=self.endpoints())

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            path = scope["path"].removeprefix(f"/{self.name}")
            call = Call(request.method, path, dict(request.query_params), at=self.clock.seconds())
            self.calls.append(call)

            async def recording_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    call.status = message["status"]
                await send(message)

            if self._failing is not None:
                await self._failed(self._failing)(scope, receive, recording_send)
                return
            fault = self.faults.matching(call)
            if fault is None:
                await inner(scope, receive, recording_send)
                return
            await self._broken(fault, inner, scope, receive, recording_send)

        return Mount(f"/{self.name}", app=guarded)

    def _failed(self, kind: Kind) -> Response:
        if kind == "down":
            return Response("<html><body>503 Service Unavailable</body></html>", 503, media_type="text/html")
        if kind == "login_page":
            return Response("<!DOCTYPE html><html><body>Sign in</body></html>", media_type="text/html")
        return self.refusal(kind)

    async def _broken(
        self, fault: Fault, inner: Starlette, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.reset:
            scope[HANG_UP]()
            return
        given = fault.answer()
        sent = 0

        async def damaged(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in fault.headers.items()]
                message["headers"] = [*message.get("headers", []), *extra]
            elif fault.truncate:
                body = message.get("body", b"")
                message = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
                sent += 1
                await send(message)
                scope[HANG_UP]()
                return
            await send(message)

        await (given or inner)(scope, receive, damaged)
