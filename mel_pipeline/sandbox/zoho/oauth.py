"""Zoho's OAuth: consent yields refresh tokens, those yield access tokens, within limits; scopes say what they may read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox import consent
from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.faults import SLOW_DOWN, Faults
from mel_pipeline.sandbox.zoho.limits import Window
from mel_pipeline.sandbox.zoho.schema import STANDARD_MODULES, USER

CLIENT, SECRET, REFRESH = "sample-client", "sample-client-secret", "sample-refresh-token"
LIFE, REFRESHES, REFRESH_WINDOW, MOST_TOKENS = 3_600, 10, 600, 15
# https://zoho.com/accounts/protocol/oauth/web-apps/authorization.html: a code is valid for two minutes.
CODE_LIFE = 120
# https://zoho.com/crm/developer/docs/api/v3/token-validity.html: ten codes in ten minutes for each client; twenty
# refresh tokens for each user, of which the 21st ends the first.
MOST_CODES, MOST_REFRESH_TOKENS = 10, 20
ALL_SCOPES = frozenset(
    {"ZohoCRM.modules.ALL", "ZohoCRM.settings.modules.READ", "ZohoCRM.settings.fields.READ", "ZohoCRM.coql.READ",
     "ZohoCRM.org.READ", "ZohoCRM.bulk.READ", "ZOHOPEOPLE.forms.READ", "ZohoCampaigns.campaign.READ"}
)  # fmt: skip
_SCOPE = re.compile(r"(ZohoCRM|ZOHOPEOPLE|ZohoCampaigns)(\.\w+)+\.(ALL|READ|CREATE|UPDATE|DELETE)")
_calling: ContextVar[frozenset[str] | None] = ContextVar("scopes of the token of this call", default=None)


class Token(NamedTuple):
    """``scopes``: those consented to; None: the account's, for the sample's own refresh token."""

    user: str
    expires: float
    scopes: frozenset[str] | None = None
    refresh: str = ""


class OAuth:
    """Access tokens of the account. Each refresh token belongs to a user, who also owns page tokens.

    Args:
        scopes: granted scopes; a test may remove one at any time.
        window: creates a limit of calls per time.
        tokens: issued tokens by their text; a fault clears them.

    A test may add to ``redirect_uris``, and set another data centre in ``api_domain`` and ``accounts_server``.
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
        self.users = {REFRESH: USER["id"]}  # refresh token: id of its user
        self._consented: dict[str, frozenset[str]] = {}  # scopes, by the refresh token that consent gave
        self._codes, self._codes_given = consent.Codes(clock, CODE_LIFE), window(MOST_CODES, REFRESH_WINDOW)
        self.redirect_uris = set(consent.REDIRECT_URIS)
        self.tokens = tokens
        self._windows: dict[str, Window] = {}
        self.api_domain: str | None = None  # returned instead of the account's own address
        self.location, self.accounts_server = "eu", ""  # likewise, empty: the account's own address

    async def authorize(self, request: Request) -> Response:
        """``/oauth/v2/auth``: the page (GET), and what the person presses on it (POST)."""
        asked = await form_values(request)
        scopes = [scope for part in asked.get("scope", "").split(",") if (scope := part.strip())]
        if wrong := self._mistake(asked, scopes):
            return consent.error_page("Zoho", 400, *wrong)
        granted = consent.decision(request, asked, "Zoho", scopes)
        if isinstance(granted, Response):
            return granted
        if not granted or not self._codes_given.admits():
            return consent.send_back(asked, error="access_denied")
        # https://www.zoho.com/accounts/protocol/oauth/multi-dc/client-authorization.html: where the code is redeemed.
        own = str(request.base_url).rstrip("/")
        centre = {"location": self.location, "accounts-server": self.accounts_server or own}
        return consent.send_back(asked, code=self._codes.issue(_random(), asked, scopes), **centre)

    def _mistake(self, asked: Mapping[str, str], scopes: list[str]) -> tuple[str, str] | None:
        """Why no page is shown: https://help.zoho.com/portal/en/community/topic/kaizen-4-troubleshooting-oauth2-0."""
        if asked.get("client_id") != CLIENT:
            return "Invalid Client Id", "Client ID passed does not exist"
        if asked.get("redirect_uri") not in self.redirect_uris:
            return "Invalid Redirect Uri", "Redirect URI passed does not match with the one configured"
        if asked.get("response_type") != "code":
            return "Invalid Response Type", "Response type must be 'code'"
        if not scopes or not all(_SCOPE.fullmatch(scope) for scope in scopes):
            return "Invalid OAuth Scope", "Scope does not exist"
        return None

    async def token(self, request: Request) -> Response:
        """``POST /oauth/v2/token``: refusals come with HTTP 200, a throttled refresh with 200 or 400."""
        form = await form_values(request)
        if form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_client"})
        if form.get("client_secret") != SECRET:
            return JSONResponse({"error": "invalid_client_secret"})
        domain = self.api_domain or str(request.base_url).rstrip("/")
        answer = {"api_domain": domain, "token_type": "Bearer", "expires_in": LIFE}
        if form.get("grant_type") == "authorization_code":
            return JSONResponse(self._exchanged(form, answer))
        refresh = form.get("refresh_token", "")
        user = self.users.get(refresh)
        if form.get("grant_type") != "refresh_token" or user is None:
            return JSONResponse({"error": "invalid_code"})
        if self._faults.sign_in:
            return _throttled(*self._faults.sign_in.popleft())
        window = self._window(REFRESHES, REFRESH_WINDOW)
        if not self._windows.setdefault(refresh, window).admits():
            return _throttled(400, SLOW_DOWN)
        return JSONResponse(
            {"access_token": self._issue(user, self._consented.get(refresh), refresh), **answer}
        )

    def _exchanged(self, form: Mapping[str, str], answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a code: https://zoho.com/accounts/protocol/oauth/web-apps/access-token.html."""
        if form.get("redirect_uri") not in self.redirect_uris:
            return {"error": "invalid_redirect_uri"}  # https://github.com/asciisd/zoho/issues/20
        code = self._codes.redeem(form.get("code", ""))
        if code is None or self._codes.expired(code) or not code.fits(form, "client_id", "redirect_uri"):
            return {"error": "invalid_code"}
        scopes, refresh, given = frozenset(code.scopes), "", {}
        # https://zoho.com/thrive/resources/api/identify-user-location.html: for offline access, the first time only,
        # and again with prompt=consent.
        again = code.asked.get("prompt") == "consent"
        if code.asked.get("access_type") == "offline" and (again or not self._consented):
            refresh = _random()
            given = {"refresh_token": refresh}
            self.users[refresh], self._consented[refresh] = USER["id"], scopes
            for gone in consent.keep_newest(self.users, MOST_REFRESH_TOKENS, lambda user: user == USER["id"]):
                self._consented.pop(gone, None)
                for text in [text for text, token in self.tokens.items() if token.refresh == gone]:
                    del self.tokens[text]
        token = self._issue(USER["id"], scopes, refresh)
        return {"access_token": token, **given, "scope": " ".join(code.scopes), **answer}

    def _issue(self, user: str, scopes: frozenset[str] | None, refresh: str) -> str:
        text = _random()
        self.tokens[text] = Token(user, self._clock.seconds() + LIFE, scopes, refresh)
        consent.keep_newest(self.tokens, MOST_TOKENS, lambda token: token.refresh == refresh)
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
        _calling.set(token.scopes)
        return token.user

    def require(self, scope: str) -> None:
        """Check that the token of this call has a scope such as ``ZohoCRM.modules.contacts.READ``, or a wider one.

        Raises:
            RefusedError: it was not granted.
        """
        parts = scope.lower().split(".")
        wider = {
            ".".join([*parts[:end], last]) for end in range(1, len(parts)) for last in (parts[-1], "all")
        }
        granted = _calling.get()
        if not wider & {scope.lower() for scope in (self._scopes if granted is None else granted)}:
            raise RefusedError("OAUTH_SCOPE_MISMATCH", status=401)


def _random() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def module_scope(module: str) -> str:
    """Custom modules share one scope."""
    kind = module.lower().replace("_", "") if module in STANDARD_MODULES else "custom"
    return f"ZohoCRM.modules.{kind}.READ"


def _throttled(status: int, text: str) -> Response:
    body = {"error": "Access Denied", "error_description": text, "status": "failure"}
    return JSONResponse(body, status)
