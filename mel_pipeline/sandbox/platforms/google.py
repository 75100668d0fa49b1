"""Shared by Google's services: consent, access tokens from a refresh token, and Google's error format."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from math import inf
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox import consent
from mel_pipeline.sandbox.consent import Grant
from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.platforms.base import Platform

CLIENT, SECRET = "sample-google-client", "sample-google-client-secret"
TESTING, TESTING_SECRET = "sample-google-testing-client", "sample-google-testing-client-secret"
_SECRETS = {CLIENT: SECRET, TESTING: TESTING_SECRET}  # desktop apps; the second one's project is in testing
LIFETIME = 3599
CODE_LIFE = 600  # Google states none; RFC 6749, 4.1.2 recommends ten minutes at most
# https://developers.google.com/identity/protocols/oauth2#expiration: seven days for a project in testing; a hundred
# refresh tokens for each account and client, of which the next one ends the oldest.
TESTING_LIFE, MOST_REFRESH_TOKENS = 604_799, 100
_AUTH = "https://www.googleapis.com/auth"
YOUTUBE, YOUTUBE_ANALYTICS = f"{_AUTH}/youtube.readonly", f"{_AUTH}/yt-analytics.readonly"
ANALYTICS = f"{_AUTH}/analytics.readonly"


class GooglePlatform(Platform):
    """A Google service with its own sign-in. ``revoke`` withdraws every grant."""

    refresh_token: str
    scopes: tuple[str, ...]  # of the sample's own refresh token

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._tokens: dict[str, Grant] = {}  # by access token
        self._grants: dict[str, Grant] = {}  # by refresh token, of those that consent gave
        self._codes = consent.Codes(self.clock, CODE_LIFE)
        self._revoked = False

    def sign_in(self) -> list[BaseRoute]:
        """The routes of accounts.google.com and oauth2.googleapis.com."""
        return [
            Route("/o/oauth2/v2/auth", self.authorize, methods=["GET", "POST"]),
            Route("/token", self.token, methods=["POST"]),
        ]

    def revoke(self) -> None:
        """The user withdraws access: issued tokens end, no new ones are issued before a new consent."""
        self._revoked = True
        self._tokens.clear()
        self._grants.clear()

    async def authorize(self, request: Request) -> Response:
        """The page (GET), and what the person presses on it (POST)."""
        asked = await form_values(request)
        scopes = list(dict.fromkeys(asked.get("scope", "").split()))
        if (wrong := _mistake(asked, scopes)) is not None:
            return consent.error_page("Google", *wrong)
        # https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions: with more than one
        # scope, each can be unticked; the answer says which were granted.
        buttons, choose = ("Continue", "Cancel"), len(scopes) > 1
        granted = consent.decision(request, asked, "Google", scopes, buttons=buttons, choose=choose)
        if isinstance(granted, Response):
            return granted
        if not granted:
            return consent.send_back(asked, error="access_denied")
        code = self._codes.issue(consent.random_text("4/0A"), asked, granted)
        return consent.send_back(asked, code=code, scope=" ".join(granted))

    async def token(self, request: Request) -> Response:
        values = await form_values(request)
        if values.get("grant_type") not in ("refresh_token", "authorization_code"):
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        client = values.get("client_id", "")
        if client not in _SECRETS or values.get("client_secret") != _SECRETS[client]:
            return JSONResponse({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if values["grant_type"] == "authorization_code":
            return self._exchanged(client, values)
        refresh = values.get("refresh_token", "")
        grant = self._grants.get(refresh)
        if refresh == self.refresh_token and not self._revoked:
            grant = Grant(CLIENT, self.scopes, inf)
        if grant is None or grant.client != client or grant.ends <= self.clock.seconds():
            return invalid_grant()
        return JSONResponse(self._issued(grant))

    def _exchanged(self, client: str, values: Mapping[str, str]) -> Response:
        """The answer to a code: https://developers.google.com/identity/protocols/oauth2/native-app."""
        code = self._codes.redeem(values.get("code", ""))
        if code is None:
            return invalid_grant("Malformed auth code.")
        if not code.fits(values, "redirect_uri"):
            return JSONResponse({"error": "redirect_uri_mismatch", "error_description": "Bad Request"}, 400)
        if wrong := _unverified(code.asked, values.get("code_verifier", "")):
            return invalid_grant(wrong)
        if self._codes.expired(code) or not code.fits(values, "client_id"):
            return invalid_grant("Bad Request")
        life = TESTING_LIFE if client == TESTING else inf
        grant = Grant(client, code.scopes, self.clock.seconds() + life)
        refresh = consent.random_text("1//0")  # "always returned for installed applications", says the page
        self._grants[refresh] = grant
        consent.keep_newest(self._grants, MOST_REFRESH_TOKENS, lambda other: other.client == client)
        return JSONResponse(self._issued(grant) | {"refresh_token": refresh})

    def _issued(self, grant: Grant) -> dict[str, Any]:
        token, now = consent.random_text("ya29."), self.clock.seconds()
        self._tokens[token] = grant._replace(ends=now + LIFETIME)
        answer = {
            "access_token": token,
            "expires_in": LIFETIME,
            "token_type": "Bearer",
            "scope": " ".join(grant.scopes),
        }
        # Seen in answers to projects in testing: https://github.com/google/GoogleSignIn-iOS/issues/565.
        return answer if grant.ends == inf else answer | {"refresh_token_expires_in": round(grant.ends - now)}

    def let_in(self, request: Request, *scopes: str) -> Response | None:
        """None if the call carries a valid token with these scopes, otherwise Google's refusal."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self._tokens.get(token)
        if scheme != "Bearer" or grant is None or grant.ends <= self.clock.seconds():
            words = "Request had invalid authentication credentials."
            return google_error(401, "UNAUTHENTICATED", words, "authError")
        if set(scopes) <= set(grant.scopes):
            return None
        # https://github.com/googleworkspace/cli/issues/282
        words = "Request had insufficient authentication scopes."
        return google_error(403, "PERMISSION_DENIED", words, "insufficientPermissions")

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return invalid_grant()
        return google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "rateLimitExceeded")


def _mistake(asked: Mapping[str, str], scopes: list[str]) -> tuple[int, str, str] | None:
    """Why no page is shown: https://developers.google.com/identity/protocols/oauth2/native-app."""
    address = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") not in _SECRETS:
        return 401, "Error 401: invalid_client", "The OAuth client was not found."
    if address.scheme != "http" or address.hostname not in ("127.0.0.1", "::1", "localhost"):
        return (
            400,
            "Error 400: redirect_uri_mismatch",
            "Register the redirect URI in the Google Cloud Console.",
        )
    if asked.get("response_type") != "code":
        return 400, "Error 400: invalid_request", "Missing or invalid parameter: response_type"
    if asked.get("code_challenge_method", "S256") not in ("S256", "plain"):
        return 400, "Error 400: invalid_request", "Invalid parameter: code_challenge_method"
    if not scopes:
        return 400, "Error 400: invalid_request", "Missing required parameter: scope"
    if unknown := [scope for scope in scopes if scope not in (YOUTUBE, YOUTUBE_ANALYTICS, ANALYTICS)]:
        return 400, "Error 400: invalid_scope", f"Some requested scopes were invalid: {', '.join(unknown)}"
    return None


def _unverified(asked: Mapping[str, str], verifier: str) -> str:
    """What is wrong with the code verifier, or nothing."""
    challenge = asked.get("code_challenge", "")
    if not challenge:
        # https://github.com/googleapis/google-api-nodejs-client/issues/3680
        return "code_verifier or verifier is not needed." if verifier else ""
    if not verifier:
        return "Missing code verifier."  # https://github.com/onaio/onadata/issues/3068
    if asked.get("code_challenge_method", "plain") == "S256":
        verifier = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    # https://github.com/googleapis/google-api-java-client/issues/1479
    return "" if verifier == challenge else "Invalid code verifier."


def invalid_grant(described: str = "Token has been expired or revoked.") -> Response:
    return JSONResponse({"error": "invalid_grant", "error_description": described}, 400)


def google_error(code: int, status: str, message: str, reason: str) -> Response:
    error = {
        "code": code,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
        "status": status,
    }
    return JSONResponse({"error": error}, code)
