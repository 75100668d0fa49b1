"""Failures a test can switch on: broken responses, refusals, delays."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.zoho.answers import RefusedError

SLOW_DOWN = "You have made too many requests continuously. Please try again after some time."
_CODES = {401: "INVALID_TOKEN", 403: "NO_PERMISSION", 429: "TOO_MANY_REQUESTS", 500: "INTERNAL_ERROR"}


@dataclass
class Call:
    """One request; ``status`` is 0 until the response, and stays 0 if the connection is dropped."""

    method: str
    path: str
    query: dict[str, str]
    status: int = 0
    credits: int = 0
    at: float = 0.0  # arrival, in seconds since 1970 by the account's clock
    body: Any = None  # JSON request body


@dataclass
class Fault:
    """What happens to matching calls: ``times`` of them (None: all), after letting ``after`` pass."""

    match: str
    times: int | None = 1
    after: int = 0
    method: str | None = None
    status: int | None = None
    body: Mapping[str, Any] | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    truncate: bool = False
    delay: float = 0.0

    def matches(self, call: Call) -> bool:
        """Whether the call is affected; counts it."""
        if self.times == 0 or (self.method and self.method.upper() != call.method):
            return False
        address = f"{call.path}?{urlencode(call.query, safe=',:+')}" if call.query else call.path
        if self.match not in address and not any(_found(self.match, text) for text in (call.path, address)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> Response | None:
        """The response instead of the real one; None if the real one is only delayed or damaged."""
        if self.status is None and self.body is None:
            return None
        status = self.status or 200
        if isinstance(self.body, bytes):
            return Response(self.body, status)
        if self.body is not None:
            return JSONResponse(dict(self.body), status)
        if status in _CODES:
            return RefusedError(_CODES[status], status=status).answer()
        # Zoho's gateways respond in HTML when their backend does not respond.
        return Response(f"<html><body>HTTP {status}</body></html>", status, media_type="text/html")


class FaultList:
    """Faults in the order they were added; of those that match a call the first happens."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(
        self,
        match: str,
        *,
        times: int | None = 1,
        after: int = 0,
        method: str | None = None,
        status: int | None = None,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        reset: bool = False,
        truncate: bool = False,
        delay: float = 0.0,
    ) -> Fault:
        """Make calls fail whose address (path and query) contains ``match`` or matches it as a regular expression.

        A status or body replaces the response; ``headers`` are added to it; ``truncate`` cuts it short of
        its Content-Length; ``reset`` drops the connection without one; ``delay`` comes before any of these.
        """
        made = Fault(match, times, after, method, status, body, dict(headers or {}), reset, truncate, delay)
        self._faults.append(made)
        return made

    def clear(self) -> None:
        """Remove every added fault."""
        self._faults.clear()

    def matching(self, call: Call) -> Fault | None:
        return next((fault for fault in self._faults if fault.matches(call)), None)


class Faults(FaultList):
    """The switches of one account.

    Args:
        expire_access_tokens, expire_page_tokens: expire every token issued so far; page tokens include those of
            lists and bulk jobs.
    """

    def __init__(
        self, expire_access_tokens: Callable[[], None], expire_page_tokens: Callable[[], None]
    ) -> None:
        self.expire_access_tokens = expire_access_tokens
        self.expire_page_tokens = expire_page_tokens
        super().__init__()
        self.revoked: set[str] = set()
        self.denied: set[str] = set()
        self.sign_in: deque[tuple[int, str]] = deque()  # status and text of the next throttled refreshes
        self.ignore_if_modified_since = False
        self.bulk: Literal["stuck", "fail", "truncated"] | None = None
        self.on_call: Callable[[Call], None] | None = None

    def revoke_scope(self, module: str) -> None:
        """The refresh token lacks the scope of a module: 401 OAUTH_SCOPE_MISMATCH."""
        self.revoked.add(module)

    def deny(self, module: str) -> None:
        """The user may not see a module: 403 NO_PERMISSION."""
        self.denied.add(module)

    def throttle_sign_in(
        self, times: int, shape: Literal["200", "400"] = "400", text: str = SLOW_DOWN
    ) -> None:
        """The next refreshes are throttled, in one of Zoho's two response shapes."""
        self.sign_in.extend([(int(shape), text)] * times)


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
