"""Failures a test can switch on: broken answers, refusals, delays."""

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
    """One request; ``status`` is 0 until it is answered, and stays 0 when the connection is dropped."""

    method: str
    path: str
    query: dict[str, str]
    status: int = 0
    credits: int = 0
    at: float = 0.0  # seconds since 1970 by the account's clock, as it arrived
    body: Any = None  # JSON that came with it


@dataclass
class Fault:
    """What happens to calls that match, ``times`` of them (None: all), once ``after`` have passed."""

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

    def meets(self, call: Call) -> bool:
        """Whether the call is one of those; counts it."""
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
        """The answer instead of the real one; None when the real one is only delayed or damaged."""
        if self.status is None and self.body is None:
            return None
        status = self.status or 200
        if isinstance(self.body, bytes):
            return Response(self.body, status)
        if self.body is not None:
            return JSONResponse(dict(self.body), status)
        if status in _CODES:
            return RefusedError(_CODES[status], status=status).answer()
        # Zoho's gateways answer in HTML when what lies behind them does not answer.
        return Response(f"<html><body>HTTP {status}</body></html>", status, media_type="text/html")


class Faults:
    """The switches of one account.

    Args:
        expire_access_tokens, expire_page_tokens: end every token issued so far; page tokens are those of lists
            and bulk jobs alike.
    """

    def __init__(
        self, expire_access_tokens: Callable[[], None], expire_page_tokens: Callable[[], None]
    ) -> None:
        self.expire_access_tokens = expire_access_tokens
        self.expire_page_tokens = expire_page_tokens
        self._faults: list[Fault] = []
        self.revoked: set[str] = set()
        self.denied: set[str] = set()
        self.sign_in: deque[tuple[int, str]] = deque()  # status and text of refreshes to be throttled
        self.ignore_if_modified_since = False
        self.bulk: Literal["stuck", "fail", "truncated"] | None = None
        self.on_call: Callable[[Call], None] | None = None

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
        """Let calls fail whose address holds ``match``, or is found by it as a regular expression.

        A status or body replaces the answer; ``headers`` are added to it; ``truncate`` cuts it short of
        its Content-Length; ``reset`` drops the connection without one; ``delay`` comes before any of these.
        """
        made = Fault(match, times, after, method, status, body, dict(headers or {}), reset, truncate, delay)
        self._faults.append(made)
        return made

    def clear(self) -> None:
        """Take back every fault that was added."""
        self._faults.clear()

    def meeting(self, call: Call) -> Fault | None:
        return next((fault for fault in self._faults if fault.meets(call)), None)

    def revoke_scope(self, module: str) -> None:
        """The refresh token lacks the scope of a module: 401 OAUTH_SCOPE_MISMATCH."""
        self.revoked.add(module)

    def deny(self, module: str) -> None:
        """The user may not see a module: 403 NO_PERMISSION."""
        self.denied.add(module)

    def throttle_sign_in(
        self, times: int, shape: Literal["200", "400"] = "400", text: str = SLOW_DOWN
    ) -> None:
        """The next refreshes are throttled, in one of the two shapes Zoho has for it."""
        self.sign_in.extend([(int(shape), text)] * times)


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
