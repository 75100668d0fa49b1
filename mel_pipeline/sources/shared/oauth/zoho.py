"""Zoho's access tokens: cached, renewed once, sent only to Zoho. For all Zoho sources; no records here."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from mel_pipeline.core.errors import PermanentSourceError, TransientSourceError
from mel_pipeline.core.secret_files import write_secret
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.http import (
    Answer,
    Http,
    TryAgainError,
    base_url,
    clean,
    explain_status,
    needed,
)
from mel_pipeline.sources.shared.values import whole_number

# Zoho's API hosts, one per data centre. A token is sent only to one of these or to the configured host.
API_HOSTS = frozenset(
    f"https://www.zohoapis.{end}" for end in ("com", "eu", "in", "com.au", "jp", "com.cn", "sa", "ca")
)
_WINDOW_SECONDS, _MOST_RENEWALS = 600.0, 10  # Zoho: ten access tokens per refresh token in ten minutes
_FATAL = {
    "invalid_code": "The refresh token was rejected; make a new one and set MEL_ZOHO_REFRESH_TOKEN.",
    "invalid_client": "The client id was rejected; check MEL_ZOHO_CLIENT_ID and MEL_ZOHO_ACCOUNTS_URL.",
    "invalid_client_secret": "The client secret was rejected; check MEL_ZOHO_CLIENT_SECRET.",
}
_LOCK = threading.Lock()  # several threads and sources may find the token expired: one renewal


@dataclass(frozen=True)
class _Token:
    access_token: str = field(repr=False)
    api_domain: str
    expires_at: float  # seconds since 1970
    renewals: tuple[float, ...] = ()


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
        self._current: _Token | None = None
        self._cache = (
            settings.secrets_dir / f"zoho-{hashlib.sha256(credentials.encode()).hexdigest()[:16]}.json"
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {self._token().access_token}"}

    def api_url(self) -> str:
        """Scheme and host that API calls go to."""
        return self._token().api_domain

    def renew(self, rejected_headers: Mapping[str, str]) -> None:
        """Get a new token after these headers were rejected, unless another thread did so already."""
        self._token(rejected=rejected_headers["Authorization"].partition(" ")[2])

    def _token(self, rejected: str | None = None) -> _Token:
        current = self._current
        if current and current.access_token != rejected and current.expires_at > time.time():
            return current
        with _LOCK:
            token = self._read()
            if token is None or token.access_token == rejected or token.expires_at <= time.time():
                token = self._renewed(token.renewals if token else ())
                write_secret(self._cache, json.dumps(asdict(token)))
            self._current = token
            return token

    def _renewed(self, before: tuple[float, ...]) -> _Token:
        recent = [moment for moment in before if time.time() - moment < _WINDOW_SECONDS]
        if len(recent) >= _MOST_RENEWALS:
            raise TransientSourceError(
                f"Zoho sign-in: {_MOST_RENEWALS} tokens were requested in ten minutes, and Zoho allows"
                " no more. Run the load again in ten minutes."
            )
        requested_at: list[float] = []

        def judge(answer: Answer) -> dict[str, object]:
            requested_at.append(time.time())
            return self._judge(answer)

        data = self._http.call(
            "Zoho sign-in", f"{self._accounts}/oauth/v2/token", judge, method="POST", form=self._form
        )
        lifetime = float(whole_number(data.get("expires_in")) or 3600)
        return _Token(
            access_token=str(data["access_token"]),
            api_domain=self._trusted(str(data.get("api_domain") or self._configured)),
            expires_at=time.time() + lifetime - min(60.0, lifetime / 10),
            renewals=(*recent, *requested_at),
        )

    def _judge(self, answer: Answer) -> dict[str, object]:
        if answer.status not in (200, 400, 401):
            raise explain_status(answer, "Check MEL_ZOHO_ACCOUNTS_URL.")
        data = answer.record()
        if data.get("access_token"):
            return data
        code = str(data.get("error", ""))
        if code in _FATAL:
            raise PermanentSourceError(f"{answer.what}: Zoho answered '{code}'. {_FATAL[code]}")
        # Recognised by its shape, not its text, which is localised.
        if data.get("status") == "failure" or code == "Access Denied":
            raise TryAgainError(
                f"{answer.what}: Zoho reports too many token requests. Run the load again in ten minutes.",
                self._http.policy.throttled,
            )
        shown = clean(code, self._form.values()) or f"HTTP {answer.status} without a token"
        raise PermanentSourceError(f"{answer.what}: Zoho answered '{shown}'. Check the MEL_ZOHO_* settings.")

    def _trusted(self, domain: str) -> str:
        """The API host of the answer, if it may receive the token."""
        domain = domain.rstrip("/")
        if domain in API_HOSTS or (self._configured and _origin(domain) == _origin(self._configured)):
            return domain
        raise PermanentSourceError(
            "Zoho sign-in: the answer names an API host that is not Zoho's; nothing was sent there."
            " Check MEL_ZOHO_ACCOUNTS_URL, or name the host in MEL_ZOHO_API_URL if you trust it."
        )

    def _read(self) -> _Token | None:
        try:
            data = json.loads(self._cache.read_text(encoding="utf-8"))
            token = _Token(**{**data, "renewals": tuple(data["renewals"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # no cache, or one of another version: request a new token
        self._trusted(token.api_domain)
        return token


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
