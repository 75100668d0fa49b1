"""Consent in a browser: OAuth 2.0 with an authorization code, returned to this machine (RFC 6749, 7636, 8252)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from urllib.parse import parse_qs, urlencode, urlsplit

from mel_pipeline.core.contracts import Consent
from mel_pipeline.core.errors import PermanentSourceError, SettingsError
from mel_pipeline.sources.shared.http import Answer, Http, clean, explain_status
from mel_pipeline.sources.shared.values import whole_number

PATH = "/callback"
WAIT_SECONDS = 600.0
_ZOHO = re.compile(r"https://accounts\.zoho(cloud)?\.[a-z]{2,3}(\.[a-z]{2})?")
_PAGE = "<!doctype html><meta charset=utf-8><title>mel connect</title><p>{}</p>"


@dataclass(frozen=True)
class Request:
    """One request for consent. ``redirect``: where the browser is sent back to."""

    title: str
    consent: Consent
    authorize: str
    token: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def address(self) -> str:
        """Where a person consents."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            "scope": self.consent.separator.join(self.consent.scopes),
            "state": self.state,
            **self.consent.parameters,
        }
        if self.consent.pkce:
            digest = hashlib.sha256(self.verifier.encode()).digest()
            asked["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            asked["code_challenge_method"] = "S256"
        return f"{self.authorize}?{urlencode(asked)}"


@dataclass(frozen=True)
class Granted:
    """``ends_on``: None where the service names no day. ``lacking``: scopes that were not granted."""

    value: str = field(repr=False)
    ends_on: date | None
    lacking: list[str]


def code_of(request: Request, returned: str) -> str:
    """The code in the address that the browser was sent back to.

    Raises:
        PermanentSourceError: consent was refused, or the address answers another request.
    """
    what = f"Connecting {request.title}"
    found = {name: values[0] for name, values in parse_qs(urlsplit(returned.strip()).query).items()}
    if not secrets.compare_digest(found.get("state", "").encode(), request.state.encode()):
        raise PermanentSourceError(f"{what}: this is not the answer to this request. Run the command again.")
    if "error" in found:
        words = clean(found.get("error_description") or found["error"])
        raise PermanentSourceError(f"{what}: consent was not given ({words}). Nothing was stored.")
    server = found.get("accounts-server", "").rstrip("/")  # Zoho: the data centre of the account
    if server and urlsplit(server).netloc != urlsplit(request.token).netloc:
        own = f"={server}" if _ZOHO.fullmatch(server) else ""
        raise PermanentSourceError(
            f"{what}: the account is in another data centre. Set MEL_ZOHO_ACCOUNTS_URL{own} and run it again."
        )
    if not found.get("code"):
        raise PermanentSourceError(f"{what}: the address holds no code. Copy all of it, and run it again.")
    return found["code"]


def exchange(http: Http, request: Request, code: str, today: date) -> Granted:
    """The credentials for a code.

    Raises:
        SourceError: the service gives none.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": request.redirect,
        "client_id": request.client_id,
        "client_secret": request.client_secret,
        **({"code_verifier": request.verifier} if request.consent.pkce else {}),
    }

    def judge(answer: Answer) -> Mapping[str, object]:
        if answer.status not in (200, 400, 401):
            raise explain_status(answer, "Check the addresses in the settings.")
        return answer.record()

    data = http.call(f"Connecting {request.title}", request.token, judge, method="POST", form=form)
    value = str(data.get(request.consent.keeps) or "")
    if not value:
        words = clean(data.get("error_description") or data.get("error") or "", form.values())
        kept = request.consent.keeps.replace("_", " ")
        raise PermanentSourceError(
            f"Connecting {request.title}: the answer has no {kept} ({words or 'no reason given'}). Check client id,"
            f" client secret and that {request.redirect} is an allowed redirect address, and run it again."
        )
    lifetime = whole_number(
        data.get("expires_in" if request.consent.keeps == "access_token" else "refresh_token_expires_in")
    )
    given = str(data.get("scope") or "").replace(",", " ").split()
    lacking = [scope for scope in request.consent.scopes if scope not in given] if given else []
    return Granted(value, today + timedelta(seconds=lifetime) if lifetime else None, lacking)


def redirect_to(port: int) -> str:
    """Where the browser is sent back to."""
    return f"http://127.0.0.1:{port}{PATH}"


class Return:
    """Listens on 127.0.0.1 for the one answer of the browser. Use as a context manager."""

    def __init__(self, port: int) -> None:
        """Raises SettingsError where another program uses the port."""
        self._returned = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_answer = urlsplit(self.path).path == PATH
                if is_answer:
                    outer._returned = self.path
                words = "Received. Go back to the terminal; you may close this page."
                body = _PAGE.format(words if is_answer else "Nothing is here.").encode()
                self.send_response(200 if is_answer else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Referrer-Policy", "no-referrer")  # the address holds the code
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The address holds the code, so nothing is logged."""

        try:
            self._server = HTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise SettingsError(
                f"Listening on 127.0.0.1:{port}: {error.strerror}. Choose another --port, and allow its address at the"
                " service."
            ) from None
        self._server.timeout = 1.0
        self.redirect = redirect_to(self._server.server_port)

    def __enter__(self) -> Return:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self, seconds: float = WAIT_SECONDS) -> str:
        """The path with its query that the browser asked for; empty when nobody came."""
        until = monotonic() + seconds
        while not self._returned and monotonic() < until:
            self._server.handle_request()
        return self._returned
