"""Google's access tokens for YouTube and Analytics: requested with a refresh token, kept in memory only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError
from mel_pipeline.core.source_settings import SourceSettings
from mel_pipeline.sources.shared.http import Answer, Http, TryAgainError, base_url, clean, explain_status
from mel_pipeline.sources.shared.oauth.session import Answered, RefreshSession, SignIn

T = TypeVar("T")
_WAITS = {"rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED"}
_QUOTA = {"quotaExceeded", "dailyLimitExceeded"}


class GoogleRefusalError(PermanentSourceError):
    """Google refused a request, for the reason that its body states."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class GoogleSession:
    """Calls to Google's APIs with the credentials in a source's settings.

    The settings are ``token_url``, ``client_id``, ``client_secret`` and ``refresh_token``.
    """

    def __init__(self, options: SourceSettings, http: Http) -> None:
        self._http = http
        self._what = options.title
        self._form = {
            "grant_type": "refresh_token",
            "client_id": options.text("client_id"),
            "client_secret": options.text("client_secret"),
            "refresh_token": options.text("refresh_token"),
        }
        self._renew = options.variable("refresh_token")
        self._client = f"{options.variable('client_id')} and {options.variable('client_secret')}"
        address = options.variable("token_url")
        self._session = RefreshSession(
            http,
            SignIn(
                "Google",
                f"{self._what} sign-in",
                base_url(options.text("token_url"), address),
                self._form,
                address,
                self._refused,
            ),
        )
        self._sent = self._rejected = ""  # the token of the last call, and the last one not accepted

    def call(
        self,
        what: str,
        url: str,
        read: Callable[[Mapping[str, object]], T],
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> T:
        """Call one of Google's APIs; ``read`` receives the JSON object of the answer.

        Raises:
            ReauthoriseError: the refresh token is no longer valid.
            SourceError: with Google's reason, in plain words.
        """
        renewed = False

        def judge(answer: Answer) -> T:
            nonlocal renewed
            if answer.status == 401 and not renewed:
                renewed, self._rejected = True, self._sent  # revoked early: renew it, once
                raise TryAgainError(f"{answer.what}: the access token was not accepted.", 0)
            if answer.status != 200:
                raise self._explained(answer)
            return read(answer.record())

        return self._http.call(
            f"{self._what} {what}",
            url,
            judge,
            method="GET" if body is None else "POST",
            headers=self._headers,
            params=params,
            body=body,
        )

    def _headers(self) -> dict[str, str]:
        self._sent = self._session.token(rejected=self._rejected).access_token
        return {"Authorization": f"Bearer {self._sent}"}

    def _refused(self, answer: Answer, data: Answered) -> Exception:
        code = clean(data.get("error"), self._form.values())
        if code == "invalid_grant":
            return ReauthoriseError(
                f"{answer.what}: the refresh token has expired or was withdrawn (invalid_grant)."
                f" Sign in to Google again and set {self._renew}; see the README of the source."
            )
        return PermanentSourceError(f"{answer.what}: Google answered '{code}'. Check {self._client}.")

    def _explained(self, answer: Answer) -> Exception:
        """The error, by the reason in the body: 403 may be a quota, a missing permission or a disabled API."""
        if not answer.body.lstrip().startswith(b"{"):
            return explain_status(answer, "Check the addresses in the settings.")
        found = answer.record().get("error")
        error = found if isinstance(found, dict) else {}
        details = error.get("errors")
        first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
        reason = str(first.get("reason") or error.get("status") or f"HTTP {answer.status}")
        if answer.status == 401:
            return ReauthoriseError(
                f"{answer.what}: Google does not accept the sign-in ({reason})."
                f" Sign in again and set {self._renew}; see the README of the source."
            )
        if reason in _QUOTA:
            return TryAgainError(
                f"{answer.what}: the day's quota is used up ({reason}); it resets at midnight Pacific time.",
                86_400,
            )
        if reason in _WAITS or answer.status == 429:
            return TryAgainError(
                f"{answer.what}: too many requests ({reason}). Run the load again later.",
                self._http.policy.throttled,
            )
        if answer.status >= 500:
            return explain_status(answer, "")
        words = clean(error.get("message", ""), self._form.values())
        return GoogleRefusalError(
            f"{answer.what}: Google answered {reason}: '{words}'. Check that the account has access"
            " and that the API is enabled in the Google project.",
            reason,
        )
