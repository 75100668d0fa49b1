"""Access tokens from a refresh token (OAuth 2.0): kept until shortly before they expire, renewed once. No records here.

What a service means by a refusal is its own; so are the hosts it may be sent to.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.core.secret_files import write_secret
from mel_pipeline.sources.shared.http import Answer, Http, explain_status
from mel_pipeline.sources.shared.values import whole_number

WINDOW_SECONDS = 600.0
_EARLY = 60.0  # seconds before it expires, a token is renewed; a tenth of a short life
_LOCK = threading.Lock()  # several threads and sources may find the token expired: one renewal

Answered = Mapping[str, object]


@dataclass(frozen=True)
class Token:
    """``host``: where the answer says it may be sent; empty where the service says nothing."""

    access_token: str = field(repr=False)
    api_domain: str
    expires_at: float  # seconds since 1970
    renewals: tuple[float, ...] = ()


@dataclass(frozen=True)
class SignIn:
    """How a service gives tokens.

    Args:
        service: "Zoho"; ``what``: "Zoho sign-in", for messages.
        form: credentials and grant.
        address: the setting with the address, named where the answer is not from the service.
        refused: the error for an answer without a token.
        host: the host that may receive the token; raises for one that may not.
        cache: a file that keeps the token for the next process.
        most_renewals: in ten minutes; None: the service has no such limit.
    """

    service: str
    what: str
    url: str
    form: Mapping[str, str] = field(repr=False)
    address: str
    refused: Callable[[Answer, Answered], Exception]
    host: Callable[[str], str] = lambda _: ""
    cache: Path | None = None
    most_renewals: int | None = None


class RefreshSession:
    """The current token of one set of credentials."""

    def __init__(self, http: Http, sign_in: SignIn) -> None:
        self._http, self._sign_in = http, sign_in
        self._current: Token | None = None

    def token(self, rejected: str | None = None) -> Token:
        """The current token; a new one where it has expired or is the rejected one.

        Raises:
            SourceError: the service gives none.
        """
        current = self._current
        if current and current.access_token != rejected and current.expires_at > time.time():
            return current
        with _LOCK:
            token = self._read() or self._current
            if token is None or token.access_token == rejected or token.expires_at <= time.time():
                token = self._renewed(token.renewals if token else ())
                if self._sign_in.cache is not None:
                    write_secret(self._sign_in.cache, json.dumps(asdict(token)))
            self._current = token
            return token

    def _renewed(self, before: tuple[float, ...]) -> Token:
        most = self._sign_in.most_renewals
        recent = [moment for moment in before if time.time() - moment < WINDOW_SECONDS]
        if most is not None and len(recent) >= most:
            raise TransientSourceError(
                f"{self._sign_in.what}: {most} tokens were requested in ten minutes, and {self._sign_in.service}"
                " allows no more. Run the load again in ten minutes."
            )
        requested_at: list[float] = []

        def judge(answer: Answer) -> Answered:
            requested_at.append(time.time())
            return self._judged(answer)

        data = self._http.call(
            self._sign_in.what, self._sign_in.url, judge, method="POST", form=self._sign_in.form
        )
        lifetime = float(whole_number(data.get("expires_in")) or 3600)
        return Token(
            access_token=str(data["access_token"]),
            api_domain=self._sign_in.host(str(data.get("api_domain") or "")),
            expires_at=time.time() + lifetime - min(_EARLY, lifetime / 10),
            renewals=(*recent, *requested_at) if most is not None else (),
        )

    def _judged(self, answer: Answer) -> Answered:
        if answer.status not in (200, 400, 401):
            raise explain_status(answer, f"Check {self._sign_in.address}.")
        data = answer.record()
        if data.get("access_token"):
            return data
        raise self._sign_in.refused(answer, data)

    def _read(self) -> Token | None:
        if self._sign_in.cache is None:
            return None
        try:
            data = json.loads(self._sign_in.cache.read_text(encoding="utf-8"))
            token = Token(**{**data, "renewals": tuple(data["renewals"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # no cache, or one of another version: request a new token
        self._sign_in.host(token.api_domain)
        return token
