"""Zoho's token endpoint: refresh grant, expiry, throttling, fifteen live tokens. No CRM data here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import count
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT_ID = "sample-client"
CLIENT_SECRET = "sample-client-secret"  # noqa: S105  (a sample value that settings.py prints openly)
REFRESH_TOKEN = "sample-refresh-token"  # noqa: S105
LIVE_TOKENS = 15  # the sixteenth kills the oldest
REFRESHES = 10
WINDOW_SECONDS = 600.0


class Tokens:
    """Access tokens this server has given out; one object is shared by all Zoho products."""

    def __init__(
        self, *, seconds: float = 3600, throttle: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._throttle = throttle
        self._clock = clock
        self._number = count(1)
        self._live: dict[str, float] = {}
        self._recent: deque[float] = deque()

    def refresh(self, form: dict[str, str], api_domain: str) -> tuple[int, dict[str, object]]:
        """Status and body of one refresh call. Bad credentials answer 200, as Zoho does."""
        wrong = _wrong_credential(form)
        if wrong:
            return 200, {"error": wrong}
        now = self._clock()
        while self._recent and now - self._recent[0] > WINDOW_SECONDS:
            self._recent.popleft()
        if self._throttle and len(self._recent) >= REFRESHES:
            return 400, {
                "error_description": "You have made too many requests continuously. Please try again after some time.",
                "error": "Access Denied",
                "status": "failure",
            }
        self._recent.append(now)
        token = f"1000.sample.{next(self._number):06d}"
        self._live[token] = now + self._seconds
        while len(self._live) > LIVE_TOKENS:
            del self._live[next(iter(self._live))]
        return 200, {
            "access_token": token,
            "scope": "ZohoCRM.modules.READ ZohoCRM.settings.READ ZohoPeople.forms.READ",
            "api_domain": api_domain,
            "token_type": "Bearer",
            "expires_in": int(self._seconds),
        }

    def problem(self, request: Request) -> str | None:
        """None when the request carries a live token, otherwise Zoho's error code."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "zoho-oauthtoken" or not token:
            return "AUTHENTICATION_FAILURE"
        return None if self._clock() < self._live.get(token, float("-inf")) else "INVALID_TOKEN"

    def revoke_all(self) -> None:
        """Make every token given out so far invalid."""
        self._live.clear()


def _wrong_credential(form: dict[str, str]) -> str | None:
    if form.get("grant_type") != "refresh_token":
        return "unsupported_grant_type"
    if form.get("client_id") != CLIENT_ID:
        return "invalid_client"
    if form.get("client_secret") != CLIENT_SECRET:
        return "invalid_client_secret"
    return None if form.get("refresh_token") == REFRESH_TOKEN else "invalid_code"


async def form_of(request: Request) -> dict[str, str]:
    """Query and url-encoded body parameters together; the body wins."""
    body = (await request.body()).decode("utf-8", errors="replace") if request.method == "POST" else ""
    return {**request.query_params, **dict(parse_qsl(body, keep_blank_values=True))}


def base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def routes(tokens: Tokens) -> list[Route]:
    async def token(request: Request) -> Response:
        status, body = tokens.refresh(await form_of(request), base_url(request))
        return JSONResponse(body, status_code=status)

    return [Route("/oauth/v2/token", token, methods=["POST"])]
