"""Shared by Google's services: access tokens from a refresh token, and Google's error format."""

from __future__ import annotations

import secrets
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.platforms.base import Platform

CLIENT, SECRET = "sample-google-client", "sample-google-client-secret"
LIFETIME = 3599


class GooglePlatform(Platform):
    """A Google service with its own sign-in. ``revoke`` withdraws the grant."""

    refresh_token: str

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._tokens: dict[str, float] = {}  # access token -> expiry
        self._revoked = False

    def revoke(self) -> None:
        """The user withdraws access: issued tokens end, no new ones are issued."""
        self._revoked = True
        self._tokens.clear()

    async def token(self, request: Request) -> Response:
        values = await form_values(request)
        if values.get("grant_type") != "refresh_token":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if (values.get("client_id"), values.get("client_secret")) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if self._revoked or values.get("refresh_token") != self.refresh_token:
            return invalid_grant()
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._tokens[token] = self.clock.seconds() + LIFETIME
        return JSONResponse({"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"})

    def let_in(self, request: Request) -> Response | None:
        """None if the call carries a valid token, otherwise Google's refusal."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer" and self._tokens.get(token, 0) > self.clock.seconds():
            return None
        words = "Request had invalid authentication credentials."
        return google_error(401, "UNAUTHENTICATED", words, "authError")

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return invalid_grant()
        return google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "rateLimitExceeded")


def invalid_grant() -> Response:
    described = "Token has been expired or revoked."
    return JSONResponse({"error": "invalid_grant", "error_description": described}, 400)


def google_error(code: int, status: str, message: str, reason: str) -> Response:
    error = {
        "code": code,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
        "status": status,
    }
    return JSONResponse({"error": error}, code)
