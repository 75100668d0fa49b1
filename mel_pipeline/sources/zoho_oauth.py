"""Access tokens for Zoho's products: refreshed sparingly, shared by threads and runs, kept private."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from mel_pipeline.errors import PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.settings import Settings
from mel_pipeline.sources.http import Http

# Zoho's API hosts by data centre. A forged answer must not send the token anywhere else.
API_HOSTS = {f"www.zohoapis.{end}" for end in ("com", "eu", "in", "com.au", "jp", "com.cn", "sa", "ca")}
EARLY_SECONDS = 120  # a token this close to its end is not used any more


@dataclass(frozen=True)
class Token:
    access_token: str
    api_url: str
    expires_at: float

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {self.access_token}"}

    def __repr__(self) -> str:
        return "Token(<hidden>)"


class ZohoOAuth:
    """Gives a valid token. One refresh at a time; the token outlives the process in a private file."""

    _lock = threading.Lock()

    def __init__(self, settings: Settings, patience: float = 60.0) -> None:
        missing = [
            name
            for name in ("zoho_accounts_url", "zoho_api_url", "zoho_client_id", "zoho_client_secret", "zoho_refresh_token")
            if not _plain(getattr(settings, name))
        ]
        if missing:
            names = ", ".join(f"MEL_{name.upper()}" for name in missing)
            raise SettingsError(f"Connecting to Zoho: {names} not set. Set them in .env, or MEL_SAMPLE=true for sample data.")
        self.settings = settings
        self.patience = patience
        self.http = Http("Zoho sign-in")
        secret = settings.zoho_refresh_token.get_secret_value()
        name = hashlib.sha256(f"{settings.zoho_accounts_url}|{settings.zoho_client_id}|{secret}".encode()).hexdigest()[:16]
        self.cache = settings.secrets_dir / f"zoho-{name}.json"

    def token(self, refused: Token | None = None) -> Token:
        """A token that is not the refused one.

        Raises:
            PermanentSourceError: Zoho refuses the credentials; one call, never repeated.
            TransientSourceError: Zoho throttles sign-ins, or does not answer.
        """
        with self._lock:
            known = self._cached()
            if known and known.expires_at - EARLY_SECONDS > time.time() and (refused is None or known.access_token != refused.access_token):
                return known
            fresh = self._refreshed()
            self._keep(fresh)
            return fresh

    def _refreshed(self) -> Token:
        for attempt in Retrying(
            retry=retry_if_exception_type(_Throttled),
            stop=stop_after_attempt(4),
            wait=wait_exponential_jitter(initial=self.patience / 8, max=self.patience),
            reraise=True,
        ):
            with attempt:
                return self._ask()
        raise AssertionError("unreachable: Retrying returns or raises")

    def _ask(self) -> Token:
        settings = self.settings
        form = {
            "grant_type": "refresh_token",
            "client_id": settings.zoho_client_id,
            "client_secret": settings.zoho_client_secret.get_secret_value(),
            "refresh_token": settings.zoho_refresh_token.get_secret_value(),
        }
        response = self.http.call("POST", f"{settings.zoho_accounts_url}/oauth/v2/token", "a new access token", data=form)
        answer = self.http.json(response, "a new access token")
        if "access_token" in answer:
            api_url = self._accepted_api(str(answer.get("api_domain") or settings.zoho_api_url))
            return Token(str(answer["access_token"]), api_url, time.time() + float(answer.get("expires_in", 3600)))
        error = str(answer.get("error", f"HTTP {response.status_code}"))
        # The text may be translated; status and error are not.
        if error == "Access Denied" or answer.get("status") == "failure":
            raise _Throttled(
                "Zoho sign-in: too many sign-ins in ten minutes. Wait ten minutes; the next run tries again."
            )
        mend = {
            "invalid_client": "Check MEL_ZOHO_CLIENT_ID and the data centre in MEL_ZOHO_ACCOUNTS_URL.",
            "invalid_client_secret": "Check MEL_ZOHO_CLIENT_SECRET.",
            "invalid_code": "The refresh token was rejected; make a new one and set MEL_ZOHO_REFRESH_TOKEN.",
        }.get(error, "Check the MEL_ZOHO_* settings.")
        raise PermanentSourceError(f"Zoho sign-in: refused ({error}). {mend}")

    def _accepted_api(self, api_url: str) -> str:
        configured = self.settings.zoho_api_url.rstrip("/")
        if api_url.rstrip("/") == configured:
            return configured
        parts = urlsplit(api_url)
        if parts.scheme == "https" and parts.netloc in API_HOSTS:
            return f"https://{parts.netloc}"
        raise PermanentSourceError(
            "Zoho sign-in: the answer names an API address that is not one of Zoho's. The token was not sent there."
            " Check MEL_ZOHO_ACCOUNTS_URL."
        )

    def _cached(self) -> Token | None:
        try:
            return Token(**json.loads(self.cache.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # a missing or damaged cache only costs one sign-in

    def _keep(self, token: Token) -> None:
        write_private(self.cache, json.dumps(token.__dict__))


class _Throttled(TransientSourceError):
    """Too many sign-ins."""


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)


def _plain(value: object) -> object:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value
