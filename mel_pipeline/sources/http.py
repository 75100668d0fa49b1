"""The one way to speak HTTP: a session with time limits and bounded retries, and faults told apart once.

Secrets travel in headers or bodies, never in addresses, because a connection error prints the address.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mel_pipeline.errors import PermanentSourceError, SettingsError, TransientSourceError

CONNECT_SECONDS, READ_SECONDS, DEADLINE_SECONDS = 5.0, 30.0, 120.0
PASSING = {408, 425, 429, 500, 502, 503, 504}


class Http:
    """A session to one service.

    Args:
        service: its name in messages, such as "Zoho CRM".
        deadline: seconds after which a slowly dripping answer is given up.
    """

    def __init__(self, service: str, deadline: float = DEADLINE_SECONDS, retries: int = 4) -> None:
        self.service = service
        self.deadline = deadline
        retry = Retry(
            total=retries,
            backoff_factor=0.3,
            backoff_jitter=0.3,
            backoff_max=20,
            status_forcelist=PASSING - {500},
            allowed_methods=None,  # every call made here can be repeated safely
            raise_on_status=False,
        )
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy or .netrc picks up a token
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry))

    def call(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        data: Mapping[str, str | int] | None = None,
    ) -> requests.Response:
        """One call, body read. Answers of any status come back, except those that will pass.

        Args:
            what: what is asked for, in words, for messages: "contacts, page 3".

        Raises:
            TransientSourceError: no connection, an outage, throttled, or too slow.
            SettingsError: the address cannot be used at all.
        """
        begun = time.monotonic()
        try:
            response = self.session.request(
                method,
                url,
                headers=dict(headers or {}),
                params=dict(params or {}),
                data=dict(data) if data is not None else None,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            )
            self._read(response, begun)
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
            raise SettingsError(f"{self.service}: the address of the service is not valid. Check MEL_* in .env.") from None
        except requests.exceptions.RequestException as error:
            raise TransientSourceError(
                f"{self.service}, {what}: no answer from {urlsplit(url).netloc} ({_kind(error)})."
                " Check the connection; the next run tries again."
            ) from None
        if response.status_code in PASSING:
            raise TransientSourceError(
                f"{self.service}, {what}: HTTP {response.status_code} after several tries."
                " The service is busy or down; the next run tries again."
            )
        if 300 <= response.status_code < 400 and response.status_code != 304:
            raise PermanentSourceError(
                f"{self.service}, {what}: HTTP {response.status_code}, sent on to another address, which is not"
                " followed. Check the address of the service in the settings."
            )
        return response

    def json(self, response: requests.Response, what: str) -> Any:
        """The body as JSON.

        Raises:
            PermanentSourceError: a web page came instead, as when a login is asked for.
            TransientSourceError: the answer is cut short.
        """
        try:
            return response.json()
        except requests.exceptions.JSONDecodeError:
            if response.text.lstrip()[:1] == "<":
                raise PermanentSourceError(
                    f"{self.service}, {what}: a web page came instead of data (HTTP {response.status_code})."
                    " Check the address and the credentials in the settings."
                ) from None
            raise TransientSourceError(
                f"{self.service}, {what}: the answer is not complete JSON ({len(response.content):,} bytes)."
                " The next run asks again."
            ) from None

    def _read(self, response: requests.Response, begun: float) -> None:
        """Read the body within the deadline: a time-out alone restarts with every byte that drips in."""
        parts = []
        for part in response.iter_content(65_536):
            parts.append(part)
            if time.monotonic() - begun > self.deadline:
                response.close()
                raise requests.exceptions.ReadTimeout(f"not finished after {self.deadline:.0f} seconds")
        response._content = b"".join(parts)


def _kind(error: requests.exceptions.RequestException) -> str:
    """The kind of fault without its text: the text holds the address and may hold more."""
    names = {
        requests.exceptions.ConnectTimeout: "no connection in time",
        requests.exceptions.ReadTimeout: "too slow",
        requests.exceptions.SSLError: "the certificate was not accepted",
        requests.exceptions.RetryError: "gave up after several tries",
        requests.exceptions.ChunkedEncodingError: "cut off in mid-answer",
        requests.exceptions.ConnectionError: "no connection",
    }
    return next((words for kind, words in names.items() if isinstance(error, kind)), type(error).__name__)
