"""Page tokens: a position, bound to user and request, valid for 24 hours."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.clock import Clock

LIFE = 86_400


class PageToken(NamedTuple):
    bound_to: str
    user: str
    position: int
    expires: float


class PageTokens:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, PageToken] = {}

    def issue(self, bound_to: str, user: str, position: int) -> str:
        text = secrets.token_hex(24)
        self._issued[text] = PageToken(bound_to, user, position, self._clock.seconds() + LIFE)
        return text

    def expire(self) -> None:
        self._issued = {text: token._replace(expires=0.0) for text, token in self._issued.items()}

    def find(self, text: str, bound_to: str | None, user: str) -> PageToken:
        """The token; ``bound_to`` is None if the token carries its request, as for bulk jobs.

        Raises:
            RefusedError: unknown, another user's (INVALID_DATA), expired, or for another request.
        """
        token = self._issued.get(text)
        if token is None:
            raise RefusedError("TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
        if token.user != user:
            raise RefusedError("INVALID_DATA", {"param_name": "page_token"})
        if token.expires <= self._clock.seconds():
            where = {"api_name": "page_token", "json_path": "$.query.page_token"}
            raise RefusedError("EXPIRED_VALUE", where)
        if bound_to is not None and token.bound_to != bound_to:
            raise RefusedError("TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
        return token
