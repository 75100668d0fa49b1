"""Zoho's OAuth: refresh tokens yield access tokens, within limits; scopes say what those may read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.faults import SLOW_DOWN, Faults
from mel_pipeline.sandbox.zoho.limits import Window
from mel_pipeline.sandbox.zoho.schema import STANDARD_MODULES

CLIENT, SECRET, REFRESH = "sample-client", "sample-client-secret", "sample-refresh-token"
LIFE, REFRESHES, REFRESH_WINDOW, MOST_TOKENS = 3_600, 10, 600, 15
ALL_SCOPES = frozenset(
    {"ZohoCRM.modules.ALL", "ZohoCRM.settings.modules.READ", "ZohoCRM.settings.fields.READ", "ZohoCRM.coql.READ",
     "ZohoCRM.org.READ", "ZohoCRM.bulk.READ", "ZOHOPEOPLE.forms.READ", "ZohoCampaigns.campaign.READ"}
)  # fmt: skip


class Token(NamedTuple):
    user: str
    expires: float


class OAuth:
    """Access tokens of the account. Each refresh token belongs to a user, who also owns page tokens.

    Args:
        scopes: granted scopes; a test may remove one at any time.
        window: creates a limit of calls per time.
        tokens: issued tokens by their text; a fault clears them.
    """

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        scopes: set[str],
        window: Callable[[int, float], Window],
        tokens: dict[str, Token],
    ) -> None:
        self._clock, self._faults, self._scopes, self._window = clock, faults, scopes, window
        self.users = {REFRESH: "546000000000000001"}  # refresh token: id of its user
        self.tokens = tokens
        self._windows: dict[str, Window] = {}
        self.api_domain: str | None = None  # returned instead of the account's own address

    async def token(self, request: Request) -> Response:
        """``POST /oauth/v2/token``: refusals come with HTTP 200, a throttled refresh with 200 or 400."""
        form = await form_values(request)
        if form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_client"})
        if form.get("client_secret") != SECRET:
            return JSONResponse({"error": "invalid_client_secret"})
        user = self.users.get(form.get("refresh_token", ""))
        if form.get("grant_type") != "refresh_token" or user is None:
            return JSONResponse({"error": "invalid_code"})
        if self._faults.sign_in:
            return _throttled(*self._faults.sign_in.popleft())
        window = self._window(REFRESHES, REFRESH_WINDOW)
        if not self._windows.setdefault(user, window).admits():
            return _throttled(400, SLOW_DOWN)
        answer = {
            "access_token": self._issue(user),
            "api_domain": self.api_domain or str(request.base_url).rstrip("/"),
            "token_type": "Bearer",
            "expires_in": LIFE,
        }
        return JSONResponse(answer)

    def _issue(self, user: str) -> str:
        text = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self.tokens[text] = Token(user, self._clock.seconds() + LIFE)
        own = [known for known, token in self.tokens.items() if token.user == user]
        for oldest in own[:-MOST_TOKENS]:
            del self.tokens[oldest]
        return text

    def user_of(self, request: Request) -> str:
        """The user the access token belongs to.

        Raises:
            RefusedError: no token, or an expired one.
        """
        header = request.headers.get("authorization", "")
        text = header.removeprefix("Zoho-oauthtoken ")
        if text == header or not text:
            raise RefusedError("AUTHENTICATION_FAILURE", status=401)
        token = self.tokens.get(text)
        if token is None or token.expires <= self._clock.seconds():
            raise RefusedError("INVALID_TOKEN", status=401)
        return token.user

    def require(self, scope: str) -> None:
        """Check a scope such as ``ZohoCRM.modules.contacts.READ``; a wider granted one suffices.

        Raises:
            RefusedError: it was not granted.
        """
        parts = scope.lower().split(".")
        wider = {
            ".".join([*parts[:end], last]) for end in range(1, len(parts)) for last in (parts[-1], "all")
        }
        if not wider & {granted.lower() for granted in self._scopes}:
            raise RefusedError("OAUTH_SCOPE_MISMATCH", status=401)


def module_scope(module: str) -> str:
    """Custom modules share one scope."""
    kind = module.lower().replace("_", "") if module in STANDARD_MODULES else "custom"
    return f"ZohoCRM.modules.{kind}.READ"


def _throttled(status: int, text: str) -> Response:
    body = {"error": "Access Denied", "error_description": text, "status": "failure"}
    return JSONResponse(body, status)
