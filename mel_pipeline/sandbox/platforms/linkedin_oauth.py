"""LinkedIn's consent of a member, and the tokens it yields; the API itself is in ``linkedin``.

https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox import consent
from mel_pipeline.sandbox.consent import Grant
from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.zoho.clock import Clock

APP = ("sample-linkedin-client", "sample-linkedin-client-secret")
# .../shared/authentication/programmatic-refresh-tokens: for approved partners only, valid for a year that renewals
# do not extend.
PARTNER = ("sample-linkedin-partner", "sample-linkedin-partner-secret")
APPS = dict((APP, PARTNER))
SCOPES = ("r_organization_social", "rw_organization_admin")  # what the apps were approved for
CODE_LIFE, LIFE, REFRESH_LIFE = 1_800, 5_184_000, 31_536_000
LENGTH = 370  # bytes; some 500 characters
_REQUIRED = {"authorization_code": ("code", "redirect_uri"), "refresh_token": ("refresh_token",)}
_MISMATCH = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code."
    " Or authorization code expired. Or external member binding exists"
)


class LinkedInOAuth:
    """Tokens given after consent. A test may add to ``redirect_uris``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.redirect_uris = set(consent.REDIRECT_URIS)
        self.tokens: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._codes = consent.Codes(clock, CODE_LIFE)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/oauth/v2/authorization", self.authorize, methods=["GET", "POST"]),
            Route("/oauth/v2/accessToken", self.token, methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> Response:
        """The page (GET), and what the member presses on it (POST): all scopes or none."""
        asked = await form_values(request)
        client, scopes = asked.get("client_id"), asked.get("scope", "").split()
        if client not in APPS:
            return consent.error_page("LinkedIn", 401, f'The passed in client_id is invalid "{client}"')
        if asked.get("redirect_uri") not in self.redirect_uris:
            return consent.error_page("LinkedIn", 401, "The redirect_uri does not match the registered value")
        for name in ("response_type", "scope"):
            if not asked.get(name):
                words = f'A required parameter "{name}" is missing'
                return consent.send_back(asked, error="invalid_request", error_description=words)
        if unknown := [scope for scope in scopes if scope not in SCOPES]:
            # Entities and all: https://github.com/cuongdevjs/reactjs-social-login/issues/178
            words = f"Scope &quot;{unknown[0]}&quot; is not authorized for your application"
            return consent.send_back(asked, error="unauthorized_scope_error", error_description=words)
        granted = consent.decision(request, asked, "LinkedIn", scopes, buttons=("Allow", "Cancel"))
        if isinstance(granted, Response):
            return granted
        if not granted:
            words = "The user cancelled the authorization"  # https://github.com/nhost/hasura-auth/issues/171
            return consent.send_back(asked, error="user_cancelled_authorize", error_description=words)
        return consent.send_back(asked, code=self._codes.issue(consent.random_text("AQ"), asked, granted))

    async def token(self, request: Request) -> Response:
        form = await form_values(request)
        kind = form.get("grant_type", "")
        for name in ("grant_type", "client_id", "client_secret", *_REQUIRED.get(kind, ())):
            if not form.get(name):
                return _error(400, "invalid_request", f'A required parameter "{name}" is missing')
        if APPS.get(form["client_id"]) != form["client_secret"]:
            # https://github.com/xcarpentier/react-native-linkedin/issues/177
            return _error(401, "invalid_client", "Client authentication failed")
        if kind not in _REQUIRED:
            return _error(400, "unsupported_grant_type", "The grant type is not supported")  # RFC 6749, 5.2
        if kind == "refresh_token":
            return self._renewed(form)
        code = self._codes.redeem(form.get("code", ""))
        if code is None:
            return _error(
                401, "invalid_request", "Unable to retrieve access token: authorization code not found"
            )
        if self._codes.expired(code) or not code.fits(form, "client_id", "redirect_uri"):
            return _error(400, "invalid_redirect_uri", _MISMATCH)
        grant = Grant(form["client_id"], code.scopes, self._clock.seconds() + REFRESH_LIFE)
        for text, other in list(self.tokens.items()):
            if other.client == grant.client and set(other.scopes) != set(grant.scopes):
                del self.tokens[text]  # "all the previous access tokens are invalidated"
        refresh = consent.random_text("AQ") if grant.client == PARTNER[0] else ""
        if refresh:
            self._refresh[refresh] = grant
        return JSONResponse(self._issued(grant, refresh))

    def _renewed(self, form: Mapping[str, str]) -> Response:
        grant = self._refresh.get(form["refresh_token"])
        if grant is None or grant.client != form["client_id"] or grant.ends <= self._clock.seconds():
            words = "The provided authorization grant or refresh token is invalid, expired or revoked"
            return _error(400, "invalid_request", words)
        return JSONResponse(self._issued(grant, form["refresh_token"]))

    def _issued(self, grant: Grant, refresh: str) -> dict[str, Any]:
        """An access token, which does not outlive the refresh token."""
        token, now = consent.random_text("AQ", LENGTH), self._clock.seconds()
        life = min(LIFE, round(grant.ends - now))
        self.tokens[token] = grant._replace(ends=now + life)
        answer = {"access_token": token, "expires_in": life, "scope": " ".join(grant.scopes)}
        more = {"refresh_token": refresh, "refresh_token_expires_in": round(grant.ends - now)}
        return answer | more if refresh else answer

    def described(self, token: str, client: str) -> dict[str, Any]:
        """The answer of introspectToken: .../shared/authentication/token-introspection; ``active`` to its own app only."""
        grant = self.tokens.get(token)
        if grant is None or grant.client != client:
            return {"active": False}
        status = "active" if grant.ends > self._clock.seconds() else "expired"
        ends, scopes = int(grant.ends), ",".join(grant.scopes)
        return {
            "active": status == "active",
            "status": status,
            "expires_at": ends,
            "scope": scopes,
            "auth_type": "3L",
        }


def _error(status: int, error: str, described: str) -> Response:
    return JSONResponse({"error": error, "error_description": described}, status)
