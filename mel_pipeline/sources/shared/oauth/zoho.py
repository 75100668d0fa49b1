"""Zoho's access tokens: cached, renewed once, sent only to Zoho. For all Zoho sources; no records here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.http import (
    Answer,
    Http,
    TryAgainError,
    base_url,
    clean,
    needed,
)
from mel_pipeline.sources.shared.oauth.session import Answered, RefreshSession, SignIn

# Zoho's API hosts, one per data centre. A token is sent only to one of these or to the configured host.
API_HOSTS = frozenset(
    f"https://www.zohoapis.{end}" for end in ("com", "eu", "in", "com.au", "jp", "com.cn", "sa", "ca")
)
_MOST_RENEWALS = 10  # Zoho: ten access tokens per refresh token in ten minutes
_FATAL = {
    "invalid_code": "The refresh token was rejected; make a new one and set MEL_ZOHO_REFRESH_TOKEN.",
    "invalid_client": "The client id was rejected; check MEL_ZOHO_CLIENT_ID and MEL_ZOHO_ACCOUNTS_URL.",
    "invalid_client_secret": "The client secret was rejected; check MEL_ZOHO_CLIENT_SECRET.",
}


class ZohoAuth:
    """Provides the header and the API host for calls to Zoho."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._http = http
        self._accounts = base_url(settings.zoho_accounts_url, "MEL_ZOHO_ACCOUNTS_URL")
        self._configured = (
            base_url(settings.zoho_api_url, "MEL_ZOHO_API_URL") if settings.zoho_api_url else ""
        )
        self._form = {
            "grant_type": "refresh_token",
            "client_id": needed(settings.zoho_client_id, "MEL_ZOHO_CLIENT_ID"),
            "client_secret": needed(settings.zoho_client_secret.get_secret_value(), "MEL_ZOHO_CLIENT_SECRET"),
            "refresh_token": needed(settings.zoho_refresh_token.get_secret_value(), "MEL_ZOHO_REFRESH_TOKEN"),
        }
        credentials = "\n".join([self._accounts, self._configured, *self._form.values()])
        digest = hashlib.sha256(credentials.encode()).hexdigest()[:16]
        self._session = RefreshSession(
            http,
            SignIn(
                "Zoho",
                "Zoho sign-in",
                f"{self._accounts}/oauth/v2/token",
                self._form,
                "MEL_ZOHO_ACCOUNTS_URL",
                self._refused,
                self._trusted,
                settings.secrets_dir / f"zoho-{digest}.json",
                _MOST_RENEWALS,
            ),
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {self._session.token().access_token}"}

    def api_url(self) -> str:
        """Scheme and host that API calls go to."""
        return self._session.token().api_domain

    def renew(self, rejected_headers: Mapping[str, str]) -> None:
        """Get a new token after these headers were rejected, unless another thread did so already."""
        self._session.token(rejected=rejected_headers["Authorization"].partition(" ")[2])

    def _refused(self, answer: Answer, data: Answered) -> Exception:
        code = str(data.get("error", ""))
        if code in _FATAL:
            return PermanentSourceError(f"{answer.what}: Zoho answered '{code}'. {_FATAL[code]}")
        # Recognised by its shape, not its text, which is localised.
        if data.get("status") == "failure" or code == "Access Denied":
            return TryAgainError(
                f"{answer.what}: Zoho reports too many token requests. Run the load again in ten minutes.",
                self._http.policy.throttled,
            )
        shown = clean(code, self._form.values()) or f"HTTP {answer.status} without a token"
        return PermanentSourceError(f"{answer.what}: Zoho answered '{shown}'. Check the MEL_ZOHO_* settings.")

    def _trusted(self, domain: str) -> str:
        """The API host of the answer, else the configured one, if it may receive the token."""
        domain = (domain or self._configured).rstrip("/")
        if domain in API_HOSTS or (self._configured and _origin(domain) == _origin(self._configured)):
            return domain
        raise PermanentSourceError(
            "Zoho sign-in: the answer names an API host that is not Zoho's; nothing was sent there."
            " Check MEL_ZOHO_ACCOUNTS_URL, or name the host in MEL_ZOHO_API_URL if you trust it."
        )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
